"""What arrived from each source, and how far the source is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse import holdings, read_codes
from warehouse.schema import delivery, quarantined_row, source_cursor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

Row = dict[str, Any]


def cursors(connection: Connection) -> dict[str, Row]:
    """How far each source is applied, by source id; only those of which anything was loaded."""
    rows = connection.execute(sa.select(source_cursor)).mappings()
    return {row["source_id"]: dict(row) for row in rows}


def last_deliveries(connection: Connection, *, refused: bool = False) -> dict[str, Row]:
    """The last delivery taken (or, `refused`, turned away) of each source, by source id."""
    turned_away = delivery.c.status == "refused"
    newest = (
        sa.select(sa.func.max(delivery.c.delivery_id))
        .where(turned_away if refused else sa.not_(turned_away))
        .group_by(delivery.c.source_id)
    )
    rows = connection.execute(
        sa.select(delivery).where(delivery.c.delivery_id.in_(newest))
    ).mappings()
    return {row["source_id"]: dict(row) for row in rows}


def where_from(connection: Connection, delivery_id: int) -> Row:
    """Where a delivery came from, when it was received, and how long it was in bytes."""
    names = ("url", "retrieved_at", "byte_count")
    query = sa.select(*(delivery.c[name] for name in names)).where(
        delivery.c.delivery_id == delivery_id
    )
    return dict(connection.execute(query).mappings().one())


def record_counts(connection: Connection) -> dict[str, int]:
    """Records (or codes) held of each source, by source id."""
    return {**holdings.records(connection), **read_codes.counts(connection)}


def quarantine_counts(connection: Connection) -> Mapping[str, tuple[int, int]]:
    """(open entries, those of them that are known and raise no alarm) of each source."""
    known = sa.func.sum(sa.case((quarantined_row.c.is_alarming.is_(False), 1), else_=0))
    query = (
        sa.select(quarantined_row.c.source_id, sa.func.count(), known)
        .where(quarantined_row.c.state == "open")
        .group_by(quarantined_row.c.source_id)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query)}


def alarming_in(connection: Connection, delivery_id: int) -> int:
    """Open quarantine entries last seen in that delivery that nobody has known of before.

    An entry is no alarm when its record is annulled or a duplicate: those come in every full file.
    """
    query = sa.select(sa.func.count()).where(
        quarantined_row.c.last_delivery_id == delivery_id,
        quarantined_row.c.is_alarming.is_(True),
        quarantined_row.c.state == "open",
    )
    return connection.scalar(query) or 0
