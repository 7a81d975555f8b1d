"""Measures speed and memory in one run, and prints the dated table: `python -m bench.run`.

The product, from first byte to commit, beside the bare load limit on the same file and the same
kind of database, in turns; docs/performance.md says how to read it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench import chart, databases, machine, startup
from bench.inputs import ROOT, Input, inputs
from bench.measured import BARE, LOADS, Measured, Series
from bench.report import LIMIT_ROWS, Outcome, text, verdicts
from bench.rounds import PRODUCT, Broken, rounds
from bench.tables import Verdict

PAGE = ROOT / "docs" / "performance.md"
FOLDER = ROOT / "var" / "bench"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
CHART = PAGE.with_name("performance-small.svg")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    add = parser.add_argument
    add("--rows", type=int, default=LIMIT_ROWS, help="companies in the file")
    add("--repeats", type=int, default=3, help="rounds; medians are of these")
    add("--databases", default="sqlite,postgresql", help="which, with a comma between")
    add("--json", type=Path, metavar="FILE", help="write every figure there")
    add("--write", action="store_true", help="put table and chart into docs/")
    options = parser.parse_args(arguments)
    options.databases = options.databases.split(",")
    if unknown := set(options.databases) - set(databases.NAMES):
        parser.error(f"no such database: {', '.join(sorted(unknown))}")
    if options.rows < 1 or options.repeats < 1:
        parser.error("--rows and --repeats are at least 1")
    return options


def run(options: argparse.Namespace, folder: Path = FOLDER) -> Outcome:
    """Measure what the options ask for; a database that is not there is skipped by name."""
    taken_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    say(f"making or finding files of {options.rows:,} rows")
    files = inputs(folder / "inputs", options.rows)
    measured: list[Measured] = []
    starts = [*startup.imports(), startup.help_page()]
    skipped: dict[str, str] = {}
    versions = []
    for kind in options.databases:
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(databases.opened(kind, folder / "files"))
            except databases.Missing as missing:
                skipped[databases.NAMES[kind]] = str(missing)
                continue
            versions.append(f"{databases.NAMES[kind]} {opened.version}")
            home = folder / "home"
            shutil.rmtree(home, ignore_errors=True)
            measured += rounds(opened, files, options.repeats, home, say)
            name, url = databases.NAMES[kind], opened.url(PRODUCT)
            starts.append(startup.status(name, url, home))
    facts = _facts(files, options.repeats, versions)
    return Outcome(taken_at, facts, Series(tuple(measured)), tuple(starts), skipped)


def _facts(files: tuple[Input, Input], repeats: int, versions: list[str]) -> dict[str, str]:
    return {
        **machine.describe(),
        "databases": ", ".join(versions) or "none",
        "input": columns_of(*files),
        "rounds": f"{repeats}, medians; ratios are medians of each round's own",
    }


def columns_of(whole: Input, changed: Input) -> str:
    """How long and how wide the full file is, and how much of it changes a day later."""
    from sources.gleif_columns import MAPPED
    from sources.kit.sample import columns

    return (
        f"{whole.rows:,} rows of {len(columns())} columns, {len(MAPPED)} kept; "
        f"{whole.byte_count / 1e6:,.0f} MB of CSV in a zip of "
        f"{whole.zip_byte_count / 1e6:,.0f} MB; a day later {changed.changed_rows:,} changed"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and write what was asked for; 1 when a measurement broke off."""
    options = _options(arguments)
    try:
        outcome = run(options)
    except Broken as broken:
        print(broken, file=sys.stderr)
        return 1
    table = text(outcome)
    print(table)
    if options.json:
        options.json.write_text(
            json.dumps(as_json(outcome, verdicts(outcome)), indent=1) + "\n", encoding="utf-8"
        )
    if options.write:
        shown = chart.Section(f"{outcome.series.measured[0].rows:,} rows", (BARE, *LOADS), (BARE,))
        title = f"Seconds from first byte to commit, {outcome.taken_at[:10]}"
        write_page(PAGE, table, (BEGIN, END), CHART, chart.svg(title, [shown], outcome.series))
    return 0


def as_json(outcome: Outcome, found: list[Verdict]) -> dict[str, object]:
    """Every figure, the limits' verdicts included."""
    return {**asdict(outcome), "verdicts": [asdict(verdict) for verdict in found]}


def write_page(page: Path, table: str, marks: tuple[str, str], picture: Path, drawn: str) -> None:
    """Put the table between the page's two marks, under the chart that is written beside it.

    Raises ValueError when the marks are not there, with nothing written.
    """
    (begin, end), whole = marks, page.read_text(encoding="utf-8")
    before, found_begin, rest = whole.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        message = f"{page.name} lacks its marks {begin} and {end}"
        raise ValueError(message)
    picture.write_text(drawn, encoding="utf-8")
    shown = f"![The same figures as bars]({picture.name})\n\n{table}"
    page.write_text(f"{before}{begin}\n{shown}{end}{after}", encoding="utf-8")


def say(line: str) -> None:
    """Tell how far it is, apart from what it prints in the end."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
