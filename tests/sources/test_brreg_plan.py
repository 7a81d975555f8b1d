"""What is fetched of Enhetsregisteret: bulk file, feed or nothing, and why, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from norway import BUILT, DAY, NOON, Norway, norway

from sources.brreg_files import BULK_URL
from sources.kit.card import Held
from sources.kit.errors import DeliveryRefused, Refused, SourceUnavailable
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_api import Reply
from sources.kit.standin_brreg import Brreg
from sources.kit.standin_register import Asked

LATER = NOON + timedelta(hours=1)
AFTER_BULK = "dato:2026-11-01T04:00:00.000Z"


class Forgetful(Brreg):
    """A register whose feed takes no ids, or tells nothing from them on."""

    refuses: int | None = None
    takes_dates = True

    def answer(self, asked: Asked) -> Reply:
        is_feed = asked.path.endswith("/oppdateringer/enheter")
        if is_feed and ("oppdateringsid" in asked.query or not self.takes_dates):
            if self.refuses:
                return Reply(self.refuses, b"")
            nothing = {**asked.query, "oppdateringsid": "99999999"}
            return super().answer(replace(asked, query=nothing))
        return super().answer(asked)


@pytest.fixture
def no(tmp_path: Path) -> Iterator[Norway]:
    with norway(tmp_path) as found:
        yield found


def forgetful() -> Forgetful:
    return Forgetful(bundled_registers(DAY).firms["brreg"], DAY)


def test_the_first_plan_is_the_bulk_file(no: Norway) -> None:
    made = no.plan()
    assert (made.kind, made.reason, made.url) == ("full", "nothing is held yet", BULK_URL)
    assert (made.published_at, made.size) == (BUILT, len(no.register.bulk))
    assert made.position is None
    assert no.plan(is_full_wanted=True).reason == "a full file was asked for"


def test_after_a_bulk_file_the_feed_is_read_from_a_day_before_it(no: Norway) -> None:
    landed = no.fetch(no.plan())
    assert landed.position == AFTER_BULK
    made = no.plan(no.after(landed))
    assert (made.kind, made.position) == ("feed", AFTER_BULK)
    assert made.reason == "the change feed tells 23 new events"
    assert no.asked("oppdateringer")[-1].startswith(
        "oppdateringer/enheter?dato=2026-11-01T04:00:00.000Z&"
    )


def test_a_file_given_by_hand_has_no_place_and_the_feed_follows_it_all_the_same(
    no: Norway,
) -> None:
    made = no.plan(Held(BUILT, full_published_at=BUILT))
    assert (made.kind, made.position) == ("feed", AFTER_BULK)
    assert no.plan(Held(BUILT, position="somewhere", full_published_at=BUILT)).kind == "feed"
    assert no.plan(Held(None)).kind == "full"


def test_nothing_new_is_told_by_one_request(no: Norway) -> None:
    held = no.first()
    before = len(no.asked("oppdateringer"))
    made = no.plan(held)
    assert (made.kind, made.reason) == ("up_to_date", "the change feed tells nothing new")
    assert len(no.asked("oppdateringer")) == before + 1
    with pytest.raises(Refused, match="tells nothing new"):
        no.fetch(made)


def test_what_came_since_is_read_by_id(no: Norway) -> None:
    held = no.first()
    no.register.change(no.mailed(), LATER, telefon="22 00 00 01")
    made = no.plan(held)
    assert (made.kind, made.reason) == ("feed", "the change feed tells 1 new events")
    assert made.position == held.position
    assert made.position is not None
    assert made.position.startswith("id:")


def test_numbers_that_are_missing_are_asked_for_beside_the_feed(no: Norway) -> None:
    held = replace(no.first(), missing=("812345672", "no number", "812345672", "12"))
    made = no.plan(held)
    assert (made.kind, made.keys) == ("feed", ("812345672",))
    assert made.reason == "the feed tells nothing new, 1 more numbers are asked for"


def test_a_bulk_file_older_than_what_is_applied_is_never_planned(no: Norway) -> None:
    held = no.first()
    no.register.change(no.mailed(), NOON, telefon="22 00 00 01")
    held = no.after(no.fetch(no.plan(held)))
    made = no.plan(held, is_full_wanted=True)
    assert made.kind == "up_to_date"
    assert "of 2026-11-02 04:00 UTC, older than what is applied" in made.reason
    no.register.change(no.mailed(), LATER, telefon="22 00 00 02")
    assert no.plan(held, is_full_wanted=True).kind == "feed"
    no.register.publish_bulk(NOON + timedelta(hours=16))
    assert no.plan(held, is_full_wanted=True).kind == "full"


def test_what_became_older_between_plan_and_fetch_is_refused(no: Norway) -> None:
    held = no.first()
    made = no.plan(held, is_full_wanted=True)
    assert made.kind == "full"
    no.register.publish_bulk(BUILT - timedelta(days=3))
    with pytest.raises(DeliveryRefused, match="older than what is applied"):
        no.fetch(made)


def test_a_long_gap_is_closed_by_the_bulk_file_and_no_event_is_passed_over(no: Norway) -> None:
    held = no.first()
    gone = no.mailed()
    no.register.remove(gone, BUILT + timedelta(days=2))
    no.register.publish_bulk(BUILT + timedelta(days=29))
    assert no.plan(held).kind == "feed"
    built = BUILT + timedelta(days=32)
    no.register.publish_bulk(built)
    made = no.plan(held)
    assert made.kind == "full"
    assert (
        made.reason == "the bulk file is 32 days newer than what is applied: it is the shorter way"
    )
    assert made.position == held.position


def test_a_bulk_file_that_was_refused_is_not_fetched_again_unasked(no: Norway) -> None:
    held, built = no.first(), BUILT + timedelta(days=40)
    no.register.publish_bulk(built)
    no.register.change(no.mailed(), built, telefon="22 00 00 01")
    assert no.plan(held).kind == "full"
    held = replace(held, refused=((built, no.session.address(BULK_URL)),))
    assert no.plan(held).kind == "feed"
    assert no.plan(held, is_full_wanted=True).kind == "full"


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_place_that_the_feed_refuses_needs_a_newer_bulk_file(tmp_path: Path, status: int) -> None:
    register = forgetful()
    with norway(tmp_path, register) as no:
        held = no.first()
        register.refuses = status
        register.publish_bulk(BUILT - timedelta(hours=2))
        with pytest.raises(SourceUnavailable, match=rf"HTTP {status}\), and no newer bulk file"):
            no.plan(held)
        register.publish_bulk(BUILT + timedelta(days=1))
        made = no.plan(held)
        assert (made.kind, made.position) == ("full", "dato:2026-11-02T03:00:00.000Z")
        assert f"does not take our place (HTTP {status})" in made.reason
        register.takes_dates = False
        lost = no.plan(replace(held, position=made.position))
        assert (lost.kind, lost.position) == ("full", None)


def test_a_feed_that_does_not_know_our_place_is_noticed(tmp_path: Path) -> None:
    register = forgetful()
    with norway(tmp_path, register) as no:
        held = no.first()
        register.publish_bulk(BUILT + timedelta(days=6))
        assert no.plan(held).kind == "up_to_date"
        register.publish_bulk(BUILT + timedelta(days=8))
        made = no.plan(held)
        assert (made.kind, made.position) == ("full", "dato:2026-11-02T03:00:00.000Z")
        assert "tells nothing, and the bulk file is 8 days newer" in made.reason


def test_more_events_than_a_month_has_are_not_looked_up(
    no: Norway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.brreg_plan.MOST_NEWS", 22)
    held = no.after(no.fetch(no.plan()))
    assert no.plan(held).kind == "feed"  # the bulk file is no newer: it would not help
    no.register.publish_bulk(BUILT + timedelta(days=1))
    made = no.plan(held)
    assert (made.kind, made.position) == ("full", AFTER_BULK)
    assert "23 changes" in made.reason


def test_without_headers_the_feed_is_read_all_the_same(no: Norway) -> None:
    held = no.first()
    no.register.change(no.mailed(), LATER, telefon="22 00 00 01")
    no.served.misbehave("unavailable", on="lastned")
    assert no.plan(held).kind == "feed"
    made = no.plan()
    assert (made.kind, made.published_at) == ("full", None)


@pytest.mark.parametrize("fault", ["unavailable", "rate_limited_bare", "server_error"])
def test_a_register_that_is_down_is_no_news(no: Norway, fault: str) -> None:
    held = no.first()
    no.served.misbehave(fault)
    with pytest.raises(SourceUnavailable):
        no.plan(held)


@pytest.mark.parametrize("fault", ["html_200", "empty_200", "error_200", "truncated"])
def test_an_answer_that_is_none_is_no_news(no: Norway, fault: str) -> None:
    held = no.first()
    no.register.change(no.mailed(), LATER, telefon="22 00 00 01")
    no.served.misbehave(fault)
    with pytest.raises(DeliveryRefused):
        no.plan(held)
