"""What was received before: repeats, the last full file, what was refused, what to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.engine import reading, writing
from warehouse.merge import delivery_values
from warehouse.numbering import take_numbers
from warehouse.schema import deletion_log, delivery, record, source_cursor

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from warehouse.load_shapes import DeliveryFacts

_ASIDE = (
    delivery.c.records_quarantined + delivery.c.records_suppressed + delivery.c.records_out_of_scope
)


@dataclass(frozen=True)
class Position:
    """How far a source is applied: publication and row count of its newest full file.

    `feed_position` is the place in its change feed, in the source's own words.
    """

    published_at: datetime | None
    full_published_at: datetime | None
    full_record_count: int | None
    feed_position: str | None = None


@dataclass(frozen=True)
class Outlook:
    """How many records the next full file should list, before what a delta would bring.

    `refused`: publication and URL of newer deliveries that were fetched and refused.
    """

    expected_min: int | None
    expected_max: int | None
    refused: tuple[tuple[datetime, str], ...]


def position(engine: Engine, source_id: str) -> Position | None:
    """The source's cursor, or None when nothing of it was ever loaded."""
    with reading(engine) as connection:
        row = connection.execute(
            sa.select(
                source_cursor.c.published_at,
                source_cursor.c.full_published_at,
                source_cursor.c.full_record_count,
                source_cursor.c.position,
            ).where(source_cursor.c.source_id == source_id)
        ).first()
    return Position(*row) if row else None


def outlook(engine: Engine, source_id: str) -> Outlook:
    """What the ledger says of the source's next full file, and which deliveries it refused.

    A record is in the last full file or came with a delivery since. Those that came since and are
    not held (quarantined, stopped, out of scope) may or may not have been in it; those new to us
    may be rows of it that were set aside, or deleted here since: so there are two bounds.
    """
    with reading(engine) as connection:
        return Outlook(*_expected(connection, source_id), _refused(connection, source_id))


def _expected(connection: Connection, source_id: str) -> tuple[int | None, int | None]:
    full = connection.execute(_last_full(source_id)).first()
    if full is None:
        return None, None
    since = connection.execute(
        sa.select(_total(delivery.c.records_new), _total(_ASIDE)).where(
            delivery.c.source_id == source_id,
            delivery.c.kind != "full",
            delivery.c.status != "refused",
            delivery.c.delivery_id > full.delivery_id,
        )
    ).one()
    deleted = connection.scalar(
        sa.select(_total(deletion_log.c.row_count)).where(
            deletion_log.c.table_name == record.name, deletion_log.c.deleted_at >= full.retrieved_at
        )
    )
    came_back = full.aside + int(deleted or 0)
    new, aside = int(since[0]), int(since[1])
    return full.records_in + max(new - came_back, 0), full.records_in + new + aside


def _last_full(source_id: str) -> sa.Select[Any]:
    """The first load of the newest full file; loading it again brought nothing."""
    return (
        sa.select(
            delivery.c.delivery_id,
            delivery.c.records_in,
            delivery.c.retrieved_at,
            _ASIDE.label("aside"),
        )
        .join(
            source_cursor,
            sa.and_(
                source_cursor.c.source_id == delivery.c.source_id,
                source_cursor.c.full_sha256 == delivery.c.sha256,
            ),
        )
        .where(
            delivery.c.source_id == source_id,
            delivery.c.kind == "full",
            delivery.c.status != "refused",
        )
        .order_by(delivery.c.delivery_id)
        .limit(1)
    )


def _total(column: Any) -> Any:  # noqa: ANN401 (SQLAlchemy's expressions have no common useful type)
    return sa.func.coalesce(sa.func.sum(column), 0)


def _refused(connection: Connection, source_id: str) -> tuple[tuple[datetime, str], ...]:
    """Publication and URL of deliveries newer than what is applied that were fetched and refused.

    A file that somebody gave is no word of the publisher's.
    """
    applied = sa.select(source_cursor.c.published_at).where(source_cursor.c.source_id == source_id)
    rows = connection.execute(
        sa.select(delivery.c.published_at, delivery.c.url).where(
            delivery.c.source_id == source_id,
            delivery.c.status == "refused",
            delivery.c.published_at > applied.scalar_subquery(),
            sa.not_(delivery.c.url.startswith("file:")),
        )
    )
    return tuple((row.published_at, row.url) for row in rows)


def loaded_as(
    engine: Engine, source_id: str, sha256: str
) -> tuple[tuple[str, datetime | None], ...]:
    """As which kinds of delivery, of which publications, these very bytes were applied before."""
    with reading(engine) as connection:
        found = connection.execute(
            sa.select(delivery.c.kind, delivery.c.published_at).where(
                delivery.c.source_id == source_id,
                delivery.c.sha256 == sha256,
                delivery.c.status != "refused",
            )
        )
        return tuple((row.kind, row.published_at) for row in found)


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
