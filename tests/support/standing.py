"""What stands in a warehouse, row by row, in a form in which two histories can be compared.

Numbers that only say when something came (deliveries, runs) are replaced by what they stand for;
random ids and the chain over them are left out. Two warehouses that are told the same, one of them
after any number of refused or killed runs, then look the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from warehouse.engine import open_warehouse, reading
from warehouse.schema import METADATA

Standing = dict[str, list[tuple[Any, ...]]]

LEDGERS = frozenset({"run", "delivery_profile"})
"""Tables that tell of every attempt, the failed ones too."""
_NOT_COMPARED = {
    "audit_event": {"chain", "subject", "event_id"},
    "deletion_log": {"chain", "subject", "deletion_id"},
    "delivery": {"delivery_id", "run_id", "url"},
    "export": {"run_id"},
}
_OF_ATTEMPTS = {"run", "delivery", "quarantine"}
"""Sequences that an attempt moves on even when it loads nothing."""
_WHEN_AND_WHENCE = {
    "first_delivery_id",
    "last_delivery_id",
    "delivery_id",
    "byte_offset",
    "first_seen_at",
    "last_seen_at",
    "last_changed_at",
    "since_at",
    "changed_at",
    "obtained_at",
}


def standing(url: str, *, without: Iterable[str] = ()) -> Standing:
    """Every row of every table but the ledgers and `without`, deliveries by their digest.

    Deliveries that loaded nothing, refused or told a second time, are of the ledgers.
    """
    left_out = LEDGERS | set(without)
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            names = {
                row.delivery_id: f"{row.kind} {row.sha256[:12]}"
                for row in connection.execute(METADATA.tables["delivery"].select())
            }
            return {
                table.name: _rows(connection, table, names)
                for table in METADATA.sorted_tables
                if table.name not in left_out
            }
    finally:
        engine.dispose()


def _rows(connection: Any, table: sa.Table, names: dict[int, str]) -> list[tuple[Any, ...]]:
    left_out = _NOT_COMPARED.get(table.name, set())
    query = table.select()
    if table.name == "delivery":
        query = query.where(table.c.status == "loaded")
    if table.name == "sequence":
        query = query.where(table.c.name.not_in(_OF_ATTEMPTS))
    found = []
    for row in connection.execute(query).mappings():
        values = {name: value for name, value in row.items() if name not in left_out}
        values |= {
            name: names.get(value) for name, value in values.items() if name.endswith("delivery_id")
        }
        found.append(tuple(_plain(value) for value in values.values()))
    return sorted(found, key=repr)


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def values_held(url: str) -> Standing:
    """What is held of every company, whichever delivery brought it and whenever."""
    engine = open_warehouse(url)
    found: Standing = {}
    try:
        with reading(engine) as connection:
            for name in ("record", "company", "company_record", "personal_value"):
                table = METADATA.tables[name]
                kept = [column for column in table.c if column.name not in _WHEN_AND_WHENCE]
                rows = connection.execute(sa.select(*kept))
                found[name] = sorted((tuple(map(_plain, row)) for row in rows), key=repr)
    finally:
        engine.dispose()
    return found


def asked(url: str, query: str, **values: Any) -> list[dict[str, Any]]:
    """Rows of a query in plain SQL."""
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]
    finally:
        engine.dispose()


def files_of_runs(home: Path) -> list[str]:
    """Names of files that only a run in progress may have: staging, parts, lists being written."""
    marks = (".staging", ".part", ".partial", ".letters", ".rest")
    found = (path for path in home.rglob("*") if any(mark in path.name for mark in marks))
    return sorted(path.name for path in found)
