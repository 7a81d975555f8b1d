"""inactive → gone: one company all-or-none over every table, with a log that names nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.errors import Refused
from sources.kit.period import add_to_date
from warehouse.engine import writing
from warehouse.privacy import audit, chain
from warehouse.privacy import deletion_values as values
from warehouse.privacy.deletion_words import Act, Due
from warehouse.privacy.group_records import group_records
from warehouse.privacy.retention import policy
from warehouse.schema import (
    change,
    company,
    company_record,
    company_stop,
    contact_change,
    contact_point,
    correction,
    deletion_log,
    letter,
    personal_value,
    protection_check,
    quarantined_row,
    record,
    record_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection, Engine

    from sources.kit.policy import DeletionCap, RetentionPolicy

BATCH = 200

BY_RECORD = (
    *(change, contact_change, contact_point, correction, personal_value),
    *(protection_check, record_number),
)
"""Tables that hang on a record and go with it, in this order."""
BY_COMPANY = (company_stop,)
"""Tables that hang on a company and go with it."""
LEFT_WITHOUT_IDENTITY = (
    *("disclosure", "letter", "deletion_log", "suppressed_record", "not_retaken"),
    "followed_stop",
)
"""Tables that keep an opaque number or a keyed hash: proof, links that go on working, counts."""


def due(connection: Connection, as_of: date) -> list[Due]:
    """What the policy deletes on that day, companies first, then single personal values."""
    links: dict[int, list[int]] = {}
    rows = connection.execute(
        sa.select(
            company.c.company_id,
            company.c.policy_id,
            company.c.inactive_reason,
            company.c.delete_after,
            company_record.c.record_id,
        )
        .join(company_record, company_record.c.company_id == company.c.company_id)
        .where(company.c.state == "inactive", company.c.delete_after <= as_of)
        .order_by(company.c.company_id)
    ).all()
    for row in rows:
        links.setdefault(row.company_id, []).append(row.record_id)
    first = {row.company_id: row for row in reversed(rows)}
    found = [
        Due(
            key,
            tuple(records),
            first[key].policy_id,
            first[key].inactive_reason,
            first[key].delete_after,
        )
        for key, records in links.items()
    ]
    return found + values.due(connection, as_of, set(links))


def check_cap(connection: Connection, found: Sequence[Due], cap: DeletionCap) -> None:
    """Refuse when more would go than the cap allows; `--confirm` is the way past it."""
    companies = {item.company_id for item in found if item.field is None}
    held = connection.scalar(sa.select(sa.func.count()).select_from(company)) or 0
    share = len(companies) / held if held else 0.0
    if len(found) <= cap.max_rows and share <= cap.max_share:
        return
    raise Refused(
        "deletion run",
        f"{len(companies)} of {held} companies and {len(found) - len(companies)} single values "
        f"would go, more than the cap of {cap.max_share:.0%} or {cap.max_rows} at once",
        "Look at the list with --dry-run, then run `sourcenote delete --confirm`",
    )


def delete(
    engine: Engine,
    found: Sequence[Due],
    act: Act,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Delete in batches, each its own transaction; inside, each company is all-or-none.

    Returns rows deleted by table. A killed run leaves whole companies, and a rerun goes on.
    """
    totals: dict[str, int] = {}
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        with writing(engine) as connection:
            for item in batch:
                with connection.begin_nested():
                    counts = _delete_one(connection, item, act)
                for table, count in counts.items():
                    totals[table] = totals.get(table, 0) + count
            audit.record_event(
                connection, act.actor, "delete", act.now, detail={"acts": len(batch)}
            )
        if progress:
            progress(min(start + BATCH, len(found)), len(found))
    return totals


def _delete_one(connection: Connection, item: Due, act: Act) -> dict[str, int]:
    counts = (
        values.delete(connection, item, act)
        if item.field is not None
        else delete_company(connection, item)
    )
    log(connection, counts, item.policy_id, item.reason, act)
    return counts


def log(
    connection: Connection, counts: dict[str, int], policy_id: str, reason: str, act: Act
) -> None:
    """One entry a table for one act, under a random id that says nothing about whom."""
    subject = act.new_subject()
    chain.append(
        connection,
        deletion_log,
        [
            {
                "subject": subject,
                "table_name": table,
                "row_count": count,
                "policy_id": policy_id,
                "reason": reason,
                "policy_version": act.policy_version,
                "deleted_at": act.now.replace(microsecond=0),
                "actor": act.actor,
            }
            for table, count in counts.items()
            if count
        ],
    )


def delete_company(connection: Connection, item: Due) -> dict[str, int]:
    """Remove a company from every table, with the records only it is linked to; rows by table."""
    counts: dict[str, int] = {}

    def remove(table: sa.Table, condition: Any) -> None:  # noqa: ANN401 (an SQL condition)
        gone = connection.execute(table.delete().where(condition)).rowcount
        counts[table.name] = counts.get(table.name, 0) + gone

    alone = _not_shared(connection, item)
    keys = connection.execute(
        sa.select(record.c.source_id, record.c.source_key).where(record.c.record_id.in_(alone))
    ).all()
    alone += group_records(connection, [key.source_key for key in keys])
    for table in BY_RECORD:
        remove(table, table.c.record_id.in_(alone))
    for table in BY_COMPANY:
        remove(table, table.c.company_id == item.company_id)
    connection.execute(
        letter.update().where(letter.c.company_id == item.company_id).values(notice_html=None)
    )
    remove(company_record, company_record.c.company_id == item.company_id)
    remove(company, company.c.company_id == item.company_id)
    remove(record, record.c.record_id.in_(alone))
    for key in keys:
        remove(
            quarantined_row,
            (quarantined_row.c.source_id == key.source_id)
            & (quarantined_row.c.source_key == key.source_key),
        )
        remove(quarantined_row, quarantined_row.c.source_key.startswith(f"{key.source_key}:"))
    return counts


def _not_shared(connection: Connection, item: Due) -> list[int]:
    """The company's records that no other company is linked to: the others stay, and whole."""
    links = company_record.c
    shared = connection.scalars(
        sa.select(links.record_id).where(
            links.record_id.in_(item.record_ids), links.company_id != item.company_id
        )
    ).all()
    return [record_id for record_id in item.record_ids if record_id not in shared]


def aside_due(
    connection: Connection, policies: Sequence[RetentionPolicy], as_of: date
) -> dict[str, int]:
    """Quarantined rows whose time has come, counted."""
    condition = _quarantine_due(policies, as_of)
    count = sa.select(sa.func.count()).select_from(quarantined_row).where(condition)
    return {"quarantined_row": connection.scalar(count) or 0}


def delete_aside(
    engine: Engine, policies: Sequence[RetentionPolicy], act: Act, as_of: date
) -> dict[str, int]:
    """Delete quarantined rows not seen again for as long as policy row `quarantine` says."""
    with writing(engine) as connection:
        gone = connection.execute(
            quarantined_row.delete().where(_quarantine_due(policies, as_of))
        ).rowcount
        if gone:
            log(connection, {"quarantined_row": gone}, "quarantine", "last_seen", act)
    return {"quarantined_row": gone}


def _quarantine_due(policies: Sequence[RetentionPolicy], as_of: date) -> sa.ColumnElement[bool]:
    """Last seen so long ago that the policy row's period, counted by the calendar, is over."""
    period = policy(policies, "quarantine").delete_after_inactive
    day = as_of
    while add_to_date(day, period) > as_of:
        day -= timedelta(days=1)
    return quarantined_row.c.last_seen_at <= datetime.combine(day, time.max, UTC)
