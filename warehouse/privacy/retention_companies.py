"""Which companies a policy row's conditions hold for, and from which day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.period import add_to_date
from warehouse.privacy.contact_retention import INACTIVE
from warehouse.schema import company, company_record, delivery, record

if TYPE_CHECKING:
    from sources.kit.policy import RetentionPolicy

STATUS_CONDITIONS = {
    "lei_retired": "RETIRED",
    "lei_merged": "MERGED",
    "lei_annulled": "ANNULLED",
    "lei_duplicate": "DUPLICATE",
}
"""Conditions that are a RegistrationStatus; they count from the record's LastUpdateDate."""
VANISHED = "vanished"
_HAS_CEASED = sa.and_(record.c.lei_status.is_(None), record.c.entity_status == INACTIVE)
"""Of a company without an LEI its register says so; what has an LEI ends by that."""


@dataclass(frozen=True)
class Move:
    """A company to make inactive, or active again (`reason` None)."""

    company_id: int
    reason: str | None
    since: date | None
    delete_after: date | None


def statuses_ending(row: RetentionPolicy) -> tuple[str, ...]:
    """The RegistrationStatus values that make a company inactive under the row."""
    return tuple(status for name, status in STATUS_CONDITIONS.items() if name in row.inactive_when)


def companies_ending(row: RetentionPolicy, as_of: date) -> sa.Select[Any]:
    """(company, status, last update, vanished) of companies a condition of the row holds for."""
    conditions: list[sa.ColumnElement[bool]] = [record.c.lei_status.in_(statuses_ending(row))]
    if VANISHED in row.inactive_when:
        conditions += [record.c.vanished_at.is_not(None), _is_left(), _HAS_CEASED]
    end_of_day = datetime.combine(as_of, datetime.max.time(), UTC)
    return (
        sa.select(
            company.c.company_id,
            record.c.lei_status,
            record.c.last_update_at,
            record.c.vanished_at,
            record.c.entity_status,
            record.c.expiration_at,
            company.c.first_seen_at,
            company.c.last_changed_at,
            delivery.c.retrieved_at.label("written_at"),
        )
        .join(
            record,
            sa.and_(
                record.c.record_id == company.c.lead_record_id,
                record.c.source_key == company.c.lead_source_key,
            ),
        )
        .outerjoin(delivery, delivery.c.delivery_id == record.c.last_delivery_id)
        .where(sa.or_(*conditions), company.c.first_seen_at <= end_of_day)
    )


def _is_left() -> sa.ColumnElement[bool]:
    """Companies that no record is about any more: theirs has joined another company."""
    ended, held = company_record.alias("ended"), company_record.alias("held")
    return sa.and_(
        company.c.company_id.in_(
            sa.select(ended.c.company_id).where(ended.c.until_at.is_not(None))
        ),
        ~sa.exists().where(held.c.company_id == company.c.company_id, held.c.until_at.is_(None)),
    )


def move_of(item: Any, row: RetentionPolicy) -> Move:  # noqa: ANN401 (a row of `companies_ending`)
    """What the row says of a company found to end."""
    reason = next(
        (name for name in row.inactive_when if STATUS_CONDITIONS.get(name) == item.lei_status),
        VANISHED,
    )
    moment = _left_at(item) if reason == VANISHED else _moment(item.last_update_at)
    since = moment.date()
    return Move(item.company_id, reason, since, add_to_date(since, row.delete_after_inactive))


def _left_at(item: Any) -> datetime:  # noqa: ANN401 (as above)
    """When nothing more was published of the company: missed, ceased, or joined to another one."""
    if item.vanished_at is not None:
        left: datetime = item.vanished_at
    elif item.lei_status is None and item.entity_status == INACTIVE:
        changed = max(item.last_changed_at, item.written_at or item.last_changed_at)
        left = _moment(item.expiration_at) if item.expiration_at else changed
    else:
        left = item.last_changed_at
    return left


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
