"""Links between companies and records: added, moved, ended; no value or origin is rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.schema import OWN_RECORD, SAME_NUMBER, company, company_record
from warehouse.schema.records import NUMBER_MOVED
from warehouse.staging import index_apart, set_apart

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

_JOIN = sa.table(
    "staged_join",
    *(sa.column(name) for name in ("record_id", "source_key", "company_id", "is_stated")),
)
_ADOPT = sa.table(
    "staged_adopt",
    *(sa.column(name) for name in ("kept_id", "made_id", "record_id", "source_key")),
)


def adopt_new(connection: Connection, at: datetime, first_new: int) -> int:
    """A company known without an LEI keeps its id when its LEI arrives: the new record joins it.

    `first_new` is the delivery's first new record. The company made for that record a moment ago,
    in the same transaction, was seen by nobody and goes; returns how many went.
    """
    _set_adopted_apart(connection, first_new)
    made = sa.select(_ADOPT.c.made_id)
    connection.execute(
        company.update()
        .where(company.c.company_id == _ADOPT.c.kept_id)
        .values(
            lead_record_id=_ADOPT.c.record_id,
            lead_source_key=_ADOPT.c.source_key,
            last_changed_at=at,
        )
    )
    connection.execute(company_record.delete().where(company_record.c.company_id.in_(made)))
    gone = connection.execute(company.delete().where(company.c.company_id.in_(made))).rowcount
    _insert(connection, at, _ADOPT.c.kept_id, _ADOPT)
    connection.execute(
        sa.text(
            "UPDATE staged_join SET company_id = (SELECT a.kept_id FROM staged_adopt a"
            " WHERE a.made_id = staged_join.company_id)"
            " WHERE company_id IN (SELECT made_id FROM staged_adopt)"
        )
    )
    return gone


def _set_adopted_apart(connection: Connection, first_new: int) -> None:
    """`staged_adopt`: the company that is kept, the one just made, and the record with the LEI."""
    own, lead = company_record.alias("own"), company_record.alias("lead")
    query: Any = (
        sa.select(
            sa.func.min(own.c.company_id).label("kept_id"),
            _JOIN.c.company_id.label("made_id"),
            lead.c.record_id,
            lead.c.source_key,
        )
        .join(own, own.c.record_id == _JOIN.c.record_id)
        .join(lead, lead.c.company_id == _JOIN.c.company_id)
        .where(
            own.c.reason == OWN_RECORD,
            own.c.until_at.is_(None),
            own.c.company_id != _JOIN.c.company_id,
            lead.c.reason == OWN_RECORD,
            lead.c.record_id >= first_new,
        )
        .group_by(_JOIN.c.company_id, lead.c.record_id, lead.c.source_key)
    )
    connection.execute(sa.text("DROP TABLE IF EXISTS staged_adopt"))
    text = query.compile(connection, compile_kwargs={"literal_binds": True})
    connection.execute(sa.text(f"{set_apart(connection, 'staged_adopt')} AS {text}"))
    index_apart(connection, "staged_adopt", "made_id")


def apply(connection: Connection, at: datetime) -> None:
    """End the links that no longer hold and make those that now do, by `staged_join`.

    A link that a person ended is never made again. Where a number has become ambiguous, the link
    that was made while it was not stays.
    """
    links, joined = company_record.c, sa.select(_JOIN.c.record_id)
    _end(connection, at)
    _give_back(connection, at)
    leads_here = sa.exists().where(
        _JOIN.c.record_id == links.record_id, _JOIN.c.company_id == links.company_id
    )
    connection.execute(
        company_record.update()
        .where(links.record_id.in_(joined), links.until_reason == NUMBER_MOVED, leads_here)
        .values(until_at=None, until_reason=None)
    )
    _insert(connection, at, _JOIN.c.company_id, _JOIN)
    connection.execute(
        company.update()
        .where(company.c.company_id.in_(sa.select(_JOIN.c.company_id)))
        .values(last_changed_at=at)
    )


def _give_back(connection: Connection, at: datetime) -> None:
    """A record whose number nobody states any more is its own company's again, where it had one."""
    links = company_record.c
    unstated = sa.select(_JOIN.c.record_id).where(_JOIN.c.is_stated == sa.false())
    is_back = sa.and_(
        links.record_id.in_(unstated),
        links.reason == OWN_RECORD,
        links.until_reason == NUMBER_MOVED,
    )
    kept = sa.select(links.company_id).where(is_back)
    connection.execute(
        company.update().where(company.c.company_id.in_(kept)).values(last_changed_at=at)
    )
    connection.execute(
        company_record.update().where(is_back).values(until_at=None, until_reason=None)
    )


def _end(connection: Connection, at: datetime) -> None:
    """End the links of records whose number leads elsewhere, or that nobody states any more."""
    links = company_record.c
    leads_elsewhere = (
        sa.exists()
        .where(
            _JOIN.c.record_id == links.record_id,
            sa.or_(
                _JOIN.c.company_id != links.company_id,
                sa.and_(_JOIN.c.is_stated == sa.false(), links.reason == SAME_NUMBER),
            ),
        )
        .correlate(company_record)
    )
    joined = sa.select(_JOIN.c.record_id)
    left = sa.select(links.company_id).where(
        links.record_id.in_(joined), links.until_at.is_(None), leads_elsewhere
    )
    connection.execute(
        company.update().where(company.c.company_id.in_(left)).values(last_changed_at=at)
    )
    connection.execute(
        company_record.update()
        .where(links.record_id.in_(joined), links.until_at.is_(None), leads_elsewhere)
        .values(until_at=at, until_reason=NUMBER_MOVED)
    )


def _insert(
    connection: Connection, at: datetime, company_id: sa.ColumnClause[Any], rows: sa.TableClause
) -> None:
    """Links of these rows that never were."""
    held = company_record.alias("held")
    never = ~sa.exists().where(
        held.c.company_id == company_id, held.c.record_id == rows.c.record_id
    )
    connection.execute(
        company_record.insert().from_select(
            ["company_id", "record_id", "source_key", "since_at", "reason"],
            sa.select(
                company_id,
                rows.c.record_id,
                rows.c.source_key,
                sa.literal(at, company_record.c.since_at.type),
                sa.literal(SAME_NUMBER),
            ).where(company_id.is_not(None), never),
        )
    )
