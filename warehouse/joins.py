"""Joins of registers' records and companies as people look at them, and a wrong one ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.schema import company, company_record, contact_point, quarantined_row, record
from warehouse.schema.records import BY_HAND, OWN_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

AMBIGUOUS = "join_is_unambiguous"
"""The rule that a register's row breaks whose number several companies' LEI records state."""
_BATCH = 10_000
_OWN: sa.ColumnElement[str] = sa.literal_column(f"'{OWN_RECORD}'")
"""Written out, so that a database sees that its index of joined records fits."""


def joined(connection: Connection) -> Iterator[Row]:
    """Every join that holds: company, both records' sources, keys, names and countries, since when.

    `lead_…` is of the record that `prospects` shows; in the order of the company's number.
    """
    link, lead, other = company_record, record.alias("lead"), record.alias("other")
    sides = (("lead", lead), ("other", other))
    names = ("source_id", "source_key", "legal_name", "legal_country", "person_kind")
    pairs = (
        sa.select(link.c.company_id)
        .where(link.c.reason != _OWN, link.c.until_at.is_(None))
        .distinct()
    )
    query = (
        sa.select(
            link.c.company_id,
            link.c.since_at,
            link.c.reason,
            *(side.c[name].label(f"{label}_{name}") for label, side in sides for name in names),
        )
        .select_from(link)
        .join(company, company.c.company_id == link.c.company_id)
        .join(lead, lead.c.record_id == company.c.lead_record_id)
        .join(other, other.c.record_id == link.c.record_id)
        .where(
            link.c.company_id.in_(pairs),
            link.c.until_at.is_(None),
            link.c.record_id != company.c.lead_record_id,
            lead.c.source_key == company.c.lead_source_key,
            other.c.source_key == link.c.source_key,
        )
        .order_by(link.c.company_id, link.c.record_id)
    )
    streamed = connection.execution_options(stream_results=True, yield_per=_BATCH)
    for row in streamed.execute(query).mappings():
        yield dict(row)


def ambiguous(connection: Connection) -> list[Row]:
    """Registers' rows in quarantine because their number leads to more than one company."""
    names = ("quarantine_id", "source_id", "source_key", "content", "first_seen_at", "last_seen_at")
    query = (
        sa.select(*(quarantined_row.c[name] for name in names))
        .where(quarantined_row.c.rule == AMBIGUOUS, quarantined_row.c.state == "open")
        .order_by(quarantined_row.c.quarantine_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def named(connection: Connection, leis: Sequence[str]) -> list[Row]:
    """These LEIs with the name and the country of their records, in their order."""
    query = (
        sa.select(record.c.source_key.label("lei"), record.c.legal_name, record.c.legal_country)
        .where(record.c.lei_status.is_not(None), record.c.source_key.in_(leis))
        .order_by(record.c.source_key)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def counts(connection: Connection, source_ids: Sequence[str]) -> dict[str, Row]:
    """By register: `joined` records, those of companies `without_lei`, and `ambiguous` rows.

    And `contact_points` that its records bring.
    """
    names = ("joined", "without_lei", "ambiguous", "contact_points")
    found: dict[str, Row] = {one: dict.fromkeys(names, 0) for one in source_ids}
    for query in (_linked(source_ids), _ambiguous(source_ids), _contacts(source_ids)):
        for row in connection.execute(query).mappings():
            found[row["source_id"]] |= {name: int(row[name]) for name in names if name in row}
    return found


def _linked(source_ids: Sequence[str]) -> sa.Select[Any]:
    link = company_record
    is_lead = company.c.lead_record_id == link.c.record_id
    return (
        sa.select(
            record.c.source_id,
            sa.func.sum(sa.case((is_lead, 0), else_=1)).label("joined"),
            sa.func.sum(sa.case((is_lead, 1), else_=0)).label("without_lei"),
        )
        .select_from(record)
        .join(link, link.c.record_id == record.c.record_id)
        .join(company, company.c.company_id == link.c.company_id)
        .where(
            record.c.lei_status.is_(None),  # so that its index finds the source's records
            record.c.source_id.in_(source_ids),
            link.c.until_at.is_(None),
        )
        .group_by(record.c.source_id)
    )


def _ambiguous(source_ids: Sequence[str]) -> sa.Select[Any]:
    row = quarantined_row.c
    return (
        sa.select(row.source_id, sa.func.count().label("ambiguous"))
        .where(row.rule == AMBIGUOUS, row.state == "open", row.source_id.in_(source_ids))
        .group_by(row.source_id)
    )


def _contacts(source_ids: Sequence[str]) -> sa.Select[Any]:
    return (
        sa.select(record.c.source_id, sa.func.count().label("contact_points"))
        .select_from(contact_point)
        .join(record, record.c.record_id == contact_point.c.record_id)
        .where(record.c.source_id.in_(source_ids))
        .group_by(record.c.source_id)
    )


def of_company(connection: Connection, company_id: int, source_id: str) -> list[Row]:
    """The company's links that hold with records of the source; `is_lead`: what it is shown by."""
    link = company_record
    query = (
        sa.select(
            link.c.record_id,
            link.c.source_key,
            link.c.since_at,
            link.c.reason,
            record.c.legal_name,
            record.c.person_kind,
            (company.c.lead_record_id == link.c.record_id).label("is_lead"),
        )
        .join(record, record.c.record_id == link.c.record_id)
        .join(company, company.c.company_id == link.c.company_id)
        .where(
            link.c.company_id == company_id,
            link.c.until_at.is_(None),
            record.c.source_key == link.c.source_key,
            record.c.source_id == source_id,
        )
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def end(connection: Connection, company_id: int, record_id: int, now: datetime) -> None:
    """End a link by a person's word; no load makes it again, and nothing else is rewritten."""
    link = company_record.c
    connection.execute(
        company_record.update()
        .where(link.company_id == company_id, link.record_id == record_id)
        .where(link.until_at.is_(None))
        .values(until_at=now.replace(microsecond=0), until_reason=BY_HAND)
    )
    connection.execute(
        company.update()
        .where(company.c.company_id == company_id)
        .values(last_changed_at=now.replace(microsecond=0))
    )
