"""A company's place in its group: parents, children, siblings, funds, exceptions, with origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.read_company import LEI_SOURCE
from warehouse.schema import change, delivery, record, source_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

DIRECT, ULTIMATE = "IS_DIRECTLY_CONSOLIDATED_BY", "IS_ULTIMATELY_CONSOLIDATED_BY"
ACTIVE = "ACTIVE"
FIRST = 5
"""How many children, siblings or funds are named; the others are counted."""

_TOLD = (
    *("record_id", "source_id", "source_key", "start_lei", "end_lei", "relationship_type"),
    *("relationship_status", "relationship_start_date", "relationship_end_date"),
    *("relationship_periods", "registration_status", "managing_lou", "exception_category"),
    *("exception_reasons", "exception_references", "absent_count", "vanished_at"),
    *("retracted_published", "first_delivery_id"),
)
_IN_ORDER = (record.c.relationship_type, record.c.exception_category, record.c.record_id)
_PUBLISHER = (
    *("publisher", "database_name", "is_public_database", "licence"),
    *("record_url_template", "last_seen_at"),
)


def is_loaded(connection: Connection) -> bool:
    """Whether any relationship or exception was ever loaded."""
    found = sa.select(record.c.record_id).where(record.c.start_lei.is_not(None)).limit(1)
    return connection.scalar(found) is not None


def said_of(connection: Connection, lei: str) -> list[Row]:
    """Relationships that start at the LEI and its exceptions, ended and retracted ones included."""
    return _all(connection, _told().where(record.c.start_lei == lei).order_by(*_IN_ORDER))


def leading_to(connection: Connection, lei: str) -> list[Row]:
    """(relationship_type, count) of relationships in force that end at the LEI."""
    query = (
        sa.select(record.c.relationship_type, sa.func.count().label("count"))
        .where(record.c.end_lei == lei, *in_force(record))
        .group_by(record.c.relationship_type)
        .order_by(record.c.relationship_type)
    )
    return _all(connection, query)


def first_leading_to(
    connection: Connection, lei: str, kind: str, *, but: str | None = None
) -> list[Row]:
    """The first few relationships of the kind that end at the LEI, by the LEI they start at."""
    query = (
        _told()
        .where(record.c.end_lei == lei, record.c.relationship_type == kind, *in_force(record))
        .where(record.c.start_lei != (but or ""))
        .order_by(record.c.start_lei)
        .limit(FIRST)
    )
    return _all(connection, query)


def names(connection: Connection, leis: Sequence[str]) -> dict[str, str | None]:
    """LEI to legal name (None for a natural person's) of those held in level 1."""
    query = sa.select(record.c.source_key, record.c.legal_name).where(
        record.c.source_id == LEI_SOURCE, record.c.source_key.in_(sorted(set(leis)))
    )
    return {row.source_key: row.legal_name for row in connection.execute(query)}


def in_force(rows: Any) -> list[sa.ColumnElement[bool]]:  # noqa: ANN401 (the table or an alias)
    """Relationships a publisher states now: active, not retracted, not vanished."""
    return [
        rows.c.relationship_status == ACTIVE,
        rows.c.retracted_published.is_(None),
        rows.c.vanished_at.is_(None),
    ]


def _told() -> sa.Select[Any]:
    """Level 2 records, each with the delivery its statement is from.

    That is the last change of whom a relationship leads to, or of an exception's reasons, else the
    record's first delivery (docs/house.md, The model).
    """
    stated = sa.and_(
        change.c.record_id == record.c.record_id,
        change.c.source_key == record.c.source_key,
        change.c.field.in_(("end_lei", "exception_reasons")),
        change.c.is_current.is_(True),
    )
    origin = delivery.c.delivery_id == sa.func.coalesce(
        change.c.delivery_id, record.c.first_delivery_id
    )
    brought = ("delivery_id", "kind", "url", "sha256", "published_at", "retrieved_at")
    return (
        sa.select(
            *(record.c[name] for name in _TOLD),
            *(source_cursor.c[name] for name in _PUBLISHER),
            *(delivery.c[name].label(f"delivery_{name}") for name in brought),
        )
        .select_from(record)
        .outerjoin(change, stated)
        .join(delivery, origin)
        .join(source_cursor, source_cursor.c.source_id == record.c.source_id)
    )


def _all(connection: Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
