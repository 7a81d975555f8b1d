"""Rejected rows as people work on them: listed, looked at, and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.errors import Refused
from warehouse.privacy import audit
from warehouse.schema import delivery, quarantined_row

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


def chosen(
    connection: Connection, *, ids: Sequence[int], rule: str | None, limit: int
) -> tuple[list[list[Row]], int]:
    """(rejected rows to be tried again, each as its entries; entries beyond `limit`).

    By number in any state, all of them or `Refused`; else the open ones, of one rule or of all. A
    row that broke several rules has an entry for each, and comes with all of them. Each entry has
    its `content` and the publication of the delivery it was first in.
    """
    if ids:
        _check_numbers(connection, sorted(set(ids)))
        condition: sa.ColumnElement[bool] = quarantined_row.c.quarantine_id.in_(set(ids))
    else:
        condition = quarantined_row.c.state == "open"
        if rule is not None:
            condition &= quarantined_row.c.rule == rule
    total = connection.scalar(
        sa.select(sa.func.count()).select_from(quarantined_row).where(condition)
    )
    rows: dict[tuple[object, ...], list[Row]] = {}
    for row in connection.execute(_whole_rows(condition, limit)).mappings():
        key = (row["source_id"], row["source_key"], bytes(row["content_digest"]))
        rows.setdefault(key, []).append(dict(row))
    return list(rows.values()), max(0, int(total or 0) - limit)


def _whole_rows(condition: sa.ColumnElement[bool], limit: int) -> sa.Select[Any]:
    """All entries of the rows that the first `limit` entries of the condition are of."""
    names = ("source_id", "source_key", "content_digest")
    first = (
        sa.select(*(quarantined_row.c[name] for name in names))
        .where(condition)
        .order_by(quarantined_row.c.quarantine_id)
        .limit(limit)
        .subquery()
    )
    same = sa.and_(*(first.c[name] == quarantined_row.c[name] for name in names))
    shown = ("quarantine_id", *names, "content", "withheld", "first_delivery_id")
    return (
        sa.select(*(quarantined_row.c[name] for name in shown), delivery.c.published_at)
        .join(delivery, delivery.c.delivery_id == quarantined_row.c.first_delivery_id)
        .where(sa.exists().where(same))
        .order_by(quarantined_row.c.quarantine_id)
    )


def drop(connection: Connection, ids: Sequence[int], *, actor: str, now: datetime) -> int:
    """Mark entries as settled, with an audit event; returns how many were open.

    All or nothing: `Refused` when any number has no entry. A dropped row that comes again stays
    dropped, and raises no alarm.
    """
    wanted = sorted(set(ids))
    _check_numbers(connection, wanted)
    changed = connection.execute(
        quarantined_row.update()
        .where(quarantined_row.c.quarantine_id.in_(wanted), quarantined_row.c.state == "open")
        .values(state="dropped")
    ).rowcount
    audit.record_event(
        connection, actor, "quarantine", now, detail={"dropped": wanted, "were_open": changed}
    )
    return changed


def _check_numbers(connection: Connection, wanted: Sequence[int]) -> None:
    """Refuse numbers that have no entry."""
    query = sa.select(quarantined_row.c.quarantine_id).where(
        quarantined_row.c.quarantine_id.in_(wanted)
    )
    held = set(connection.scalars(query))
    if len(held) < len(wanted):
        raise _absent([number for number in wanted if number not in held])


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: `17-22,40`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def _absent(ids: Sequence[int]) -> Refused:
    listed = ", ".join(map(str, ids))
    return Refused(
        f"quarantine entry {listed}",
        "there is none of that number",
        "See `sourcenote quarantine list`; entries go a fortnight after they were last seen",
    )
