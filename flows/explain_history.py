"""`explain --as-of`: everything gathered on a company, taken back to an earlier moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sources.kit.shapes import AD_PROTECTED
from warehouse import history

if TYPE_CHECKING:
    from datetime import datetime

    Connection = Any  # only the warehouse names SQLAlchemy

Row = dict[str, Any]


class Gathered(NamedTuple):
    """What the warehouse holds on one company, as rows."""

    company: Row
    records: list[Row]
    changes: list[Row]
    personal: list[Row]
    contacts: list[Row]
    left: list[Row]


def not_yet_held(companies: list[Row], moment: datetime | None) -> list[Row]:
    """Those that were first delivered after the moment; none where no moment is asked about."""
    return [row for row in companies if moment is not None and row["first_seen_at"] > moment]


def until(rows: list[Row], key: str, moment: datetime | None) -> list[Row]:
    """The rows whose moment under `key` had come by then."""
    return [row for row in rows if moment is None or row[key] <= moment]


def linked_then(records: list[Row], moment: datetime | None) -> list[int]:
    """Numbers of the records linked then, or now; of what was parted nothing else is told.

    All of them where none is linked any more.
    """
    ids = [
        record["record_id"]
        for record in records
        if record["until_at"] is None or (moment is not None and record["until_at"] > moment)
    ]
    return ids or [record["record_id"] for record in records]


def as_of(connection: Connection, found: Gathered, moment: datetime) -> Gathered:
    """The same as the warehouse said it then; what came later is left out or taken back."""
    linked = [record for record in found.records if record["since_at"] <= moment]
    rewound = [
        history.with_absences(
            history.rewound(
                record,
                [c for c in found.changes if c["record_id"] == record["record_id"]],
                moment,
            ),
            history.full_files(connection, record["source_id"], moment),
        )
        for record in linked
    ]
    ids = {record["record_id"] for record in rewound}
    return Gathered(
        company=history.company_then(found.company, found.changes, moment),
        records=[
            _flag_then(_link_then(record, moment), found.changes, moment) for record in rewound
        ],
        changes=history.changes_until(found.changes, moment),
        personal=_obtained(found.personal, ids, moment),
        contacts=[_contact_then(row, moment) for row in _obtained(found.contacts, ids, moment)],
        left=until(found.left, "disclosed_at", moment),
    )


def _link_then(record: Row, moment: datetime) -> Row:
    ended = record["until_at"]
    return {**record, "until_at": ended if ended is not None and ended <= moment else None}


def _flag_then(record: Row, changes: list[Row], moment: datetime) -> Row:
    """The record with the marketing protection it stated then."""
    later = [
        change
        for change in changes
        if change["record_id"] == record["record_id"]
        and change["field"] == AD_PROTECTED.name
        and change["changed_at"] > moment
    ]
    if not later:
        return record
    first = min(later, key=lambda change: change["delivery_id"])
    return {**record, AD_PROTECTED.name: first["old_value"]}


def _contact_then(row: Row, moment: datetime) -> Row:
    """A contact point with what had become of it by then; whose mailbox it is, is today's word."""
    withdrawn, since = row["withdrawn_at"], row["inactive_since"]
    is_inactive = since is not None and since <= moment.date()
    return {
        **row,
        "withdrawn_at": withdrawn if withdrawn is not None and withdrawn <= moment else None,
        "state": "inactive" if is_inactive else "active",
        "inactive_since": since if is_inactive else None,
        "inactive_reason": row["inactive_reason"] if is_inactive else None,
    }


def _obtained(rows: list[Row], ids: set[int], moment: datetime) -> list[Row]:
    return [row for row in rows if row["record_id"] in ids and row["obtained_at"] <= moment]
