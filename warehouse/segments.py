"""Segments: which companies a list starts from, as data, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.countries import COUNTRY_CODES
from sources.kit.errors import Refused
from warehouse import own_customers
from warehouse.engine import reading
from warehouse.read_company import LEI_SOURCE
from warehouse.schema import OWN_RECORD, company_record, record, source_cursor, suppressed_record
from warehouse.segment_conditions import conditions, matches, of_companies, plan_for_all_rows
from warehouse.segment_history import count_then

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from sqlalchemy.engine import Connection, Engine

_OWN: sa.ColumnElement[str] = sa.literal_column(f"'{OWN_RECORD}'")
"""Written out, so that a database sees that its index of joined records fits."""
DEFAULT_DAYS = 60
MOST_DAYS = 36_500
"""A century: past every renewal there is, and within every calendar."""


@dataclass(frozen=True)
class Segment:
    """One named choice of companies.

    `statuses` are RegistrationStatus values, empty for any. With `is_by_renewal` the next renewal
    falls from the day of asking to `days` later, both included; with `is_by_group` a sibling's does
    and its own does not. With `is_without_lei` it is of companies that a national register alone
    tells of; every other segment is of companies with an LEI. `comes_with` names what a segment
    that cannot be made yet is waiting for.
    """

    name: str
    meaning: str
    statuses: tuple[str, ...] = ()
    is_by_renewal: bool = False
    is_by_group: bool = False
    is_without_lei: bool = False
    comes_with: str | None = None


SEGMENTS = (
    Segment(
        "renewal-due",
        "the LEI is issued and its next renewal falls within --days (default 60)",
        statuses=("ISSUED",),
        is_by_renewal=True,
    ),
    Segment("lapsed", "the LEI has lapsed, whatever the date", statuses=("LAPSED",)),
    Segment(
        "no-lei",
        "companies of the national registers without an LEI, as far as [scope] no_lei takes them",
        is_without_lei=True,
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
    ),
    Segment("all", "every company with an LEI"),
)
_BY_NAME = {segment.name: segment for segment in SEGMENTS}


@dataclass(frozen=True)
class Selection:
    """A segment as asked for: on which day, how far ahead, in which countries (none: all).

    `registers` are the ids of the national registers among the sources. With `known_at` it is
    counted over what the warehouse said at that moment.
    """

    segment: Segment
    as_of: date
    days: int = DEFAULT_DAYS
    countries: tuple[str, ...] = ()
    registers: tuple[str, ...] = ()
    known_at: datetime | None = None

    def filter(self) -> dict[str, Any]:
        """What the manifest says of it: `days` only where the segment counts days."""
        is_counted = self.segment.is_by_renewal or self.segment.is_by_group
        days = self.days if is_counted else None
        return {"days": days, "countries": list(self.countries)}


@dataclass(frozen=True)
class Count:
    """Candidates: companies held, and stopped ones a delivery brought that were not taken.

    `ours` of those held are customers or under our own management: an export leaves them out.
    """

    held: int
    dropped: int
    ours: int = 0

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
    registers: Collection[str] = (),
    known_at: datetime | None = None,
) -> Selection:
    """The segment of that name; `Refused` for one that is unknown or cannot be made yet.

    Countries are ISO 3166-1 codes of the legal address, in either case; `registers` the ids of the
    sources that are national registers.
    """
    segment = _BY_NAME.get(name)
    if segment is None:
        known = ", ".join(one.name for one in SEGMENTS if one.comes_with is None)
        raise Refused(f"segment {name!r}", "there is none of that name", f"Choose one of: {known}")
    if segment.comes_with is not None:
        cause = f"it cannot be made yet: it comes with {segment.comes_with}"
        raise Refused(f"segment {name}", cause, "See `sourcenote segment list` for those that can")
    if not 0 <= days <= MOST_DAYS:
        cause = f"{days} is not between 0 and {MOST_DAYS}"
        raise Refused("--days", cause, "Give the number of days to look ahead")
    codes = tuple(sorted({code.strip().upper() for code in countries}))
    unknown = [code for code in codes if code not in COUNTRY_CODES]
    if unknown:
        cause = f"{', '.join(unknown)} is no country"
        raise Refused("--country", cause, "Give two-letter codes (ISO 3166-1), such as DK")
    return Selection(segment, as_of, days, codes, tuple(sorted(registers)), known_at)


def listing() -> list[dict[str, Any]]:
    """Every segment of the contract: name, meaning, and what it waits for (None: nothing)."""
    return [
        {"name": one.name, "meaning": one.meaning, "comes_with": one.comes_with} for one in SEGMENTS
    ]


def count(engine: Engine, selection: Selection) -> Count:
    """How many candidates an export of the selection would have to account for.

    Of an earlier moment only companies still held are counted: what is deleted, or was stopped on
    arrival, has no history.
    """
    with reading(engine) as connection:
        if selection.segment.is_by_group:
            plan_for_all_rows(connection)
        if selection.known_at is not None:
            return Count(count_then(connection, selection, selection.known_at), 0)
        held = sa.select(sa.func.count()).where(*conditions(selection))
        if selection.segment.is_without_lei or _is_joined(connection):
            held = held.select_from(of_companies())
        else:  # each record has a company of its own that shows it: the index alone can tell
            held = held.select_from(record)
        found = connection.scalar(held) or 0
        ours = own_customers.count(connection, selection)
        return Count(found, count_dropped(connection, selection), ours)


def _is_joined(connection: Connection) -> bool:
    """Whether any company has a record besides the one it was made for."""
    query = sa.select(company_record.c.record_id).where(company_record.c.reason != _OWN)
    return connection.scalar(query.limit(1)) is not None


def count_dropped(connection: Connection, selection: Selection) -> int:
    """Stopped companies of the selection that the newest deliveries brought and the load dropped.

    They are known by a keyed hash only. One that the newest full file no longer held is no
    candidate any more.
    """
    held, segment = suppressed_record, selection.segment
    # Whose siblings they are nobody knows; of registers' companies none is counted.
    if segment.is_by_group or segment.is_without_lei:
        return 0
    query = (
        sa.select(sa.func.count())
        .select_from(held)
        .outerjoin(source_cursor, source_cursor.c.source_id == held.c.source_id)
        .where(
            *matches(selection, held.c.lei_status, held.c.next_renewal_date, held.c.country),
            held.c.source_id == LEI_SOURCE,
            held.c.last_seen_at
            >= sa.func.coalesce(source_cursor.c.last_seen_at, held.c.last_seen_at),
        )
    )
    return connection.scalar(query) or 0
