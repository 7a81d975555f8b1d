"""What a list leaves behind in the warehouse: the export, its disclosures and its letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.period import parse_period
from warehouse.numbering import take_numbers
from warehouse.privacy import audit
from warehouse.privacy.suppression import KEY_PURPOSE
from warehouse.schema import audit_event, disclosure, export, letter, source_cursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys

_BATCH = 500
_LONGEST_YEAR, _LONGEST_MONTH = 366, 31


@dataclass(frozen=True)
class Heading:
    """One list as the warehouse knows it; `directory` is where it is (or will be) to be found."""

    export_id: str
    directory: str
    segment: str
    channel: str
    purpose: str
    recipient: str
    recipient_name: str
    policy_version: str
    created_at: datetime
    actor: str
    run_id: int


@dataclass(frozen=True)
class SentRow:
    """One row of a list: which company's which fields left under which notice and link.

    `subject` is what a stop by the link is remembered under: kind and value (`Holding.subject`).
    """

    row_id: str
    company_id: int
    lei: str | None
    subject: tuple[str, str]
    fields: tuple[str, ...]
    notice_id: str
    language: str
    token_digest: str


@dataclass(frozen=True)
class Unplaced:
    """A list that was committed and whose folder may not be where it belongs yet."""

    export_id: str
    directory: str


def approached_since(connection: Connection, channel: str, moment: datetime) -> frozenset[int]:
    """Companies that were in a list for the channel after that moment."""
    query = (
        sa.select(disclosure.c.company_id)
        .distinct()
        .join(export, export.c.export_id == disclosure.c.export_id)
        .where(export.c.channel == channel, disclosure.c.disclosed_at > moment)
    )
    return frozenset(connection.scalars(query))


def moment_before(now: datetime, period: str) -> datetime:
    """The moment that lies the ISO 8601 period before `now`; months and years at their longest."""
    length = parse_period(period)
    days = length.years * _LONGEST_YEAR + length.months * _LONGEST_MONTH + length.days
    return now - timedelta(days=days)


def sources_on_record(connection: Connection) -> frozenset[str]:
    """Sources whose card was loaded with their deliveries."""
    return frozenset(connection.scalars(sa.select(source_cursor.c.source_id)))


def write_rows(
    connection: Connection,
    keys: Keys,
    heading: Heading,
    rows: Sequence[SentRow],
    notices: Iterable[tuple[str, str]],
) -> None:
    """Record the list in the caller's transaction: state `written`, disclosures, letters.

    `notices` gives (row id, the row's full notice as HTML) for at least every row of `rows`, which
    is read as a stream: only as many are held as are written at once. The manifest comes last.
    """
    connection.execute(
        export.insert().values(
            export_id=heading.export_id,
            state="written",
            directory=heading.directory,
            segment=heading.segment,
            channel=heading.channel,
            purpose=heading.purpose,
            recipient=heading.recipient,
            created_at=heading.created_at,
            actor=heading.actor,
            manifest="",
            run_id=heading.run_id,
        )
    )
    _disclose(connection, heading, rows)
    by_id = {row.row_id: row for row in rows}
    kept = ((by_id[row_id], html) for row_id, html in notices if row_id in by_id)
    for batch in _batches(_letter(keys, heading, row, html) for row, html in kept):
        connection.execute(letter.insert(), batch)


def take_back(connection: Connection, export_id: str, row_ids: Iterable[str]) -> None:
    """Forget rows that do not leave after all, in the transaction that wrote them."""
    for table in (disclosure, letter):
        for row_id in row_ids:
            connection.execute(
                table.delete().where(table.c.export_id == export_id, table.c.row_id == row_id)
            )


def write_manifest(connection: Connection, export_id: str, manifest: str) -> None:
    """Add the manifest to the list, JSON without contact values."""
    connection.execute(
        export.update().where(export.c.export_id == export_id).values(manifest=manifest)
    )


def record_departure(
    connection: Connection, heading: Heading, counts: dict[str, Any], now: datetime
) -> None:
    """The list's event in the audit trail, last in its transaction; counts and codes only."""
    if connection.dialect.name != "sqlite":
        # Events are numbered one after the other: one writer at a time, until the commit.
        connection.execute(sa.text(f"LOCK TABLE {audit_event.name} IN SHARE ROW EXCLUSIVE MODE"))
    audit.record_event(
        connection, heading.actor, "export", now, subject=heading.export_id, detail=counts
    )


def mark_published(connection: Connection, export_id: str) -> None:
    """The list's folder is where it belongs."""
    connection.execute(
        export.update().where(export.c.export_id == export_id).values(state="published")
    )


def state_of(connection: Connection, export_id: str) -> str | None:
    """`written`, `published`, or None for a list that was never committed."""
    return connection.scalar(sa.select(export.c.state).where(export.c.export_id == export_id))


def unplaced(connection: Connection) -> list[Unplaced]:
    """Committed lists that were not marked as published, oldest first."""
    rows = connection.execute(
        sa.select(export.c.export_id, export.c.directory)
        .where(export.c.state == "written")
        .order_by(export.c.created_at, export.c.export_id)
    )
    return [Unplaced(row.export_id, row.directory) for row in rows]


def _disclose(connection: Connection, heading: Heading, rows: Sequence[SentRow]) -> None:
    if not rows:
        return
    first = take_numbers(connection, "disclosure", len(rows))
    values = (
        {
            "disclosure_id": first + place,
            "export_id": heading.export_id,
            "row_id": row.row_id,
            "company_id": row.company_id,
            "recipient": heading.recipient,
            "recipient_name": heading.recipient_name,
            "fields": ",".join(row.fields),
            "notice_id": row.notice_id,
            "policy_version": heading.policy_version,
            "disclosed_at": heading.created_at,
        }
        for place, row in enumerate(rows)
    )
    for batch in _batches(values):
        connection.execute(disclosure.insert(), batch)


def _letter(keys: Keys, heading: Heading, row: SentRow, html: str) -> dict[str, Any]:
    kind, value = row.subject
    version, digest = keys.mac(KEY_PURPOSE, f"{kind}:{value}")
    return {
        "token_digest": row.token_digest,
        "export_id": heading.export_id,
        "row_id": row.row_id,
        "company_id": row.company_id,
        "key_version": version,
        "subject_kind": kind,
        "subject_hash": digest,
        "notice_id": row.notice_id,
        "language": row.language,
        "notice_html": html,
        "created_at": heading.created_at,
    }


def _batches(values: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for value in values:
        batch.append(value)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
