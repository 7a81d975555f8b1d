"""The benchmark measures, adds up and judges, on a file small enough to wait for."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import child, databases, full, report, run, startup
from bench.inputs import inputs
from bench.measured import BARE, CHANGED, FIRST, LOADS, UNCHANGED, Measured, Series
from bench.rounds import Broken, ask, rounds

ROWS = 2_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def measured(folder: Path) -> tuple[Measured, ...]:
    files = inputs(folder / "inputs", ROWS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.rounds.ask", answer_here)
        with databases.opened("sqlite", folder / "files") as opened:
            return tuple(rounds(opened, files, 1, folder / "home", lambda _line: None))


def answer_here(job: dict[str, Any], python: Path | None = None) -> dict[str, Any]:
    """Great Expectations takes seconds to import, so the product's loads share this process."""
    if job["what"] == "product":
        return child.measure(json.loads(json.dumps(job, default=str)))
    return ask(job, python)


def test_a_round_measures_each_load_in_turn(measured: tuple[Measured, ...]) -> None:
    assert [one.load for one in measured] == [BARE, FIRST, UNCHANGED, CHANGED]
    assert all(one.seconds > 0 and one.rows == ROWS for one in measured)
    assert all(one.peak_mb >= one.imported_mb > 0 for one in measured)


def test_the_loads_do_what_they_are_measured_for(measured: tuple[Measured, ...]) -> None:
    _, first, unchanged, changed = measured
    assert first.counts["records_in"] == ROWS
    assert first.counts["records_new"] > ROWS * 0.9
    assert unchanged.status == "unchanged"
    assert 0 < changed.counts["records_changed"] < ROWS * 0.02


def test_inputs_are_made_once(folder: Path, measured: tuple[Measured, ...]) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "inputs").iterdir()}
    whole, changed = inputs(folder / "inputs", ROWS)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert whole.rows == changed.rows == ROWS
    assert changed.changed_rows > 0 == whole.changed_rows
    assert changed.published_at > whole.published_at


def outcome(measured: tuple[Measured, ...]) -> report.Outcome:
    starts = (startup.Start(startup.HELP, (0.4, 0.2, 0.3), 0.0),)
    skipped = {"PostgreSQL": "no initdb and pg_ctl on this machine"}
    return report.Outcome("2026-11-02 10:00", {"machine": "one"}, Series(measured), starts, skipped)


def invented(**seconds: float) -> tuple[Measured, ...]:
    one = Measured(
        *("sqlite", BARE, 1, 1.0, report.LIMIT_ROWS, 1.0, 0.5, 0.5, 250.0, 600.0),
        phases={"read": 1.0, "merge": 0.5},
        peaks_mb={"read": 500.0, "merge": 600.0},
    )
    names = {"bare": BARE, "first": FIRST, "unchanged": UNCHANGED, "changed": CHANGED}
    return tuple(replace(one, load=names[name], seconds=took) for name, took in seconds.items())


def test_the_table_names_what_was_measured_and_what_was_not(
    measured: tuple[Measured, ...],
) -> None:
    table = report.text(outcome(measured))
    assert all(f"SQLite: {load}" in table for load in (BARE, *LOADS))
    assert "SKIPPED PostgreSQL: no initdb" in table
    assert "sourcenote --help" in table
    assert "do not prove them" in table


@pytest.mark.parametrize(("first", "verdict"), [(2.5, "PASS"), (2.51, "FAIL")])
def test_limits_are_judged(first: float, verdict: str) -> None:
    table = report.text(outcome(invented(bare=1.0, first=first, unchanged=2.0, changed=2.0)))
    (line,) = [line for line in table.splitlines() if line.startswith("| first load, SQLite")]
    assert verdict in line
    assert "do not prove" not in table


def test_ratios_are_of_the_same_round() -> None:
    slow = [
        replace(one, round=2, seconds=one.seconds * 10) for one in invented(bare=1.0, first=2.0)
    ]
    series = Series((*invented(bare=1.0, first=2.0), *slow))
    assert series.ratio("sqlite", FIRST, BARE) == 2.0


def test_every_figure_is_json(measured: tuple[Measured, ...]) -> None:
    one = outcome(measured)
    found = json.loads(json.dumps(run.as_json(one, report.verdicts(one))))
    assert len(found["series"]["measured"]) == 4
    assert {verdict["holds"] for verdict in found["verdicts"]} <= {True, False}


def test_the_page_takes_the_table_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n{run.BEGIN}\nold\n{run.END}\nafter\n", encoding="utf-8")
    marks, picture = (run.BEGIN, run.END), tmp_path / "bars.svg"
    run.write_page(page, "new\n", marks, picture, "<svg/>")
    shown = "![The same figures as bars](bars.svg)\n\nnew"
    assert page.read_text(encoding="utf-8") == (
        f"# Before\n{run.BEGIN}\n{shown}\n{run.END}\nafter\n"
    )
    assert picture.read_text(encoding="utf-8") == "<svg/>"
    picture.unlink()
    page.write_text("# No marks", encoding="utf-8")
    with pytest.raises(ValueError, match="marks"):
        run.write_page(page, "new\n", marks, picture, "<svg/>")
    assert not picture.exists()


def test_our_page_has_its_marks() -> None:
    text = run.PAGE.read_text(encoding="utf-8")
    for begin, end in ((run.BEGIN, run.END), full.MARKS):
        assert 0 < text.index(begin) < text.index(end)


def test_a_failed_measurement_says_what_it_printed() -> None:
    with pytest.raises(Broken, match="FileNotFoundError"):
        startup.measure("nothing", [sys.executable, "-c", "open('/not/there')"], 1)


def test_the_command_knows_its_databases() -> None:
    asked = [sys.executable, "-m", "bench.run", "--databases", "oracle"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=run.ROOT)
    assert done.returncode == 2
    assert "no such database: oracle" in done.stderr
