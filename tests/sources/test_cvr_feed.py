"""CVR's event feed: nothing that changed since the files is missed, and nothing is asked twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cvr_served import BUILT, FIRMS, NOON, Served, held_after, number_of, served, told

from sources import cvr as source
from sources.kit.errors import DeliveryRefused, SourceUnavailable
from sources.kit.sample_cvr import person_id, production_unit_id, unit_id
from sources.kit.standin_api import Reply

FIRM = next(firm for firm in FIRMS if firm.is_protected is False and not firm.ceased)
DAY = timedelta(days=1)


@pytest.fixture
def cvr(tmp_path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def change(cvr: Served, at: datetime, number: str = FIRM.number, *, value: bool = True) -> None:
    cvr.register.protect(number, at, value=value)


def test_the_place_after_files_is_a_day_before_their_moment(cvr: Served) -> None:
    """What the files cannot hold is behind it; a day's margin, for clocks that differ."""
    for hours in (-30, -25, -23, -1, 1, 30):
        change(cvr, BUILT + timedelta(hours=hours), value=hours % 2 == 0)
    events = cvr.register.events
    expected = max(
        event["eventid"]
        for event in events
        if event["datafordelerOpdateringstid"] < f"{BUILT - DAY:%Y-%m-%dT%H:%M:%S}"
    )
    assert 0 < expected < len(events)
    landed = cvr.fetch()
    assert landed.position == str(expected)
    posts = [one for one in cvr.standin.requests if one.method == "POST"]
    assert len(posts) <= 2 + len(events).bit_length()
    first_file = next(n for n, path in enumerate(cvr.paths()) if "GetFile" in path)
    assert all("GetFile" in path for path in cvr.paths()[first_file:])  # asked before, not after


def test_it_is_found_without_the_registers_own_word(cvr: Served) -> None:
    expected = cvr.fetch().position
    cvr.register.without_roots = {"DAF_RegisterImportStatus"}
    assert cvr.fetch().position == expected


def test_without_events_the_files_are_loaded_and_the_reason_says_so(cvr: Served) -> None:
    cvr.standin.misbehave("missing", on="/CVR/v2")
    landed = cvr.fetch()
    assert landed.position is None
    assert "the event feed did not answer, and is not read until next week" in landed.reason
    again = source.fetch(cvr.session, replace(cvr.plan(), position="77"), cvr.landing)
    assert again.position == "77"
    assert "is read on from where it was" in again.reason


def test_a_change_is_looked_up_and_the_place_moves_on(cvr: Served) -> None:
    known = held_after(cvr.fetch())
    change(cvr, NOON)
    landed = cvr.fetch(known)
    assert (landed.kind, landed.asked, landed.published_at) == ("feed", (FIRM.number,), NOON)
    assert landed.position == str(len(cvr.register.events))
    assert "2 events of 1 units, 1 companies" in landed.reason
    found = told(landed.path)
    assert found.flags == {FIRM.number: True}
    assert found.absent == ()
    after = replace(known, position=landed.position, published_at=landed.published_at)
    assert cvr.plan(after).kind == "up_to_date"


def test_a_change_between_files_and_listing_is_not_missed(cvr: Served) -> None:
    """The files are of Friday; what changed on Saturday is in no file, and the feed has it."""
    change(cvr, BUILT + DAY)
    landed = cvr.fetch()
    assert told(landed.path).flags[FIRM.number] is False
    feed = cvr.fetch(held_after(landed))
    assert told(feed.path).flags[FIRM.number] is True


def test_a_units_change_leads_to_its_company_and_a_persons_to_nobody(cvr: Served) -> None:
    known = held_after(cvr.fetch())
    sole = number_of("sole")
    cvr.register.set_value("Reklamebeskyttelse", production_unit_id(FIRM.number), True, NOON)
    cvr.register.set_value("Navn", person_id(sole), "Navnløs", NOON)
    landed = cvr.fetch(known)
    assert landed.asked == (FIRM.number,)
    assert "Navnløs" not in landed.path.read_text()


def test_entities_that_are_not_read_change_nothing(cvr: Served) -> None:
    known = held_after(cvr.fetch())
    cvr.register.set_value("Branche", unit_id(FIRM.number), "1", NOON)
    landed = cvr.fetch(known)
    assert (landed.asked, landed.record_count) == ((), 0)
    assert landed.position == str(len(cvr.register.events))
    found = told(landed.path)
    assert not found.companies


def test_a_company_that_is_gone_is_told_of_by_absence(cvr: Served) -> None:
    known = held_after(cvr.fetch(), missing=(FIRM.number,))
    cvr.register.drop(unit_id(FIRM.number), NOON)
    landed = cvr.fetch(known)
    assert landed.asked == (FIRM.number,)
    assert told(landed.path).absent == (FIRM.number,)


def test_many_changes_come_in_pages_and_batches(cvr: Served, monkeypatch) -> None:
    monkeypatch.setattr("sources.cvr_events.PAGE", 50)
    monkeypatch.setattr("sources.cvr_answer_rows.BATCHES", 1)
    files = told(cvr.fetch().path)
    known = held_after(cvr.fetch(), position="0")
    landed = cvr.fetch(known)
    found = told(landed.path)
    assert found.companies == files.companies
    assert found.contacts == files.contacts
    assert found.flags == files.flags
    assert found.absent == ()
    assert landed.record_count == len(FIRMS)


def test_a_feed_too_long_is_read_in_parts(cvr: Served, monkeypatch) -> None:
    monkeypatch.setattr("sources.cvr_events.MOST_EVENTS", 100)
    monkeypatch.setattr("sources.cvr_events.PAGE", 60)
    landed = cvr.fetch(held_after(cvr.fetch(), position="0"))
    assert landed.position == "120"
    assert "there are more, which the next run reads" in landed.reason


def test_only_missing_numbers_without_a_place(cvr: Served) -> None:
    known = held_after(cvr.fetch(), position=None, missing=(FIRM.number, "12345678"))
    landed = cvr.fetch(known)
    assert landed.position is None
    found = told(landed.path)
    assert set(found.companies) == {FIRM.number}
    assert found.absent == ("12345678",)


@pytest.mark.parametrize("place", ["", "-1", "ten", "1.5"])
def test_a_place_that_is_none_is_refused(cvr: Served, place: str) -> None:
    with pytest.raises(DeliveryRefused, match="not an event's number"):
        cvr.plan(held_after(cvr.fetch(), position=place))


def _told_as(cvr: Served, nodes: list[dict[str, object]]) -> None:
    answer = cvr.register.answer

    def changed(request) -> Reply:
        if b"CVR_Events" not in request.body:
            return answer(request)
        return Reply(200, json.dumps({"data": {"CVR_Events": {"nodes": nodes}}}).encode())

    cvr.register.answer = changed  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("nodes", "cause"),
    [
        ([{"eventid": 1, "entityname": "Navn", "object_id": "1"}], "repeats events from before"),
        ([{"entityname": "Navn", "object_id": "1"}], "an event has no number"),
        ([{"eventid": "9999", "entityname": "Navn"}], "an event has no number"),
    ],
)
def test_a_feed_that_does_not_go_on_is_refused(cvr: Served, nodes, cause: str) -> None:
    """Else it would be read for ever, or its changes be lost."""
    known = held_after(cvr.fetch())
    _told_as(cvr, nodes)
    with pytest.raises(DeliveryRefused, match=cause):
        cvr.fetch(known)


def test_a_register_that_is_down_moves_nothing(cvr: Served) -> None:
    known = held_after(cvr.fetch())
    change(cvr, NOON)
    plan = cvr.plan(known)
    before = list(cvr.landing.root.glob("??/*.bin"))
    cvr.standin.misbehave("unavailable", on="/CVR/v2")
    with pytest.raises(SourceUnavailable):
        source.fetch(cvr.session, plan, cvr.landing)
    assert list(cvr.landing.root.glob("??/*.bin")) == before
    assert list(cvr.landing.root.glob("*.part")) == []


@pytest.mark.parametrize("cut", [1, 30, 200, -1, -40])
def test_landed_answers_that_are_damaged_are_refused(cvr: Served, cut: int) -> None:
    landed = cvr.ask(FIRM.number)
    assert landed is not None
    path = cvr.landing.root / "cut.bin"
    path.write_bytes(landed.path.read_bytes()[:cut])
    with pytest.raises(DeliveryRefused, match="CVR's answers as they were landed"):
        told(path)
