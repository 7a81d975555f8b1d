"""What a delivery leaves aside in the same transaction: quarantined rows and dropped stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.load_shapes import QUARANTINE_SCHEMA
from warehouse.numbering import take_numbers
from warehouse.schema import quarantined_row, suppressed_record
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts


def insert_quarantine(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Move staged rejections in, one entry a (source, key, rule, content), seen once more."""
    rows = _staged_quarantine()
    found = connection.execute(_distinct(rows)).all()
    if not found:
        return
    first = take_numbers(connection, "quarantine", len(found))
    upsert(
        connection,
        quarantined_row,
        [
            {
                "quarantine_id": first + number,
                "source_id": facts.card.source_id,
                "source_key": row.source_key,
                "rule": row.rule,
                "content_digest": row.content_digest,
                "content": row.content,
                "withheld": row.withheld,
                "byte_offset": row.byte_offset,
                "is_alarming": bool(row.is_alarming),
                "first_delivery_id": delivery_id,
                "last_delivery_id": delivery_id,
                "first_seen_at": facts.retrieved_at,
                "last_seen_at": facts.retrieved_at,
            }
            for number, row in enumerate(found)
        ],
        keys=("source_id", "source_key", "rule", "content_digest"),
        updates=("last_delivery_id", "last_seen_at", "byte_offset"),
    )


def _staged_quarantine() -> sa.TableClause:
    names = QUARANTINE_SCHEMA.names
    return sa.table("staged_quarantine", *(sa.column(name) for name in names))


def _distinct(rows: sa.TableClause) -> sa.Select[Any]:
    """One row for each (key, rule, content), at its first place."""
    return sa.select(
        rows.c.source_key,
        rows.c.rule,
        rows.c.content_digest,
        sa.func.min(rows.c.content).label("content"),
        sa.func.min(rows.c.withheld).label("withheld"),
        sa.func.min(rows.c.byte_offset).label("byte_offset"),
        sa.func.min(sa.cast(rows.c.is_alarming, sa.Integer)).label("is_alarming"),
    ).group_by(rows.c.source_key, rows.c.rule, rows.c.content_digest)


def insert_suppressed(connection: Connection, facts: DeliveryFacts) -> None:
    """Count stopped companies this delivery brought, by keyed hash, without knowing them."""
    names = ("subject_hash", "country", "lei_status", "next_renewal_date")
    rows = sa.table(
        "staged_suppressed",
        *(sa.column(name, suppressed_record.c[name].type) for name in names),
    )
    found = connection.execute(sa.select(rows)).mappings().all()
    upsert(
        connection,
        suppressed_record,
        [
            {
                "source_id": facts.card.source_id,
                "last_seen_at": facts.retrieved_at,
                **{name: row[name] for name in names},
            }
            for row in {row["subject_hash"]: row for row in found}.values()
        ],
        keys=("source_id", "subject_hash"),
        updates=("country", "lei_status", "next_renewal_date", "last_seen_at"),
    )
