"""Measures at the size of the real file, and beside the peers: `python -m bench.full`.

Loads, deltas and commands on a full warehouse, then the same smaller file by us, by dlt and by
pandas, on SQLite and PostgreSQL in one run; docs/performance.md says how to read it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import chart, databases, machine, peers
from bench.full_report import DELTA_ROWS, FULL_ROWS, SMALL_ROWS, text, verdicts
from bench.full_rounds import PEER_ROUNDS, Bench, commands, full_rounds, small_rounds
from bench.inputs import FullInputs, full_inputs
from bench.measured import (
    BARE,
    CHANGED,
    DELTA,
    DLT,
    FIRST,
    PANDAS,
    PEERS,
    SMALL_DELTA,
    SMALL_FIRST,
    Measured,
    Series,
)
from bench.picked import DELTAS
from bench.report import Outcome
from bench.rounds import PRODUCT, Broken, Say
from bench.run import FOLDER, PAGE, as_json, columns_of, say, write_page
from bench.startup import Start

MARKS = ("<!-- measured in full: begin -->", "<!-- measured in full: end -->")
CHART = PAGE.with_name("performance-full.svg")
BROKE_OFF = "a measurement broke off; what it printed is on standard error"


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """The command line; ends the process with 2 when it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m bench.full", description=__doc__)
    add = parser.add_argument
    add("--rows", type=int, default=FULL_ROWS, help="companies in the full file")
    add("--repeats", type=int, default=1, help="rounds; medians are of these")
    add("--only", choices=sorted(databases.NAMES), help="one database")
    add("--skip", choices=["peers"], help="leave the peers out")
    add("--json", type=Path, metavar="FILE", help="write every figure there")
    add("--write", action="store_true", help="put table and chart into docs/")
    options = parser.parse_args(arguments)
    if options.rows < 1 or options.repeats < 1:
        parser.error("--rows and --repeats are at least 1")
    return options


@dataclass
class Found:
    """What has been measured so far."""

    measured: list[Measured] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)


def run(options: argparse.Namespace, folder: Path = FOLDER, tell: Say = say) -> Outcome:
    """Measure what the options ask for; what this machine lacks is skipped by name."""
    taken_at, found = f"{datetime.now(UTC):%Y-%m-%d %H:%M}", Found()
    small = min(SMALL_ROWS, options.rows)
    delta = min(DELTA_ROWS, small // (DELTAS + 1))
    tell(f"making or finding files of {options.rows:,}, {small:,} and {delta:,} rows")
    files = full_inputs(folder / "inputs", options.rows, small_rows=small, delta_rows=delta)
    beside = peers_of(folder, found, is_skipped=options.skip == "peers", tell=tell)
    for kind in [options.only] if options.only else list(databases.NAMES):
        name = databases.NAMES[kind]
        try:
            with databases.opened(kind, folder / "files") as opened:
                _measure(Bench(opened, files, folder, beside, tell), options.repeats, found)
                found.versions.append(f"{name} {opened.version}")
        except databases.Missing as missing:
            found.skipped[name] = str(missing)
        except Broken as broken:  # what the other database came to is not lost
            tell(str(broken))
            found.skipped[name] = BROKE_OFF
    facts = _facts(files, options.repeats, found, beside)
    series = Series(tuple(found.measured))
    return Outcome(taken_at, facts, series, tuple(found.starts), found.skipped)


def _measure(bench: Bench, repeats: int, found: Found) -> None:
    """All of one database, or nothing of it: a table of half of it has no ratios."""
    shutil.rmtree(bench.home, ignore_errors=True)
    measured = list(full_rounds(bench, repeats))
    starts = commands(bench)
    bench.databases.drop(PRODUCT)
    measured += small_rounds(bench, repeats)
    found.measured += measured
    found.starts += starts


def peers_of(folder: Path, found: Found, *, is_skipped: bool, tell: Say) -> dict[str, Path | None]:
    """The Python of each peer (None: ours); one that cannot be installed is skipped by name."""
    if is_skipped:
        found.skipped |= dict.fromkeys(("dlt", "pandas"), "left out by --skip peers")
        return {}
    try:
        tell("installing or finding dlt")
        return {DLT: peers.python_of(folder / "peers"), PANDAS: None}
    except peers.NotInstalled as why:
        found.skipped["dlt"] = f"it could not be installed: {why}"
        return {PANDAS: None}


def _facts(
    files: FullInputs, repeats: int, found: Found, beside: dict[str, Path | None]
) -> dict[str, str]:
    others = {"pandas": version("pandas")} if PANDAS in beside else {}
    if python := beside.get(DLT):
        others["dlt"] = peers.version_of(python, "dlt")
    return {
        **machine.describe(),
        "databases": ", ".join(found.versions) or "none",
        "peers": ", ".join(f"{name} {number}" for name, number in others.items()) or "none",
        "input": columns_of(files.whole, files.changed),
        "deltas": (
            f"{len(files.deltas)} of {files.deltas[0].rows:,} rows, the same ones into "
            f"{files.whole.rows:,} and into {files.small.rows:,} rows"
        ),
        "rounds": (
            f"{repeats} of the full size"
            + (f", {max(repeats, PEER_ROUNDS)} beside the peers" if beside else "")
            + "; medians; ratios are medians of each round's own"
        ),
    }


def sections(outcome: Outcome) -> list[chart.Section]:
    """What the chart shows: the full file, the delta into both warehouses, and the peers."""
    rows = {one.load: one.rows for one in outcome.series.measured}
    return [
        chart.Section(f"{rows[FIRST]:,} rows", (BARE, FIRST, CHANGED), (BARE,)),
        chart.Section(f"a delta of {rows[DELTA]:,} rows", (DELTA, SMALL_DELTA)),
        chart.Section(f"{rows[SMALL_FIRST]:,} rows", (SMALL_FIRST, *PEERS), PEERS),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and write what was asked for; 1 when a measurement broke off."""
    options = options_of(arguments)
    outcome = run(options)
    table = text(outcome)
    print(table)
    if options.json:
        figures = as_json(outcome, verdicts(outcome))
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.write and outcome.series.measured:
        title = f"Seconds from first byte to commit, {outcome.taken_at[:10]}"
        drawn = chart.svg(title, sections(outcome), outcome.series)
        write_page(PAGE, table, MARKS, CHART, drawn)
    return 1 if BROKE_OFF in outcome.skipped.values() else 0


if __name__ == "__main__":
    sys.exit(main())
