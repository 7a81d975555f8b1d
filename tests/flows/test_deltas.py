"""A sequence of publications, followed by deltas: planned, applied, and whatever may go wrong."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from following import WINDOWS, Following, at, content, published, state
from ingesting import company, csv_bytes, lei, opened, outcomes
from standing import files_of_runs

from flows import ingest_run
from sources.kit.errors import DeliveryRefused, SourcenoteError, SourceUnavailable
from sources.kit.standin import Pace, Publish
from sources.kit.standin_sequence import sequence


def test_a_sequence_is_followed_by_deltas_to_the_very_state_of_a_full_load(
    following: Following, tmp_path: Path
) -> None:
    publishes = published(*range(6))
    changes = 0
    for step, publish in enumerate(publishes):
        following.standin.publish(publish)
        found = following.plan(step)
        report = following.ingest(step)
        assert (report.kind, found["decision"]) == ("delta" if step else "full",) * 2
        assert found["window"] == ("LastDay" if step else "GoldenCopy")
        assert found["gap_hours"] == (8 if step else None)
        assert report.counts["records_in"] == found["records"]
        assert following.is_at(step)
        assert following.applied() == at(step)
        if step:
            counts = outcomes(report)
            assert (counts["new"], counts["changed"]) == (2, 2)
            changes += counts["changed"]
            assert following.held.one("SELECT count(*) FROM changes") == 2 * changes
            assert following.ingest(step).status == "up_to_date"
    _changes_are_exact(following)
    clean_home = tmp_path / "clean"
    clean_home.mkdir()
    with opened(f"sqlite:///{clean_home / 'clean.db'}", clean_home) as clean:
        clean.at(at(5)).ingest(csv_bytes(state(5)), "full", f"{at(5):%Y-%m-%d}")
        ours, theirs = following.held.said(), clean.said()
        assert [row["digest"] for row in ours["record"]] == [
            row["digest"] for row in theirs["record"]
        ]


def _changes_are_exact(following: Following) -> None:
    """Every renaming, with what it was and what it became, and the delivery that said so."""
    told = following.held.ask(
        "SELECT c.company_id, p.lei, c.old_value, c.new_value, d.published_at FROM changes c "
        "JOIN prospects p ON p.company_id = c.company_id "
        "JOIN deliveries d ON d.delivery_id = c.delivery_id WHERE c.field = 'legal_name'"
    )
    wanted = set()
    for step in range(1, 6):
        before = {row["LEI"]: row["Entity.LegalName"] for row in state(step - 1)}
        now = {row["LEI"]: row["Entity.LegalName"] for row in state(step)}
        wanted |= {
            (key, before[key], now[key], f"{at(step):%Y-%m-%d %H}")
            for key in before
            if before[key] != now[key]
        }
    said = {
        (row["lei"], row["old_value"], row["new_value"], str(row["published_at"])[:13])
        for row in told
    }
    assert {(*row[:3], row[3].replace("T", " ")) for row in said} == wanted


@pytest.mark.parametrize(
    ("step", "window"), [(1, "LastDay"), (2, "LastDay"), (3, "LastWeek"), (21, "LastMonth")]
)
def test_missed_publications_are_caught_up_with_one_delta(
    following: Following, step: int, window: str
) -> None:
    first, *_, last = published(*range(step + 1))
    following.standin.publish(first)
    following.ingest(0)
    following.standin.publish(last)
    assert following.plan(step)["window"] == window
    report = following.ingest(step)
    assert (report.kind, report.counts["records_new"]) == ("delta", 2 * step)
    assert following.is_at(step)
    assert following.applied() == at(step)


def test_after_more_than_a_month_the_full_file_is_loaded(following: Following) -> None:
    first, last = published(0, 94)
    following.standin.publish(first)
    following.ingest(0)
    following.standin.publish(last)
    found = following.plan(94)
    assert (found["window"], len(found["windows_refused"])) == ("GoldenCopy", 4)
    assert "31.3 days" in found["reason"]
    following.held.change(sources={})
    with pytest.raises(DeliveryRefused, match="size_fits_last_full"):
        following.ingest(94)


def test_a_dry_run_says_what_and_why(begun: Following) -> None:
    line = ["ingest", "gleif", "--base-url", begun.standin.base_url, "--dry-run"]
    now = (at(1) + timedelta(hours=2)).isoformat()
    said = begun.run(*line, now=now).text
    for part in (
        "held 2026-11-02 00:00 UTC", "behind by 8 hours", "LastDay: https://goldencopy.gleif.org/",
        "bytes listed", "records listed 4", "IntraDay it reaches back 8 h",
        "LastDay closes the gap of 8 h",
    ):  # fmt: skip
        assert part in said
    plan = begun.plan(1)
    assert plan["held_published_at"] == at(0).isoformat()
    assert plan["published_at"] == at(1).isoformat()
    assert plan["windows_refused"] == [{"window": "IntraDay", "reason": "it reaches back 8 h"}]
    assert begun.is_at(0)


@pytest.mark.parametrize("fault", ["wrong_delta_record_count", "wrong_delta_size", "missing"])
def test_a_delta_that_is_not_as_listed_stops_and_the_next_run_takes_a_larger_file(
    begun: Following, fault: str
) -> None:
    begun.standin.misbehave(fault)
    before = begun.held.state()
    for window in WINDOWS[1:]:
        plan = begun.plan(1)
        assert plan["window"] == window
        with pytest.raises((DeliveryRefused, SourceUnavailable)):
            begun.ingest(1)
        assert begun.held.state() == before
        assert begun.applied() == at(0)
        assert f"-{window[:4].lower()}-" in begun.refused()[-1]["url"]
    plan = begun.plan(1)
    assert (plan["window"], plan["decision"]) == ("GoldenCopy", "full")
    assert [row["reason"] for row in plan["windows_refused"]][1:] == [
        "it was fetched before and refused"
    ] * 3
    assert len(begun.refused()) == 3
    assert all(row["kind"] == "delta" and row["reason"] for row in begun.refused())
    nothing_came = fault != "wrong_delta_record_count"
    assert all((row["byte_count"] == 0) == nothing_came for row in begun.refused())
    begun.standin.behave()
    assert begun.ingest(1).kind == "full"
    assert begun.is_at(1)


def test_a_refusal_is_forgotten_with_its_publication(begun: Following) -> None:
    begun.standin.misbehave("wrong_delta_record_count", times=1)
    with pytest.raises(DeliveryRefused, match="record_count_fits"):
        begun.ingest(1)
    begun.standin.publish(published(0, 1, 2)[-1])
    assert begun.plan(2)["window"] == "LastDay"
    assert begun.ingest(2).kind == "delta"
    assert begun.is_at(2)


@pytest.mark.parametrize("fault", ["no_answer", "unavailable", "reset"])
def test_a_publisher_in_trouble_is_no_reason_for_a_larger_file(
    begun: Following, in_a_hurry: None, fault: str
) -> None:
    begun.standin.misbehave(fault)
    with pytest.raises(SourceUnavailable):
        begun.ingest(1)
    begun.standin.behave()
    assert begun.refused() == []
    assert begun.plan(1)["window"] == "LastDay"


def test_a_listing_without_deltas_leads_to_the_full_file(begun: Following) -> None:
    begun.standin.misbehave("no_deltas")
    assert begun.ingest(1).kind == "full"
    assert begun.is_at(1)


def test_an_empty_delta_is_no_fault(following: Following) -> None:
    first, second = (Publish(at(step), csv_bytes(state(0)), deltas={
        "LastDay": csv_bytes([])}) for step in (0, 1))  # fmt: skip
    following.standin.publish(first)
    following.ingest(0)
    following.standin.publish(second)
    assert following.ingest(1).status == "unchanged"
    assert following.applied() == at(1)


class TestCounts:
    def test_a_publication_that_lists_more_than_can_be_is_loaded_in_full(
        self, begun: Following
    ) -> None:
        """Its delta lacks a record that the full file has: only counts can tell."""
        lame = published(0, 1)[1]
        lacking = csv_bytes([row for row in state(1) if row["LEI"] == lei(61)])
        begun.standin.publish(
            Publish(at(2), csv_bytes([*state(1), company(900)]), deltas={"LastDay": lacking})
        )
        assert lame.published_at < at(2)
        plan = begun.plan(2)
        assert plan["decision"] == "full"
        assert "63 records" in plan["reason"]
        assert "60 to 61" in plan["reason"]
        report = begun.ingest(2)
        assert (report.kind, report.counts["records_new"]) == ("full", 3)

    def test_rows_set_aside_and_mended_again_fit(self, following: Following) -> None:
        """Quarantined in the full file or a delta, mended later: never a reason for more."""
        bad, mended = company(900, entity_status="GONE"), company(900)
        more_bad = [company(number, entity_status="GONE") for number in range(901, 906)]
        more_mended = [company(number) for number in range(901, 906)]
        states = [
            [*state(0), bad],
            *[[*state(0), mended]] * 2,
            *[[*state(0), mended, *more_bad]] * 4,
            *[[*state(0), mended, *more_mended]] * 5,
        ]
        made = sequence({at(step): csv_bytes(rows) for step, rows in enumerate(states)})
        for step, publish in enumerate(made):
            following.standin.publish(publish)
            assert following.ingest(step).kind == ("delta" if step else "full"), step
        assert len(following.names()) == len(states[-1])

    def test_companies_deleted_here_do_not_disturb_the_counts(self, following: Following) -> None:
        """Deleted after the full file, published again: new to us, and not one more of theirs."""
        ended = company(900, lei_status="RETIRED", last_update_published="2024-11-04T08:00:00Z")
        back = company(900, last_update_published="2026-11-04T20:00:00Z")
        states = {0: [*state(0), ended], 9: [*state(0), back], 10: [*state(0), back]}
        made = sequence({at(step): csv_bytes(rows) for step, rows in states.items()})
        for step, publish in zip(states, made, strict=True):
            following.held.at(at(step) + timedelta(hours=2)).deactivate()
            gone = following.held.delete()["counts"].get("companies", 0)
            assert gone == (step == 9)
            following.standin.publish(publish)
            assert following.ingest(step).kind == ("delta" if step else "full")
        assert len(following.names()) == 61


class TestFilesByHand:
    def test_the_same_delta_twice_changes_nothing(self, begun: Following) -> None:
        delta = content(published(0, 1)[1], "LastDay")
        assert begun.by_hand(1, "last-day", delta).counts["records_new"] == 2
        before, applied = begun.held.state(), begun.applied()
        assert applied == at(1)
        again = begun.by_hand(1, "last-day", delta)
        assert (again.status, outcomes(again)) == ("unchanged", {"unchanged": 4})
        assert (begun.held.state(), begun.applied()) == (before, applied)

    def test_the_same_delta_under_another_name_changes_nothing_and_proves_nothing(
        self, begun: Following
    ) -> None:
        delta = content(published(0, 1)[1], "LastDay")
        begun.by_hand(1, "last-day", delta)
        before = begun.held.state()
        renamed = begun.by_hand(2, "last-day", delta)
        assert outcomes(renamed) == {"unchanged": 4}
        assert begun.held.state() == before
        assert begun.applied() == at(1)
        begun.standin.publish(published(0, 1, 2)[-1])
        assert begun.ingest(2).kind == "delta"
        assert begun.is_at(2)

    def test_a_full_file_under_another_name_proves_nothing(self, begun: Following) -> None:
        (landed,) = (begun.held.folder / "landing").rglob("*.bin")
        again = begun.by_hand(2, "golden-copy", landed.read_bytes())
        assert again.reason == "the same bytes were loaded before"
        assert begun.applied() == at(0)
        assert begun.ingest(1).kind == "delta"
        assert begun.is_at(1)

    def test_an_older_delta_after_a_newer_one_is_stale(self, begun: Following) -> None:
        publishes = published(0, 1, 2)
        begun.by_hand(2, "last-day", content(publishes[2], "LastDay"))
        assert begun.is_at(2)
        before = begun.held.state()
        older = begun.by_hand(1, "last-day", content(publishes[1], "LastDay"), now=2)
        assert older.counts["records_stale"] + older.counts["records_unchanged"] == 4
        assert older.counts["records_stale"] >= 0
        assert begun.held.state() == before
        assert begun.applied() == at(2)

    def test_what_was_changed_and_changed_back_does_not_change_again(
        self, following: Following
    ) -> None:
        """Nobody moved the record's own date, and the newest delta only confirms what is held."""
        states = [state(0), [company(1, legal_name="For a day"), *state(0)[1:]], state(0)]
        for row in states[1]:
            row["Registration.LastUpdateDate"] = state(0)[0]["Registration.LastUpdateDate"]
        first, between, last = sequence(
            {at(step): csv_bytes(rows) for step, rows in enumerate(states)}
        )
        following.standin.publish(first)
        following.ingest(0)
        following.standin.publish(last)
        assert outcomes(following.ingest(2)) == {"unchanged": 60}
        older = following.by_hand(1, "last-day", content(between, "LastDay"), now=2)
        assert outcomes(older) == {"stale": 1, "unchanged": 59}
        assert following.is_at(0)

    def test_an_older_version_does_not_come_back(self, begun: Following) -> None:
        renamed = [
            company(1, legal_name=f"Version {n}", last_update_published=f"2026-11-02T0{n}:00:00Z")
            for n in (1, 2)
        ]
        begun.by_hand(2, "last-day", csv_bytes(renamed[1:]))
        older = begun.by_hand(1, "last-day", csv_bytes(renamed[:1]), now=2)
        assert outcomes(older) == {"stale": 1}
        assert begun.held.name(1) == "Version 2"

    @pytest.mark.parametrize(
        ("step", "window", "is_covered"),
        [
            (1, "intra-day", True),
            (2, "intra-day", False),
            (3, "last-day", True),
            (4, "last-day", False),
            (21, "last-week", True),
            (22, "last-week", False),
            (93, "last-month", True),
            (94, "last-month", False),
        ],
    )
    def test_a_delta_that_leaves_a_gap_is_loaded_and_proves_nothing(
        self, following: Following, step: int, window: str, is_covered: bool
    ) -> None:
        following.standin.publish(published(0)[0])
        following.ingest(0)
        report = following.by_hand(step, window, csv_bytes([company(900)]))
        assert report.counts["records_new"] == 1
        assert following.applied() == at(step if is_covered else 0)
        assert ("gap" in report.reason) != is_covered

    def test_the_next_plan_closes_the_gap(self, begun: Following) -> None:
        last = published(*range(5))[4]
        begun.by_hand(4, "intra-day", content(last, "IntraDay"))
        assert not begun.is_at(4)
        begun.standin.publish(last)
        assert begun.plan(4)["window"] == "LastWeek"
        begun.ingest(4)
        assert begun.is_at(4)

    def test_a_delta_of_no_known_window_or_on_nothing_proves_nothing(
        self, following: Following
    ) -> None:
        report = following.by_hand(1, "last-day", csv_bytes([company(1)]))
        assert report.counts["records_new"] == 1
        assert following.held.one("SELECT published_at FROM source_cursor") is None
        following.standin.publish(published(0)[0])
        assert following.plan(0)["reason"] == "nothing is held yet"
        following.ingest(0)
        following.held.delta([company(2)], at(1).date())
        assert following.applied() == at(0)

    @pytest.mark.parametrize("window", ["last-day", "golden-copy"])
    def test_a_file_from_the_future_is_refused_by_its_date(
        self, begun: Following, window: str
    ) -> None:
        before = begun.held.state()
        with pytest.raises(DeliveryRefused, match="in the future") as raised:
            begun.by_hand(5, window, csv_bytes(state(5)), now=1)
        assert "2026-11-03 16:00 UTC" in raised.value.thing
        assert (begun.held.state(), begun.applied()) == (before, at(0))
        assert begun.plan(1)["window"] == "LastDay"


def test_a_publication_from_the_future_is_refused(begun: Following) -> None:
    begun.standin.publish(published(0, 1, 9)[-1])
    before = begun.held.state()
    with pytest.raises(DeliveryRefused, match="in the future"):
        begun.ingest(1)
    assert (begun.held.state(), begun.applied()) == (before, at(0))


def test_an_interrupted_delta_is_resumed(begun: Following) -> None:
    begun.standin.misbehave("reset", times=1)
    assert begun.ingest(1).kind == "delta"
    asked = [
        request.headers.get("range")
        for request in begun.standin.requests
        if request.path.startswith("/storage") and request.method == "GET"
    ]
    assert asked[-2] is None
    assert (asked[-1] or "").startswith("bytes=")
    assert begun.is_at(1)


def test_where_ranges_are_not_honoured_the_delta_starts_over(begun: Following) -> None:
    begun.standin.honours_range = False
    begun.standin.misbehave("reset", times=1)
    assert begun.ingest(1).kind == "delta"
    assert begun.is_at(1)


def test_a_disk_that_fills_up_in_a_download_stops_it_and_is_not_the_publishers_fault(
    begun: Following,
) -> None:
    before = begun.held.state()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = next((begun.held.folder / "landing").rglob("*.bin"))
    assert path.stat().st_size > 100
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    real = ingest_run.plan_and_fetch

    def limited(*arguments: Any) -> Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        try:
            return real(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    try:
        with (
            mock.patch.object(ingest_run, "plan_and_fetch", limited),
            pytest.raises(SourcenoteError, match="cannot be written"),
        ):
            begun.ingest(1)
    finally:
        signal.signal(signal.SIGXFSZ, ignored)
    assert begun.held.state() == before
    assert begun.refused() == []
    assert [name for name in files_of_runs(begun.held.folder) if name.endswith(".part")] == []
    assert begun.plan(1)["window"] == "LastDay"


def test_a_run_killed_while_it_downloads_a_delta_leaves_the_next_one_the_same_plan(
    begun: Following,
) -> None:
    """The real command, killed in the middle of a body; what it had received is continued."""
    begun.standin.pace = Pace(stall_seconds=60)
    begun.standin.misbehave("stall", times=1)
    before = begun.held.state()
    line = ["ingest", "gleif", "--json", "--base-url", begun.standin.base_url]
    now = (at(1) + timedelta(hours=2)).isoformat()
    running = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *line, f"--now={now}"],
        cwd=begun.held.folder,
        env={
            "PATH": os.environ["PATH"],
            "SOURCENOTE_HOME": str(begun.held.folder),
            "SOURCENOTE_WAREHOUSE_URL": os.environ["SOURCENOTE_WAREHOUSE_URL"],
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    landing = begun.held.folder / "landing"
    until = time.monotonic() + 30
    while not any(part.stat().st_size for part in landing.glob("*.part")):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert begun.is_sending()
    (part,) = landing.glob("*.part")
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert (begun.held.state(), begun.applied(), begun.refused()) == (before, at(0), [])
    assert begun.plan(1)["window"] == "LastDay"
    received = part.stat().st_size
    assert received > 0
    assert begun.ingest(1).kind == "delta"
    assert begun.standin.requests[-1].headers["range"] == f"bytes={received}-"
    assert list(landing.glob("*.part*")) == []
    assert begun.is_at(1)
