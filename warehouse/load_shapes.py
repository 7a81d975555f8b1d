"""The shapes a load works with: what is known of a delivery, and its staging tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sources.kit import columns

if TYPE_CHECKING:
    from datetime import date, datetime

    from sources.kit.card import Card

_ARROW = {"text": pa.string(), "date": pa.date32(), "utc": pa.int64()}
_FIELDS = [(field.name, _ARROW[field.kind]) for field in columns.FIELDS]
_PERSON = [("person_kind", pa.string()), ("person_rule", pa.string())]
NEW_SCHEMA = pa.schema(
    [
        ("record_id", pa.int64()),
        ("source_key", pa.string()),
        ("source_id", pa.string()),
        ("digest", pa.binary()),
        ("mapping_version", pa.int64()),
        *_PERSON,
        ("first_delivery_id", pa.int64()),
        ("last_delivery_id", pa.int64()),
        ("absent_count", pa.int64()),
        *_FIELDS,
    ]
)
"""A whole row of `record` in its column order (`vanished_at`, which is last, stays null)."""
CHANGED_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("record_id", pa.int64()),
        ("source_key", pa.string()),
        ("digest", pa.binary()),
        *_PERSON,
        *_FIELDS,
    ]
)
PERSONAL_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("is_new", pa.bool_()),
        ("record_id", pa.int64()),
        ("source_key", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [
        ("source_key", pa.string()),
        ("rule", pa.string()),
        ("content_digest", pa.binary()),
        ("content", pa.string()),
        ("byte_offset", pa.int64()),
        ("is_alarming", pa.bool_()),
    ]
)
SUPPRESSED_SCHEMA = pa.schema(
    [
        ("subject_hash", pa.string()),
        ("country", pa.string()),
        ("lei_status", pa.string()),
        ("next_renewal_date", pa.date32()),
    ]
)
STAGED = {
    "staged_changed": CHANGED_SCHEMA.empty_table(),
    "staged_personal": PERSONAL_SCHEMA.empty_table(),
    "staged_quarantine": QUARANTINE_SCHEMA.empty_table(),
    "staged_suppressed": SUPPRESSED_SCHEMA.empty_table(),
    "staged_absent": pa.schema([("record_id", pa.int64())]).empty_table(),
    "staged_returned": pa.schema([("record_id", pa.int64())]).empty_table(),
}


@dataclass(frozen=True)
class DeliveryFacts:
    """What is known of the bytes before their rows are counted."""

    card: Card
    run_id: int
    kind: str
    url: str
    published_at: datetime | None
    retrieved_at: datetime
    byte_count: int
    sha256: str
    personal_inactive_after: date
    """Day from which a personal value this delivery brings is inactive (policy `person_public`)."""
    personal_delete_after: date
    is_repeat: bool
    """These bytes were loaded before: they change nothing and count no absence."""
