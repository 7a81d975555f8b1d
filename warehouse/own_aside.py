"""Rejected rows of the owner's lists in quarantine, until a corrected file brings them again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa

from sources.kit.digest import as_bytes, hash128
from warehouse.numbering import take_numbers
from warehouse.schema import quarantined_row
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

_BATCH = 500


def put_aside(
    connection: Connection,
    source_id: str,
    rejected: Sequence[tuple[str, tuple[str, ...], int, Mapping[str, str]]],
    delivery_id: int,
    now: datetime,
) -> None:
    """One entry a rule of each row; an entry that is there already was seen again."""
    rows = [
        (reference, rule, number, json.dumps(dict(content), sort_keys=True, ensure_ascii=False))
        for reference, rules, number, content in rejected
        for rule in rules
    ]
    if not rows:
        return
    digests = as_bytes(hash128(pa.array([content for _, _, _, content in rows]))).to_pylist()
    first = take_numbers(connection, "quarantine", len(rows))
    entries = [
        {
            "quarantine_id": first + place,
            "source_id": source_id,
            "source_key": reference,
            "rule": rule,
            "content_digest": digests[place],
            "content": content,
            "byte_offset": number,
            "is_alarming": True,
            "first_delivery_id": delivery_id,
            "last_delivery_id": delivery_id,
            "first_seen_at": now,
            "last_seen_at": now,
        }
        for place, (reference, rule, number, content) in enumerate(rows)
    ]
    upsert(
        connection,
        quarantined_row,
        entries,
        keys=("source_id", "source_key", "rule", "content_digest"),
        updates=("last_delivery_id", "last_seen_at", "byte_offset"),
    )


def settle(connection: Connection, source_id: str, references: Sequence[str]) -> None:
    """Entries of rows that came in sound: the correction is what they waited for."""
    for start in range(0, len(references), _BATCH):
        connection.execute(
            quarantined_row.update()
            .where(
                quarantined_row.c.source_id == source_id,
                quarantined_row.c.source_key.in_(references[start : start + _BATCH]),
                quarantined_row.c.state == "open",
            )
            .values(state="retried")
        )
