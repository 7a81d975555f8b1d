"""Everything that is held on one company, as rows: the questions that `explain` asks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit import columns
from warehouse.schema import (
    change,
    company,
    company_record,
    contact_point,
    correction,
    delivery,
    disclosure,
    export,
    letter,
    personal_value,
    protection_check,
    quarantined_row,
    record,
    record_number,
    source_cursor,
    suppressed_record,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

_MOMENTS = tuple(field.name for field in columns.FIELDS if field.kind == "utc")

LEI_SOURCE = "gleif"
"""The source whose key is the LEI."""


def companies(connection: Connection, ids: Sequence[int]) -> list[Row]:
    """The companies of these numbers that are (still) held, in the order of their numbers."""
    lead, link = record.c, company_record.c
    written = (
        sa.select(delivery.c.retrieved_at)
        .join(record, lead.last_delivery_id == delivery.c.delivery_id)
        .where(
            lead.record_id == company.c.lead_record_id,
            lead.source_key == company.c.lead_source_key,
            sa.exists().where(
                link.company_id == company.c.company_id,
                link.record_id == lead.record_id,
                link.until_at.is_(None),
            ),
        )
        .scalar_subquery()
    )
    query = sa.select(company, written.label("written_at")).where(company.c.company_id.in_(ids))
    rows = _all(connection, query.order_by(company.c.company_id))
    return [_with_last_change(row) for row in rows]


def _with_last_change(row: Row) -> Row:
    """What the company is shown by changes with its record, and what is joined to it apart."""
    written = row.pop("written_at")
    known = [row["last_changed_at"], *([] if written is None else [written])]
    return {**row, "last_changed_at": max(known)}


def ids_by_lei(connection: Connection, lei: str) -> list[int]:
    """Companies that a record of that LEI is about."""
    query = (
        sa.select(company_record.c.company_id)
        .join(record, record.c.record_id == company_record.c.record_id)
        .where(record.c.source_id == LEI_SOURCE, record.c.source_key == lei)
        .where(company_record.c.until_at.is_(None))
    )
    return sorted(connection.scalars(query).unique())


def ids_by_number(
    connection: Connection, space: str, number: str, source_ids: Sequence[str]
) -> list[int]:
    """Companies of which a register's record, or an LEI's, states the number in its one form.

    `space` is the code that stands for its numbers, `source_ids` are the registers that keep them.
    """
    stating = (
        sa.select(company_record.c.company_id)
        .join(record_number, record_number.c.record_id == company_record.c.record_id)
        .where(record_number.c.number_space == space, record_number.c.number == number)
        .where(company_record.c.until_at.is_(None))
    )
    own = (
        sa.select(company_record.c.company_id)
        .join(record, record.c.record_id == company_record.c.record_id)
        .where(record.c.source_id.in_(source_ids), record.c.source_key == number)
        .where(company_record.c.until_at.is_(None))
    )
    return sorted({*connection.scalars(stating), *connection.scalars(own)})


def ids_by_contact(connection: Connection, kind: str, value: str) -> list[int]:
    """Companies that hold that contact point (email, phone, website, in its one form)."""
    query = (
        sa.select(company_record.c.company_id)
        .join(contact_point, contact_point.c.record_id == company_record.c.record_id)
        .where(contact_point.c.kind == kind, contact_point.c.value == value)
        .where(company_record.c.until_at.is_(None))
    )
    return sorted(connection.scalars(query).unique())


def records_of(connection: Connection, company_id: int) -> list[Row]:
    """The company's records, oldest link first, each with its publisher and the link's reason."""
    publisher = [
        source_cursor.c[name]
        for name in (
            "publisher",
            "database_name",
            "is_public_database",
            "licence",
            "record_url_template",
            "last_seen_at",
        )
    ]
    link = company_record
    query = (
        sa.select(
            record,
            *publisher,
            link.c.since_at,
            link.c.until_at,
            link.c.reason.label("link_reason"),
            link.c.until_reason,
        )
        .join(
            link,
            sa.and_(
                link.c.record_id == record.c.record_id, link.c.source_key == record.c.source_key
            ),
        )
        .join(source_cursor, source_cursor.c.source_id == record.c.source_id)
        .where(link.c.company_id == company_id)
        .order_by(link.c.since_at, record.c.record_id)
    )
    return [_with_moments(row) for row in _all(connection, query)]


def changes_of(connection: Connection, record_ids: Sequence[int]) -> list[Row]:
    """Every change of these records, oldest first."""
    query = (
        sa.select(change)
        .where(change.c.record_id.in_(record_ids))
        .order_by(change.c.changed_at, change.c.delivery_id, change.c.field)
    )
    return _all(connection, query)


def corrections_of(connection: Connection, record_ids: Sequence[int]) -> list[Row]:
    """Fields of these records that a person corrected, each with the delivery it came in."""
    return _all(connection, sa.select(correction).where(correction.c.record_id.in_(record_ids)))


def personal_values_of(connection: Connection, record_ids: Sequence[int]) -> list[Row]:
    """Values that name a person, kept apart from these records."""
    query = (
        sa.select(personal_value)
        .where(personal_value.c.record_id.in_(record_ids))
        .order_by(personal_value.c.record_id, personal_value.c.field)
    )
    return _all(connection, query)


def contact_points_of(connection: Connection, record_ids: Sequence[int]) -> list[Row]:
    """Published contact points of these records, active and inactive."""
    query = (
        sa.select(contact_point)
        .where(contact_point.c.record_id.in_(record_ids))
        .order_by(contact_point.c.contact_id)
    )
    return _all(connection, query)


def protection_said(connection: Connection, record_ids: Sequence[int]) -> dict[int, datetime]:
    """When each record's register was last asked about it alone, where it ever was."""
    query = sa.select(protection_check.c.record_id, protection_check.c.checked_at).where(
        protection_check.c.record_id.in_(record_ids)
    )
    return {row.record_id: row.checked_at for row in connection.execute(query)}


def deliveries_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Row]:
    """Deliveries by number: kind, address, publication, retrieval, digest."""
    names = ("delivery_id", "source_id", "kind", "url", "published_at", "retrieved_at", "sha256")
    query = sa.select(*(delivery.c[name] for name in names)).where(
        delivery.c.delivery_id.in_(sorted(set(ids)))
    )
    return {row["delivery_id"]: row for row in _all(connection, query)}


def disclosures_of(connection: Connection, company_id: int) -> list[Row]:
    """What left on that company, oldest first; also after the company itself was deleted."""
    return _all(connection, _disclosed().where(disclosure.c.company_id == company_id))


def disclosures_by_hash(connection: Connection, hashes: Sequence[str]) -> list[Row]:
    """What left under a record's keyed hash: the only thread back once the company is deleted."""
    return _all(connection, _disclosed().where(letter.c.subject_hash.in_(hashes)))


def dropped_on_arrival(connection: Connection, hashes: Sequence[str]) -> list[Row]:
    """Stopped records that a delivery brought and the load dropped, by keyed hash."""
    names = ("source_id", "last_seen_at")
    query = sa.select(*(suppressed_record.c[name] for name in names)).where(
        suppressed_record.c.subject_hash.in_(hashes)
    )
    return _all(connection, query)


def quarantined_on(connection: Connection, keys: Sequence[str]) -> list[Row]:
    """Rejected rows on these keys, without their content."""
    names = [name for name in quarantined_row.c.keys() if name not in {"content", "content_digest"}]  # noqa: SIM118 (a ColumnCollection)
    query = (
        sa.select(*(quarantined_row.c[name] for name in names))
        .where(quarantined_row.c.source_key.in_(keys))
        .order_by(quarantined_row.c.quarantine_id)
    )
    return _all(connection, query)


def _disclosed() -> sa.Select[Any]:
    names = ("segment", "channel", "purpose", "directory", "actor")
    return (
        sa.select(
            disclosure,
            *(export.c[name] for name in names),
            export.c.state.label("export_state"),
            letter.c.language,
            letter.c.notice_html.is_not(None).label("is_notice_kept"),
        )
        .join(export, export.c.export_id == disclosure.c.export_id)
        .outerjoin(
            letter,
            sa.and_(
                letter.c.company_id == disclosure.c.company_id,  # the index
                letter.c.export_id == disclosure.c.export_id,
                letter.c.row_id == disclosure.c.row_id,
            ),
        )
        .order_by(disclosure.c.disclosed_at, disclosure.c.disclosure_id)
    )


def _with_moments(row: Row) -> Row:
    """The record's own moments, kept as UTC seconds, as moments."""
    read = {
        name: datetime.fromtimestamp(row[name], UTC) for name in _MOMENTS if row[name] is not None
    }
    return {**row, **read}


def _all(connection: Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
