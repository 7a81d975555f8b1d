"""Segments: which companies a list starts from, as data, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.countries import COUNTRY_CODES
from sources.kit.errors import Refused
from warehouse import history
from warehouse.engine import reading
from warehouse.schema import (
    OWN_RECORD,
    company,
    company_record,
    record,
    source_cursor,
    suppressed_record,
)
from warehouse.segment_group import is_sibling_of_one_due

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.engine import Connection, Engine

_OWN: sa.ColumnElement[str] = sa.literal_column(f"'{OWN_RECORD}'")
"""Written out, so that a database sees that its index of joined records fits."""
LEI_SOURCE = "gleif"
"""The source whose key is the LEI, as in the `prospects` view."""
DEFAULT_DAYS = 60
MOST_DAYS = 36_500
"""A century: past every renewal there is, and within every calendar."""


@dataclass(frozen=True)
class Segment:
    """One named choice of companies.

    `statuses` are RegistrationStatus values, empty for any. With `is_by_renewal` the next renewal
    falls from the day of asking to `days` later, both included; with `is_by_group` a sibling's does
    and its own does not. `comes_with` names what a segment
    that cannot be made yet is waiting for. `has_history`: it can be counted as of earlier moments.
    """

    name: str
    meaning: str
    statuses: tuple[str, ...] = ()
    is_by_renewal: bool = False
    is_by_group: bool = False
    comes_with: str | None = None
    has_history: bool = True


SEGMENTS = (
    Segment(
        "renewal-due",
        "the LEI is issued and its next renewal falls within --days (default 60)",
        statuses=("ISSUED",),
        is_by_renewal=True,
    ),
    Segment("lapsed", "the LEI has lapsed, whatever the date", statuses=("LAPSED",)),
    Segment(
        "no-lei", "companies without an LEI", comes_with="the national company registers as sources"
    ),
    Segment(
        "transfer",
        "companies that could move their LEI to us",
        comes_with="the list of LEIs under our own management",
    ),
    Segment(
        "group-sibling",
        "the LEI is issued and not due, but one with the same parent is due within --days",
        statuses=("ISSUED",),
        is_by_group=True,
        has_history=False,
    ),
    Segment("all", "every company with an LEI"),
)
_BY_NAME = {segment.name: segment for segment in SEGMENTS}


@dataclass(frozen=True)
class Selection:
    """A segment as asked for: on which day, how far ahead, in which countries (none: all).

    With `known_at` it is counted over what the warehouse said at that moment.
    """

    segment: Segment
    as_of: date
    days: int = DEFAULT_DAYS
    countries: tuple[str, ...] = ()
    known_at: datetime | None = None

    def filter(self) -> dict[str, Any]:
        """What the manifest says of it: `days` only where the segment counts days."""
        is_counted = self.segment.is_by_renewal or self.segment.is_by_group
        days = self.days if is_counted else None
        return {"days": days, "countries": list(self.countries)}


@dataclass(frozen=True)
class Count:
    """Candidates: companies held, and stopped ones a delivery brought that were not taken."""

    held: int
    dropped: int

    @property
    def candidates(self) -> int:
        """All of them; an export accounts for each."""
        return self.held + self.dropped


def select(
    name: str,
    as_of: date,
    *,
    days: int = DEFAULT_DAYS,
    countries: tuple[str, ...] = (),
    known_at: datetime | None = None,
) -> Selection:
    """The segment of that name; `Refused` for one that is unknown or cannot be made yet.

    Countries are ISO 3166-1 codes of the legal address, in either case.
    """
    segment = _BY_NAME.get(name)
    if segment is None:
        known = ", ".join(one.name for one in SEGMENTS if one.comes_with is None)
        raise Refused(f"segment {name!r}", "there is none of that name", f"Choose one of: {known}")
    if segment.comes_with is not None:
        cause = f"it cannot be made yet: it comes with {segment.comes_with}"
        raise Refused(f"segment {name}", cause, "See `sourcenote segment list` for those that can")
    if known_at is not None and not segment.has_history:
        cause = "how companies were related then cannot be counted"
        raise Refused(f"segment {name}", cause, "Leave --as-of out, or choose another segment")
    if not 0 <= days <= MOST_DAYS:
        cause = f"{days} is not between 0 and {MOST_DAYS}"
        raise Refused("--days", cause, "Give the number of days to look ahead")
    codes = tuple(sorted({code.strip().upper() for code in countries}))
    unknown = [code for code in codes if code not in COUNTRY_CODES]
    if unknown:
        cause = f"{', '.join(unknown)} is no country"
        raise Refused("--country", cause, "Give two-letter codes (ISO 3166-1), such as DK")
    return Selection(segment, as_of, days, codes, known_at)


def listing() -> list[dict[str, Any]]:
    """Every segment of the contract: name, meaning, and what it waits for (None: nothing)."""
    return [
        {
            "name": one.name,
            "meaning": one.meaning,
            "comes_with": one.comes_with,
            "has_history": one.has_history,
        }
        for one in SEGMENTS
    ]


def count(engine: Engine, selection: Selection) -> Count:
    """How many candidates an export of the selection would have to account for.

    Of an earlier moment only companies still held are counted: what is deleted, or was stopped on
    arrival, has no history.
    """
    with reading(engine) as connection:
        if selection.known_at is not None:
            return Count(_count_then(connection, selection, selection.known_at), 0)
        held = sa.select(sa.func.count()).where(*conditions(selection))
        if _is_joined(connection) or selection.segment.is_by_group:
            held = held.select_from(of_companies())
        else:  # each record has a company of its own that shows it: the index alone can tell
            held = held.select_from(record)
        return Count(connection.scalar(held) or 0, count_dropped(connection, selection))


def _is_joined(connection: Connection) -> bool:
    """Whether any company has a record besides the one it was made for."""
    query = sa.select(company_record.c.record_id).where(company_record.c.reason != _OWN)
    return connection.scalar(query.limit(1)) is not None


def _count_then(connection: Connection, selection: Selection, moment: datetime) -> int:
    """Those whose fields are still what they were, and those others that were candidates then."""
    earlier = history.earlier_values(("lei_status", "next_renewal_date", "country"), moment)
    is_known = sa.and_(record.c.source_id == LEI_SOURCE, company.c.first_seen_at <= moment)

    def then(name: str, held: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        was = history.as_day(connection, earlier.c[name]) if name == "next_renewal_date" else None
        value = earlier.c[name] if was is None else was
        return sa.case((earlier.c[f"has_{name}"] == 1, value), else_=held)

    matched = _matches(
        selection,
        then("lei_status", record.c.lei_status),
        then("next_renewal_date", record.c.next_renewal_date),
        then("country", record.c.legal_country),
    )
    others = of_companies().join(earlier, earlier.c.record_id == record.c.record_id)
    same = record.c.record_id.not_in(sa.select(earlier.c.record_id))
    total = sa.select(sa.func.count())
    return sum(
        connection.scalar(query) or 0
        for query in (
            total.select_from(of_companies()).where(*conditions(selection), is_known, same),
            total.select_from(others).where(is_known, *matched),
        )
    )


def count_dropped(connection: Connection, selection: Selection) -> int:
    """Stopped companies of the selection that the newest deliveries brought and the load dropped.

    They are known by a keyed hash only. One that the newest full file no longer held is no
    candidate any more.
    """
    held = suppressed_record
    if selection.segment.is_by_group:  # whose siblings they are nobody knows
        return 0
    query = (
        sa.select(sa.func.count())
        .select_from(held)
        .outerjoin(source_cursor, source_cursor.c.source_id == held.c.source_id)
        .where(
            *_matches(selection, held.c.lei_status, held.c.next_renewal_date, held.c.country),
            held.c.source_id == LEI_SOURCE,
            held.c.last_seen_at
            >= sa.func.coalesce(source_cursor.c.last_seen_at, held.c.last_seen_at),
        )
    )
    return connection.scalar(query) or 0


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
        record.c.source_id == LEI_SOURCE,
        *_matches(
            selection, record.c.lei_status, record.c.next_renewal_date, record.c.legal_country
        ),
    ]
    if selection.segment.is_by_group:
        found.append(
            is_sibling_of_one_due(
                LEI_SOURCE,
                record.c.source_key,
                record.c.next_renewal_date,
                selection.as_of,
                selection.days,
            )
        )
    return found


def _matches(
    selection: Selection,
    status: sa.ColumnElement[Any],
    renewal: sa.ColumnElement[Any],
    country: sa.ColumnElement[Any],
) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    segment = selection.segment
    if segment.statuses:
        # Written out, not bound: only so does a database see that a partial index fits.
        names: list[sa.ColumnElement[Any]] = [
            sa.literal_column(f"'{status_name}'") for status_name in segment.statuses
        ]
        found.append(sa.or_(*(status == name for name in names)))
    if segment.is_by_renewal:
        last = selection.as_of + timedelta(days=selection.days)
        found.append(renewal.between(selection.as_of, last))
    if selection.countries:
        found.append(country.in_(selection.countries))
    return found
