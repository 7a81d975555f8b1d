"""The one transaction of a load: records, companies, changes, quarantine, delivery and cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit import columns
from sources.kit.errors import Busy
from sources.kit.shapes import SHAPES
from warehouse import (
    drift,
    holdings,
    joining,
    merge_absences,
    merge_aside,
    merge_changes,
    merge_contacts,
    merge_personal,
    merge_retracted,
    merge_retry,
)
from warehouse.numbering import Numbers, take_numbers
from warehouse.privacy import erasing
from warehouse.schema import OWN_RECORD, company, company_record, delivery, record, source_cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts
    from warehouse.privacy.erasing import Erased, Erasure

_DROP_BATCH = 500
_STAGED = (("staged_new", "record_id"),)
_DIRECT = (("record", "record_id"), ("company", "lead_record_id"), ("company_record", "record_id"))
"""Where new rows are, and the column with their numbers."""


@dataclass(frozen=True)
class Sorted:
    """What the sorter found beside `held` records.

    `dropped_ordinals` and `dropped_records` must not be merged: changed rows by their place in the
    delivery, new rows by their number. `is_direct`: new rows are in `record` already, with their
    companies and links. `is_first`: it held none before. `retracted`: held records that rows of the
    delivery take back. `filled`: how many of the `rows` that could be read had each field.
    `erased`: records that their register has removed for good. `shared_domains`: mail domains that
    a full file showed to be shared (None: it was none). `answered`: held records in the answer of
    a register that was asked about them.
    """

    counts: dict[str, int]
    held: int
    dropped_ordinals: np.ndarray
    dropped_records: np.ndarray
    numbers: Numbers
    new_rows: int
    is_direct: bool
    is_first: bool
    retracted: int = 0
    rows: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)
    erased: Erasure | None = None
    shared_domains: Sequence[str] | None = None
    answered: Sequence[int] | np.ndarray = ()


@dataclass(frozen=True)
class Approval:
    """What the checks say of the delivery, for its record."""

    notes: dict[str, int]
    unknown_columns: list[str]


@dataclass(frozen=True)
class Merged:
    """The delivery as recorded."""

    delivery_id: int
    status: str
    counts: dict[str, int]
    erased: Erased | None = None


def merge(
    connection: Connection, facts: DeliveryFacts, found: Sorted, approve: Callable[[], Approval]
) -> Merged:
    """Apply a sorted delivery; the caller's transaction makes it one act.

    Raises `Busy` when what it was compared with is not what is held any more.
    """
    counts = dict(found.counts)
    take_numbers(connection, "record", found.new_rows)
    makes_companies = SHAPES[facts.card.shape].makes_companies
    take_numbers(connection, "company", found.new_rows if makes_companies else 0)
    delivery_id = take_numbers(connection, "delivery", 1)
    if delivery_id != found.numbers.delivery:
        raise Busy(
            "warehouse",
            "another run wrote to it after this one had compared: the writer's lock was lost",
            "Nothing of this run was kept. Run the command again",
        )
    _insert_delivery(connection, facts, delivery_id, counts)
    _drop_rows(connection, found)
    joining.note_touched(connection, facts, is_first=found.is_first)
    made = _insert_new(connection, facts, found)
    joining.write_numbers(connection)
    made -= joining.join(connection, facts, found.numbers)
    brought = found.new_rows - len(found.dropped_records)
    holdings.add(connection, facts.card.source_id, records=brought, companies=made)
    merge_personal.insert_new(connection, facts, delivery_id)
    counts["records_vanished"] = _change_held(connection, facts, found, delivery_id)
    merge_contacts.merge_contacts(connection, facts, delivery_id, found.shared_domains)
    merge_contacts.note_checks(connection, facts, delivery_id, found.answered)
    erased = erasing.erase(connection, facts.card.source_id, found.erased)
    merge_aside.insert_quarantine(connection, facts, delivery_id)
    merge_aside.insert_suppressed(connection, facts)
    merge_retry.settle(connection, facts, delivery_id)
    merge_retry.settle_joined(connection, facts, delivery_id)
    move_cursor(connection, facts, counts["records_in"])
    drift.write_profile(connection, delivery_id, found.rows, found.filled)
    also = bool(found.retracted or erased.records)
    status = _close_delivery(connection, delivery_id, counts, approve(), also=also)
    return Merged(delivery_id, status, counts, erased)


def _close_delivery(
    connection: Connection,
    delivery_id: int,
    counts: Mapping[str, int],
    approval: Approval,
    *,
    also: bool,
) -> str:
    """Write what came of the delivery; its status, by its counts and whatever `also` differed."""
    differing = ("records_new", "records_changed", "records_vanished")
    is_different = also or any(counts[name] for name in differing)
    status = "loaded" if is_different else "unchanged"
    connection.execute(
        delivery.update()
        .where(delivery.c.delivery_id == delivery_id)
        .values(
            status=status,
            records_vanished=counts["records_vanished"],
            notes=json.dumps(approval.notes, sort_keys=True),
            unknown_columns=", ".join(approval.unknown_columns) or None,
        )
    )
    return status


def _change_held(
    connection: Connection, facts: DeliveryFacts, found: Sorted, delivery_id: int
) -> int:
    """Change, take back and miss records that were held; returns how many vanished."""
    if found.counts["records_changed"]:
        merge_personal.replace_changed(connection, facts, delivery_id)
        merge_changes.apply_changes(connection, facts, delivery_id)
    if found.retracted:
        merge_retracted.apply_retractions(connection, facts, delivery_id)
    if found.is_first:
        return 0
    return merge_absences.mark_absences(connection, facts, delivery_id, found.held)


def _drop_rows(connection: Connection, found: Sorted) -> None:
    """Take superseded and conflicting rows out of staging."""
    new = _DIRECT if found.is_direct else _STAGED
    for table, column, numbers in (
        *((*one, found.dropped_records) for one in new),
        ("staged_changed", "ordinal", found.dropped_ordinals),
        ("staged_retracted", "ordinal", found.dropped_ordinals),
        ("staged_personal", "ordinal", found.dropped_ordinals),
        ("staged_number", "ordinal", found.dropped_ordinals),
        ("staged_contact", "ordinal", found.dropped_ordinals),
    ):
        _delete_listed(connection, table, column, numbers)


def _delete_listed(connection: Connection, table: str, column: str, numbers: np.ndarray) -> None:
    for start in range(0, len(numbers), _DROP_BATCH):
        listed = ", ".join(str(int(n)) for n in numbers[start : start + _DROP_BATCH])
        connection.execute(sa.text(f"DELETE FROM {table} WHERE {column} IN ({listed})"))


def _insert_delivery(
    connection: Connection, facts: DeliveryFacts, delivery_id: int, counts: dict[str, int]
) -> None:
    connection.execute(
        delivery.insert().values(
            delivery_id=delivery_id,
            status="loaded",
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


def _insert_new(connection: Connection, facts: DeliveryFacts, found: Sorted) -> int:
    """New records, each with a company of its own and the link between them; how many companies.

    `SELECT *` into an empty SQLite table of the same shape copies pages instead of rows.
    """
    makes_companies = SHAPES[facts.card.shape].makes_companies
    if not found.new_rows or found.is_direct:
        return found.new_rows - len(found.dropped_records) if makes_companies else 0
    connection.execute(sa.text("INSERT INTO record SELECT * FROM staged_new"))
    if not makes_companies:
        return 0
    number = record.c.record_id - found.numbers.record + found.numbers.company
    at = sa.literal(facts.retrieved_at, company.c.first_seen_at.type)
    # A first load's rows are all new: read in the order they lie, not by their numbers.
    is_new = sa.true() if found.is_first else record.c.record_id >= found.numbers.record
    is_new &= joining.makes_own(connection, facts)
    rows = (record.c.record_id, record.c.source_key)
    made = connection.execute(
        company.insert().from_select(
            ["company_id", "lead_record_id", "lead_source_key", "first_seen_at", "last_changed_at"],
            sa.select(number, *rows, at, at).where(is_new),
        ),
        execution_options={"preserve_rowcount": True},
    ).rowcount
    connection.execute(
        company_record.insert().from_select(
            ["company_id", "record_id", "source_key", "since_at", "reason"],
            sa.select(number, *rows, at, sa.literal(OWN_RECORD)).where(is_new),
        )
    )
    return made


def move_cursor(connection: Connection, facts: DeliveryFacts, rows_in: int) -> None:
    """Remember the card and how far the source is applied, where the delivery leaves no gap."""
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
    if facts.position is not None:
        values["position"] = facts.position
    if published is not None and facts.moves_cursor:
        values["published_at"] = max(published, (held and held.published_at) or published)
        newest_full = held.full_published_at if held else None
        if facts.kind == "full" and (newest_full is None or published >= newest_full):
            values |= {
                "full_published_at": published,
                "full_sha256": facts.sha256,
                "full_record_count": rows_in,
                "last_seen_at": facts.retrieved_at,
            }
    if held:
        query: Any = source_cursor.update().where(source_cursor.c.source_id == card.source_id)
    else:
        query, values["source_id"] = source_cursor.insert(), card.source_id
    connection.execute(query.values(**values))
