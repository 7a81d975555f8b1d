"""What a full file no longer lists: absences counted, the second in a row believed, in bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.errors import DeliveryRefused
from warehouse.schema import change, record

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts

ABSENCES_BELIEVED = 2
"""Full files in a row a record must be missing from before it counts as vanished."""
VANISHED = "vanished_at"
"""Field under which vanishing and returning stand in `change`: when, as text, or nothing."""
_IS_VANISHING = change.c.field == sa.literal_column(f"'{VANISHED}'")


def mark_absences(connection: Connection, facts: DeliveryFacts, delivery_id: int, held: int) -> int:
    """Count absences, believe the second in a row, and forget them for records that returned.

    Reads the record numbers in `staged_absent` and `staged_returned`; returns how many vanished.
    Raises `DeliveryRefused` when that is more of the `held` records than the card allows at once
    and nobody confirmed that very number: the caller's transaction then leaves nothing.
    """
    absent, returned = _staged("staged_absent"), _staged("staged_returned")
    if connection.scalar(returned.limit(1)) is not None:
        is_back = record.c.record_id.in_(returned)
        write_returned(connection, facts, delivery_id, is_back)
        connection.execute(record.update().where(is_back).values(absent_count=0))
    if connection.scalar(absent.limit(1)) is None:
        return 0
    connection.execute(
        record.update()
        # A full file confirms a retraction by leaving the record out.
        .where(record.c.record_id.in_(absent), record.c.retracted_published.is_(None))
        .values(absent_count=record.c.absent_count + 1)
    )
    is_gone = sa.and_(
        record.c.source_id == facts.card.source_id,
        record.c.retracted_published.is_(None),
        record.c.record_id.in_(absent),
        record.c.absent_count >= ABSENCES_BELIEVED,
    )
    return write_vanished(connection, facts, delivery_id, is_gone, held=held)


def _staged(name: str) -> sa.Select[Any]:
    return sa.select(sa.column("record_id", sa.BigInteger)).select_from(sa.table(name))


def write_vanished(
    connection: Connection,
    facts: DeliveryFacts,
    delivery_id: int,
    which: sa.ColumnElement[bool],
    *,
    held: int | None = None,
) -> int:
    """Mark records as vanished, with the change that says so; those marked already stay.

    With `held`, the bound of `mark_absences` is kept. Returns how many were marked.
    """
    rows = sa.select(record.c.record_id, record.c.source_key).where(
        which, record.c.vanished_at.is_(None)
    )
    found = connection.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0
    if held is not None:
        _check_bound(facts, found, held)
    if found:
        moment = f"{facts.retrieved_at:%Y-%m-%d %H:%M:%SZ}"
        _write_change(connection, facts, delivery_id, rows, sa.null(), sa.literal(moment))
        connection.execute(
            record.update()
            .where(which, record.c.vanished_at.is_(None))
            .values(vanished_at=facts.retrieved_at)
        )
    return found


def write_returned(
    connection: Connection,
    facts: DeliveryFacts,
    delivery_id: int,
    which: sa.ColumnElement[bool],
) -> None:
    """Take the mark from records that had vanished and are published again, with the change."""
    is_back = sa.and_(which, record.c.vanished_at.is_not(None))
    went = sa.and_(
        change.c.record_id == record.c.record_id,
        change.c.source_key == record.c.source_key,
        _IS_VANISHING,
        change.c.is_current.is_(True),
    )
    rows = (
        sa.select(record.c.record_id, record.c.source_key)
        .select_from(record.join(change, went))
        .where(is_back)
    )
    _write_change(connection, facts, delivery_id, rows, change.c.new_value, sa.null())
    connection.execute(record.update().where(is_back).values(vanished_at=None))


def _write_change(
    connection: Connection,
    facts: DeliveryFacts,
    delivery_id: int,
    rows: sa.Select[Any],
    old: sa.ColumnElement[Any],
    new: sa.ColumnElement[Any],
) -> None:
    """One current change for each (record, key) of `rows`; the one before is current no more."""
    at = sa.literal(facts.retrieved_at, change.c.changed_at.type)
    written = connection.execute(
        change.insert().from_select(
            [
                *("record_id", "source_key", "field", "old_value", "new_value"),
                *("delivery_id", "changed_at", "is_current"),
            ],
            rows.add_columns(
                sa.literal(VANISHED),
                sa.cast(old, sa.Text),
                sa.cast(new, sa.Text),
                sa.literal(delivery_id),
                at,
                sa.true(),
            ),
        )
    )
    if written.rowcount:
        _close_earlier(connection, delivery_id)


def _close_earlier(connection: Connection, delivery_id: int) -> None:
    this = change.alias()
    same_record = sa.and_(
        this.c.record_id == change.c.record_id,
        this.c.source_key == change.c.source_key,
        this.c.field == change.c.field,
        this.c.delivery_id == delivery_id,
    )
    connection.execute(
        change.update()
        .where(
            _IS_VANISHING,
            change.c.is_current.is_(True),
            change.c.delivery_id != delivery_id,
            sa.exists().where(same_record),
        )
        .values(is_current=False)
    )


def _check_bound(facts: DeliveryFacts, found: int, held: int) -> None:
    """Stop what would take away more at once than is normal; a person may confirm the figure."""
    card = facts.card
    if found <= max(card.max_vanished, card.max_vanished_share * held):
        return
    if found == facts.confirmed_vanished:
        return
    asked = facts.confirmed_vanished
    other = f"; {asked} were confirmed, which is another number" if asked is not None else ""
    raise DeliveryRefused(
        f"delivery {facts.sha256[:12]} of {card.source_id}",
        f"{found} of {held} held records would vanish, missing from {ABSENCES_BELIEVED} full "
        f"files in a row: more than {card.max_vanished} and than {card.max_vanished_share:.2%} "
        f"of them at once{other}",
        "Nothing was loaded. See whether the publisher's file is whole; if they are really gone, "
        f"run the same again with --confirm-vanished {found}",
    )
