"""What the product does from first byte to commit, the same function that the command calls."""

from __future__ import annotations

import os
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.machine import peak_mb

if TYPE_CHECKING:
    from flows.house import House

OUTCOMES = ("new", "changed", "unchanged", "stale", "superseded", "out_of_scope", "quarantined")
_READ, _MERGE, _AFTER = "read, check and stage", "merge and commit", "after the commit"


def prepare(url: str, home: Path) -> None:
    """An empty warehouse as `sourcenote init` leaves it; not measured."""
    from flows.init_files import write_init_files
    from warehouse import migrate
    from warehouse.engine import open_warehouse

    home.mkdir(parents=True, exist_ok=True)
    write_init_files(config_file(home), home / "sourcenote.key", os.urandom)
    engine = open_warehouse(url)
    migrate.upgrade(engine)
    engine.dispose()


def config_file(home: Path) -> Path:
    """The configuration that `prepare` wrote."""
    return home / "sourcenote.toml"


def load(
    url: str,
    home: Path,
    source: Path,
    published_at: datetime,
    retrieved_at: datetime,
    *,
    kind: Literal["full", "delta"] = "full",
    source_id: str = "gleif",
) -> dict[str, Any]:
    """Ingest the file; seconds to the commit, counts, records then held, and each phase.

    Raises ValueError when not every row came to exactly one outcome, or the warehouse holds other
    than was counted. Call it in a process of its own, what is imported first is not measured.
    """
    from flows import ingest_run
    from flows.ingest_report import Request

    # "merge" is told when the last row is staged, "settle" when all is committed.
    marks: dict[str, tuple[float, float]] = {}

    def mark(stage: str, _done: int, _total: int | None) -> None:
        # The merge is told of again before its commit, the last moment to change one's mind.
        marks.setdefault(stage, (time.perf_counter(), peak_mb()))

    opened = _opened(url, home, retrieved_at)
    request = Request(source_id, file=source, kind=kind, published_at=published_at)
    start = time.perf_counter()
    try:
        report = ingest_run.run(opened, request, mark)
        end = time.perf_counter()
        held = _check(opened, report.counts)
    finally:
        opened.close()
    committed_at = marks["settle"][0]
    return {
        "seconds": committed_at - start,
        "rows": report.counts["records_in"],
        "status": report.status,
        "counts": report.counts,
        "held": held,
        **_phases((start, 0.0), marks["merge"], marks["settle"], (end, peak_mb())),
    }


def _phases(*marks: tuple[float, float]) -> dict[str, Any]:
    """Each phase's seconds, and the peak of memory when it ended."""
    ends = dict(zip((_READ, _MERGE, _AFTER), pairwise(marks), strict=True))
    return {
        "phases": {name: after[0] - before[0] for name, (before, after) in ends.items()},
        "peaks_mb": {name: after[1] for name, (_, after) in ends.items()},
    }


def _opened(url: str, home: Path, now: datetime) -> House:
    from flows.house import Clock, House
    from flows.settings import load as read_settings

    variables = {"SOURCENOTE_HOME": str(home)}
    settings = read_settings(config_file(home), warehouse_url=url, environ=variables)
    return House(settings, Clock(now))


def changed_key(url: str) -> str:
    """The LEI of a company that has a history: one of the last that a delivery changed."""
    from warehouse.engine import open_warehouse, reading

    engine = open_warehouse(url)
    newest = "SELECT source_key FROM change ORDER BY record_id DESC LIMIT 1"
    try:
        with reading(engine) as connection:
            return str(connection.exec_driver_sql(newest).scalar_one())
    finally:
        engine.dispose()


def _check(opened: House, counts: dict[str, int]) -> int:
    """Every row has one outcome, and the warehouse holds every record that was counted new."""
    named = {name for name in counts if name.removeprefix("records_") in {*OUTCOMES, "suppressed"}}
    if sum(counts[name] for name in named) != counts["records_in"]:
        message = f"outcomes do not add up to the rows that came: {counts}"
        raise ValueError(message)
    with opened.engine.connect() as connection:
        held = connection.exec_driver_sql("SELECT count(*) FROM record").scalar_one()
    taken = counts["records_new"] + counts["records_changed"] + counts["records_unchanged"]
    if held < taken:
        message = f"{taken} records were taken, the warehouse holds {held}"
        raise ValueError(message)
    return int(held)
