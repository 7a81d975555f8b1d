"""The change feed and all that it makes us look up, landed as one, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from norway import DAY, NOON, Norway, Odd, Spoil, events, keys, loaded, news, norway

from sources.brreg_place import place_of
from sources.kit.card import Held, Plan
from sources.kit.errors import DeliveryRefused, SourcenoteError, SourceUnavailable
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_api import Reply
from sources.kit.standin_brreg import REMOVED
from sources.kit.standin_register import Asked

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def odd() -> Odd:
    return Odd(bundled_registers(DAY).firms["brreg"], DAY)


@pytest.fixture
def no(tmp_path: Path, odd: Odd) -> Iterator[Norway]:
    with norway(tmp_path, odd) as found:
        yield found


@pytest.fixture
def held(no: Norway) -> Held:
    return no.first()


def test_the_bundled_feed_has_every_kind_of_event(no: Norway) -> None:
    landed = news(no, no.after(no.fetch(no.plan())))
    frames, said = loaded(landed)
    assert said == {"erased": (REMOVED,), "absent": (), "unknown": []}
    assert (landed.kind, landed.record_count, len(keys(frames))) == ("feed", 22, 22)
    assert set(landed.asked) == {REMOVED, *keys(frames)}
    assert (landed.published_at, landed.retrieved_at) == (NOON, NOON)
    assert landed.position == "id:20000473 at:2026-11-02T03:00:00.000Z"
    (frame,) = frames
    status = dict(zip(keys(frames), frame.table["entity_status"].to_pylist(), strict=True))
    ended = [number for number, said in status.items() if said == "INACTIVE"]
    assert len(ended) == 2
    assert no.asked("enheter/8")[-2:] == [f"enheter/{number}" for number in ended]


def test_events_are_looked_up_as_the_register_is_now(no: Norway, held: Held) -> None:
    changed, deleted, gone = (no.mailed(nth) for nth in range(3))
    no.register.change(changed, LATER, epostadresse="post@foer.example")
    no.register.change(changed, LATER, epostadresse="post@naa.example")
    no.register.delete(deleted, LATER)
    no.register.change(gone, LATER, epostadresse="post@borte.example")
    no.register.remove(gone, LATER)
    no.register.tell(gone, "Fjernet", LATER)
    before = len(no.asked())
    landed = news(no, held)
    frames, said = loaded(landed)
    assert said["erased"] == (gone,)
    assert sorted(keys(frames)) == sorted([changed, deleted])
    assert set(landed.asked) == {changed, deleted, gone}
    (frame,) = frames
    assert "post@naa.example" in frame.contacts["original"].to_pylist()
    assert "post@foer.example" not in frame.contacts["original"].to_pylist()
    assert f"enheter/{gone}" not in no.asked()[before:]
    assert no.plan(no.after(landed)).kind == "up_to_date"


def test_every_event_is_read_once_whatever_the_pages_are(no: Norway, odd: Odd, held: Held) -> None:
    first = place_of(held.position)
    for most, overlap in ((7, 0), (7, 3), (1, 0), (500, 2)):
        odd.most, odd.overlap = most, overlap
        for nth in range(20):
            odd.change(no.mailed(nth), LATER, telefon=f"22 00 {most % 100:02d} {nth:02d}")
        landed = news(no, held)
        frames, _ = loaded(landed)
        assert set(keys(frames)) == {no.mailed(nth) for nth in range(20)}
        held = no.after(landed)
        assert no.plan(held).kind == "up_to_date"
    last = place_of(held.position)
    assert first is not None
    assert last is not None
    assert last.event_id == (first.event_id or 0) + 3 * 80
    assert not [path for path in no.asked("oppdateringer") if "page=" in path]


def test_pages_that_begin_before_the_place_never_move_it_back(
    no: Norway, odd: Odd, held: Held
) -> None:
    class Behind(Odd):
        def answer(self, asked: Asked) -> Reply:
            start = int(asked.query.get("oppdateringsid", "0")) - 6
            return super().answer(
                replace(asked, query={**asked.query, "oppdateringsid": str(start)})
            )

    odd.__class__ = Behind
    assert no.plan(held).kind == "up_to_date"
    odd.change(no.mailed(), LATER, telefon="22 00 00 01")
    landed = news(no, held)
    frames, said = loaded(landed)
    assert (keys(frames), said["erased"]) == ([no.mailed()], ())
    (before, after) = (place_of(held.position), place_of(landed.position))
    assert before is not None
    assert after is not None
    assert (after.event_id or 0) == (before.event_id or 0) + 3
    odd.most = 1
    planned = no.plan(no.after(landed))
    assert planned.kind == "feed"  # its one event is an old one, and there are more
    assert no.fetch(planned).position == landed.position


def test_a_feed_that_never_ends_ends_the_run_all_the_same(
    no: Norway, odd: Odd, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd.is_endless = True
    monkeypatch.setattr("sources.brreg_feed.MOST_EVENTS", 5)
    landed = news(no, held)
    assert len(no.asked("oppdateringer")) < 15
    assert no.plan(no.after(landed)).kind == "feed"
    monkeypatch.setattr("sources.brreg_feed.MOST_EVENTS", 10_000)
    monkeypatch.setattr("sources.brreg_feed.MOST_PAGES", 4)
    before = len(no.asked("oppdateringer"))
    further = news(no, no.after(landed))
    assert len(no.asked("oppdateringer")) == before + 5
    assert further.position > landed.position


def unpublished(document: dict[str, Any]) -> None:
    for event in events(document):
        event["endringstype"] = "Slettet for alltid"


def unordered(document: dict[str, Any]) -> None:
    events(document).reverse()
    document["page"]["totalElements"] += 1


def nameless(document: dict[str, Any]) -> None:
    for event in events(document):
        event["organisasjonsnummer"] = "../roller"


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (unpublished, "a kind of event that is not published"),
        (unordered, "not in the order of its ids"),
        (nameless, "not of the published shape"),
        (lambda page: [event.pop("dato") for event in events(page)], "not of the published shape"),
        (lambda page: page.update(_embedded=5), "not of the published shape"),
        (lambda page: page.update(_embedded={"oppdaterteEnheter": {}}), "published shape"),
        (lambda page: [page.pop(name) for name in (*page,)], "may have answered with an error"),
        (lambda page: page.update(feilmelding="Intern feil"), "may have answered with an error"),
    ],
)
def test_a_feed_that_cannot_be_read_is_refused_whole(
    no: Norway, odd: Odd, held: Held, spoil: Spoil, cause: str
) -> None:
    planned = replace(no.plan(held), kind="feed")
    for nth in range(3):
        odd.change(no.mailed(nth), LATER, telefon="22 00 00 01")
    before = sorted(no.landing.root.rglob("*"))
    odd.spoil = spoil
    with pytest.raises(DeliveryRefused, match=cause):
        no.fetch(planned)
    assert sorted(no.landing.root.rglob("*")) == before


def test_the_last_page_may_be_in_any_order(no: Norway, odd: Odd, held: Held) -> None:
    for nth in range(3):
        odd.change(no.mailed(nth), LATER, telefon="22 00 00 01")
    odd.remove(no.mailed(0), LATER)
    odd.spoil = lambda page: events(page).reverse()
    _, said = loaded(news(no, held))
    assert len(said["erased"]) == 1


def test_events_of_the_future_are_refused(no: Norway, held: Held) -> None:
    no.register.change(no.mailed(), NOON + timedelta(days=3), telefon="22 00 00 01")
    with pytest.raises(DeliveryRefused, match="dated in the future"):
        news(no, held)


@pytest.mark.parametrize(
    "fault",
    [
        "rate_limited_bare",
        "unavailable",
        "html_200",
        "empty_200",
        "error_200",
        "truncated",
        "reset",
    ],
)
@pytest.mark.parametrize("on", ["oppdateringer", "organisasjonsnummer=", "enheter/8"])
def test_nothing_is_landed_of_a_feed_that_breaks_off(
    no: Norway, held: Held, fault: str, on: str
) -> None:
    no.register.delete(next(n for n in no.register.entities if n.startswith("8")), LATER)
    planned: Plan = no.plan(held)
    before = sorted(no.landing.root.rglob("*"))
    no.served.misbehave(fault, on=on)
    with pytest.raises(SourcenoteError) as refusal:
        no.fetch(planned)
    assert isinstance(refusal.value, DeliveryRefused | SourceUnavailable)
    assert sorted(no.landing.root.rglob("*")) == before
    no.served.behave()
    assert no.fetch(planned).record_count == 1


def test_a_fault_that_passes_is_waited_for(no: Norway, held: Held) -> None:
    no.register.change(no.mailed(), LATER, telefon="22 00 00 01")
    for on in ("oppdateringer", "organisasjonsnummer="):
        no.served.misbehave("unavailable", times=1, on=on)
    assert news(no, held).record_count == 1
