"""A chain of SHA-256 digests over appended rows: an edit or a gap is found."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

START = "0" * 64
_LOCK_NUMBER = 0x6368_6169
"""PostgreSQL advisory lock ('chai'): two transactions never follow on from the same entry."""


def append(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows with numbers and chain digests that follow on from the last one."""
    (key,) = table.primary_key.columns
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_NUMBER)))
    last = connection.execute(
        sa.select(key.label("number"), table.c.chain).order_by(key.desc()).limit(1)
    ).first()
    number, digest = (last.number, last.chain) if last else (0, START)
    numbered = []
    for row in rows:
        number += 1
        digest = link(digest, {key.name: number, **row})
        numbered.append({key.name: number, **row, "chain": digest})
    if numbered:
        connection.execute(table.insert(), numbered)


def link(previous: str, row: dict[str, Any]) -> str:
    """The digest that ties a row to the one before it."""
    text = json.dumps(
        {name: str(value) for name, value in row.items() if value is not None}, sort_keys=True
    )
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def first_break(connection: Connection, table: sa.Table) -> int | None:
    """The number of the first row that does not follow from the one before it, or None."""
    (key,) = table.primary_key.columns
    digest = START
    rows = connection.execute(sa.select(table).order_by(key)).mappings()
    for expected, row in enumerate(rows, 1):
        values = {name: row[name] for name in table.c.keys() if name != "chain"}  # noqa: SIM118 (a ColumnCollection)
        digest = link(digest, values)
        if row[key.name] != expected or row["chain"] != digest:
            return expected
    return None
