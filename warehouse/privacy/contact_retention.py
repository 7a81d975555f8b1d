"""Contact points: active → inactive, and back where their register withdrew the reason.

The policy row is `person_public`: a year after a value was obtained, or sooner when its source has
withdrawn it (after the row's grace), its company has ceased or ended, or somebody objected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sources.kit.period import add_to_date
from warehouse.schema import company_record, company_stop, contact_point, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from sqlalchemy.engine import Connection

    from sources.kit.policy import RetentionPolicy

OVER, WITHDREW, CEASED, ENDED, OBJECTED = (
    *("inactive_after", "source_withdrew", "entity_ceased", "lei_retired", "objection"),
)
INACTIVE = "INACTIVE"
"""EntityStatus of a company that its register says has ceased."""
_OF_THE_REGISTER = (WITHDREW, CEASED, ENDED)
"""Reasons that the register itself can withdraw: a company is listed, an LEI in force again."""


_BATCH = 500


@dataclass(frozen=True)
class ContactMove:
    """Contact points to make inactive on one day for one reason, or active again (None)."""

    contact_ids: tuple[int, ...]
    reason: str | None
    since: date | None


def plan_contacts(
    connection: Connection, row: RetentionPolicy, as_of: date, ending: sa.Select[tuple[int]]
) -> list[ContactMove]:
    """What `apply_contacts` would do on that day; reads only.

    `ending` selects the companies that end that day by their own policy row.
    """
    due: dict[int, tuple[str, date]] = {}
    for reason, rows in _conditions(connection, row, as_of, ending):
        for contact_id, since in rows:
            due.setdefault(contact_id, (reason, since))
    held = {
        item.contact_id: item.inactive_reason
        for item in connection.execute(
            sa.select(contact_point.c.contact_id, contact_point.c.inactive_reason).where(
                contact_point.c.state == "inactive"
            )
        )
    }
    groups: dict[tuple[str | None, date | None], list[int]] = {}
    for contact_id, (reason, since) in due.items():
        if contact_id not in held:
            groups.setdefault((reason, since), []).append(contact_id)
    back = [one for one, reason in held.items() if reason in _OF_THE_REGISTER and one not in due]
    if back:
        groups[None, None] = back
    return [ContactMove(tuple(ids), *key) for key, ids in groups.items()]


def apply_contacts(
    connection: Connection, row: RetentionPolicy, moves: Sequence[ContactMove]
) -> None:
    """Set the states, and the day each is deleted by the policy row."""
    _reschedule(connection, row)
    for move in moves:
        values = (
            {"state": "active", "inactive_reason": None, "inactive_since": None}
            if move.reason is None
            else {
                "state": "inactive",
                "inactive_reason": move.reason,
                "inactive_since": move.since,
            }
        )
        for start in range(0, len(move.contact_ids), _BATCH):
            few = move.contact_ids[start : start + _BATCH]
            connection.execute(
                contact_point.update().where(contact_point.c.contact_id.in_(few)).values(values)
            )
    _reschedule(connection, row)


def count(moves: Sequence[ContactMove]) -> int:
    """Contact points that become inactive."""
    return sum(len(move.contact_ids) for move in moves if move.reason is not None)


def _conditions(
    connection: Connection, row: RetentionPolicy, as_of: date, ending: sa.Select[tuple[int]]
) -> Iterator[tuple[str, list[tuple[int, date]]]]:
    """Each condition of the row with (contact point, day it counts from), the earliest in force."""
    linked = company_record.c
    if OBJECTED in row.inactive_when:
        stopped = sa.select(linked.record_id).join(
            company_stop, company_stop.c.company_id == linked.company_id
        )
        yield OBJECTED, _of_records(connection, stopped, as_of)
    if ENDED in row.inactive_when:
        # What has joined another company is that one's: an ended link takes nothing along.
        ended = sa.select(linked.record_id).where(
            linked.company_id.in_(ending), linked.until_at.is_(None)
        )
        yield ENDED, _of_records(connection, ended, as_of)
    if CEASED in row.inactive_when:
        ceased = sa.select(record.c.record_id).where(record.c.entity_status == INACTIVE)
        yield CEASED, _of_records(connection, ceased, as_of)
    if WITHDREW in row.inactive_when:
        yield WITHDREW, _withdrawn(connection, row, as_of)
    if row.inactive_after:
        yield OVER, _over(connection, row, as_of)


def _of_records(
    connection: Connection, records: sa.Select[tuple[int]], as_of: date
) -> list[tuple[int, date]]:
    query = sa.select(contact_point.c.contact_id).where(contact_point.c.record_id.in_(records))
    return [(contact_id, as_of) for contact_id in connection.scalars(query)]


def _withdrawn(connection: Connection, row: RetentionPolicy, as_of: date) -> list[tuple[int, date]]:
    """Values whose source no longer has them, or whose whole record it no longer lists."""
    gone = sa.func.coalesce(contact_point.c.withdrawn_at, record.c.vanished_at)
    query = (
        sa.select(contact_point.c.contact_id, sa.type_coerce(gone, record.c.vanished_at.type))
        .join(
            record,
            (record.c.record_id == contact_point.c.record_id)
            & (record.c.source_key == contact_point.c.source_key),
        )
        .where(gone.is_not(None), gone <= datetime.combine(as_of, datetime.max.time(), UTC))
    )
    grace = row.absence_grace or "P0D"
    found = ((item[0], add_to_date(item[1].date(), grace)) for item in connection.execute(query))
    return [(contact_id, since) for contact_id, since in found if since <= as_of]


def _over(connection: Connection, row: RetentionPolicy, as_of: date) -> list[tuple[int, date]]:
    found: list[tuple[int, date]] = []
    for moment in _moments(connection):
        since = add_to_date(moment.date(), row.inactive_after or "P0D")
        if since <= as_of:
            query = sa.select(contact_point.c.contact_id).where(
                contact_point.c.obtained_at == moment
            )
            found += [(contact_id, since) for contact_id in connection.scalars(query)]
    return found


def _moments(connection: Connection) -> list[datetime]:
    """When contact points were obtained: as few moments as deliveries."""
    return list(connection.scalars(sa.select(contact_point.c.obtained_at).distinct()))


def _reschedule(connection: Connection, row: RetentionPolicy) -> None:
    """Dates follow the policy row: a changed period acts at the next run."""
    pairs = sa.select(contact_point.c.obtained_at, contact_point.c.inactive_since).distinct()
    for obtained, inactive_since in connection.execute(pairs).all():
        inactive, delete = dates(row, obtained.date(), inactive_since)
        connection.execute(
            contact_point.update()
            .where(
                contact_point.c.obtained_at == obtained,
                contact_point.c.inactive_since.is_not_distinct_from(inactive_since),
            )
            .values(inactive_after=inactive, delete_after=delete)
        )


def dates(row: RetentionPolicy, obtained: date, inactive_since: date | None) -> tuple[date, date]:
    """(inactive after, delete after) of a value obtained that day, inactive sooner or not."""
    inactive = add_to_date(obtained, row.inactive_after) if row.inactive_after else obtained
    first = inactive if inactive_since is None else min(inactive, inactive_since)
    delete = add_to_date(first, row.delete_after_inactive)
    if row.cap_from_start:
        delete = min(delete, add_to_date(obtained, row.cap_from_start))
    return min(inactive, delete), delete
