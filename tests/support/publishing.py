"""A publisher with a growing history, right by construction, and the deliveries it can send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from ingesting import COLUMNS, Ingesting, Report, Row, company, csv_bytes, moment, quiet

from flows import ingest_steps
from flows.ledger import ledger_run
from sources import gleif
from warehouse.engine import sole_writer

FIRST = datetime(2026, 9, 28, tzinfo=UTC)
SLOT = timedelta(hours=8)
DAY_0 = date(2026, 8, 1)
MOVES = ("fresh", "tie", "back", "revert", "retire", "person", "routed", "gone")
"""What may become of a company between two publications; see `_moved`."""


@dataclass(frozen=True)
class Line:
    """What is published of one company; `updated` counts days."""

    number: int
    name: str
    updated: int
    is_retired: bool = False
    is_person: bool = False
    care_of: str | None = None

    def row(self) -> Row:
        """The line as published."""
        return company(
            self.number,
            legal_name=self.name,
            legal_city=f"By {self.name}",
            last_update_published=moment(DAY_0 + timedelta(days=self.updated)),
            lei_status="RETIRED" if self.is_retired else "ISSUED",
            entity_category="SOLE_PROPRIETOR" if self.is_person else "GENERAL",
            headquarters_mail_routing=self.care_of or "",
        )


State = Mapping[int, Line]


@dataclass(frozen=True)
class Sent:
    """One delivery: a publication's full file, or what changed in the slots before it.

    `step` is the publication it truly is. `slot` is the one it says, None where it says none;
    `kind` is None where it does not say that either. `reach` counts slots.
    """

    kind: str | None
    step: int
    slot: int | None
    lines: tuple[Line, ...]
    reach: int | None = None
    is_fetched: bool = False

    @property
    def published_at(self) -> datetime | None:
        return None if self.slot is None else FIRST + self.slot * SLOT

    @property
    def told(self) -> dict[int, Line]:
        """The line that counts for each company: the one under the latest date."""
        return {line.number: line for line in sorted(self.lines, key=lambda line: line.updated)}

    def content(self) -> bytes:
        """The bytes, by which a repeated delivery is known."""
        return _content(self.lines)

    def unstated(self, *, with_kind: bool) -> Sent:
        """The same bytes under a name that does not say when they were published."""
        kind = self.kind if with_kind else None
        return replace(self, kind=kind, slot=None, reach=None, is_fetched=False)


@cache
def _content(lines: tuple[Line, ...]) -> bytes:
    return csv_bytes([line.row() for line in lines], COLUMNS)


@dataclass
class Publisher:
    """Publications so far: their slots, what each lists, and whose line differs from before."""

    slots: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    touched: list[frozenset[int]] = field(default_factory=list)
    versions: dict[int, list[Line]] = field(default_factory=dict)

    def publish(self, gap: int, moves: Mapping[int, str]) -> None:
        """One more publication, `gap` slots after the last one."""
        before = self.states[-1] if self.states else {}
        after = dict(before)
        for number, move in moves.items():
            line = self._moved(number, move, is_listed=number in before)
            if line is None:
                after.pop(number, None)
                continue
            after[number] = line
            self.versions.setdefault(number, []).append(line)
        after.setdefault(0, Line(0, "v0", 10))  # no full file is empty
        self.versions.setdefault(0, [after[0]])
        self.slots.append((self.slots[-1] if self.slots else 0) + gap)
        self.states.append(after)
        self.touched.append(frozenset(n for n in after if before.get(n) != after[n]))

    def _moved(self, number: int, move: str, *, is_listed: bool) -> Line | None:
        """The company's next line, None when it is listed no more.

        fresh: a new name, a later date; tie: a new name under the same date; back: under an
        earlier one; revert: the version before last, date and all; routed: another care-of line.
        Who is not listed comes (back) as last listed.
        """
        versions = self.versions.get(number, [])
        last = versions[-1] if versions else Line(number, "v0", 10)
        if not is_listed:
            return last
        if move == "gone":
            return None if number else last
        if move == "revert":
            return versions[-2] if len(versions) > 1 else last
        days = {"tie": 0, "routed": 0, "back": -1}.get(move, 1)
        changes: dict[str, Any] = {
            "retire": {"is_retired": not last.is_retired},
            "person": {"is_person": not last.is_person},
            "routed": {"care_of": None if last.care_of else f"c/o Prøve Nr{len(versions)}"},
        }.get(move, {"name": f"v{len(versions)}"})
        return replace(last, updated=last.updated + days, **changes)

    def full(self, step: int, *, is_fetched: bool = True) -> Sent:
        """The full file of a publication."""
        lines = _ordered(self.states[step].values())
        return Sent("full", step, self.slots[step], lines, is_fetched=is_fetched)

    def delta(
        self, since: int, step: int, *, says_reach: bool = True, is_doubled: bool = False
    ) -> Sent:
        """Every line that differed at any publication after `since`, as it stands at `step`.

        `is_doubled`: with earlier lines of the same companies before them, and one line twice.
        """
        touched = frozenset[int]().union(*self.touched[since + 1 : step + 1])
        lines = _ordered(self.states[step][n] for n in touched if n in self.states[step])
        if is_doubled and lines:
            lines = (*self._earlier(lines, since, step), *lines, lines[0])
        reach = self.slots[step] - self.slots[since] if says_reach else None
        return Sent("delta", step, self.slots[step], lines, reach, is_fetched=says_reach)

    def _earlier(self, lines: tuple[Line, ...], since: int, step: int) -> list[Line]:
        """One line of each company from within that time, if one has an earlier date."""
        found = {}
        for state in self.states[since + 1 : step]:
            for line in lines:
                was = state.get(line.number)
                if was is not None and was.updated < line.updated:
                    found[line.number] = was
        return list(found.values())

    def is_monotone(self, number: int, step: int) -> bool:
        """Whether no publication up to that one set the company's date back."""
        dates = [state[number].updated for state in self.states[: step + 1] if number in state]
        return dates == sorted(dates)


def _ordered(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: line.number))


def receive(place: Ingesting, sent: Sent) -> Report:
    """Land and load a delivery as it is fetched, or given by hand under a name of its own."""
    place.written += 1
    path = place.folder / f"delivery {place.written}.csv"
    path.write_bytes(sent.content())
    kind: Any = sent.kind
    house = place.house
    landed = gleif.adopt(
        path, house.landing, house.now(), kind=kind, published_at=sent.published_at
    )
    landed = replace(
        landed,
        record_count=len(sent.lines),
        reach=None if sent.reach is None else sent.reach * SLOT,
        url=f"https://publisher.example/{path.name}" if sent.is_fetched else landed.url,
    )
    with sole_writer(house.engine), ledger_run(house, "ingest", "gleif") as run:
        return ingest_steps.load_delivery(house, run.run_id, "gleif", landed, quiet)
