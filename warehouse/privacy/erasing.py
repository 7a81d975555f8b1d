"""A register has removed an entity for good: what it brought goes at once, through deletion.

The duty of copies (Brønnøysund: `Fjernet`) is stronger than retention: no clock, no cap, and no
memory of the values. What left the house before is listed, so that it can be recalled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse import holdings
from warehouse.privacy import audit, deletion
from warehouse.privacy.deletion_words import Due
from warehouse.schema import (
    audit_event,
    company_record,
    contact_point,
    disclosure,
    quarantined_row,
    record,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from warehouse.privacy.deletion_words import Act

POLICY_ID, REASON = "person_public", "source_erased"
ERASE, CLEANED = "erase", "erased bytes cleaned"
"""Audit events: rows erased, and the database's own files cleaned of them."""
_BATCH = 500


@dataclass(frozen=True)
class Erasure:
    """Keys of a source whose records must go, and in whose name."""

    keys: tuple[str, ...]
    act: Act


@dataclass(frozen=True)
class Recall:
    """One list that left with a company whose register has since removed it."""

    export_id: str
    recipient: str
    recipient_name: str
    company_id: int


@dataclass(frozen=True)
class Erased:
    """How many of the records were held and are gone, and which lists are to be recalled."""

    records: int = 0
    recalls: tuple[Recall, ...] = ()


def erase(connection: Connection, source_id: str, erasure: Erasure | None) -> Erased:
    """Delete what is held on these keys in the caller's transaction, record by record whole.

    A company that no other record is about goes with its record, and rows on the keys that were
    only ever quarantined go too. The database's own bytes are cleaned by the caller after the
    commit (`erased_bytes.clean_up_bytes`).
    """
    if erasure is None or not erasure.keys:
        return Erased()
    aside = _delete_quarantined(connection, source_id, erasure)
    found = _held(connection, source_id, erasure.keys)
    recalls: list[Recall] = []
    for record_id in found:
        recalls += _recalls(connection, record_id)
        counts = _delete_record(connection, record_id, erasure.act)
        deletion.log_act(connection, counts, POLICY_ID, REASON, erasure.act)
    if found or aside:
        audit.record_event(
            connection,
            erasure.act.actor,
            ERASE,
            erasure.act.now,
            subject=source_id,
            detail={"records": len(found), "quarantined": aside, "recalls": len(recalls)},
        )
    return Erased(len(found), tuple(dict.fromkeys(recalls)))


def unclean_sources(connection: Connection) -> list[str]:
    """Sources of which something was erased after all files were last cleaned of what is erased."""
    event = audit_event.c
    last = sa.select(sa.func.max(event.event_id)).where(event.action == CLEANED).scalar_subquery()
    query = (
        sa.select(event.subject)
        .where(event.action == ERASE, event.event_id > sa.func.coalesce(last, 0))
        .distinct()
        .order_by(event.subject)
    )
    return list(connection.scalars(query))


def note_clean(connection: Connection, actor: str, now: datetime) -> None:
    """The database's own files hold no bytes of erased records, as far as it can be said."""
    audit.record_event(connection, actor, CLEANED, now)


def _held(connection: Connection, source_id: str, keys: tuple[str, ...]) -> list[int]:
    found: list[int] = []
    for start in range(0, len(keys), _BATCH):
        query = sa.select(record.c.record_id).where(
            record.c.source_key.in_(keys[start : start + _BATCH]), record.c.source_id == source_id
        )
        found += connection.scalars(query).all()
    return found


def _delete_quarantined(connection: Connection, source_id: str, erasure: Erasure) -> int:
    """Rows on these keys that a rule kept out, of records held or not; how many went."""
    counts: dict[str, int] = {}
    for start in range(0, len(erasure.keys), _BATCH):
        is_on_key = quarantined_row.c.source_key.in_(erasure.keys[start : start + _BATCH])
        _remove(
            connection,
            counts,
            quarantined_row,
            is_on_key & (quarantined_row.c.source_id == source_id),
        )
    gone = counts.get(quarantined_row.name, 0)
    if gone:
        deletion.log_act(connection, counts, POLICY_ID, REASON, erasure.act)
    return gone


def _delete_record(connection: Connection, record_id: int, act: Act) -> dict[str, int]:
    """Rows deleted by table: the record's, and those of companies that were about it alone."""
    counts: dict[str, int] = {}
    for company_id in _companies_of_it_alone(connection, record_id):
        item = Due(company_id, (record_id,), POLICY_ID, REASON, act.now.date())
        _add(counts, deletion.delete_company(connection, item))
    row = connection.execute(sa.select(record).where(record.c.record_id == record_id)).first()
    if row is None:
        return counts
    holdings.add(connection, row.source_id, records=-1, companies=0)
    for table in (*deletion.BY_RECORD, company_record):
        _remove(connection, counts, table, table.c.record_id == record_id)
    _remove(connection, counts, record, record.c.record_id == record_id)
    return counts


def _companies_of_it_alone(connection: Connection, record_id: int) -> list[int]:
    links, other = company_record, company_record.alias("other")
    alone = ~sa.exists().where(
        other.c.company_id == links.c.company_id, other.c.record_id != record_id
    )
    query = sa.select(links.c.company_id).where(links.c.record_id == record_id, alone)
    return list(connection.scalars(query))


def _remove(
    connection: Connection,
    counts: dict[str, int],
    table: sa.Table,
    which: sa.ColumnElement[bool],
) -> None:
    _add(counts, {table.name: connection.execute(table.delete().where(which)).rowcount})


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def _recalls(connection: Connection, record_id: int) -> list[Recall]:
    """Lists on which the company stood, where the record had contact points or was all of it."""
    linked = sa.select(company_record.c.company_id).where(company_record.c.record_id == record_id)
    has_contacts = connection.scalar(
        sa.select(contact_point.c.contact_id).where(contact_point.c.record_id == record_id).limit(1)
    )
    if has_contacts is None:
        return []
    rows = connection.execute(
        sa.select(
            disclosure.c.export_id,
            disclosure.c.recipient,
            disclosure.c.recipient_name,
            disclosure.c.company_id,
        )
        .where(disclosure.c.company_id.in_(linked))
        .distinct()
        .order_by(disclosure.c.export_id)
    )
    return [Recall(*row) for row in rows]
