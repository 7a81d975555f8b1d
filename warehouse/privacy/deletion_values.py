"""Single values whose time has come: parts of addresses and names, and contact points.

What retention deletes is not taken again from the same record: it is remembered as a keyed hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.privacy import retaken
from warehouse.privacy.deletion_words import Due
from warehouse.schema import company_record, contact_change, contact_point, personal_value, record
from warehouse.schema.contacts import CONTACT_FIELD

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.engine import Connection

    from warehouse.privacy.deletion_words import Act


def due(connection: Connection, as_of: date, companies: set[int]) -> list[Due]:
    """Values due on that day, but for those of `companies`, which go whole."""
    rows = connection.execute(
        sa.select(
            company_record.c.company_id,
            personal_value.c.record_id,
            personal_value.c.field,
            personal_value.c.delete_after,
        )
        .join(company_record, company_record.c.record_id == personal_value.c.record_id)
        .where(personal_value.c.state == "inactive", personal_value.c.delete_after <= as_of)
        .order_by(company_record.c.company_id, personal_value.c.field)
    )
    found = [
        Due(
            row.company_id,
            (row.record_id,),
            "person_public",
            "inactive_after",
            row.delete_after,
            field=row.field,
        )
        for row in rows
        if row.company_id not in companies
    ]
    return found + _contacts_due(connection, as_of, companies)


def _contacts_due(connection: Connection, as_of: date, companies: set[int]) -> list[Due]:
    """Contact points, also of records that no company is linked to any more (company 0)."""
    rows = connection.execute(
        sa.select(contact_point, company_record.c.company_id)
        .outerjoin(
            company_record,
            (company_record.c.record_id == contact_point.c.record_id)
            & company_record.c.until_at.is_(None),
        )
        .where(contact_point.c.state == "inactive", contact_point.c.delete_after <= as_of)
        .order_by(contact_point.c.contact_id)
    )
    return [
        Due(
            row.company_id or 0,
            (row.record_id,),
            "person_public",
            row.inactive_reason or "inactive_after",
            row.delete_after,
            field=f"{CONTACT_FIELD}{row.kind}",
            contact_id=row.contact_id,
        )
        for row in rows
        if row.company_id not in companies
    ]


def delete(connection: Connection, item: Due, act: Act) -> dict[str, int]:
    """Delete one value and remember, as a keyed hash, not to take it again; rows by table."""
    if item.contact_id is not None:
        return _delete_contact(connection, item, act)
    condition = personal_value.c.record_id.in_(item.record_ids) & (
        personal_value.c.field == item.field
    )
    row = connection.execute(
        sa.select(personal_value, record.c.source_id)
        .join(record, record.c.record_id == personal_value.c.record_id)
        .where(condition)
    ).one()
    retaken.remember(
        connection, act.keys, act.now, row.source_id, row.source_key, row.field, row.value
    )
    return {"personal_value": connection.execute(personal_value.delete().where(condition)).rowcount}


def _delete_contact(connection: Connection, item: Due, act: Act) -> dict[str, int]:
    row = connection.execute(
        sa.select(contact_point, record.c.source_id)
        .join(record, record.c.record_id == contact_point.c.record_id)
        .where(contact_point.c.contact_id == item.contact_id)
    ).one()
    parts = (row.source_id, row.source_key, str(item.field), row.value)
    retaken.remember(connection, act.keys, act.now, *parts)
    gone = {}
    for table in (contact_change, contact_point):
        which = table.c.contact_id == item.contact_id
        gone[table.name] = connection.execute(table.delete().where(which)).rowcount
    return gone
