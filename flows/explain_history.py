"""`explain --as-of`: everything gathered on a company, taken back to an earlier moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
        records=[_link_then(record, moment) for record in rewound],
        changes=history.changes_until(found.changes, moment),
        personal=_obtained(found.personal, ids, moment),
        contacts=_obtained(found.contacts, ids, moment),
        left=until(found.left, "disclosed_at", moment),
    )


def _link_then(record: Row, moment: datetime) -> Row:
    ended = record["until_at"]
    return {**record, "until_at": ended if ended is not None and ended <= moment else None}


def _obtained(rows: list[Row], ids: set[int], moment: datetime) -> list[Row]:
    return [row for row in rows if row["record_id"] in ids and row["obtained_at"] <= moment]
