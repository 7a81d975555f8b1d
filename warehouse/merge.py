"""The one transaction of a load: records, companies, changes, quarantine, delivery and cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit import columns
from warehouse import merge_aside, merge_changes, merge_personal
from warehouse.numbering import take_numbers
from warehouse.schema import company, company_record, delivery, record, source_cursor

if TYPE_CHECKING:
    import numpy as np
    from sqlalchemy.engine import Connection

    from warehouse.load import DeliveryFacts

FIRST_STAGED_ID = 0
"""Staged rows are numbered from here; the real numbers are taken when they are merged."""
ABSENCES_BELIEVED = 2
"""Full files in a row a record must be missing from before it counts as vanished."""
_DROP_BATCH = 500
_BULK_SHARE = 1.0
_BULK_INDEXES = (
    "uq_record_source_id_source_key",
    "ix_record_lei_status_next_renewal_date",
    "ix_company_lead_record_id",
    "ix_company_record_record_id",
)


@dataclass(frozen=True)
class Sorted:
    """What the sorter found; `dropped` are ordinals that must not be merged."""

    counts: dict[str, int]
    notes: dict[str, int]
    unknown_columns: list[str]
    dropped: np.ndarray
    staged_ids: int
    held_count: int
    counts_absence: bool


@dataclass(frozen=True)
class Merged:
    """The delivery as recorded."""

    delivery_id: int
    status: str
    counts: dict[str, int]


def merge(connection: Connection, facts: DeliveryFacts, found: Sorted) -> Merged:
    """Apply a sorted delivery; the caller's transaction makes it one act."""
    drop_rows(connection, found.dropped)
    counts = dict(found.counts)
    base = take_numbers(connection, "record", found.staged_ids)
    company_base = take_numbers(connection, "company", found.staged_ids)
    delivery_id = take_numbers(connection, "delivery", 1)
    _insert_delivery(connection, facts, found, delivery_id, counts)
    is_bulk = counts["records_new"] > found.held_count * _BULK_SHARE
    if is_bulk:
        _drop_indexes(connection)
    _insert_new(connection, facts, delivery_id, base, company_base)
    merge_personal.insert_new(connection, facts, delivery_id, base)
    if is_bulk:
        _create_indexes(connection)
    if counts["records_changed"]:
        merge_personal.replace_changed(connection, facts, delivery_id)
        merge_changes.apply_changes(connection, facts, delivery_id)
    counts["records_vanished"] = _mark_absences(connection, facts)
    merge_aside.insert_quarantine(connection, facts, delivery_id)
    merge_aside.insert_suppressed(connection, facts)
    changed = counts["records_new"] + counts["records_changed"] + counts["records_vanished"]
    status = "loaded" if changed else "unchanged"
    connection.execute(
        delivery.update()
        .where(delivery.c.delivery_id == delivery_id)
        .values(status=status, records_vanished=counts["records_vanished"])
    )
    _move_cursor(connection, facts, found)
    return Merged(delivery_id, status, counts)


def drop_rows(connection: Connection, ordinals: np.ndarray) -> None:
    """Take superseded and conflicting rows out of staging."""
    for start in range(0, len(ordinals), _DROP_BATCH):
        listed = ", ".join(str(int(n)) for n in ordinals[start : start + _DROP_BATCH])
        for table in ("staged_new", "staged_changed", "staged_personal"):
            connection.execute(sa.text(f"DELETE FROM {table} WHERE ordinal IN ({listed})"))  # noqa: S608 (integers)


def staged(name: str) -> sa.TableClause:
    """A staging table in the words of `record`."""
    names = ("ordinal", "record_id", "company_id", "source_key", "digest", "person_kind")
    return sa.table(
        name, *(sa.column(column) for column in (*names, "person_rule", *columns.NAMES))
    )


def _insert_delivery(
    connection: Connection,
    facts: DeliveryFacts,
    found: Sorted,
    delivery_id: int,
    counts: dict[str, int],
) -> None:
    connection.execute(
        delivery.insert().values(
            delivery_id=delivery_id,
            status="loaded",
            unknown_columns=", ".join(found.unknown_columns) or None,
            notes=json.dumps(found.notes, sort_keys=True),
            **delivery_values(facts),
            **{name: value for name, value in counts.items() if name in delivery.c},
        )
    )


def delivery_values(facts: DeliveryFacts) -> dict[str, Any]:
    """The delivery's own columns, counts apart."""
    return {
        "source_id": facts.card.source_id,
        "kind": facts.kind,
        "url": facts.url,
        "published_at": facts.published_at,
        "retrieved_at": facts.retrieved_at,
        "byte_count": facts.byte_count,
        "sha256": facts.sha256,
        "mapping_version": columns.MAPPING_VERSION,
        "run_id": facts.run_id,
    }


def _insert_new(
    connection: Connection,
    facts: DeliveryFacts,
    delivery_id: int,
    base: int,
    company_base: int,
) -> None:
    new = staged("staged_new")
    fixed = {
        "record_id": new.c.record_id + base,
        "source_key": new.c.source_key,
        "source_id": sa.literal(facts.card.source_id),
        "digest": new.c.digest,
        "mapping_version": sa.literal(columns.MAPPING_VERSION),
        "person_kind": new.c.person_kind,
        "person_rule": new.c.person_rule,
        "first_delivery_id": sa.literal(delivery_id),
        "last_delivery_id": sa.literal(delivery_id),
        "absent_count": sa.literal(0),
        **{name: new.c[name] for name in columns.NAMES},
    }
    connection.execute(record.insert().from_select(list(fixed), sa.select(*fixed.values())))
    at = sa.literal(facts.retrieved_at, company.c.first_seen_at.type)
    seen = {
        "company_id": new.c.company_id + company_base,
        "lead_record_id": new.c.record_id + base,
        "lead_source_key": new.c.source_key,
        "first_seen_at": at,
        "last_changed_at": at,
    }
    connection.execute(company.insert().from_select(list(seen), sa.select(*seen.values())))
    link = {
        "company_id": new.c.company_id + company_base,
        "record_id": new.c.record_id + base,
        "source_key": new.c.source_key,
        "since_at": at,
        "reason": sa.literal("own record"),
    }
    connection.execute(company_record.insert().from_select(list(link), sa.select(*link.values())))


def _mark_absences(connection: Connection, facts: DeliveryFacts) -> int:
    """Count absences, believe the second in a row, and forget them for records that returned."""
    absent = sa.select(sa.column("record_id")).select_from(sa.table("staged_absent"))
    returned = sa.select(sa.column("record_id")).select_from(sa.table("staged_returned"))
    connection.execute(
        record.update()
        .where(record.c.record_id.in_(returned))
        .values(absent_count=0, vanished_at=None)
    )
    connection.execute(
        record.update()
        .where(record.c.record_id.in_(absent))
        .values(absent_count=record.c.absent_count + 1)
    )
    vanished = connection.execute(
        record.update()
        .where(
            record.c.source_id == facts.card.source_id,
            record.c.record_id.in_(absent),
            record.c.absent_count >= ABSENCES_BELIEVED,
            record.c.vanished_at.is_(None),
        )
        .values(vanished_at=facts.retrieved_at)
    )
    return vanished.rowcount


def _drop_indexes(connection: Connection) -> None:
    for name in _BULK_INDEXES:
        connection.execute(sa.text(f"DROP INDEX {name}"))


def _create_indexes(connection: Connection) -> None:
    """Built after a first load: once sorted, rather than row by row."""
    for table in (record, company, company_record):
        for index in table.indexes:
            if index.name in _BULK_INDEXES:
                index.create(connection)


def _move_cursor(connection: Connection, facts: DeliveryFacts, found: Sorted) -> None:
    """Remember the card and how far the source is applied; an undated delivery moves nothing."""
    card = facts.card
    held = connection.execute(
        sa.select(source_cursor).where(source_cursor.c.source_id == card.source_id)
    ).first()
    values: dict[str, Any] = {
        "publisher": card.publisher,
        "database_name": card.database_name,
        "is_public_database": card.is_public_database,
        "licence": card.licence,
        "record_url_template": card.record_url_template,
    }
    published = facts.published_at
    if published is not None:
        values["published_at"] = max(published, (held and held.published_at) or published)
        newest_full = held.full_published_at if held else None
        if facts.kind == "full" and (newest_full is None or published >= newest_full):
            values |= {
                "full_published_at": published,
                "full_sha256": facts.sha256,
                "full_record_count": found.counts["records_in"],
                "last_seen_at": facts.retrieved_at,
            }
    if held:
        query: Any = source_cursor.update().where(source_cursor.c.source_id == card.source_id)
    else:
        query, values["source_id"] = source_cursor.insert(), card.source_id
    connection.execute(query.values(**values))
