"""The owner's lists on their way out: active → inactive → gone, by the policy row of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from sources.kit.errors import Refused
from sources.kit.own_lists import own_lists
from sources.kit.period import add_to_date
from warehouse.engine import writing
from warehouse.privacy import audit
from warehouse.privacy.deletion import BATCH, log_act
from warehouse.privacy.retention import policy
from warehouse.privacy.stops import Stops
from warehouse.schema import METADATA, own_change, quarantined_row, suppression

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Engine

    from sources.kit.keys import Keys
    from sources.kit.policy import DeletionCap, RetentionPolicy
    from warehouse.privacy.deletion_words import Act

AFTER_A_TIME = "inactive_after"
OBJECTION = "objection"
_MANAGED = "is_managed"
CLOCKWORK = ("visits",)
"""Lists that no person answers to by name and that go by the clock alone: many rows are one act."""


class _End(NamedTuple):
    """Which policy row a list lives by, and which column ends it under which condition."""

    policy_id: str
    column: str | None = None
    condition: str | None = None


_ENDS = {
    "customers": _End("customer", "relationship_end_date", "relationship_ended"),
    "enquiries": _End("enquirer"),
    "visits": _End("visitor"),
    "consents": _End("consent", "withdrawn_at", "withdrawn"),
}


@dataclass(frozen=True)
class Way:
    """One list's policy row and its end."""

    row: RetentionPolicy
    end: _End

    def end_of(self, held: Any) -> date | None:  # noqa: ANN401 (a row of any of the lists)
        """The day its relationship or consent ended or will end; None while it goes on.

        A company whose LEI we manage is a customer, whatever end its row states.
        """
        if held.get(_MANAGED):
            return None
        moment = held[self.end.column] if self.end.column else None
        return moment.date() if isinstance(moment, datetime) else moment

    def of(
        self, event: date, end: date | None, objected: date | None = None
    ) -> tuple[date | None, str | None, date | None]:
        """(inactive from, the condition, deleted from); all None while it goes on."""
        found: list[tuple[date, str]] = []
        if self.row.inactive_after:
            found.append((add_to_date(event, self.row.inactive_after), AFTER_A_TIME))
        ends = ((end, self.end.condition), (objected, OBJECTION))
        found += [
            (day, name) for day, name in ends if day and name and name in self.row.inactive_when
        ]
        if not found:
            return None, None, None
        inactive, reason = min(found)
        delete = add_to_date(inactive, self.row.delete_after_inactive)
        if self.row.cap_from_start:
            delete = min(delete, add_to_date(event, self.row.cap_from_start))
        return min(inactive, delete), reason, delete


@dataclass(frozen=True)
class Move:
    """A row to make inactive, active again, or to give other dates."""

    list_code: str
    own_id: int
    state: str
    reason: str | None
    since: date | None
    delete_after: date | None
    was: str = field(repr=False, default="active")

    @property
    def kind(self) -> str:
        """What the run counts it as."""
        if self.state == self.was:
            return "rescheduled"
        return "deactivated" if self.state == "inactive" else "reactivated"


@dataclass(frozen=True)
class OwnDue:
    """One row of one list whose time has come."""

    list_code: str
    own_id: int
    policy_id: str
    reason: str
    delete_after: date


def way_out(policies: Sequence[RetentionPolicy], code: str) -> Way:
    """The list's way out; `SettingsInvalid` without its policy row: nothing is kept without one."""
    return Way(policy(policies, _ENDS[code].policy_id), _ENDS[code])


def plan_moves(
    connection: Connection, policies: Sequence[RetentionPolicy], keys: Keys, as_of: date
) -> list[Move]:
    """Every row whose state or dates are not what its policy row says on that day; reads only."""
    return [
        move
        for code in own_lists()
        for move in _moves(connection, code, way_out(policies, code), keys, as_of)
    ]


def apply_moves(
    connection: Connection, moves: Sequence[Move], *, actor: str, now: datetime
) -> None:
    """Carry them out in the caller's transaction, with one audit event."""
    for code in own_lists():
        table = _table(code)
        rows = [
            {
                "row": move.own_id,
                "now": move.state,
                "from_day": move.since,
                "why": move.reason,
                "until_day": move.delete_after,
            }
            for move in moves
            if move.list_code == code
        ]
        if rows:
            change = table.update().where(_key(table) == sa.bindparam("row"))
            connection.execute(
                change.values(
                    state=sa.bindparam("now"),
                    inactive_after=sa.bindparam("from_day"),
                    inactive_reason=sa.bindparam("why"),
                    delete_after=sa.bindparam("until_day"),
                ),
                rows,
            )
    counts = Counter(f"{move.list_code}_{move.kind}" for move in moves)
    if counts:
        audit.record_event(connection, actor, "deactivate", now, detail=dict(counts))


def due(connection: Connection, as_of: date) -> list[OwnDue]:
    """What the policy deletes on that day, list by list."""
    found = []
    for code in own_lists():
        table = _table(code)
        query = (
            sa.select(_key(table), table.c.inactive_reason, table.c.delete_after)
            .where(table.c.state == "inactive", table.c.delete_after <= as_of)
            .order_by(_key(table))
        )
        found += [
            OwnDue(code, row[0], _ENDS[code].policy_id, row[1], row[2])
            for row in connection.execute(query)
        ]
    return found


def check_cap(found: Sequence[OwnDue], cap: DeletionCap) -> None:
    """Refuse when more persons' rows would go than the cap allows; visits go by the clock alone."""
    count = sum(item.list_code not in CLOCKWORK for item in found)
    if count > cap.max_rows:
        raise Refused(
            "deletion run",
            f"{count} rows of the owner's lists would go, more than the cap of {cap.max_rows}",
            "Look at the list with --dry-run, then run `sourcenote delete --confirm`",
        )


def delete(engine: Engine, found: Sequence[OwnDue], act: Act) -> dict[str, int]:
    """Delete the rows in batches, each person's whole or not at all; returns rows by table."""
    totals: Counter[str] = Counter()
    for start in range(0, len(found), BATCH):
        with writing(engine) as connection:
            acts = 0
            for items in _acts(found[start : start + BATCH]):
                with connection.begin_nested():
                    counts = _delete_rows(connection, items)
                    log_act(connection, counts, items[0].policy_id, items[0].reason, act)
                totals.update(counts)
                acts += 1
            audit.record_event(connection, act.actor, "delete", act.now, detail={"acts": acts})
    return dict(totals)


def _acts(batch: Sequence[OwnDue]) -> Iterator[list[OwnDue]]:
    """One row an act, so that the log counts persons; of visits all that go for one reason."""
    together: dict[tuple[str, str], list[OwnDue]] = {}
    for item in batch:
        if item.list_code in CLOCKWORK:
            together.setdefault((item.list_code, item.reason), []).append(item)
        else:
            yield [item]
    yield from together.values()


def _delete_rows(connection: Connection, items: Sequence[OwnDue]) -> dict[str, int]:
    """The rows, their history, and what stands in quarantine under their references."""
    code = items[0].list_code
    table, ids = _table(code), [item.own_id for item in items]
    is_one = _key(table).in_(ids)
    references = sa.select(table.c.event_reference).where(is_one)
    own = own_lists()[code]
    conditions: list[tuple[sa.Table, sa.ColumnElement[bool]]] = [
        (own_change, (own_change.c.list_code == code) & own_change.c.own_id.in_(ids)),
        (
            quarantined_row,
            (quarantined_row.c.source_id == own.source_id)
            & quarantined_row.c.source_key.in_(references),
        ),
        (table, is_one),
    ]
    return {
        each.name: connection.execute(each.delete().where(condition)).rowcount
        for each, condition in conditions
    }


def _moves(connection: Connection, code: str, way: Way, keys: Keys, as_of: date) -> Iterator[Move]:
    table = _table(code)
    objections = _objections(connection, table, way, keys)
    names = ("event_date", "state", "inactive_after", "inactive_reason", "delete_after")
    wanted = [table.c[name] for name in names]
    if way.end.column:
        wanted.append(table.c[way.end.column])
    if _MANAGED in table.c:
        wanted.append(table.c[_MANAGED])
    rows = connection.execute(sa.select(_key(table).label("own_id"), *wanted)).mappings()
    known: dict[Any, Any] = {}
    for row in rows:
        asked = (row["event_date"], way.end_of(row), objections.get(row["own_id"]))
        if asked not in known:
            known[asked] = way.of(*asked)
        since, reason, delete_after = known[asked]
        state = "inactive" if since is not None and since <= as_of else "active"
        held = (row["state"], row["inactive_after"], row["inactive_reason"], row["delete_after"])
        if held != (state, since, reason, delete_after):
            yield Move(code, row["own_id"], state, reason, since, delete_after, row["state"])


def _objections(connection: Connection, table: sa.Table, way: Way, keys: Keys) -> dict[int, date]:
    """Rows whose contact is on the do-not-contact list, and since when; where the policy asks."""
    if OBJECTION not in way.row.inactive_when or "email" not in table.c:
        return {}
    stops = Stops.read(connection, keys)
    if not stops.roots:
        return {}
    since = sa.select(suppression.c.suppression_id, suppression.c.added_at)
    added = {row.suppression_id: row.added_at for row in connection.execute(since)}
    found = {}
    for row in connection.execute(sa.select(_key(table), table.c.email, table.c.phone)):
        domain = row[1] and row[1].rpartition("@")[2]
        values = (("email", row[1]), ("phone", row[2]), ("domain", domain))
        roots = (stops.root(kind, value) for kind, value in values if value)
        root = next((each for each in roots if each is not None), None)
        if root is not None:
            found[row[0]] = added[root].date()
    return found


def _table(code: str) -> sa.Table:
    return METADATA.tables[own_lists()[code].table]


def _key(table: sa.Table) -> sa.Column[Any]:
    (key,) = table.primary_key.columns
    return key
