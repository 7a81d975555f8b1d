"""Values that name a person, in a table of their own, each with the delivery that brought it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.schema import personal_value

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts

_COLUMNS = (
    "record_id",
    "source_key",
    "field",
    "value",
    "delivery_id",
    "obtained_at",
    "inactive_after",
    "delete_after",
)


def _staged() -> sa.TableClause:
    names = ("ordinal", "is_new", "record_id", "source_key", "field", "value")
    return sa.table("staged_personal", *(sa.column(name) for name in names))


def insert_new(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Personal values of records that are new."""
    rows = _staged()
    query = sa.select(rows.c.record_id, *_rest(rows, facts, delivery_id)).where(
        rows.c.is_new == sa.true()
    )
    connection.execute(personal_value.insert().from_select(list(_COLUMNS), query))


def replace_changed(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Personal values of changed records: what is gone goes, what differs gets its new origin."""
    rows = _staged()
    changed = sa.table("staged_changed", sa.column("record_id"))
    same = sa.exists().where(
        rows.c.record_id == personal_value.c.record_id,
        rows.c.field == personal_value.c.field,
        rows.c.value == personal_value.c.value,
        rows.c.is_new == sa.false(),
    )
    connection.execute(
        personal_value.delete().where(
            personal_value.c.record_id.in_(sa.select(changed.c.record_id)), ~same
        )
    )
    held = personal_value.alias("held")
    kept = sa.exists().where(held.c.record_id == rows.c.record_id, held.c.field == rows.c.field)
    query = sa.select(rows.c.record_id, *_rest(rows, facts, delivery_id)).where(
        rows.c.is_new == sa.false(), ~kept
    )
    connection.execute(personal_value.insert().from_select(list(_COLUMNS), query))


def _rest(
    rows: sa.TableClause, facts: DeliveryFacts, delivery_id: int
) -> tuple[sa.ColumnElement[object], ...]:
    obtained = sa.literal(facts.retrieved_at, personal_value.c.obtained_at.type)
    return (
        rows.c.source_key,
        rows.c.field,
        rows.c.value,
        sa.literal(delivery_id),
        obtained,
        sa.literal(facts.personal_inactive_after, sa.Date()),
        sa.literal(facts.personal_delete_after, sa.Date()),
    )
