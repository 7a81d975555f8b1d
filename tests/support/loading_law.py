"""The rules of loading as a plain model: one dictionary, one row at a time, every consequence.

HOUSE.md (The model) and docs/decisions/0006 say what is stale; the model follows them to the
outcome of every row, the values held, their origins, the changes, the absences and the cursor.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from ingesting import OUTCOMES, lei
from publishing import Line, Sent

from sources.gleif_columns import MAPPED
from sources.kit import columns
from sources.kit.columns import change_name

ROUTING = "headquarters_mail_routing"
VANISHED = "vanished_at"


@cache
def kept(line: Line) -> dict[str, str | None]:
    """What `record` holds of a line: no care-of part, and of a person only the skeleton."""
    row = line.row()
    values = {ours: row[theirs] or None for theirs, ours in MAPPED.items() if ours != "source_key"}
    values[ROUTING] = None
    if line.is_person:
        values |= dict.fromkeys(columns.PERSONAL_OF_NATURAL)
    return values


def kept_apart(line: Line) -> str | None:
    """What `personal_value` holds of a line."""
    return None if line.is_person else line.care_of


def is_same(one: Line, other: Line) -> bool:
    """Whether nothing that is kept of them differs."""
    return (kept(one), kept_apart(one)) == (kept(other), kept_apart(other))


@dataclass
class Change:
    """One row of `change`; when something vanished is told by a plain word."""

    number: int
    name: str
    old: str | None
    new: str | None
    delivery: int
    is_current: bool = True

    def row(self) -> tuple[object, ...]:
        return lei(self.number), self.name, self.old, self.new, self.delivery, self.is_current


@dataclass
class Held:
    """One record: its content, which publication and delivery brought it, and since when not."""

    line: Line
    published: int | None
    first: int
    absent: int = 0
    is_vanished: bool = False
    care_of_from: int | None = None


@dataclass
class Law:
    """What is held after the deliveries so far."""

    held: dict[int, Held] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    applied: int | None = None
    newest_full: int | None = None
    seen: dict[bytes, list[tuple[str, int | None]]] = field(default_factory=dict)
    outcomes: dict[int, str] = field(default_factory=dict)

    def deliver(self, sent: Sent, delivery: int) -> dict[str, int]:
        """The counts of the delivery that is loaded under that number."""
        kind, content = sent.kind or "file", sent.content()
        before = self.seen.setdefault(content, [])
        compared = _Compared.of(sent, before)
        self.outcomes = {n: self._beside_held(line, compared) for n, line in sent.told.items()}
        vanished = self._count_absences(sent, kind, before, compared, delivery)
        for line in sent.told.values():
            self._apply(line, self.outcomes[line.number], compared, delivery)
        self._move_cursor(sent, kind, before)
        before.append((kind, sent.slot))
        tally = Counter(self.outcomes.values())
        counts = {f"records_{name}": tally[name] for name in OUTCOMES}
        counts["records_superseded"] = len(sent.lines) - len(sent.told)
        counts["records_minimised"] = sum(
            line.is_person and self.outcomes[n] != "stale" for n, line in sent.told.items()
        )
        return counts | {"records_in": len(sent.lines), "records_vanished": vanished}

    def confirmed(self, held: Held) -> int | None:
        """The publication that last confirmed this content: the writer's, or what is applied."""
        if held.published is None or held.absent or self.applied is None:
            return held.published
        return max(held.published, self.applied)

    def _beside_held(self, line: Line, compared: _Compared) -> str:
        held = self.held.get(line.number)
        if held is None:
            return "new"
        if is_same(held.line, line):
            return "unchanged"
        is_older = line.updated < held.line.updated
        confirmed, published = self.confirmed(held), compared.published
        if confirmed is None or published is None:
            return "stale" if is_older or compared.is_again else "changed"
        is_no_later = line.updated <= held.line.updated
        is_late = published < confirmed and (is_no_later or compared.is_again)
        return "stale" if is_late else "changed"

    def _apply(self, line: Line, outcome: str, compared: _Compared, delivery: int) -> None:
        published = compared.published
        if outcome == "new":
            is_late = None not in (published, self.newest_full) and published < self.newest_full
            made = Held(line, published, delivery, absent=int(is_late))
            made.care_of_from = delivery if kept_apart(line) else None
            self.held[line.number] = made
        elif outcome == "changed":
            self._change(self.held[line.number], line, published, delivery)

    def _change(self, held: Held, line: Line, published: int | None, delivery: int) -> None:
        old, new = kept(held.line), kept(line)
        if line.is_person:
            gone = {change_name(name) for name in columns.PERSONAL_OF_NATURAL}
            self.changes = [
                c for c in self.changes if c.number != line.number or c.name not in gone
            ]
        for name in new:
            if old[name] != new[name] and (name in columns.SKELETON or not line.is_person):
                self._write(line.number, change_name(name), old[name], new[name], delivery)
        if kept_apart(line) != kept_apart(held.line):
            held.care_of_from = delivery if kept_apart(line) else None
        held.line, held.published = line, published

    def _write(
        self, number: int, name: str, old: str | None, new: str | None, delivery: int
    ) -> None:
        for change in self.changes:
            if (change.number, change.name) == (number, name):
                change.is_current = False
        self.changes.append(Change(number, name, old, new, delivery))

    def _count_absences(
        self,
        sent: Sent,
        kind: str,
        before: list[tuple[str, int | None]],
        compared: _Compared,
        delivery: int,
    ) -> int:
        """Mark who vanished and who is back; both only by what is no older than the last count."""
        last, published = self.newest_full, compared.published
        is_dated, vanished = published is not None, 0
        is_repeat = any(was == kind for was, _ in before)
        is_newer = is_dated and (last is None or published > last)
        counts = kind == "full" and is_newer and not is_repeat
        for number, held in self.held.items():
            if number in self.outcomes:
                if held.absent and is_dated and (last is None or published >= last):
                    if held.is_vanished:
                        self._write(number, VANISHED, "then", None, delivery)
                    held.absent, held.is_vanished = 0, False
            elif counts and (held.published is None or held.published < published):
                held.absent += 1
                if held.absent == 2:
                    held.is_vanished = True
                    self._write(number, VANISHED, None, "then", delivery)
                    vanished += 1
        return vanished

    def _move_cursor(self, sent: Sent, kind: str, before: list[tuple[str, int | None]]) -> None:
        earlier = [slot for was, slot in before if was == kind]
        slot = sent.slot
        if slot is None or (not sent.is_fetched and earlier and slot not in earlier):
            return
        if kind == "full":
            self.newest_full = max(slot, self.newest_full or slot)
        elif sent.reach is None or self.applied is None or slot - sent.reach > self.applied:
            return
        self.applied = max(slot, self.applied or slot)

    def origins(self) -> dict[tuple[str, str], int]:
        """The delivery that first brought each value shown, by LEI and field."""
        found: dict[tuple[str, str], int] = {}
        for number, held in self.held.items():
            values = kept(held.line)
            for shown, name in (("lei", None), *columns.SHOWN):
                if name is None or values.get(_published(name)) is not None:
                    found[lei(number), shown] = held.first
        for change in self.changes:
            if change.is_current and (lei(change.number), change.name) in found:
                found[lei(change.number), change.name] = change.delivery
        return found


def _published(name: str) -> str:
    """The published field that a shown one is made of."""
    return name if name in columns.PUBLISHED else name.removesuffix("_date") + "_published"


@dataclass(frozen=True)
class _Compared:
    """As what a delivery's rows are compared: its publication, and whether they were before."""

    published: int | None
    is_again: bool

    @classmethod
    def of(cls, sent: Sent, before: list[tuple[str, int | None]]) -> _Compared:
        """An undated file whose bytes came with a date is compared as of that date."""
        dated = [slot for _, slot in before if slot is not None]
        is_dated = sent.slot is not None
        return cls(
            sent.slot if is_dated else max(dated, default=None),
            sent.slot in dated if is_dated else bool(before),
        )
