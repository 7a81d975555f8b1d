"""What registers say of companies on a list: protected from marketing or not, and since when.

A word that a company is not protected counts while it is young (`recheck_after` of the country's
protection flag); a word that it is counts at any age, and so does what one register of several
says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.schema import (
    OWN_RECORD,
    company_record,
    delivery,
    protection_check,
    quarantined_row,
    record,
    source_cursor,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

PROTECTED, UNPROTECTED = "true", "false"
"""What `record.ad_protected` holds; null: the register has no such flag, or has not answered."""
_BATCH = 500
_ENDED = "INACTIVE"
_OWN: sa.ColumnElement[str] = sa.literal_column(f"'{OWN_RECORD}'")
"""Written out, so that a database sees that its index of joined records fits."""


def flags(fresh_since: Mapping[str, datetime] | None) -> sa.Select[Any]:
    """(company_id, is_protected, cleared_by) of every company of which a register says anything.

    `is_protected` is 1 where any register says so. `cleared_by` are the sources that say no, comma
    separated, where that was last said at or after their moment of `fresh_since` (None: ever).
    """
    is_clear: sa.ColumnElement[bool] = record.c.ad_protected == UNPROTECTED
    if fresh_since is not None:
        is_clear = sa.and_(is_clear, _is_fresh(fresh_since))
    is_set = sa.case((record.c.ad_protected == PROTECTED, 1), else_=0)
    clear = sa.case((is_clear, record.c.source_id))
    return _said(
        company_record.c.company_id,
        sa.func.max(is_set).label("is_protected"),
        sa.func.aggregate_strings(clear, ",").label("cleared_by"),
    ).group_by(company_record.c.company_id)


def has_stale(connection: Connection, fresh_since: Mapping[str, datetime]) -> bool:
    """Whether any company's register said too long ago that it is not protected."""
    query = _said(company_record.c.company_id).where(*_is_stale(fresh_since)).limit(1)
    return connection.scalar(query) is not None


def stale_keys(
    connection: Connection, company_ids: Sequence[int], fresh_since: Mapping[str, datetime]
) -> dict[str, list[str]]:
    """Source id to the numbers of these companies' records that said no too long ago, sorted."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(company_ids), _BATCH):
        query = (
            _said(record.c.source_id, record.c.source_key)
            .where(company_record.c.company_id.in_(company_ids[start : start + _BATCH]))
            .where(*_is_stale(fresh_since))
            .order_by(record.c.source_id, record.c.source_key)
        )
        for source_id, key in connection.execute(query):
            found.setdefault(source_id, []).append(key)
    return found


def beside(registers: Sequence[str]) -> sa.Select[Any]:
    """(company_id, has_ceased, is_natural, is_possible) of companies with a joined record.

    What any record of these registers says of them: that they are no more, that they are a natural
    person, that they may be one; 1 or 0 each.
    """
    joined, link = company_record.alias("joined"), company_record
    companies = sa.select(joined.c.company_id).where(joined.c.reason != _OWN)

    def any_says(what: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.max(sa.case((what, 1), else_=0))

    return (
        sa.select(
            link.c.company_id,
            any_says(record.c.entity_status == _ENDED).label("has_ceased"),
            any_says(record.c.person_kind == "natural").label("is_natural"),
            any_says(record.c.person_kind == "possible").label("is_possible"),
        )
        .join(record, record.c.record_id == link.c.record_id)
        .where(
            link.c.company_id.in_(companies.where(joined.c.until_at.is_(None))),
            link.c.until_at.is_(None),
            record.c.source_key == link.c.source_key,
            record.c.source_id.in_(registers),
        )
        .group_by(link.c.company_id)
    )


def _said(*what: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """`what` of each link of a company with a record that has a flag."""
    is_linked = sa.and_(
        company_record.c.record_id == record.c.record_id,
        company_record.c.source_key == record.c.source_key,
    )
    return (
        sa.select(*what)
        .select_from(record)
        .join(company_record, is_linked)
        .outerjoin(delivery, delivery.c.delivery_id == record.c.last_delivery_id)
        .outerjoin(protection_check, protection_check.c.record_id == record.c.record_id)
        .where(record.c.ad_protected.is_not(None), company_record.c.until_at.is_(None))
    )


def _is_stale(fresh_since: Mapping[str, datetime]) -> tuple[sa.ColumnElement[bool], ...]:
    return record.c.ad_protected == UNPROTECTED, sa.not_(_is_fresh(fresh_since))


def _is_fresh(fresh_since: Mapping[str, datetime]) -> sa.ColumnElement[bool]:
    """Whether the register has said what the record says at or after its source's moment.

    It last said so when it was asked about this company, in the newest full file while the record
    is in it, or in the delivery that wrote the record. A source without a moment has said nothing
    that counts, nor has a row that a rule kept out: what it says since is not known.
    """
    checked, written = protection_check.c.checked_at, _said_at(delivery)
    return sa.or_(
        sa.false(),
        *(
            sa.and_(
                record.c.source_id == source_id,
                sa.or_(
                    *(
                        _is_said(moment, since)
                        for moment in (checked, _listed_at(source_id), written)
                    )
                ),
            )
            for source_id, since in sorted(fresh_since.items())
        ),
    )


def _said_at(table: sa.FromClause) -> sa.ColumnElement[Any]:
    """When a delivery's publisher said what is in it: what came from it, when it came.

    A file that somebody gave, and rows tried again, speak of the day they were published; of no
    day where that is not stated.
    """
    is_given = sa.or_(table.c.kind == "file", table.c.url.startswith("file:"))
    return sa.case((is_given, table.c.published_at), else_=table.c.retrieved_at)


def _listed_at(source_id: str) -> sa.ColumnElement[Any]:
    """When the source's newest full file said what is in it, for records that are in it."""
    full = delivery.alias("full_file")
    newest = (
        sa.select(sa.func.max(_said_at(full)))
        .join(source_cursor, source_cursor.c.full_sha256 == full.c.sha256)
        .where(
            source_cursor.c.source_id == source_id,
            full.c.source_id == source_id,
            full.c.status != "refused",
        )
    )
    return sa.case((record.c.absent_count == 0, newest.scalar_subquery()))


def _is_said(moment: sa.ColumnElement[Any], since: datetime) -> sa.ColumnElement[bool]:
    """Whether it was said at or after `since`, and is the register's last word as far as we know.

    It is not where a row came then or later that a rule kept out, nor where a delivery of no known
    day has written the record since.
    """
    row = quarantined_row.c
    kept_out = sa.exists().where(
        row.source_id == record.c.source_id,
        row.source_key == record.c.source_key,
        row.state != "retried",
        row.last_seen_at >= moment,
    )
    is_last = sa.or_(_said_at(delivery).is_not(None), moment >= delivery.c.retrieved_at)
    return sa.and_(sa.func.coalesce(sa.and_(moment >= since, is_last), sa.false()), ~kept_out)
