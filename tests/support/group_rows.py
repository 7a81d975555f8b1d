"""Invented level 2 rows as GLEIF publishes them, and how a house ingests them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from ingesting import ISSUER, Ingesting, Row, csv_bytes, lei, moment, quiet

from flows import ingest_run
from flows.ingest_report import Report, Request
from sources.kit.sample_group import (
    DIRECT,
    EXCEPTION_COLUMNS,
    NO_DIRECT,
    NO_ULTIMATE,
    RELATIONSHIP_COLUMNS,
    ULTIMATE,
    exception_row,
    relationship_row,
)

__all__ = ["DIRECT", "NO_DIRECT", "NO_ULTIMATE", "ULTIMATE", "exception", "ingest", "relationship"]


def relationship(start: int, end: int, kind: str = DIRECT, **changes: str) -> Row:
    """A sound relationship of two invented companies; `changes` by the ends of column names."""
    row = relationship_row(lei(start), lei(end), kind, ISSUER)
    return row | _named(changes, RELATIONSHIP_COLUMNS)


def exception(number: int, category: str = NO_DIRECT, *reasons: str, **changes: str) -> Row:
    """A sound reporting exception of an invented company."""
    row = exception_row(lei(number), category, reasons or ("NON_CONSOLIDATING",))
    return row | _named(changes, EXCEPTION_COLUMNS)


def _named(changes: dict[str, str], columns: Sequence[str]) -> Row:
    """Columns by the end of their name, dots written as underscores."""
    found = {}
    for end, text in changes.items():
        if end == "DeletedAt":
            found[end] = text
            continue
        (column,) = [name for name in columns if name.replace(".", "_").endswith(end)]
        found[column] = text
    return found


def group_bytes(rows: Iterable[Row], *, deletions: bool = False) -> bytes:
    """The rows as a level 2 file; a delta has the `DeletedAt` column."""
    held = list(rows)
    is_exceptions = bool(held) and "LEI" in held[0]
    columns = EXCEPTION_COLUMNS if is_exceptions else RELATIONSHIP_COLUMNS
    extra = ("DeletedAt",) if deletions else ()
    return csv_bytes([{"DeletedAt": "", **row} for row in held], (*columns, *extra))


def ingest(
    place: Ingesting,
    rows: Iterable[Row],
    published: str | date | None,
    kind: Any = "full",
    **request: Any,
) -> Report:
    """Ingest a file of these rows through the flow, as the source whose rows they are."""
    held = list(rows)
    source_id = "gleif-repex" if "LEI" in held[0] else "gleif-rr"
    place.written += 1
    path = place.folder / f"delivery {place.written}.csv"
    path.write_bytes(group_bytes(held, deletions=kind != "full"))
    on = None if published is None else datetime.fromisoformat(moment(published))
    asked = Request(source_id, file=path, kind=kind, published_at=on, **request)
    return ingest_run.run(place.house, asked, quiet)
