"""Surrogate numbers that are never reused, not even after the rows that had them are deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.schema import sequence
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def take_numbers(connection: Connection, name: str, count: int) -> int:
    """The first of `count` fresh consecutive numbers, taken in the caller's transaction."""
    upsert(connection, sequence, [{"name": name, "next_value": 1}], keys=("name",), updates=())
    row = connection.execute(
        sequence.update()
        .where(sequence.c.name == name)
        .values(next_value=sequence.c.next_value + count)
        .returning(sequence.c.next_value)
    ).one()
    return int(row.next_value) - count


@dataclass(frozen=True)
class Numbers:
    """The first free numbers a load starts from; it takes them when it merges."""

    record: int
    company: int
    delivery: int


def peek_number(connection: Connection, name: str) -> int:
    """The next free number; stays free only while the one-writer lock is held."""
    held = connection.scalar(sa.select(sequence.c.next_value).where(sequence.c.name == name))
    return 1 if held is None else int(held)
