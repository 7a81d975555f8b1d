"""A company's place in its group: parents, children, siblings, funds, exceptions, with origins.

As stated now, or with a `moment` as this warehouse had it stated then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse import history
from warehouse.group_history import STATED, relationships, rewound
from warehouse.read_company import LEI_SOURCE, changes_of, corrections_of, deliveries_by_id
from warehouse.schema import change, delivery, delivery_profile, record, source_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

DIRECT, ULTIMATE = "IS_DIRECTLY_CONSOLIDATED_BY", "IS_ULTIMATELY_CONSOLIDATED_BY"
FIRST = 5
"""How many children, siblings or funds are named; the others are counted."""

_TOLD = (
    *("record_id", "source_id", "source_key", "start_lei", "end_lei", "relationship_type"),
    *("relationship_status", "relationship_start_date", "relationship_end_date"),
    *("relationship_periods", "registration_status", "exception_category"),
    *("exception_reasons", "exception_references", "absent_count", "vanished_at"),
    *("retracted_published", "first_delivery_id"),
)
_IN_ORDER = (record.c.relationship_type, record.c.exception_category, record.c.record_id)
_PUBLISHER = (
    *("publisher", "database_name", "is_public_database", "licence"),
    *("record_url_template", "last_seen_at"),
)
_BROUGHT = ("delivery_id", "kind", "url", "sha256", "published_at", "retrieved_at")


def is_loaded(connection: Connection, moment: datetime | None = None) -> bool:
    """Whether any relationship or exception was ever delivered (by then)."""
    brought = (
        sa.select(delivery.c.delivery_id)
        .join(delivery_profile, delivery_profile.c.delivery_id == delivery.c.delivery_id)
        .where(delivery_profile.c.field == "start_lei", *_by(delivery.c.retrieved_at, moment))
    )
    return connection.scalar(brought.limit(1)) is not None


def said_of(connection: Connection, lei: str, moment: datetime | None = None) -> list[Row]:
    """Relationships that start at the LEI and its exceptions, ended and retracted ones included."""
    return _told(
        connection, _stated().where(record.c.start_lei == lei).order_by(*_IN_ORDER), moment
    )


def leading_to(connection: Connection, lei: str, moment: datetime | None = None) -> list[Row]:
    """(relationship_type, count) of relationships in force that end at the LEI."""
    found = relationships(moment, end=lei).subquery()
    query = (
        sa.select(found.c.relationship_type, sa.func.count().label("count"))
        .group_by(found.c.relationship_type)
        .order_by(found.c.relationship_type)
    )
    return _all(connection, query)


def first_leading_to(
    connection: Connection,
    lei: str,
    kind: str,
    moment: datetime | None = None,
    *,
    but: str | None = None,
) -> list[Row]:
    """The first few relationships of the kind that end at the LEI, by the LEI they start at."""
    found = relationships(moment, end=lei, kinds=(kind,)).subquery()
    first = (
        sa.select(found.c.record_id)
        .where(found.c.start_lei != (but or ""))
        .order_by(found.c.start_lei)
        .limit(FIRST)
    )
    ids = list(connection.scalars(first))
    query = _stated().where(record.c.record_id.in_(ids)).order_by(record.c.start_lei)
    return _told(connection, query, moment)


def names(
    connection: Connection, leis: Sequence[str], moment: datetime | None = None
) -> dict[str, str | None]:
    """LEI to legal name (None for a natural person's) of those held in level 1."""
    here = [record.c.source_id == LEI_SOURCE, record.c.source_key.in_(sorted(set(leis)))]
    name: sa.ColumnElement[Any] = record.c.legal_name
    rows: sa.FromClause = record
    if moment is not None:
        among = sa.select(record.c.record_id).where(*here)
        earlier = history.earlier_values(("legal_name",), moment, among)
        name = history.was(earlier, "legal_name", record.c.legal_name)
        rows = record.outerjoin(earlier, earlier.c.record_id == record.c.record_id)
        here.append(history.was_there(moment))
    query = sa.select(record.c.source_key, name.label("legal_name")).select_from(rows).where(*here)
    return {row.source_key: row.legal_name for row in connection.execute(query)}


def _stated() -> sa.Select[Any]:
    """Level 2 records, each with the delivery its statement is from.

    That is the last change of whom a relationship leads to, or of an exception's reasons, else the
    record's first delivery (docs/house.md, The model).
    """
    stated = sa.and_(
        change.c.record_id == record.c.record_id,
        change.c.source_key == record.c.source_key,
        change.c.field.in_(STATED),
        change.c.is_current.is_(True),
    )
    origin = sa.func.coalesce(change.c.delivery_id, record.c.first_delivery_id)
    return (
        sa.select(
            *(record.c[name] for name in _TOLD),
            *(source_cursor.c[name] for name in _PUBLISHER),
            origin.label("delivery_id"),
        )
        .select_from(record)
        .outerjoin(change, stated)
        .join(source_cursor, source_cursor.c.source_id == record.c.source_id)
    )


def _told(connection: Connection, query: sa.Select[Any], moment: datetime | None) -> list[Row]:
    """The rows of `_stated` (as of then), with what is known of the delivery of each."""
    if moment is None:
        rows = _all(connection, query)
    else:
        rows = _then(connection, _all(connection, query.where(history.was_there(moment))), moment)
    deliveries = deliveries_by_id(connection, [row["delivery_id"] for row in rows])
    corrected = {
        (one["record_id"], one["delivery_id"]): one
        for one in corrections_of(connection, [row["record_id"] for row in rows])
        if one["field"] in STATED
    }
    return [
        {
            **row,
            **{f"delivery_{name}": deliveries[row["delivery_id"]][name] for name in _BROUGHT},
            "correction": corrected.get((row["record_id"], row["delivery_id"])),
        }
        for row in rows
    ]


def _then(connection: Connection, rows: list[Row], moment: datetime) -> list[Row]:
    changes: dict[int, list[Row]] = {row["record_id"]: [] for row in rows}
    for step in changes_of(connection, list(changes)):
        changes[step["record_id"]].append(step)
    files = {
        source_id: history.full_files(connection, source_id, moment)
        for source_id in {row["source_id"] for row in rows}
    }
    return [
        history.with_absences(
            rewound(row, changes[row["record_id"]], moment), files[row["source_id"]]
        )
        for row in rows
    ]


def _by(column: sa.ColumnElement[Any], moment: datetime | None) -> list[sa.ColumnElement[bool]]:
    return [] if moment is None else [column <= moment]


def _all(connection: Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
