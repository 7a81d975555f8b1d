"""What was received before: repeats, the last full file, and deliveries that were refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.engine import reading, writing
from warehouse.merge import delivery_values
from warehouse.numbering import take_numbers
from warehouse.schema import delivery, source_cursor

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from warehouse.load_shapes import DeliveryFacts


@dataclass(frozen=True)
class Position:
    """How far a source is applied: publication and row count of its newest full file."""

    published_at: datetime | None
    full_published_at: datetime | None
    full_record_count: int | None


def position(engine: Engine, source_id: str) -> Position | None:
    """The source's cursor, or None when nothing of it was ever loaded."""
    with reading(engine) as connection:
        row = connection.execute(
            sa.select(
                source_cursor.c.published_at,
                source_cursor.c.full_published_at,
                source_cursor.c.full_record_count,
            ).where(source_cursor.c.source_id == source_id)
        ).first()
    return Position(*row) if row else None


def was_loaded(engine: Engine, source_id: str, sha256: str, kind: str) -> bool:
    """Whether these very bytes were applied before, as the same kind of delivery."""
    with reading(engine) as connection:
        found = connection.scalar(
            sa.select(delivery.c.delivery_id)
            .where(
                delivery.c.source_id == source_id,
                delivery.c.sha256 == sha256,
                delivery.c.kind == kind,
                delivery.c.status != "refused",
            )
            .limit(1)
        )
    return found is not None


def refuse(engine: Engine, facts: DeliveryFacts, reason: str) -> int:
    """Record a delivery of which nothing came in, and why."""
    with writing(engine) as connection:
        delivery_id = take_numbers(connection, "delivery", 1)
        connection.execute(
            delivery.insert().values(
                delivery_id=delivery_id,
                status="refused",
                reason=reason,
                **delivery_values(facts),
            )
        )
    return delivery_id
