"""The shapes a load works with: what is known of a delivery, and its staging tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import columns
from warehouse.bulk import Filling
from warehouse.schema import OWN_RECORD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sources.kit.card import Card
    from sources.kit.shapes import Shape
    from warehouse.numbering import Numbers

_ARROW = {"text": pa.string(), "date": pa.date32(), "utc": pa.int64()}
_PERSON = [("person_kind", pa.string()), ("person_rule", pa.string())]


def new_schema(shape: Shape) -> pa.Schema:
    """A new row of `record`: what a record of that shape fills."""
    return pa.schema(
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
            *_fields(shape),
        ]
    )


def changed_schema(shape: Shape) -> pa.Schema:
    """A changed record: its number, its place in the delivery, and its content."""
    return pa.schema(
        [
            ("ordinal", pa.int64()),
            ("record_id", pa.int64()),
            ("source_key", pa.string()),
            ("digest", pa.binary()),
            *_PERSON,
            *_fields(shape),
        ]
    )


def shaped(table: pa.Table, given: Mapping[str, pa.Array], schema: pa.Schema) -> pa.Table:
    """The table's columns and those `given` beside them, as the schema orders and types them."""
    return pa.table(
        [given[name] if name in given else table[name] for name in schema.names],
        names=schema.names,
    ).cast(schema)


def _fields(shape: Shape) -> list[tuple[str, pa.DataType]]:
    return [(field.name, _ARROW[field.kind]) for field in shape.fields]


def first_filling(shape: Shape, facts: DeliveryFacts, delivery_id: int) -> Filling:
    """What the delivery writes when it is the first of all."""
    at = facts.retrieved_at.replace(microsecond=0).isoformat()
    record = {
        "source_id": facts.card.source_id,
        "mapping_version": columns.MAPPING_VERSION,
        "first_delivery_id": delivery_id,
        "last_delivery_id": delivery_id,
    }
    same: dict[str, dict[str, object]] = {"record": record}
    if shape.makes_companies:
        same["company"] = {"first_seen_at": at, "last_changed_at": at}
        same["company_record"] = {"since_at": at, "reason": OWN_RECORD}
    return Filling(new_schema(shape).names, same)


def own_companies(
    record_id: pa.Array, source_key: pa.Array | pa.ChunkedArray, numbers: Numbers, at: datetime
) -> dict[str, pa.Table]:
    """New records' companies, one each, and the links between them, by table.

    `at`: when they were retrieved.
    """
    company_id = pc.add(record_id, numbers.company - numbers.record)
    moment = pa.repeat(at.replace(microsecond=0).isoformat(), len(record_id))
    return {
        "company": pa.table(
            {
                "company_id": company_id,
                "lead_record_id": record_id,
                "lead_source_key": source_key,
                "first_seen_at": moment,
                "last_changed_at": moment,
            }
        ),
        "company_record": pa.table(
            {
                "company_id": company_id,
                "record_id": record_id,
                "source_key": source_key,
                "since_at": moment,
                "reason": pa.repeat(OWN_RECORD, len(record_id)),
            }
        ),
    }


RETRACTED_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("record_id", pa.int64()),
        ("source_key", pa.string()),
        ("digest", pa.binary()),
        ("retracted_published", pa.string()),
        ("retracted_at", pa.int64()),
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
NUMBER_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("record_id", pa.int64()),
        ("source_key", pa.string()),
        ("number_space", pa.string()),
        ("number", pa.string()),
    ]
)
CONTACT_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("place", pa.int64()),
        ("is_new", pa.bool_()),
        ("record_id", pa.int64()),
        ("source_key", pa.string()),
        ("kind", pa.string()),
        ("value", pa.string()),
        ("original", pa.string()),
        ("mail_domain", pa.string()),
        ("mailbox_class", pa.string()),
        ("person_kind", pa.string()),
        ("valid_from", pa.date32()),
        ("valid_until", pa.date32()),
        ("ad_protected", pa.bool_()),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [
        ("source_key", pa.string()),
        ("rule", pa.string()),
        ("content_digest", pa.binary()),
        ("content", pa.string()),
        ("withheld", pa.string()),
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


def staged(shape: Shape) -> dict[str, pa.Table]:
    """The empty staging tables of a load, by name; `staged_new` has the shape of `record`."""
    schemas = {
        "staged_changed": changed_schema(shape),
        "staged_retracted": RETRACTED_SCHEMA,
        "staged_personal": PERSONAL_SCHEMA,
        "staged_number": NUMBER_SCHEMA,
        "staged_contact": CONTACT_SCHEMA,
        "staged_quarantine": QUARANTINE_SCHEMA,
        "staged_suppressed": SUPPRESSED_SCHEMA,
        "staged_absent": pa.schema([("record_id", pa.int64())]),
        "staged_returned": pa.schema([("record_id", pa.int64())]),
    }
    return {name: schema.empty_table() for name, schema in schemas.items()}


@dataclass(frozen=True)
class Retry:
    """Quarantine entries whose rows a delivery brings again, in whose name.

    `fields` (in the words of `prospects`) are those that a person corrected, with the `reason`;
    `corrected_by` is whose word they are.
    """

    entries: tuple[int, ...]
    actor: str
    fields: tuple[str, ...] = ()
    corrected_by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class DeliveryFacts:
    """What is known of the bytes before their rows are counted."""

    card: Card
    run_id: int
    kind: str
    url: str
    published_at: datetime | None
    """As stated, or else the one its bytes came as before."""
    retrieved_at: datetime
    byte_count: int
    sha256: str
    personal_inactive_after: date
    """Day from which a personal value this delivery brings is inactive (policy `person_public`)."""
    personal_delete_after: date
    moves_cursor: bool
    """After it everything up to its publication is applied: it leaves no gap."""
    is_repeat: bool
    """These bytes were loaded before: they change nothing and count no absence."""
    is_again: bool
    """Its rows were compared before, as of that publication."""
    asked: tuple[str, ...] | None = None
    """The only keys it can be about, where an API was asked for them."""
    confirmed_vanished: int | None = None
    """The number of vanishing records that a person confirmed, past the card's bound."""
    retry: Retry | None = None
    """Rows that were quarantined before; None for what a publisher sent."""
    registers: Mapping[str, str] = field(default_factory=dict)
    """Sources of national registers, each with the code that stands for its numbers."""
    position: str | None = None
    """The place in the source's change feed after it."""
