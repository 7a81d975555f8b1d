"""`--as-of` at the command's door: on `explain` and on `segment`, as text and as JSON."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from our_command import NEW_NAME, NEXT_MOMENT, SAMPLE_MOMENT, Filled, Run, copy_filled, fill, runner

from sources.kit.sample import bundled_sample
from sources.kit.sample_group import bundled_group

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
    assert found["no-lei"] == 0
    assert found["transfer"] is None
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


def test_a_group_is_told_as_it_was(run: Run, filled: Filled, tmp_path: Path) -> None:
    """No level 2 then, a family a day later, another parent the day after that."""
    days = ("2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05")
    group = bundled_group(bundled_sample())
    text = group.relationships.decode()
    first = next(csv.DictReader(io.StringIO(text)))
    child, parent = (first[f"Relationship.{node}Node.NodeID"] for node in ("Start", "End"))
    for day, content in ((days[1], text), (days[3], text.replace(parent, filled.due[0]))):
        path = tmp_path / f"{day.replace('-', '')}-0800-gleif-goldencopy-rr-golden-copy.csv"
        path.write_text(content.replace("2026-09-01T08", f"{day}T06"), "utf-8", newline="")
        answer = run("ingest", "gleif-rr", "--file", path, now=f"{day}T10:00:00Z")
        assert answer.code in {0, 3}
    pages = [run("explain", child, "--as-of", day, now=TODAY.replace("09", "12")) for day in days]
    assert [parent in page.text for page in pages] == [False, True, True, False]
    assert "Not known: no relationships were loaded by then." in pages[0].text
    assert "Its group, as its publisher stated it then" in pages[1].text
    assert filled.due[0] in pages[3].text
    line = ("segment", "count", "group-sibling", "--json")
    counted = [run(*line, f"--as-of={day}", now=TODAY).document["held"] for day in days]
    assert counted[0] == 0 < counted[1]
    assert run("segment", "list", f"--as-of={days[1]}", now=TODAY).code == 0


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01", "2026-11-05T25:00:00Z"])
def test_what_is_no_date_is_a_usage_error(run: Run, filled: Filled, given: str) -> None:
    answer = run("explain", filled.changed, "--as-of", given, now=TODAY)
    assert answer.code == 2
    assert "give a day such as 2026-11-22, or a moment" in " ".join(answer.err.split())


def test_a_day_to_come_is_refused(run: Run, filled: Filled) -> None:
    answer = run("explain", filled.changed, "--as-of", "2026-11-06", now=TODAY)
    assert answer.code == 1
    assert "2026-11-06 is to come" in answer.err
