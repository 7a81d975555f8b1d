"""Records of registers that are about no company now, and their contact points: held all the same.

A wrong join was ended, or a number has moved on. They are in no view; whoever asks is told of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.schema import company_record, contact_point, delivery, record, source_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

_POINT = ("contact_id", "kind", "obtained_at", "state", "inactive_after", "delete_after")


def by_contact(connection: Connection, kind: str, value: str) -> list[Row]:
    """Contact points of that value on records of no company; the value itself is left out.

    Each with its record, its publisher and the delivery that brought it.
    """
    where = (contact_point.c.kind == kind) & (contact_point.c.value == value)
    return _told(connection, where)


def by_number(connection: Connection, number: str, source_ids: Sequence[str]) -> list[Row]:
    """The same of a register's number: every contact point of its record."""
    where = record.c.source_id.in_(source_ids) & (record.c.source_key == number)
    return _told(connection, where)


def _told(connection: Connection, where: sa.ColumnElement[bool]) -> list[Row]:
    link = company_record.alias("link")
    is_linked = sa.exists().where(
        link.c.record_id == contact_point.c.record_id, link.c.until_at.is_(None)
    )
    query = (
        sa.select(
            *(contact_point.c[name] for name in _POINT),
            record.c.source_id,
            record.c.source_key,
            source_cursor.c.publisher,
            source_cursor.c.database_name,
            source_cursor.c.record_url_template,
            delivery.c.delivery_id,
            delivery.c.published_at,
            delivery.c.retrieved_at,
        )
        .select_from(contact_point)
        .join(
            record,
            (record.c.record_id == contact_point.c.record_id)
            & (record.c.source_key == contact_point.c.source_key),
        )
        .join(delivery, delivery.c.delivery_id == contact_point.c.first_delivery_id)
        .join(source_cursor, source_cursor.c.source_id == record.c.source_id)
        .where(where, ~is_linked)
        .order_by(contact_point.c.contact_id)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        template: str = row.pop("record_url_template")
        row["record_url"] = template.replace("{key}", row["source_key"])
    return rows
