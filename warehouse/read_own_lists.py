"""The owner's own lists in counts: what is held, and what of it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sources.kit.own_lists import own_lists
from warehouse.schema import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy.engine import Connection


def held(connection: Connection) -> dict[str, dict[str, int]]:
    """Rows of each list by state: `active` and `inactive`."""
    found = {code: {"active": 0, "inactive": 0} for code in own_lists()}
    for code, table in _tables():
        query = sa.select(table.c.state, sa.func.count()).group_by(table.c.state)
        found[code].update({row[0]: int(row[1]) for row in connection.execute(query)})
    return found


def to_deactivate(connection: Connection, as_of: date) -> int:
    """Active rows of all lists whose day has come, by the dates written on them."""
    return _count(connection, "active", "inactive_after", as_of)


def to_delete(connection: Connection, as_of: date) -> int:
    """Rows of all lists whose day of deletion has come, whatever their state."""
    return sum(_count(connection, state, "delete_after", as_of) for state in ("active", "inactive"))


def _count(connection: Connection, state: str, column: str, as_of: date) -> int:
    queries = (
        sa.select(sa.func.count()).where(table.c.state == state, table.c[column] <= as_of)
        for _, table in _tables()
    )
    return sum(connection.scalar(query) or 0 for query in queries)


def _tables() -> Iterator[tuple[str, sa.Table]]:
    for code, own in own_lists().items():
        yield code, METADATA.tables[own.table]
