"""What a retry leaves in the load's transaction: settled entries, corrections, an audit event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.joins import AMBIGUOUS
from warehouse.privacy import audit
from warehouse.quarantine import ranges
from warehouse.schema import correction, quarantined_row, record

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts, Retry

_BATCH = 500


def settle(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Close the entries whose rows this delivery brought again; nothing for any other delivery.

    The audit event names entries, fields and the delivery, never a value.
    """
    retry = facts.retry
    if retry is None:
        return
    for start in range(0, len(retry.entries), _BATCH):
        connection.execute(
            quarantined_row.update()
            .where(quarantined_row.c.quarantine_id.in_(retry.entries[start : start + _BATCH]))
            .values(state="retried")
        )
    if retry.fields:
        _keep_corrections(connection, facts, retry, delivery_id)
    detail: dict[str, Any] = {"retried": ranges(retry.entries), "delivery_id": delivery_id}
    if retry.fields:
        detail["corrected"] = list(retry.fields)
    audit.record_event(connection, retry.actor, "quarantine", facts.retrieved_at, detail=detail)


def settle_joined(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Close entries that could be several companies' and that this delivery has let in.

    Of a full file that moves the cursor: whatever was not rejected in it again and is listed; of
    any other: what it brought new or changed.
    """
    row = quarantined_row.c
    let_in = sa.exists().where(
        record.c.source_id == row.source_id, record.c.source_key == row.source_key
    )
    if facts.kind == "full" and facts.moves_cursor:
        let_in = let_in.where(record.c.absent_count == 0)
    else:
        let_in = let_in.where(record.c.last_delivery_id == delivery_id)
    connection.execute(
        quarantined_row.update()
        .where(
            row.source_id == facts.card.source_id,
            row.rule == AMBIGUOUS,
            row.state == "open",
            row.last_delivery_id < delivery_id,
            let_in,
        )
        .values(state="retried")
    )


def _keep_corrections(
    connection: Connection, facts: DeliveryFacts, retry: Retry, delivery_id: int
) -> None:
    """Say of each corrected field that no publisher sent it, where the row was let in at all."""
    at = sa.literal(facts.retrieved_at, correction.c.corrected_at.type)
    said = [sa.literal(text) for text in (retry.corrected_by, retry.actor, retry.reason)]
    names = ("record_id", "source_key", "field", "delivery_id")
    for field in retry.fields:
        connection.execute(
            correction.insert().from_select(
                [*names, "corrected_by", "actor", "reason", "corrected_at"],
                sa.select(
                    record.c.record_id,
                    record.c.source_key,
                    sa.literal(field),
                    sa.literal(delivery_id),
                    *said,
                    at,
                ).where(
                    record.c.source_id == facts.card.source_id,
                    record.c.last_delivery_id == delivery_id,
                ),
            )
        )
