"""The registers' files, read and loaded: `python -m bench.registers [--full]`.

Each file is taken three times, each time in a process of its own: bare (unpack, cut, parse the kept
fields, and nothing else), as frames of companies and contact points, and whole: from its first byte
to the commit into an empty SQLite warehouse that takes every company without an LEI.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import register_shapes
from bench.machine import cpu_seconds, describe, load_average, peak_mb
from sources.kit.register_frame import RegisterFrame

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "bench" / "inputs"
SMALL = {"norway": 100_000, "estonia": 20_000}
FULL = {"norway": 1_200_000, "estonia": 378_000}
"""Entities in the publishers' files of November 2026."""
SOURCES = {"norway": ("brreg", "NO"), "estonia": ("ariregister", "EE")}
WANTED = {"norway": 10_000, "estonia": 3_000}
"""Entities a second that issue 4 asks for, from the first byte to the commit."""
MOST_TIMES_BARE, MOST_MB = 3.0, 800
KINDS = ("bare", "frames", "load")
_DAY = datetime(2026, 11, 2, 4, tzinfo=UTC)


def main() -> None:
    """Make the files, measure, print one line a measurement and what it comes to."""
    options = argparse.ArgumentParser(prog="bench.registers", description=__doc__)
    options.add_argument("--full", action="store_true", help="as many entities as are published")
    for name in SOURCES:
        options.add_argument(f"--{name}", type=int, help="entities; 0 for none")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--child", nargs=3, metavar=("REGISTER", "WHAT", "FILE"))
    given = options.parse_args()
    if given.child:
        register, what, path = given.child
        print(json.dumps(_measured(register, what, Path(path))))
        return
    print(json.dumps(describe(), ensure_ascii=False))
    for name in SOURCES:
        rows = getattr(given, name)
        rows = (FULL if given.full else SMALL)[name] if rows is None else rows
        if rows:
            _compare(name, _file(name, rows), given.rounds)


def _file(name: str, rows: int) -> Path:
    if name == "norway":
        return register_shapes.norway(FOLDER / f"norway-{rows}.json.gz", rows)
    return register_shapes.estonia(FOLDER / f"estonia-{rows}.json.zip", rows)


def _compare(name: str, path: Path, rounds: int) -> None:
    for _ in range(rounds):
        found = {what: _in_child(name, what, path) for what in KINDS}
        for what, one in found.items():
            rate = one["rows"] / one["seconds"]
            print(
                f"{name:8} {what:7} {one['rows']:>9} entities {one['seconds']:7.1f} s "
                f"{rate:9,.0f}/s cpu {one['cpu']:.1f} s peak {one['peak_mb']:.0f} MB "
                f"load {one['load']} {one['more']}"
            )
        bare, load = found["bare"], found["load"]
        times, rate = load["seconds"] / bare["seconds"], load["rows"] / load["seconds"]
        print(
            f"{name:8} {times:.2f} x the bare parse (at most {MOST_TIMES_BARE:g}); "
            f"{rate:,.0f}/s (at least {WANTED[name]:,}); "
            f"{load['peak_mb']:.0f} MB (at most {MOST_MB})"
        )


def _in_child(name: str, what: str, path: Path) -> dict[str, Any]:
    """One measurement in a process of its own, so that one's memory is not the other's."""
    command = [sys.executable, "-m", "bench.registers", "--child", name, what, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(register: str, what: str, path: Path) -> dict[str, Any]:
    from sources import ariregister_parse, brreg_parse
    from sources.kit.memory import be_frugal

    be_frugal()
    parser = {"norway": brreg_parse, "estonia": ariregister_parse}[register]
    source_id, country = SOURCES[register]
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        work: dict[str, Callable[[], Callable[[], dict[str, Any]]]] = {
            "bare": lambda: lambda: bare(parser, path),
            "frames": lambda: lambda: frames(parser, path),
            "load": lambda: loading(Path(folder), source_id, country, path),
        }
        run = work[what]()
        load, busy, start = load_average(), cpu_seconds(), time.perf_counter()
        found = {"more": "", "seconds": None, **run()}
        found["seconds"] = found["seconds"] or time.perf_counter() - start
        found["cpu"] = cpu_seconds() - busy
    return {**found, "peak_mb": peak_mb(), "load": load}


def loading(home: Path, source_id: str, country: str, path: Path) -> Callable[[], dict[str, Any]]:
    """Make an empty warehouse and what loads the file into it; only the load is measured."""
    # Their seconds of importing are no part of a load: a service has them behind it.
    import great_expectations  # noqa: F401

    import flows.ingest_run  # noqa: F401
    from bench import product

    url = f"sqlite:///{home / 'warehouse.db'}"
    product.prepare(url, home)
    with product.config_file(home).open("a", encoding="utf-8") as config:
        config.write(f'\n[[scope.no_lei]]\ncountry = "{country}"\n')

    def run() -> dict[str, Any]:
        found = product.load(url, home, path, _DAY, _DAY, source_id=source_id)
        said = {name: round(seconds, 1) for name, seconds in found["phases"].items()}
        counts = {name.removeprefix("records_"): n for name, n in found["counts"].items() if n}
        return {**found, "more": f"{said} {counts}"}

    return run


def bare(parser: ModuleType, path: Path) -> dict[str, Any]:
    """Unpacked in the product's thread, cut at whole objects, the kept fields parsed; no more."""
    import pyarrow as pa
    from pyarrow import json as pa_json

    from sources.kit.archive import open_member
    from sources.kit.json_blocks import ItemBlocks
    from sources.kit.json_rows import Reading
    from sources.kit.json_shape import arrow_type

    rows = byte_count = 0
    options = None
    with open_member(path, suffix=".json") as (_, stream):
        for block in ItemBlocks(stream.chunks()):
            if options is None:
                kinds = Reading.fitted(block, parser.SHAPE, parser.KEY).kinds
                schema = pa.schema([("rows", pa.list_(arrow_type(parser.SHAPE, kinds)))])
                options = pa_json.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="ignore"
                )
            table = pa_json.read_json(
                pa.BufferReader(block.text),
                pa_json.ReadOptions(use_threads=False, block_size=len(block.text) + 1),
                options,
            )
            rows += len(table["rows"].chunk(0).flatten())
            byte_count += len(block.text)
    return {"rows": rows, "bytes": byte_count}


def frames(parser: ModuleType, path: Path) -> dict[str, Any]:
    """The frames as `sources` hands them on, counted."""

    def counts(frame: RegisterFrame) -> tuple[int, int]:
        return frame.table.num_rows, frame.contacts.num_rows

    rows = contacts = 0
    with parser.json_frames(path, counts) as (_, found):
        for one, points in found:
            rows, contacts = rows + one, contacts + points
    return {"rows": rows, "more": f"{contacts} contact points"}


if __name__ == "__main__":
    main()
