"""Reading the registers' files: `python -m bench.registers [--norway N] [--estonia N]`.

Each file is read twice, each time in a process of its own: bare (unpack, cut, parse the kept
fields, and nothing else) and as the product does (whole frames of companies and contact points).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import register_shapes
from bench.machine import describe, load_average, peak_mb
from sources.kit.register_frame import RegisterFrame

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "bench" / "inputs"
FULL = {"norway": 1_200_000, "estonia": 378_000}
"""Entities in the publishers' files of November 2026."""
WANTED = {"norway": 10_000, "estonia": 3_000}
"""Entities a second, loading included, that issue 4 asks for; at most 3 times the bare parse."""


def main() -> None:
    """Make the files, measure, print one line a measurement and what it comes to."""
    options = argparse.ArgumentParser(prog="bench.registers", description=__doc__)
    for name, rows in FULL.items():
        options.add_argument(f"--{name}", type=int, default=rows, help="entities; 0 for none")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--child", nargs=3, metavar=("REGISTER", "WHAT", "FILE"))
    given = options.parse_args()
    if given.child:
        register, what, path = given.child
        print(json.dumps(_measured(register, what, Path(path))))
        return
    print(json.dumps(describe(), ensure_ascii=False))
    for name in FULL:
        rows = getattr(given, name)
        if rows:
            _compare(name, _file(name, rows), given.rounds)


def _file(name: str, rows: int) -> Path:
    if name == "norway":
        return register_shapes.norway(FOLDER / f"norway-{rows}.json.gz", rows)
    return register_shapes.estonia(FOLDER / f"estonia-{rows}.json.zip", rows)


def _compare(name: str, path: Path, rounds: int) -> None:
    for _ in range(rounds):
        found = {what: _in_child(name, what, path) for what in ("bare", "product")}
        for what, one in found.items():
            rate, volume = one["rows"] / one["seconds"], one["bytes"] / one["seconds"] / 1e6
            print(
                f"{name:8} {what:8} {one['rows']:>9} entities {one['seconds']:7.1f} s "
                f"{rate:9,.0f}/s {volume:6.0f} MB/s peak {one['peak_mb']:.0f} MB "
                f"load {one['load']} {one.get('contacts', '')}"
            )
        ratio = found["product"]["seconds"] / found["bare"]["seconds"]
        rate = found["product"]["rows"] / found["product"]["seconds"]
        print(f"{name:8} {ratio:.2f} x the bare parse; {rate / WANTED[name]:.1f} x the rate asked")


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
    work: Callable[[ModuleType, Path], dict[str, Any]] = {"bare": bare, "product": product}[what]
    load, start = load_average(), time.perf_counter()
    found = work(parser, path)
    seconds = time.perf_counter() - start
    return {**found, "seconds": seconds, "peak_mb": peak_mb(), "load": load}


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


def product(parser: ModuleType, path: Path) -> dict[str, Any]:
    """The frames as `sources` hands them on, counted."""

    def counts(frame: RegisterFrame) -> tuple[int, int, int]:
        size = len(frame.origin.block.text)
        return frame.table.num_rows, frame.contacts.num_rows, size

    rows = contacts = byte_count = 0
    with parser.json_frames(path, counts) as (_, frames):
        for one, points, size in frames:
            rows, contacts, byte_count = rows + one, contacts + points, byte_count + size
    return {"rows": rows, "bytes": byte_count, "contacts": contacts}


if __name__ == "__main__":
    main()
