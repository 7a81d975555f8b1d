"""Records that their publisher took back: marked as retracted, their content kept as history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sources.kit import columns
from sources.kit.columns import change_name
from warehouse.schema import change, record

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts

RETRACTED = change_name("retracted_published")
"""Field under which being taken back, and coming back, stand in `change`."""


def apply_retractions(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Mark the records of `staged_retracted`, each with a change that says when and by which.

    The retraction becomes the record's last update (DeletedAt), so that an older word of it is
    stale; its digest is the retraction's, so that the record as it was would be a change.
    """
    rows = sa.table(
        "staged_retracted",
        *(sa.column(name, record.c[name].type) for name in _NAMES),
    )
    _write_changes(connection, rows, facts, delivery_id)
    last = sa.case(
        (record.c.last_update_at > rows.c.retracted_at, record.c.last_update_at),
        else_=rows.c.retracted_at,
    )
    connection.execute(
        record.update()
        .where(record.c.record_id == rows.c.record_id, record.c.source_key == rows.c.source_key)
        .values(
            digest=rows.c.digest,
            mapping_version=columns.MAPPING_VERSION,
            last_delivery_id=delivery_id,
            last_update_at=last,
            retracted_published=rows.c.retracted_published,
            retracted_at=rows.c.retracted_at,
        )
    )


_NAMES = ("record_id", "source_key", "digest", "retracted_published", "retracted_at")


def _write_changes(
    connection: Connection, rows: sa.TableClause, facts: DeliveryFacts, delivery_id: int
) -> None:
    taken_back = sa.select(rows.c.record_id)
    connection.execute(
        change.update()
        .where(change.c.record_id.in_(taken_back), change.c.field == RETRACTED)
        .values(is_current=False)
    )
    at = sa.literal(facts.retrieved_at, change.c.changed_at.type)
    connection.execute(
        change.insert().from_select(
            [
                *("record_id", "source_key", "field", "old_value", "new_value"),
                *("delivery_id", "changed_at", "is_current"),
            ],
            sa.select(
                record.c.record_id,
                record.c.source_key,
                sa.literal(RETRACTED),
                record.c.retracted_published,
                rows.c.retracted_published,
                sa.literal(delivery_id),
                at,
                sa.true(),
            ).where(
                record.c.record_id == rows.c.record_id, record.c.source_key == rows.c.source_key
            ),
        )
    )
