"""Removals and returns, and a gap that a bulk file closed: what is looked up of the feed then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from norway import BUILT, DAY, NOON, Norway, Odd, keys, loaded, news, norway

from sources.kit.card import Held
from sources.kit.sample_registers import bundled_registers

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


def test_what_returns_is_erased_first_and_looked_up_by_the_next_run(no: Norway, held: Held) -> None:
    back, gone = no.mailed(0), no.mailed(1)
    no.register.tell(back, "Fjernet", LATER)
    no.register.tell(back, "Ny", LATER)
    no.register.remove(gone, LATER)
    landed = news(no, held)
    frames, said = loaded(landed)
    assert (said["erased"], frames, landed.asked) == ((back,), [], (back,))
    held = no.after(landed)
    assert no.plan(held).kind == "feed"
    landed = news(no, held)
    frames, said = loaded(landed)
    assert (said["erased"], keys(frames)) == ((gone,), [back])
    assert no.plan(no.after(landed)).kind == "up_to_date"


def test_after_a_long_gap_only_what_no_bulk_file_tells_is_looked_up(no: Norway, held: Held) -> None:
    changed, deleted, gone, late = (no.mailed(nth) for nth in range(4))
    soon, built = BUILT + timedelta(days=2), BUILT + timedelta(days=32)
    no.register.change(changed, soon, telefon="22 00 00 01")
    no.register.delete(deleted, soon)
    no.register.remove(gone, soon)
    no.register.publish_bulk(built)
    no.session.now = lambda: built + timedelta(hours=8)
    full = no.fetch(no.plan(held))
    assert full.position == f"{held.position} bulk:2026-12-03T04:00:00.000Z"
    no.register.change(late, built - timedelta(hours=2), telefon="22 00 00 02")
    landed = news(no, no.after(full))
    frames, said = loaded(landed)
    assert said["erased"] == (gone,)
    assert set(keys(frames)) == {deleted, late}
    assert landed.position == "id:20000485 at:2026-12-04T02:00:00.000Z"


def test_what_returned_before_a_bulk_file_is_looked_up_all_the_same(no: Norway, held: Held) -> None:
    back, built = no.mailed(), BUILT + timedelta(days=32)
    no.register.tell(back, "Fjernet", BUILT + timedelta(days=2))
    no.register.tell(back, "Endring", BUILT + timedelta(days=3))
    no.register.publish_bulk(built)
    no.session.now = lambda: built
    landed = news(no, no.after(no.fetch(no.plan(held))))
    assert loaded(landed)[1]["erased"] == (back,)
    frames, said = loaded(news(no, no.after(landed)))
    assert (keys(frames), said["erased"]) == ([back], ())


def test_a_slice_that_ends_before_the_bulk_file_keeps_what_that_holds(
    no: Norway, odd: Odd, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon, built = BUILT + timedelta(days=2), BUILT + timedelta(days=32)
    for nth in range(4):
        odd.change(no.mailed(nth), soon + timedelta(days=nth), telefon="22 00 00 01")
    odd.publish_bulk(built)
    no.session.now = lambda: built
    full = no.fetch(no.plan(held))
    monkeypatch.setattr("sources.brreg_feed.MOST_EVENTS", 2)
    odd.most = 2
    landed = news(no, no.after(full))
    assert (
        landed.position == "id:20000479 at:2026-11-05T04:00:00.000Z bulk:2026-12-03T04:00:00.000Z"
    )
    assert (landed.record_count, landed.asked) == (0, ())
