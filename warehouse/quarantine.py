"""Rejected rows as people work on them: listed, looked at, and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.errors import Refused
from warehouse.privacy import audit
from warehouse.schema import quarantined_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

_LISTED = (
    "quarantine_id",
    "source_id",
    "source_key",
    "rule",
    "is_alarming",
    "first_seen_at",
    "last_seen_at",
    "first_delivery_id",
    "last_delivery_id",
    "state",
)


def listing(
    connection: Connection,
    *,
    rule: str | None = None,
    source_id: str | None = None,
    with_dropped: bool = False,
    limit: int | None = None,
) -> tuple[list[Row], int]:
    """(entries without their content, alarming ones first; how many there are in all)."""
    conditions = []
    if rule is not None:
        conditions.append(quarantined_row.c.rule == rule)
    if source_id is not None:
        conditions.append(quarantined_row.c.source_id == source_id)
    if not with_dropped:
        conditions.append(quarantined_row.c.state == "open")
    query = (
        sa.select(*(quarantined_row.c[name] for name in _LISTED))
        .where(*conditions)
        .order_by(
            quarantined_row.c.is_alarming.desc(),
            quarantined_row.c.last_seen_at.desc(),
            quarantined_row.c.quarantine_id,
        )
        .limit(limit)
    )
    count = sa.select(sa.func.count()).select_from(quarantined_row).where(*conditions)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return rows, int(connection.scalar(count) or 0)


def one(connection: Connection, quarantine_id: int) -> Row:
    """One entry with its content (JSON text); `Refused` when there is none of that number."""
    names = [name for name in quarantined_row.c.keys() if name != "content_digest"]  # noqa: SIM118 (a ColumnCollection)
    query = sa.select(*(quarantined_row.c[name] for name in names)).where(
        quarantined_row.c.quarantine_id == quarantine_id
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise _absent([quarantine_id])
    return dict(row)


def drop(connection: Connection, ids: Sequence[int], *, actor: str, now: datetime) -> int:
    """Mark entries as settled, with an audit event; returns how many were open.

    All or nothing: `Refused` when any number has no entry. A dropped row that comes again stays
    dropped, and raises no alarm.
    """
    wanted = sorted(set(ids))
    held = set(
        connection.scalars(
            sa.select(quarantined_row.c.quarantine_id).where(
                quarantined_row.c.quarantine_id.in_(wanted)
            )
        )
    )
    if len(held) < len(wanted):
        raise _absent([number for number in wanted if number not in held])
    changed = connection.execute(
        quarantined_row.update()
        .where(quarantined_row.c.quarantine_id.in_(wanted), quarantined_row.c.state == "open")
        .values(state="dropped")
    ).rowcount
    audit.record_event(
        connection, actor, "quarantine", now, detail={"dropped": wanted, "were_open": changed}
    )
    return changed


def _absent(ids: Sequence[int]) -> Refused:
    listed = ", ".join(map(str, ids))
    return Refused(
        f"quarantine entry {listed}",
        "there is none of that number",
        "See `sourcenote quarantine list`; entries go a fortnight after they were last seen",
    )
