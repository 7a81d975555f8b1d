"""Rounds of one run: bare, first load, both repeats, and again, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.databases import ROOT, Databases
from bench.inputs import Input
from bench.measured import (
    BARE,
    CHANGED,
    DELTA,
    FIRST,
    PEERS,
    SMALL_DELTA,
    SMALL_FIRST,
    UNCHANGED,
    Measured,
)

Say = Callable[[str], None]

PRODUCT = "product"
"""The product's database."""


class Broken(Exception):
    """A measurement that did not come to its end, with what it printed."""


def rounds(
    databases: Databases, files: tuple[Input, Input], repeats: int, home: Path, say: Say
) -> Iterator[Measured]:
    """Measure on one database `repeats` times; what the last round loaded stays as `PRODUCT`."""
    for number in range(1, repeats + 1):
        for one in _round(databases, files, number, home):
            say(
                f"{databases.kind} {number}/{repeats} {one.load}: {one.seconds:.2f} s, "
                f"peak {one.peak_mb:.0f} MB, load average {one.load_before}"
            )
            yield one


def _round(
    databases: Databases, files: tuple[Input, Input], number: int, home: Path
) -> Iterator[Measured]:
    whole, changed = files
    databases.create("bare")
    yield measure(
        databases,
        {"what": "bare", "target": databases.target("bare"), "source": whole.path},
        (BARE, number),
        whole,
    )
    databases.drop("bare")
    databases.create(PRODUCT)
    job = {"what": "product", "target": databases.url(PRODUCT), "home": home}
    ask({**job, "what": "prepare"})
    for load, file in ((FIRST, whole), (UNCHANGED, whole), (CHANGED, changed)):
        yield measure(databases, {**job, **told(file)}, (load, number), file)


def told(file: Input) -> dict[str, Any]:
    """What a job is told of the file that it loads."""
    return {
        "source": file.path,
        "published_at": file.published_at.isoformat(),
        "retrieved_at": file.retrieved_at.isoformat(),
    }


def measure(
    databases: Databases,
    job: dict[str, Any],
    name: tuple[str, int],
    file: Input,
    python: Path | None = None,
) -> Measured:
    """Let the machine settle, do the job, and see that it was the whole job."""
    databases.settle()
    found = ask({**job, "database": databases.kind}, python)
    one = Measured(database=databases.kind, load=name[0], round=name[1], **found)
    if one.rows != file.rows:
        message = f"{one.load} took {one.rows} rows of {file.rows}"
        raise Broken(message)
    _check(one, file.changed_rows)
    return one


def _check(one: Measured, changed_rows: int) -> None:
    """A first load brings only new records, a repeat none, a changed file only what changed.

    A delta's rows are new or changed, but for the few that are quarantined or out of scope.
    """
    counts = one.counts
    new, changed = counts.get("records_new", 0), counts.get("records_changed", 0)
    is_first = new > 0 and not changed
    is_delta = changed > 0 and new > 0 and (new + changed) * 10 > changed_rows * 9
    is_as_due = {
        **dict.fromkeys((BARE, *PEERS), True),
        **dict.fromkeys((FIRST, SMALL_FIRST), is_first),
        **dict.fromkeys((DELTA, SMALL_DELTA), is_delta),
        UNCHANGED: not new and not changed and one.status == "unchanged",
        # Who was in no retention period a day before may be in one now: that is a new record.
        CHANGED: changed > 0 and new + changed <= changed_rows,
    }
    if not is_as_due[one.load]:
        message = f"{one.load} did other than it is measured for: {asdict(one)}"
        raise Broken(message)


def ask(job: dict[str, Any], python: Path | None = None) -> dict[str, Any]:
    """Have `bench.child` do the job, in a Python of its own where one is given; its answer."""
    done = subprocess.run(
        [python or sys.executable, "-m", "bench.child", json.dumps(job, default=str)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"{job['what']} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        raise Broken(message)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def environment(home: Path | None = None) -> dict[str, str]:
    """The environment with no installation's settings but those of `home`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SOURCENOTE_", "PREFECT_"))
    }
    silent = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    if home:
        kept["SOURCENOTE_HOME"] = str(home)
    return {**kept, **silent, "PREFECT_HOME": str(ROOT / "var" / "bench" / "prefect")}
