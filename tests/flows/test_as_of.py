"""`--as-of` at the command's door: on `explain` and on `segment`, as text and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from our_command import NEW_NAME, NEXT_MOMENT, SAMPLE_MOMENT, Filled, Run, copy_filled, fill, runner

TODAY = "2026-11-05T09:00:00Z"
FIRST, SECOND = SAMPLE_MOMENT.date().isoformat(), NEXT_MOMENT.date().isoformat()


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    return copy_filled(tmp_path)


@pytest.fixture
def run(
    filled: Filled,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    return runner(tmp_path, monkeypatch, capsys)


def test_explain_and_segment_on_both_databases(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = fill(warehouse_url, tmp_path)
    run = runner(tmp_path, monkeypatch, capsys, warehouse_url)

    def name(day: str) -> str:
        answer = run("explain", known.changed, "--as-of", day, "--json", now=TODAY)
        assert answer.code == 0
        (company,) = answer.document["companies"]
        return str(company["name"])

    assert name(FIRST) != NEW_NAME == name(SECOND)
    counted = [
        run("segment", "count", "all", f"--as-of={day}", "--json", now=TODAY).document
        for day in ("2026-10-01", FIRST, TODAY)
    ]
    now = run("segment", "count", "all", "--json", now=TODAY).document
    assert [one["held"] for one in counted] == [0, now["held"], now["held"]]
    assert counted[1]["known_at"] == f"{FIRST}T23:59:59Z"
    assert counted[1]["as_of"] == FIRST


def test_the_page_says_which_moment_and_what_is_left_out(run: Run, filled: Filled) -> None:
    page = run("explain", filled.changed, "--as-of", FIRST, now=TODAY)
    assert page.code == 0
    assert f"As of {FIRST} 23:59 UTC: what this warehouse said then." in page.text
    assert NEW_NAME not in page.text
    assert "What has changed since it was first held Nothing." in page.text


def test_before_the_first_delivery_the_page_says_so(run: Run, filled: Filled) -> None:
    page = run("explain", filled.changed, "--as-of", "2026-10-01", now=TODAY)
    assert page.code == 0
    assert f"was not held on 2026-10-01 23:59 UTC: it first came on {FIRST}" in page.text
    unknown = run("explain", "5493001KJTIIGC8Y1R12", "--as-of", "2026-10-01", now=TODAY)
    assert "is not held in this warehouse" in unknown.text


def test_segments_are_listed_with_what_they_had_then(run: Run) -> None:
    listed = run("segment", "list", f"--as-of={FIRST}", "--json", now=TODAY).document
    found = {one["name"]: one["candidates"] for one in listed["segments"]}
    assert found["all"] > found["lapsed"] > 0
    assert found["no-lei"] is None
    page = run("segment", "list", f"--as-of={FIRST}", now=TODAY)
    assert f"held on {FIRST} 23:59 UTC" in page.text


def test_days_are_counted_from_that_day(run: Run) -> None:
    """The same window of days, asked for from two days, holds other renewals."""
    line = ("segment", "count", "renewal-due", "--days=0", "--json")
    found = [
        run(*line, f"--as-of=2026-11-{day:02d}", now="2026-12-30T09:00:00Z").document["candidates"]
        for day in range(2, 30)
    ]
    assert len(set(found)) > 1


def test_a_group_has_no_history(run: Run) -> None:
    answer = run("segment", "count", "group-sibling", f"--as-of={FIRST}", now=TODAY)
    assert answer.code == 1


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01", "2026-11-05T25:00:00Z"])
def test_what_is_no_date_is_a_usage_error(run: Run, filled: Filled, given: str) -> None:
    answer = run("explain", filled.changed, "--as-of", given, now=TODAY)
    assert answer.code == 2
    assert "give a day such as 2026-11-22, or a moment" in " ".join(answer.err.split())


def test_a_day_to_come_is_refused(run: Run, filled: Filled) -> None:
    answer = run("explain", filled.changed, "--as-of", "2026-11-06", now=TODAY)
    assert answer.code == 1
    assert "2026-11-06 is to come" in answer.err
