"""One of the owner's lists into its table: sorted, written and counted in one transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.numbering import take_numbers
from warehouse.own_aside import put_aside, settle
from warehouse.own_rows import PAGE, Import, Row, is_same, stored
from warehouse.privacy import audit
from warehouse.privacy.stops import Stops
from warehouse.schema import METADATA, delivery, own_change, source_cursor
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from sources.kit.own_lists import OwnList

_BATCH = 500
LICENCE = "none: given by the person"


@dataclass
class Outcome:
    """What became of the rows; `stopped` of those taken are on the do-not-contact list."""

    counts: Counter[str] = field(default_factory=Counter)
    stopped: int = 0
    delivery_id: int | None = None
    open_rules: Counter[str] = field(default_factory=Counter)


def sort_rows(connection: Connection, given: Import) -> tuple[Outcome, list[Row], list[Row]]:
    """(what would become of the rows, new ones, changed ones); reads only.

    A row whose time of deletion is past already is out of scope: the next file does not bring back
    what retention deleted.
    """
    outcome = Outcome(stopped=_stopped(connection, given))
    _keep_withdrawals(connection, given)
    rows = stored(given)
    held = _held(connection, given.own, [row["event_reference"] for row in rows])
    new: list[Row] = []
    changed: list[Row] = []
    today = given.now.date()
    for row in rows:
        before = held.get(row["event_reference"])
        if before is None and row["delete_after"] is not None and row["delete_after"] <= today:
            outcome.counts["out_of_scope"] += 1
        elif before is None:
            row.pop("every_hash", None)
            new.append(row)
        elif is_same(before, row):
            outcome.counts["unchanged"] += 1
        else:
            changed.append(row)
    outcome.counts.update(new=len(new), changed=len(changed), superseded=given.superseded)
    outcome.counts["quarantined"] = len(given.rejected)
    outcome.open_rules.update(rule for _, rules, _, _ in given.rejected for rule in rules)
    return outcome, new, changed


def load(connection: Connection, given: Import) -> Outcome:
    """Write the import in the caller's transaction, with its delivery, origins and audit event."""
    outcome, new, changed = sort_rows(connection, given)
    delivery_id = take_numbers(connection, "delivery", 1)
    outcome.delivery_id = delivery_id
    _write_delivery(connection, given, delivery_id, outcome)
    _insert(connection, given, delivery_id, new)
    _update(connection, given, delivery_id, changed)
    put_aside(connection, given.own.source_id, given.rejected, delivery_id, given.now)
    settle(connection, given.own.source_id, [row["event_reference"] for row in given.rows])
    audit.record_event(
        connection,
        given.actor,
        "import",
        given.now,
        subject=f"delivery {delivery_id}",
        detail={"list": given.own.code, **dict(outcome.counts)},
    )
    return outcome


def table_of(own: OwnList) -> sa.Table:
    """The list's table."""
    return METADATA.tables[own.table]


def key_of(table: sa.Table) -> sa.Column[Any]:
    """The list's own number of a row."""
    (key,) = table.primary_key.columns
    return key


def _keep_withdrawals(connection: Connection, given: Import) -> None:
    """A consent that was withdrawn stays so: a list exported before does not know it yet.

    Only a consent given after the withdrawal is another one.
    """
    table = table_of(given.own)
    if "withdrawn_at" not in table.c:
        return
    query = sa.select(table.c.event_reference, table.c.withdrawn_at)
    known = connection.execute(query.where(table.c.withdrawn_at.is_not(None))).all()
    withdrawn = {row.event_reference: row.withdrawn_at for row in known}
    for row in given.rows:
        held = withdrawn.get(row["event_reference"])
        if held is not None and row["withdrawn_at"] is None and row["consented_at"] <= held:
            row["withdrawn_at"] = held


def _held(connection: Connection, own: OwnList, references: Sequence[str]) -> dict[str, Row]:
    """What tells a held row from the one that came: its digest, and a consent's hash."""
    table = table_of(own)
    told = ("event_reference", "digest", "key_version", "contact_hash")
    columns = [table.c[name] for name in told if name in table.c]
    found: dict[str, Row] = {}
    for start in range(0, len(references), _BATCH):
        query = sa.select(*columns).where(
            table.c.event_reference.in_(references[start : start + _BATCH])
        )
        for row in connection.execute(query).mappings():
            found[row["event_reference"]] = dict(row)
    return found


def _stopped(connection: Connection, given: Import) -> int:
    """Rows of a person or company on the do-not-contact list, which an import never lifts."""
    stops = Stops.read(connection, given.keys)
    if not stops.roots:
        return 0
    return sum(_is_stopped(stops, row) for row in given.rows)


def _is_stopped(stops: Stops, row: Row) -> bool:
    email = row.get("email")
    asked = {"lei": row.get("lei"), "email": email, "phone": row.get("phone")}
    asked["domain"] = email.rpartition("@")[2] if email else None
    if any(value and stops.covers_value(kind, value) for kind, value in asked.items()):  # type: ignore[arg-type]
        return True
    number = row.get("registration_number")
    key = f"{row['registration_authority']}:{number}" if number else None
    return bool(key and stops.root("register", key) is not None)


def _write_delivery(
    connection: Connection, given: Import, delivery_id: int, outcome: Outcome
) -> None:
    """The delivery, and on whose word its values rest: no public database's."""
    differs = any(outcome.counts[name] for name in ("new", "changed"))
    connection.execute(
        delivery.insert().values(
            delivery_id=delivery_id,
            source_id=given.own.source_id,
            kind="file",
            url=f"file:{given.file.name}",
            retrieved_at=given.file.retrieved_at,
            byte_count=given.file.byte_count,
            sha256=given.file.sha256,
            status="loaded" if differs else "unchanged",
            mapping_version=1,
            unknown_columns=", ".join(given.dropped) or None,
            run_id=given.run_id,
            records_in=sum(outcome.counts.values()),
            **{f"records_{name}": count for name, count in outcome.counts.items()},
        )
    )
    card = {
        "source_id": given.own.source_id,
        "publisher": given.controller,
        "database_name": f"own list: {given.own.code}",
        "is_public_database": False,
        "licence": LICENCE,
        "record_url_template": "",
    }
    updates = tuple(name for name in card if name != "source_id")
    upsert(connection, source_cursor, [card], keys=("source_id",), updates=updates)


def _insert(connection: Connection, given: Import, delivery_id: int, rows: Sequence[Row]) -> None:
    table = table_of(given.own)
    if not rows:
        return
    first = take_numbers(connection, table.name, len(rows))
    origin = {
        "first_delivery_id": delivery_id,
        "last_delivery_id": delivery_id,
        "obtained_at": given.file.retrieved_at,
    }
    key = key_of(table).name
    for start in range(0, len(rows), PAGE):
        page = rows[start : start + PAGE]
        numbered = [{**row, **origin, key: first + start + nth} for nth, row in enumerate(page)]
        connection.execute(table.insert(), numbered)


def _update(connection: Connection, given: Import, delivery_id: int, rows: Sequence[Row]) -> None:
    """The new content, and what changed: of personal fields only that they did."""
    table = table_of(given.own)
    key = key_of(table)
    changes = []
    for row in rows:
        before = (
            connection.execute(
                sa.select(table).where(table.c.event_reference == row["event_reference"])
            )
            .mappings()
            .one()
        )
        for name in row:
            if name in _TOLD or row[name] == before[name]:
                continue
            is_personal = bool(table.c[name].info["personal"])
            changes.append(
                {
                    "list_code": given.own.code,
                    "own_id": before[key.name],
                    "field": name,
                    "delivery_id": delivery_id,
                    "old_value": None if is_personal else _text(before[name]),
                    "new_value": None if is_personal else _text(row[name]),
                    "changed_at": given.now,
                }
            )
        connection.execute(
            table.update()
            .where(key == before[key.name])
            .values(**row, last_delivery_id=delivery_id)
        )
    if changes:
        connection.execute(own_change.insert(), changes)


_TOLD = frozenset(
    {"digest", "key_version", "state", "inactive_after", "inactive_reason", "delete_after"}
)
"""What follows from the fields, and is no field itself."""


def _text(value: object) -> str | None:
    return None if value is None else str(value)
