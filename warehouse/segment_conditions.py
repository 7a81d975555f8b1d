"""What makes a company a candidate of a segment, as conditions a query can carry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.read_company import LEI_SOURCE
from warehouse.schema import company, company_record, record
from warehouse.segment_group import is_sibling_of_one_due

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.engine import Connection

    from warehouse.segments import Selection


def of_companies() -> sa.Join:
    """Companies with the record that `prospects` shows of them.

    By way of their links, so that a few records of one status find their companies by an index.
    The lead is compared as a sum, which no index holds: PostgreSQL would take the two equations
    for independent, expect one row of the join and walk through everything (run here: minutes).
    """
    is_linked = sa.and_(
        company_record.c.record_id == record.c.record_id,
        company_record.c.source_key == record.c.source_key,
    )
    is_lead = sa.and_(
        company.c.company_id == company_record.c.company_id,
        company.c.lead_record_id + 0 == record.c.record_id,
    )
    return record.join(company_record, is_linked).join(company, is_lead)


def conditions(selection: Selection) -> list[sa.ColumnElement[bool]]:
    """What makes a company a candidate, on `of_companies`; inactive ones are candidates too."""
    found = [
        *(_of_registers(selection) if selection.segment.is_without_lei else _OF_LEIS),
        *matches(
            selection, held_status(selection), record.c.next_renewal_date, record.c.legal_country
        ),
    ]
    if selection.segment.is_by_group:
        found.append(
            is_sibling_of_one_due(
                record.c.source_key, record.c.next_renewal_date, window(selection)
            )
        )
    return found


_OF_LEIS = (record.c.source_id == LEI_SOURCE,)


def _of_registers(selection: Selection) -> list[sa.ColumnElement[bool]]:
    """Leading records of national registers: who has an LEI is shown by its LEI's record.

    A register's record has no `lei_status`: saying so lets the index of statuses find it. A company
    whose only link has ended is shown by a record that is another company's now.
    """
    return [
        record.c.lei_status.is_(None),
        record.c.source_id.in_(selection.registers),
        company_record.c.until_at.is_(None),
    ]


def held_status(selection: Selection) -> sa.ColumnElement[Any]:
    """The status as held; where siblings are few among many, in a form that no index holds.

    Every second company has the status that `group-sibling` asks for: it is quicker to find the
    siblings by their LEIs, and then ask each for its status.
    """
    if selection.segment.is_by_group:
        return sa.func.coalesce(record.c.lei_status, "")
    return record.c.lei_status


def matches(
    selection: Selection,
    status: sa.ColumnElement[Any],
    renewal: sa.ColumnElement[Any],
    country: sa.ColumnElement[Any],
) -> list[sa.ColumnElement[bool]]:
    """The same on columns given: status, next renewal and country, of whatever moment."""
    found: list[sa.ColumnElement[bool]] = []
    segment = selection.segment
    if segment.statuses:
        # Written out, not bound: only so does a database see that a partial index fits.
        names: list[sa.ColumnElement[Any]] = [
            sa.literal_column(f"'{status_name}'") for status_name in segment.statuses
        ]
        found.append(sa.or_(*(status == name for name in names)))
    if segment.is_by_renewal:
        found.append(renewal.between(*window(selection)))
    if selection.countries:
        found.append(country.in_(selection.countries))
    return found


def plan_for_all_rows(connection: Connection) -> None:
    """Until the end of the transaction: joins whose time grows with the rows, not their square.

    Right after a first load PostgreSQL has no statistics, for a cursor it plans for the first
    rows, and of what a record said earlier it knows nothing; each has made it compare every
    company with every candidate.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.text("SET LOCAL enable_nestloop = off"))
        connection.execute(sa.text("SET LOCAL cursor_tuple_fraction = 1"))


def window(selection: Selection) -> tuple[date, date]:
    """First and last day of the renewals it looks at, both included."""
    return selection.as_of, selection.as_of + timedelta(days=selection.days)
