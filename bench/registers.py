"""The registers' files, read and loaded: `python -m bench.registers [--full] [--write]`.

Each file is taken four times, each time in a process of its own: bare (unpack, cut, parse the kept
fields, and nothing else), into Python objects, as frames of companies and contact points, and
whole: from its first byte to the commit into an empty warehouse that takes every company without an
LEI. With `--held` it is also loaded into a warehouse that holds GLEIF's companies.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import databases, register_held, register_shapes
from bench.inputs import inputs
from bench.machine import cpu_seconds, describe, load_average, peak_mb
from bench.register_reads import bare, frames, objects
from bench.tables import Rows, at_least, at_most, page, table, verdict_rows

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "bench" / "inputs"
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- registers measured: begin -->", "<!-- registers measured: end -->")
SMALL = {"norway": 100_000, "estonia": 20_000}
FULL = {"norway": 1_200_000, "estonia": 378_000}
"""Entities in the publishers' files of November 2026."""
SOURCES = {"norway": ("brreg", "RA000472", "NO"), "estonia": ("ariregister", "RA000181", "EE")}
"""Source, code of its number space, country."""
WANTED = {"norway": 10_000, "estonia": 3_000}
"""Entities a second that are asked for, from the first byte to the commit."""
MOST_TIMES_BARE, MOST_MB = 3.0, 800.0
READS = {"bare": "bare parse", "objects": "into Python objects", "frames": "frames"}
HELD = {kind: f"{kind}, held" for kind in databases.NAMES}
_LOADS = {kind: f"first load, {name}" for kind, name in databases.NAMES.items()} | {
    what: f"beside GLEIF, {databases.NAMES[kind]}" for kind, what in HELD.items()
}
_DAY = datetime(2026, 11, 2, 4, tzinfo=UTC)

Found = dict[str, list[dict[str, Any]]]
"""Each measurement's rounds."""


def main(arguments: list[str] | None = None) -> None:
    """Make the files, measure, print the tables, and put them into docs/ where asked to."""
    given = _options(arguments)
    if given.child:
        print(json.dumps(_measured(*given.child)))
        return
    facts, parts, verdicts = describe(), [], []
    taken_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    kinds, rows = given.databases.split(","), _entities(given)
    every = {name: _compared(name, _file(name, rows[name]), given.rounds, kinds) for name in rows}
    for kind in kinds if given.held else []:
        for _ in range(given.rounds):
            _add_held(every, kind, given.held, rows)
    for name, found in every.items():
        size = found["bare"][0]["bytes"] / 1e6
        facts[name] = f"{rows[name]:,} entities, {size:,.0f} MB of JSON"
        parts.append(table(_rows(name, found)))
        verdicts += _verdicts(name, found)
    facts["rounds"] = f"{given.rounds}; medians, ratios of each round's own"
    if given.held:
        facts["holding"] = f"GLEIF's {given.held:,} companies, then Norway's"
    text = page(taken_at, facts, {}, [*parts, table(verdict_rows(verdicts))])
    print(text)
    if given.write:
        _write(text)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="bench.registers", description=__doc__)
    options.add_argument("--full", action="store_true", help="as many entities as are published")
    for name in SOURCES:
        options.add_argument(f"--{name}", type=int, help="entities; 0 for none")
    options.add_argument(
        "--held", type=int, default=0, help="also into a warehouse of so many companies with an LEI"
    )
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--databases", default="sqlite", help="sqlite, postgresql or both")
    options.add_argument("--write", action="store_true", help="put the tables into docs/")
    options.add_argument("--child", nargs=4, metavar=("REGISTER", "WHAT", "FILE", "URL"))
    return options.parse_args(arguments)


def _entities(given: argparse.Namespace) -> dict[str, int]:
    """How many each register's file has; none of a register that is left out."""
    usual = FULL if given.full else SMALL
    asked = {name: getattr(given, name) for name in SOURCES}
    return {
        name: usual[name] if rows is None else rows for name, rows in asked.items() if rows != 0
    }


def _file(name: str, rows: int) -> Path:
    if name == "norway":
        return register_shapes.norway(FOLDER / f"norway-{rows}.json.gz", rows)
    return register_shapes.estonia(FOLDER / f"estonia-{rows}.json.zip", rows)


def _compared(name: str, path: Path, rounds: int, kinds: list[str]) -> Found:
    found: Found = {}
    for _ in range(rounds):
        for what, one in _round(name, path, kinds):
            _tell(name, what, one)
            found.setdefault(what, []).append(one)
    return found


def _add_held(every: dict[str, Found], kind: str, held: int, rows: dict[str, int]) -> None:
    """Measure one round of the loads into a warehouse that holds companies with an LEI."""
    wanted = {name: register_held.Wanted(rows[name], *SOURCES[name]) for name in every}
    golden, _ = inputs(FOLDER, held)
    for name, one in register_held.rounds_of(FOLDER, kind, golden, wanted):
        _tell(name, HELD[kind], one)
        every[name].setdefault(HELD[kind], []).append(one)


def _tell(name: str, what: str, one: dict[str, Any]) -> None:
    rate = one["rows"] / one["seconds"]
    told = f"{name} {what} {one['seconds']:.1f} s {rate:,.0f}/s cpu {one['cpu']:.1f} s"
    print(told, f"{one['peak_mb']:.0f} MB", one["more"], file=sys.stderr, flush=True)


def _round(name: str, path: Path, kinds: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for what in READS:
        yield what, _in_child(name, what, path, "")
    for kind in kinds:
        with (
            tempfile.TemporaryDirectory(dir=FOLDER) as folder,
            databases.opened(kind, Path(folder) / "databases") as own,
        ):
            own.create(name)
            yield kind, _in_child(name, "load", path, own.url(name))


def _in_child(name: str, what: str, path: Path, url: str) -> dict[str, Any]:
    """One measurement in a process of its own, so that one's memory is not the other's."""
    command = [sys.executable, "-m", "bench.registers", "--child", name, what, str(path), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(register: str, what: str, file: str, url: str) -> dict[str, Any]:
    from sources import ariregister_parse, brreg_parse
    from sources.kit.memory import be_frugal

    be_frugal()
    path, parser = Path(file), {"norway": brreg_parse, "estonia": ariregister_parse}[register]
    source_id, _, country = SOURCES[register]
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        work: dict[str, Callable[[], Callable[[], dict[str, Any]]]] = {
            "bare": lambda: lambda: bare(parser, path),
            "objects": lambda: lambda: objects(path),
            "frames": lambda: lambda: frames(parser, path),
            "load": lambda: loading(Path(folder), url, source_id, country, path),
        }
        run = work[what]()
        load, busy, start = load_average(), cpu_seconds(), time.perf_counter()
        found = {"more": "", "seconds": None, **run()}
        found["seconds"] = found["seconds"] or time.perf_counter() - start
        found["cpu"] = cpu_seconds() - busy
    return {**found, "peak_mb": peak_mb(), "load": load}


def loading(
    home: Path, url: str, source_id: str, country: str, path: Path
) -> Callable[[], dict[str, Any]]:
    """Make an empty warehouse and what loads the file into it; only the load is measured."""
    # Their seconds of importing are no part of a load: a service has them behind it.
    import great_expectations  # noqa: F401

    import flows.ingest_run  # noqa: F401
    from bench import product

    product.prepare(url, home)
    with product.config_file(home).open("a", encoding="utf-8") as config:
        config.write(f'\n[[scope.no_lei]]\ncountry = "{country}"\n')

    def run() -> dict[str, Any]:
        found = product.load(url, home, path, _DAY, _DAY, source_id=source_id)
        said = {name: round(seconds, 1) for name, seconds in found["phases"].items()}
        counts = {name.removeprefix("records_"): n for name, n in found["counts"].items() if n}
        return {**found, "more": f"{said} {counts}"}

    return run


def _rows(name: str, found: Found) -> Rows:
    rows = [[name, "s", "each round", "x bare", "entities/s", "CPU s", "peak MB", "load average"]]
    for what, ones in found.items():
        seconds = median(one["seconds"] for one in ones)
        rows.append(
            [
                READS.get(what) or _LOADS[what],
                f"{seconds:.2f}",
                " ".join(f"{one['seconds']:.2f}" for one in ones),
                f"{_times(found, what, 'bare'):.2f}",
                f"{ones[0]['rows'] / seconds:,.0f}",
                " ".join(f"{one['cpu']:.1f}" for one in ones),
                f"{max(one['peak_mb'] for one in ones):.0f}",
                " ".join(f"{one['load']:.1f}" for one in ones),
            ]
        )
    return rows


def _times(found: Found, what: str, other: str) -> float:
    """The median of the rounds' ratios."""
    pairs = zip(found[what], found[other], strict=True)
    return median(one["seconds"] / against["seconds"] for one, against in pairs)


def _verdicts(name: str, found: Found) -> list[Any]:
    verdicts = []
    for kind in (what for what in found if what not in READS):
        load, ones = f"{name}, {_LOADS[kind]}", found[kind]
        rate = median(one["rows"] / one["seconds"] for one in ones)
        by_objects = _times(found, kind, "objects")
        verdicts += [
            at_most(load, _times(found, kind, "bare"), MOST_TIMES_BARE, "x bare parse"),
            at_most(load, by_objects, MOST_TIMES_BARE, "x into Python objects"),
            at_least(load, rate, WANTED[name], "entities/s"),
            at_most(load, max(one["peak_mb"] for one in ones), MOST_MB, "MB"),
        ]
    return verdicts


def _write(text: str) -> None:
    """Put the tables between the page's two marks."""
    begin, end = MARKS
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        message = f"{PAGE.name} lacks its marks {begin} and {end}"
        raise ValueError(message)
    PAGE.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
