"""Segments as of an earlier moment: those still as they were, and those that were otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse import history
from warehouse.group_history import families
from warehouse.read_company import LEI_SOURCE
from warehouse.schema import company, company_record, record
from warehouse.segment_conditions import (
    held_status,
    matches,
    of_companies,
    window,
)
from warehouse.segment_group import KINDS, siblings_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.engine import Connection

    from warehouse.segments import Selection

_DECIDING = ("lei_status", "next_renewal_date", "country")
"""What decides whether a company is a candidate: names of `change`."""


def count_then(connection: Connection, selection: Selection, moment: datetime) -> int:
    """Companies that were candidates at the moment, of those that are still held."""
    if selection.segment.is_without_lei:
        return _without_lei_then(connection, selection, moment)
    then = _Then(connection, moment)
    same = (held_status(selection), record.c.next_renewal_date, record.c.legal_country)
    others = of_companies().join(then.earlier, then.is_earlier)
    is_known = sa.and_(record.c.source_id == LEI_SOURCE, company.c.first_seen_at <= moment)
    siblings = then.siblings(*window(selection)) if selection.segment.is_by_group else None
    return sum(
        connection.scalar(
            sa.select(sa.func.count())
            .select_from(rows)
            .where(
                is_known,
                *matches(selection, *values),
                *([] if siblings is None else _is_sibling(selection, siblings, values[1])),
                *which,
            )
        )
        or 0
        for rows, values, which in (
            (of_companies(), same, [then.is_as_it_was]),
            (others, then.values, []),
        )
    )


def _without_lei_then(connection: Connection, selection: Selection, moment: datetime) -> int:
    """Companies that a register told of at the moment, and no record with an LEI."""
    own, of_lei, with_lei = company_record, company_record.alias(), record.alias()
    earlier = history.earlier_values(("country",), moment)
    country = history.was(earlier, "country", record.c.legal_country)
    has_lei = (
        sa.exists()
        .where(of_lei.c.company_id == own.c.company_id, _held_then(of_lei, moment))
        .where(with_lei.c.record_id == of_lei.c.record_id, with_lei.c.source_id == LEI_SOURCE)
    )
    query = (
        sa.select(sa.func.count(own.c.company_id.distinct()))
        .select_from(record)
        .join(own, own.c.record_id == record.c.record_id)
        .outerjoin(earlier, earlier.c.record_id == record.c.record_id)
        .where(record.c.lei_status.is_(None), record.c.source_id.in_(selection.registers))
        .where(_held_then(own, moment), sa.not_(has_lei))
    )
    if selection.countries:
        query = query.where(country.in_(selection.countries))
    return connection.scalar(query) or 0


def _held_then(link: sa.FromClause, moment: datetime) -> sa.ColumnElement[bool]:
    """Whether a link between company and record held at the moment."""
    ended_later = sa.or_(link.c.until_at.is_(None), link.c.until_at > moment)
    return sa.and_(link.c.since_at <= moment, ended_later)


def _is_sibling(
    selection: Selection, siblings: sa.Select[Any], renewal: sa.ColumnElement[Any]
) -> list[sa.ColumnElement[bool]]:
    return [sa.not_(renewal.between(*window(selection))), record.c.source_key.in_(siblings)]


class _Then:
    """What records said at a moment; `values` are status, renewal and country of changed ones."""

    def __init__(self, connection: Connection, moment: datetime) -> None:
        self._moment = moment
        self.earlier = history.earlier_values(_DECIDING, moment)
        self.is_earlier = self.earlier.c.record_id == record.c.record_id
        self.is_as_it_was = record.c.record_id.not_in(sa.select(self.earlier.c.record_id))
        day = history.as_day(connection, self.earlier.c.next_renewal_date)
        self.values = (
            history.was(self.earlier, "lei_status", record.c.lei_status),
            sa.case(
                (self.earlier.c.has_next_renewal_date == 1, day), else_=record.c.next_renewal_date
            ),
            history.was(self.earlier, "country", record.c.legal_country),
        )

    def siblings(self, start: date, end: date) -> sa.Select[Any]:
        """LEIs that shared a parent with one whose LEI was due in the window."""
        here = (record.c.source_id == LEI_SOURCE, history.was_there(self._moment))
        status, renewal, _ = self.values
        due = sa.union_all(
            sa.select(record.c.source_key).where(
                *here,
                self.is_as_it_was,
                record.c.lei_status == "ISSUED",
                record.c.next_renewal_date.between(start, end),
            ),
            sa.select(record.c.source_key)
            .join(self.earlier, self.is_earlier)
            .where(*here, status == "ISSUED", renewal.between(start, end)),
        ).subquery()
        related = families(self._moment, KINDS)
        return siblings_of(sa.select(due.c.source_key), related, related.alias())
