"""The state of the house in counts: companies, runs that ended badly, what is due, what hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse import holdings
from warehouse.read_company import LEI_SOURCE
from warehouse.schema import (
    OWN_RECORD,
    change,
    company,
    company_record,
    export,
    personal_value,
    record,
    run,
    suppression,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

_IS_GONE = (
    change.c.field == sa.literal_column("'vanished_at'"),
    change.c.is_current.is_(True),
    change.c.new_value.is_not(None),
)
"""A change that says: no longer listed, and not back since."""


def companies(connection: Connection) -> dict[str, int]:
    """Companies held: active and inactive."""
    held = holdings.companies(connection)
    inactive = _count(connection, sa.select(sa.func.count()).where(company.c.state == "inactive"))
    return {"active": held - inactive, "inactive": inactive}


def to_deactivate(
    connection: Connection, statuses: Sequence[str], *, vanished: bool, as_of: date
) -> dict[str, int]:
    """Active companies and personal values that `deactivate` would make inactive on that day.

    `statuses`: registration statuses that end a company; `vanished`: whether absence does.
    """
    companies = sum(_count(connection, query) for query in _ended(statuses))
    if vanished:
        companies += _count(connection, _gone(statuses))
    values = sa.select(sa.func.count()).where(
        personal_value.c.state == "active", personal_value.c.inactive_after <= as_of
    )
    return {"companies": companies, "personal_values": _count(connection, values)}


_IS_INACTIVE = company.c.state == sa.literal_column("'inactive'")
_IS_JOINED = company_record.c.reason != sa.literal_column(f"'{OWN_RECORD}'")
"""In the words of the indexes that hold these rows alone."""


def _ended(statuses: Sequence[str]) -> Iterator[sa.Select[Any]]:
    """Counts of active companies whose leading record has one of these statuses.

    A record that is linked by nothing but its own link leads: these are counted in indexes alone,
    without a look at any company (83,000 of 3.5 million: 1.5 s, so 0.02 s). The few others are
    looked up.
    """
    is_ended = sa.and_(record.c.source_id == LEI_SOURCE, record.c.lei_status.in_(statuses))
    own = company.alias()
    yield (
        sa.select(sa.func.count())
        .select_from(record)
        .where(
            is_ended,
            ~sa.exists().where(_IS_INACTIVE, company.c.lead_record_id == record.c.record_id),
            ~sa.exists().where(_IS_JOINED, company_record.c.record_id == record.c.record_id),
        )
    )
    yield (
        sa.select(sa.func.count(own.c.company_id.distinct()))
        .select_from(_led(record, own))
        .where(is_ended, _IS_JOINED, own.c.state == "active")
    )


def _gone(statuses: Sequence[str]) -> sa.Select[Any]:
    """Count of active companies whose leading record has vanished, and has none of the statuses.

    No index finds absences: their changes do.
    """
    same = sa.and_(
        record.c.record_id == change.c.record_id, record.c.source_key == change.c.source_key
    )
    return (
        sa.select(sa.func.count(company.c.company_id.distinct()))
        .select_from(_led(change.join(record, same), company))
        .where(
            *_IS_GONE,
            record.c.source_id == LEI_SOURCE,
            sa.or_(record.c.lei_status.is_(None), record.c.lei_status.not_in(statuses)),
            company.c.state == "active",
        )
    )


def _led(records: sa.FromClause, led: sa.FromClause) -> sa.FromClause:
    """Records with the companies that they lead, by way of the links.

    That a record leads is said as a difference, which is no key of a join: PostgreSQL would take
    the two equations for independent and walk through everything.
    """
    leads = sa.and_(
        led.c.company_id == company_record.c.company_id,
        led.c.lead_record_id - record.c.record_id == 0,
    )
    linked = company_record.c.record_id == record.c.record_id
    return records.join(company_record, linked).join(led, leads)


def to_delete(connection: Connection, as_of: date) -> dict[str, int]:
    """Inactive companies and personal values whose day of deletion has come by `as_of`."""
    return {
        "companies": _count(
            connection,
            sa.select(sa.func.count()).where(
                company.c.state == "inactive", company.c.delete_after <= as_of
            ),
        ),
        "personal_values": _count(
            connection,
            sa.select(sa.func.count()).where(
                personal_value.c.state == "inactive", personal_value.c.delete_after <= as_of
            ),
        ),
    }


def vanished(connection: Connection) -> dict[str, int]:
    """Records held that their publisher no longer lists, by source id; found by their changes."""
    same = sa.and_(
        record.c.record_id == change.c.record_id, record.c.source_key == change.c.source_key
    )
    query = (
        sa.select(record.c.source_id, sa.func.count().label("gone"))
        .select_from(change.join(record, same))
        .where(*_IS_GONE)
        .group_by(record.c.source_id)
    )
    return {row.source_id: int(row.gone) for row in connection.execute(query)}


def stops_held(connection: Connection) -> int:
    """How many values stand on the do-not-contact list."""
    return _count(connection, sa.select(sa.func.count()).select_from(suppression))


def unfinished_exports(connection: Connection) -> list[Row]:
    """Lists whose files were being placed when their run ended."""
    names = ("export_id", "created_at", "segment", "recipient")
    query = (
        sa.select(*(export.c[name] for name in names))
        .where(export.c.state == "written")
        .order_by(export.c.created_at)
    )
    return _rows(connection, query)


def troubled_runs(connection: Connection, limit: int) -> list[Row]:
    """The last run of each flow and source that is not done, newest first; at most `limit`.

    A later good run of the same flow and source settles an earlier bad one.
    """
    last = sa.select(sa.func.max(run.c.run_id)).group_by(run.c.flow, run.c.source_id)
    query = (
        sa.select(run)
        .where(run.c.run_id.in_(last), run.c.state != "done")
        .order_by(run.c.run_id.desc())
        .limit(limit)
    )
    return _rows(connection, query)


def _count(connection: Connection, query: sa.Select[Any]) -> int:
    return int(connection.scalar(query) or 0)


def _rows(connection: Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
