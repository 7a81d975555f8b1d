"""The full form of the benchmark: its files, its rounds, its peers and its verdicts, in small."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import chart, child, databases, full, full_report, full_rounds, peers, picked, startup
from bench.inputs import FullInputs, full_inputs
from bench.measured import (
    BARE,
    CHANGED,
    DELTA,
    DLT,
    FIRST,
    PANDAS,
    SMALL_DELTA,
    SMALL_FIRST,
    Measured,
    Series,
)
from bench.report import Outcome
from bench.rounds import Broken, ask, measure

ROWS, SMALL, DELTA_ROWS = 2_000, 1_200, 300


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def files(folder: Path) -> FullInputs:
    return full_inputs(folder / "inputs", ROWS, small_rows=SMALL, delta_rows=DELTA_ROWS)


def by_lei(path: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.namelist()
        text = archive.read(member).decode()
    return {row[0]: row for row in csv.reader(io.StringIO(text, newline=""))}


def test_the_small_files_are_picked_from_the_golden_copy(files: FullInputs) -> None:
    whole, small = by_lei(files.whole.path), by_lei(files.small.path)
    assert (len(whole) - 1, len(small) - 1) == (ROWS, SMALL) == (files.whole.rows, files.small.rows)
    assert small.keys() < whole.keys()
    alike = sum(small[lei] == whole[lei] for lei in small)
    assert alike > SMALL * 0.9  # a successor is the neighbour in the file


def test_a_delta_changes_the_same_companies_in_both_warehouses(files: FullInputs) -> None:
    whole, small = by_lei(files.whole.path), by_lei(files.small.path)
    taken: set[str] = set()
    for delta in files.deltas:
        rows = by_lei(delta.path)
        held = rows.keys() & whole.keys() - {"LEI"}
        assert len(held) == DELTA_ROWS * 0.9
        assert held == rows.keys() & small.keys() - {"LEI"}
        assert all(rows[lei] != whole[lei] for lei in held)
        assert not held & taken
        taken |= held


def test_a_delta_comes_a_day_after_what_it_reaches_back_to(files: FullInputs) -> None:
    published = [files.changed.published_at, *(delta.published_at for delta in files.deltas)]
    assert [(two - one).days for one, two in pairwise(published)] == [1] * 3
    for delta in files.deltas:
        with zipfile.ZipFile(delta.path) as archive:
            assert archive.namelist() == [
                f"{delta.published_at:%Y%m%d-%H%M}-gleif-goldencopy-lei2-last-day.csv"
            ]


def test_a_golden_copy_too_small_for_its_deltas_is_refused() -> None:
    golden = picked.Golden(1_000, seed=1)
    assert sum(map(len, golden.delta(3, 300))) == 300
    with pytest.raises(ValueError, match="too few"):
        golden.delta(4, 300)


def test_every_number_is_of_its_issuer() -> None:
    golden = picked.Golden(1_003, seed=4)
    numbers = golden.sample(1_003)
    assert [len(one) for one in numbers] == [golden.issued(issuer) for issuer in range(10)]
    assert all(np.array_equal(one, np.arange(len(one))) for one in numbers)


def answer_here(job: dict[str, Any], python: Path | None = None) -> dict[str, Any]:
    """Great Expectations takes seconds to import, so the product's loads share this process."""
    if job["what"] == "product":
        return child.measure(json.loads(json.dumps(job, default=str)))
    return ask(job, python)


@pytest.fixture(scope="module")
def found(folder: Path, files: FullInputs) -> tuple[list[Measured], list[startup.Start]]:
    def once(name: str, command: list[str], _repeats: int, **more: Any) -> startup.Start:
        return measure_start(name, command, 1, **more)

    measure_start = startup.measure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.rounds.ask", answer_here)
        patch.setattr("bench.startup.measure", once)
        with databases.opened("sqlite", folder / "files") as opened:
            bench = full_rounds.Bench(opened, files, folder, {}, lambda _line: None)
            measured = list(full_rounds.full_rounds(bench, 1))
            starts = full_rounds.commands(bench)
            return [*measured, *full_rounds.small_rounds(bench, 1)], starts


def test_a_round_measures_what_the_limits_are_set_for(
    found: tuple[list[Measured], list[startup.Start]],
) -> None:
    measured, starts = found
    loads = [BARE, FIRST, CHANGED, *[DELTA] * 3, SMALL_FIRST, *[SMALL_DELTA] * 3]
    assert [one.load for one in measured] == loads
    assert all(one.disk_mb > 0 for one in measured)
    assert [start.name for start in starts] == [
        f"{command}, SQLite" for command in full_report.COMMANDS
    ]
    first = {one.load: one for one in reversed(measured)}
    for load in (DELTA, SMALL_DELTA):
        new, changed = (first[load].counts[f"records_{name}"] for name in ("new", "changed"))
        assert DELTA_ROWS * 0.09 < new < DELTA_ROWS * 0.2  # some had ended, and are back in scope
        assert new + changed > DELTA_ROWS * 0.95
    assert first[DELTA].held > first[FIRST].held > first[SMALL_DELTA].held


def test_pandas_loads_every_row(folder: Path, files: FullInputs) -> None:
    with databases.opened("sqlite", folder / "peer") as opened:
        opened.create("peer")
        job = {"what": "pandas", "target": opened.url("peer"), "source": files.small.path}
        one = measure(opened, job, (PANDAS, 1), files.small)
        assert one.rows == SMALL
        opened.create("peer")
        with pytest.raises(Broken, match="took 1200 rows of 2000"):
            measure(opened, job, (PANDAS, 2), files.whole)


def test_a_peer_that_cannot_be_installed_is_skipped_by_name(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file, where an environment should be", encoding="utf-8")
    with pytest.raises(peers.NotInstalled, match="taken"):
        peers.python_of(taken / "peers")


def test_a_peer_is_installed_once(tmp_path: Path) -> None:
    pinned, folder = tmp_path / "peers.txt", tmp_path / "peers"
    folder.mkdir()
    pinned.write_text("# nothing\n", encoding="utf-8")
    (folder / "installed").write_text(sha256(pinned.read_bytes()).hexdigest(), encoding="ascii")
    before = (folder / "installed").stat().st_mtime_ns
    assert peers.python_of(folder, pinned) == folder / "bin" / "python"
    assert (folder / "installed").stat().st_mtime_ns == before


def test_what_is_skipped_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_folder: Path) -> Path:
        raise peers.NotInstalled("no index")

    monkeypatch.setattr("bench.peers.python_of", refuse)
    left = full.Found()
    assert full.peers_of(tmp_path, left, is_skipped=False, tell=lambda _line: None) == {
        PANDAS: None
    }
    assert left.skipped == {"dlt": "it could not be installed: no index"}
    assert full.peers_of(tmp_path, left, is_skipped=True, tell=lambda _line: None) == {}
    assert left.skipped.keys() == {"dlt", "pandas"}


def test_a_database_that_breaks_off_leaves_the_other(
    tmp_path: Path, files: FullInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_bench: full_rounds.Bench, _repeats: int) -> list[Measured]:
        raise Broken("it ended with 1")

    monkeypatch.setattr("bench.full.full_rounds", break_off)
    monkeypatch.setattr("bench.full.full_inputs", lambda *_, **__: files)
    monkeypatch.setattr("bench.full.FOLDER", tmp_path)
    said: list[str] = []
    options = full.options_of(["--rows", "2000", "--only", "sqlite", "--skip", "peers"])
    outcome = full.run(options, tmp_path, said.append)
    assert outcome.skipped["SQLite"] == full.BROKE_OFF
    assert said[-1] == "it ended with 1"
    assert "SKIPPED SQLite: a measurement broke off" in full_report.text(outcome)
    monkeypatch.setattr("bench.full.run", lambda _options: outcome)
    assert full.main(["--write"]) == 1


def invented(changes: dict[str, dict[str, float]]) -> Outcome:
    """A run that holds every limit just so, but for the changed loads."""
    seconds = {
        BARE: 10.0, FIRST: 20.0, CHANGED: 16.0, DELTA: 5.0, SMALL_DELTA: 2.6,
        SMALL_FIRST: 2.0, DLT: 3.0, PANDAS: 5.0,
    }  # fmt: skip
    one = Measured(
        *("sqlite", BARE, 1, 1.0, full_report.FULL_ROWS, 1.0, 0.5, 0.5, 250.0, 700.0),
        held=3_300_000,
        phases={"read": 1.0},
        peaks_mb={"read": 500.0},
    )
    loads = [replace(one, load=load, seconds=took) for load, took in seconds.items()]
    loads = [replace(load, **changes.get(load.load, {})) for load in loads]
    starts = tuple(
        startup.Start(f"{command}, SQLite", (limit,), 0.0)
        for command, limit in full_report.COMMANDS.items()
    )
    return Outcome("2026-11-02 10:00", {"machine": "one"}, Series(tuple(loads)), starts, {})


def test_limits_that_are_just_held() -> None:
    outcome = invented({CHANGED: {"peak_mb": 698.0}})
    assert [one.what for one in full_report.verdicts(outcome) if not one.holds] == []
    assert "do not prove" not in full_report.text(outcome)
    assert len(full_report.verdicts(outcome)) == 13


@pytest.mark.parametrize(
    ("load", "change", "broken"),
    [
        (FIRST, {"seconds": 20.1}, "first load, SQLite"),
        (FIRST, {"peak_mb": 700.5}, "first load, peak, SQLite"),
        (CHANGED, {"seconds": 16.1}, "repeat, 1 % changed, SQLite"),
        (CHANGED, {"peak_mb": 698.5}, "repeat, peak, SQLite"),
        (DELTA, {"seconds": 5.1}, "delta, SQLite"),
        (SMALL_DELTA, {"seconds": 2.4}, "delta, full to small, SQLite"),
        (DLT, {"seconds": 2.9}, "faster than dlt, Arrow tables merged on the LEI, SQLite"),
        (PANDAS, {"seconds": 4.9}, "faster than pandas chunks and to_sql, SQLite"),
    ],
)
def test_limits_are_judged(load: str, change: dict[str, float], broken: str) -> None:
    changes = {CHANGED: {"peak_mb": 698.0}}
    changes[load] = {**changes.get(load, {}), **change}
    outcome = invented(changes)
    assert [one.what for one in full_report.verdicts(outcome) if not one.holds] == [broken]
    assert "FAIL" in full_report.text(outcome)


def test_a_command_has_its_own_limit() -> None:
    outcome = invented({})
    slow = tuple(replace(start, seconds=(1.1,)) for start in outcome.starts)
    found = full_report.verdicts(replace(outcome, starts=slow))
    late = {one.what for one in found if "segment" in one.what and not one.holds}
    assert late == {"segment count renewal-due, SQLite", "segment count lapsed, SQLite"}


def test_the_chart_has_a_bar_for_every_load() -> None:
    outcome = invented({})
    drawn = chart.svg("Seconds", full.sections(outcome), outcome.series)
    bars = re.findall(r'<rect class="(\w+)" .*? width="([\d.]+)"', drawn)
    assert [shade for shade, _ in bars] == [
        *("other", "sqlite", "sqlite"),
        *("sqlite", "sqlite"),
        *("sqlite", "other", "other"),
    ]
    bare, first = (float(width) for _, width in bars[:2])
    assert bare * 2 == pytest.approx(first, abs=0.2)


def test_the_command_knows_its_options() -> None:
    with pytest.raises(SystemExit):
        full.main(["--only", "oracle"])
    with pytest.raises(SystemExit):
        full.main(["--rows", "0"])
