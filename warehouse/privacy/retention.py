"""active → inactive, by the retention policy rows that the notice prints.

Conditions and periods are data (`RetentionPolicy`); this module knows how each condition looks in
the warehouse and from which date it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sources.kit.errors import SettingsInvalid
from sources.kit.period import add_period, add_to_date
from warehouse.privacy import audit
from warehouse.privacy.contact_retention import apply_contacts, count, plan_contacts
from warehouse.privacy.retention_companies import (
    STATUS_CONDITIONS,
    VANISHED,
    Move,
    companies_ending,
    move_of,
)
from warehouse.schema import company, company_record, company_stop, personal_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from sqlalchemy.engine import Connection

    from sources.kit.policy import RetentionPolicy
    from warehouse.privacy.contact_retention import ContactMove


@dataclass(frozen=True)
class Plan:
    """What one `deactivate` run does; a dry run shows exactly this."""

    as_of: date
    deactivated: tuple[Move, ...] = ()
    reactivated: tuple[Move, ...] = ()
    rescheduled: tuple[Move, ...] = ()
    personal_values: int = 0
    contacts: tuple[ContactMove, ...] = ()
    loud_skips: tuple[str, ...] = field(default=())


def policy(policies: Sequence[RetentionPolicy], policy_id: str) -> RetentionPolicy:
    """The row of that id; without one nothing may be kept."""
    for row in policies:
        if row.id == policy_id:
            return row
    raise SettingsInvalid("[[retention]]", [f"there is no row {policy_id}"])


def due_on_arrival(
    ended: np.ndarray, updated: np.ndarray, row: RetentionPolicy, as_of: date
) -> np.ndarray:
    """Which arriving records would be due for deletion at once, and so are not taken (bool).

    `ended` tells whose status ends the company, `updated` is LastUpdateDate as datetime64[D].
    """
    import numpy as np  # status and explain do without it

    due = np.zeros(len(ended), dtype=bool)
    if ended.any():
        due[ended] = add_period(updated[ended], row.delete_after_inactive) <= np.datetime64(as_of)
    return due


def plan_moves(connection: Connection, policies: Sequence[RetentionPolicy], as_of: date) -> Plan:
    """Everything `apply_moves` would do on that day; reads only."""
    row = policy(policies, "company_public")
    listed = companies_ending(row, as_of).order_by(company.c.company_id)
    found = connection.execute(listed).all()
    ending = {item.company_id: move_of(item, row) for item in found}
    held = {
        item.company_id: item
        for item in connection.execute(
            sa.select(
                company.c.company_id, company.c.inactive_reason, company.c.delete_after
            ).where(company.c.state == "inactive")
        )
    }
    return Plan(
        as_of=as_of,
        deactivated=tuple(move for key, move in ending.items() if key not in held),
        reactivated=tuple(Move(key, None, None, None) for key in held if key not in ending),
        rescheduled=tuple(
            move
            for key, move in ending.items()
            if key in held
            and (held[key].delete_after, held[key].inactive_reason)
            != (move.delete_after, move.reason)
        ),
        personal_values=connection.scalar(
            sa.select(sa.func.count())
            .select_from(personal_value)
            .where(_personal_due(connection, policies, as_of))
        )
        or 0,
        contacts=tuple(
            plan_contacts(
                connection,
                policy(policies, "person_public"),
                as_of,
                companies_ending(row, as_of).with_only_columns(company.c.company_id),
            )
        ),
        loud_skips=_loud_skips(row),
    )


def _loud_skips(row: RetentionPolicy) -> tuple[str, ...]:
    """Conditions of the row that nothing can meet."""
    known = {VANISHED, *STATUS_CONDITIONS}
    unknown = [name for name in row.inactive_when if name not in known]
    return tuple(f"{row.id}: condition {name} matches nothing" for name in unknown)


def apply_moves(
    connection: Connection,
    policies: Sequence[RetentionPolicy],
    plan: Plan,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Carry the plan out in the caller's transaction, with one audit event."""
    _set_states(connection, (*plan.deactivated, *plan.rescheduled, *plan.reactivated))
    _reschedule_personal(connection, policy(policies, "person_public"))
    due = _personal_due(connection, policies, plan.as_of)
    connection.execute(personal_value.update().where(due).values(state="inactive"))
    apply_contacts(connection, policy(policies, "person_public"), plan.contacts)
    audit.record_event(
        connection,
        actor,
        "deactivate",
        now,
        detail={
            "deactivated": len(plan.deactivated),
            "reactivated": len(plan.reactivated),
            "rescheduled": len(plan.rescheduled),
            "personal_values": plan.personal_values,
            "contact_points": count(plan.contacts),
        },
    )


def personal_dates(row: RetentionPolicy, obtained: date) -> tuple[date, date]:
    """(inactive after, delete after) of a personal value obtained that day, cap included."""
    inactive = add_to_date(obtained, row.inactive_after) if row.inactive_after else obtained
    delete = add_to_date(inactive, row.delete_after_inactive)
    if row.cap_from_start:
        delete = min(delete, add_to_date(obtained, row.cap_from_start))
    return min(inactive, delete), delete


def _set_states(connection: Connection, moves: Sequence[Move]) -> None:
    if not moves:
        return
    connection.execute(
        company.update()
        .where(company.c.company_id == sa.bindparam("key"))
        .values(
            state=sa.bindparam("new_state"),
            inactive_since=sa.bindparam("since"),
            inactive_reason=sa.bindparam("reason"),
            delete_after=sa.bindparam("due"),
        ),
        [
            {
                "key": move.company_id,
                "new_state": "inactive" if move.reason else "active",
                "since": move.since,
                "reason": move.reason,
                "due": move.delete_after,
            }
            for move in moves
        ],
    )


def _reschedule_personal(connection: Connection, row: RetentionPolicy) -> None:
    """A changed period acts at the next run: dates follow the policy row, not the day of load."""
    days = connection.execute(sa.select(personal_value.c.obtained_at).distinct()).scalars().all()
    for moment in days:
        inactive, delete = personal_dates(row, moment.date())
        connection.execute(
            personal_value.update()
            .where(personal_value.c.obtained_at == moment)
            .values(inactive_after=inactive, delete_after=delete)
        )


def _personal_due(
    connection: Connection, policies: Sequence[RetentionPolicy], as_of: date
) -> sa.ColumnElement[bool]:
    """Active personal values whose time has come, or whose company ends that day or is stopped.

    Judged by the policy rows and not by dates and states as written, so that a dry run counts what
    the run does.
    """
    row = policy(policies, "person_public")
    obtained = sa.select(personal_value.c.obtained_at).distinct()
    moments = connection.scalars(obtained.where(personal_value.c.state == "active")).all()
    over = [moment for moment in moments if personal_dates(row, moment.date())[0] <= as_of]
    ending = companies_ending(policy(policies, "company_public"), as_of)
    links = company_record.c
    ended = (
        sa.select(links.record_id)
        .outerjoin(company_stop, company_stop.c.company_id == links.company_id)
        .where(
            sa.or_(
                links.company_id.in_(ending.with_only_columns(company.c.company_id))
                & links.until_at.is_(None),
                company_stop.c.suppression_id.is_not(None),
            )
        )
    )
    return sa.and_(
        personal_value.c.state == "active",
        sa.or_(personal_value.c.obtained_at.in_(over), personal_value.c.record_id.in_(ended)),
    )
