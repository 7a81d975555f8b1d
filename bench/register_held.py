"""A register's file into a warehouse that holds GLEIF's companies, a tenth of the file among them.

Run by `bench.registers`, each step in a process of its own: `python -m bench.register_held STEP URL
HOME FILE SOURCE`, where STEP is `hold` (GLEIF's file, not measured) or `load` (the register's).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import databases, register_shapes
from bench.inputs import Input
from bench.machine import cpu_seconds, load_average, peak_mb

ROOT = Path(__file__).resolve().parents[1]
_DAY = datetime(2026, 11, 2, 4, tzinfo=UTC)
_SHARE = 10
"""One in so many entities is stated by an LEI record that is held, as long as there are."""
_STATED = "SELECT number FROM record_number WHERE number_space = '{space}' ORDER BY number"


@dataclass(frozen=True)
class Wanted:
    """One register's file: of how many entities, and of which source, space and country."""

    rows: int
    source_id: str
    space: str
    country: str


def rounds_of(
    folder: Path, kind: str, golden: Input, wanted: Mapping[str, Wanted]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(register, what its load took) after GLEIF's and after one another's, in one warehouse."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        databases.opened(kind, Path(work) / "databases") as own,
    ):
        own.create("held")
        url, home = own.url("held"), Path(work) / "home"
        countries = ",".join(one.country for one in wanted.values())
        stated = _step("hold", url, home, golden.path, countries)["stated"]
        for name, one in wanted.items():
            numbers = stated.get(one.space, [])
            path = _file(folder, name, one.rows, numbers[: one.rows // _SHARE])
            own.settle()
            yield name, {**_step("load", url, home, path, one.source_id), "joined_of": len(numbers)}


def _file(folder: Path, name: str, rows: int, numbers: list[str]) -> Path:
    if name == "norway":
        path = folder / f"norway-{rows}-{len(numbers)}-held.json.gz"
        return register_shapes.norway(path, rows, numbers=numbers)
    path = folder / f"estonia-{rows}-{len(numbers)}-held.json.zip"
    return register_shapes.estonia(path, rows, numbers=numbers)


def _step(step: str, url: str, home: Path, path: Path, detail: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.register_held", step, url, str(home), str(path), detail]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def hold(url: str, home: Path, path: Path, countries: str) -> dict[str, Any]:
    """Load GLEIF's file; the registers' numbers that its records state, by number space."""
    from bench import product
    from bench.inputs import PUBLISHED
    from sources.kit.number_spaces import spaces
    from warehouse.engine import open_warehouse, reading

    product.prepare(url, home)
    with product.config_file(home).open("a", encoding="utf-8") as config:
        for country in countries.split(","):
            config.write(f'\n[[scope.no_lei]]\ncountry = "{country}"\n')
    product.load(url, home, path, PUBLISHED, PUBLISHED)
    engine = open_warehouse(url)
    with reading(engine) as connection:
        stated = {
            space: list(connection.exec_driver_sql(_STATED.format(space=space)).scalars())
            for space in (space["authorities"][0] for space in spaces())
        }
    engine.dispose()
    return {"stated": stated}


def load(url: str, home: Path, path: Path, source_id: str) -> dict[str, Any]:
    """Load the register's file, and measure it."""
    import great_expectations  # noqa: F401 (a service has its import behind it)

    import flows.ingest_run  # noqa: F401
    from bench import product
    from sources.kit.memory import be_frugal

    be_frugal()
    before, busy = load_average(), cpu_seconds()
    found = product.load(url, home, path, _DAY, _DAY, source_id=source_id)
    said = {name: round(seconds, 1) for name, seconds in found["phases"].items()}
    counts = {name.removeprefix("records_"): n for name, n in found["counts"].items() if n}
    return {
        "seconds": found["seconds"],
        "rows": found["rows"],
        "cpu": cpu_seconds() - busy,
        "peak_mb": peak_mb(),
        "load": before,
        "more": f"{said} {counts}",
    }


if __name__ == "__main__":
    _which, _url, _home, _path, _detail = sys.argv[1:]
    _done = (hold if _which == "hold" else load)(_url, Path(_home), Path(_path), _detail)
    print(json.dumps(_done))
