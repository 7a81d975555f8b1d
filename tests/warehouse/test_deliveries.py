"""The deliveries law, whatever comes in whatever order: a plain model of it, held beside the house.

Every row that comes in has exactly one outcome, and what is held afterwards is what the rules of
HOUSE.md (The model: stale, superseded, vanished) say of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingesting import COLUMNS, OUTCOMES, Ingesting, Row, company, csv_bytes, lei, moment

PERSON, STOPPED = 3, 6
START, LONG_AGO = date(2026, 9, 1), date(2020, 1, 1)


def some(share: int) -> settings:
    """A share of the profile's examples: each is several loads into a real database."""
    return settings(
        max_examples=max(1, settings().max_examples // share),
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@dataclass(frozen=True)
class Line:
    """One row: number 3 is always a sole trader, number 6 stands on the do-not-contact list."""

    number: int
    name: str
    updated_on: int
    is_retired: bool = False
    is_bad: bool = False

    @property
    def updated(self) -> date:
        return (LONG_AGO if self.is_retired else START) + timedelta(days=self.updated_on)

    @property
    def content(self) -> tuple[object, ...]:
        """What is kept of it: of a person no name."""
        name = None if self.number == PERSON and not self.is_bad else self.name
        return name, self.updated, self.is_retired, self.is_bad

    def row(self) -> Row:
        return company(
            self.number,
            legal_name=self.name,
            last_update_published=moment(self.updated),
            lei_status="RETIRED" if self.is_retired else "ISSUED",
            entity_status="GONE" if self.is_bad else "ACTIVE",
            entity_category="SOLE_PROPRIETOR" if self.number == PERSON else "GENERAL",
        )


@dataclass(frozen=True)
class Sent:
    """One delivery; `published` counts days from `START`, None where it is not stated."""

    kind: str
    published: int | None
    lines: tuple[Line, ...]

    def ingest(self, place: Ingesting, columns: list[str]) -> dict[str, int]:
        content = csv_bytes([line.row() for line in self.lines], columns)
        published = None if self.published is None else START + timedelta(days=self.published)
        kind = None if self.kind == "file" else self.kind
        return place.ingest(content, kind, published).counts


@dataclass
class Held:
    line: Line
    published: int | None
    absent: int = 0


@dataclass
class Law:
    """The model: one dictionary, one row at a time."""

    held: dict[int, Held] = field(default_factory=dict)
    newest_full: int | None = None
    seen_bytes: set[object] = field(default_factory=set)

    def deliver(self, sent: Sent) -> dict[str, int]:
        compared_as, is_again = self._compared(sent)
        outcomes = [self._beside_held(line, compared_as, is_again) for line in sent.lines]
        self._settle_twins(sent, outcomes)
        counts = Counter(outcomes)
        person = [o for line, o in zip(sent.lines, outcomes, strict=True) if line.number == PERSON]
        found = {f"records_{name}": counts[name] for name in OUTCOMES}
        found["records_in"] = len(sent.lines)
        found["records_minimised"] = sum(o in {"new", "changed", "unchanged"} for o in person)
        found["records_vanished"] = self._count_absences(sent, compared_as)
        for line, outcome in zip(sent.lines, outcomes, strict=True):
            before = self.held.get(line.number)
            if outcome in {"new", "changed"}:
                absent = before.absent if before else int(self._is_before_full(compared_as))
                self.held[line.number] = Held(line, compared_as, absent)
        if sent.kind == "full" and sent.published is not None:
            self.newest_full = max(sent.published, self.newest_full or 0)
        return found

    def _confirmed(self, held: Held) -> int | None:
        """The publication that last carried this content: the writer's, or a later full file's."""
        if held.published is None or held.absent or self.newest_full is None:
            return held.published
        return max(held.published, self.newest_full)

    def _compared(self, sent: Sent) -> tuple[int | None, bool]:
        """(the publication it is compared as, whether it was before): bytes are known again."""
        known = [was.published for was in self.seen_bytes if was.lines == sent.lines]
        dated = [published for published in known if published is not None]
        if sent.published is not None:
            return sent.published, sent.published in dated
        return max(dated, default=None), bool(known)

    def _is_before_full(self, published: int | None) -> bool:
        return None not in (published, self.newest_full) and published < self.newest_full

    def _beside_held(self, line: Line, published: int | None, is_again: bool) -> str:
        held = self.held.get(line.number)
        if held is None and line.is_retired and not line.is_bad:
            return "out_of_scope"
        if line.number == STOPPED:
            return "suppressed"
        if line.is_bad:
            return "quarantined"
        if held is None:
            return "new"
        if held.line.content == line.content:
            return "unchanged"
        confirmed = self._confirmed(held)
        if published is None or confirmed is None:
            return "stale" if is_again or line.updated < held.line.updated else "changed"
        is_no_later = is_again or line.updated <= held.line.updated
        is_older = published < confirmed and is_no_later
        return "stale" if is_older else "changed"

    def _settle_twins(self, sent: Sent, outcomes: list[str]) -> None:
        left_out = {"suppressed"} if sent.kind == "full" else {"suppressed", "quarantined"}
        groups: dict[int, list[int]] = {}
        for place, line in enumerate(sent.lines):
            if outcomes[place] not in left_out:
                groups.setdefault(line.number, []).append(place)
        for group in groups.values():
            if len(group) == 1 or all(outcomes[place] == "quarantined" for place in group):
                continue
            for place, outcome in self._twins(sent, group).items():
                outcomes[place] = outcome

    @staticmethod
    def _twins(sent: Sent, group: list[int]) -> dict[int, str]:
        """New outcomes of the rows of one repeated key; the winner keeps its own."""
        if len({sent.lines[place].content for place in group}) == 1:
            return dict.fromkeys(group[1:], "superseded")
        newest = max(sent.lines[place].updated for place in group)
        best = [place for place in group if sent.lines[place].updated == newest]
        if sent.kind == "full" or len({sent.lines[place].content for place in best}) > 1:
            return dict.fromkeys(group, "quarantined")
        return dict.fromkeys([place for place in group if place != best[-1]], "superseded")

    def _count_absences(self, sent: Sent, compared_as: int | None) -> int:
        seen = {line.number for line in sent.lines}
        is_repeat = sent in self.seen_bytes
        self.seen_bytes.add(sent)
        is_newer = sent.published is not None and (
            self.newest_full is None or sent.published > self.newest_full
        )
        counts, vanished = sent.kind == "full" and is_newer and not is_repeat, 0
        for number, held in self.held.items():
            confirmed = self._confirmed(held)
            if number in seen:
                if compared_as is not None and not self._is_before_full(compared_as):
                    held.absent = 0
            elif counts and (confirmed is None or confirmed < (sent.published or 0)):
                held.absent += 1
                vanished += held.absent == 2
        return vanished


LINES = st.lists(
    st.builds(
        Line,
        number=st.integers(0, 6),
        name=st.sampled_from(["Ask A/S", "Birk A/S"]),
        updated_on=st.integers(0, 4),
        is_retired=st.sampled_from([False] * 5 + [True]),
        is_bad=st.sampled_from([False] * 7 + [True]),
    ),
    min_size=1,
    max_size=9,
).map(tuple)
SENT = st.one_of(
    st.builds(Sent, st.sampled_from(["full", "full", "delta"]), st.integers(1, 20), LINES),
    st.builds(Sent, st.just("file"), st.none(), LINES),
)


@pytest.fixture
def stopped(wide: Ingesting) -> Ingesting:
    """With company 6 on the do-not-contact list."""
    wide.suppress(STOPPED)
    return wide


def holds(place: Ingesting) -> dict[str, tuple[object, ...]]:
    return {
        row["source_key"]: (
            row["legal_name"],
            row["last_update_published"],
            row["lei_status"],
            row["absent_count"],
            row["vanished_at"] is not None,
        )
        for row in place.tables("record")["record"]
    }


def expected(law: Law) -> dict[str, tuple[object, ...]]:
    return {
        lei(number): (
            None if number == PERSON else held.line.name,
            moment(held.line.updated),
            "RETIRED" if held.line.is_retired else "ISSUED",
            held.absent,
            held.absent >= 2,
        )
        for number, held in law.held.items()
    }


@some(5)
@given(st.lists(SENT, min_size=1, max_size=6), st.integers(0, 9))
def test_every_row_has_the_outcome_the_law_gives_it(stopped, deliveries, seed) -> None:
    place = stopped
    place.empty("suppression")
    law, columns = Law(), list(COLUMNS)
    Random(seed).shuffle(columns)
    for sent in deliveries:
        assert sent.ingest(place, columns) == law.deliver(sent)
        assert holds(place) == expected(law)
    for row in place.ask("SELECT * FROM deliveries"):
        assert row["records_in"] == sum(row[f"records_{name}"] for name in OUTCOMES)
        assert row["status"] in {"loaded", "unchanged"}
    ids = {"company_id", "record_id"}
    kept = place.tables("company_record")["company_record"]
    assert all(len({link[name] for link in kept}) == len(law.held) for name in ids)
    assert place.one("SELECT count(*) FROM prospects") == len(law.held)


@some(5)
@given(st.lists(SENT, max_size=2), SENT)
def test_the_same_delivery_again_changes_nothing(stopped, before, sent) -> None:
    """Whatever was held: every table is the same, row by row, and the report says so."""
    place = stopped
    place.empty("suppression")
    for earlier in (*before, sent):
        earlier.ingest(place, list(COLUMNS))
    held = place.state()
    rows = [line.row() for line in sent.lines]
    again = place.later(days=1).ingest(
        csv_bytes(rows),
        None if sent.kind == "file" else sent.kind,
        None if sent.published is None else START + timedelta(days=sent.published),
    )
    assert (again.status, again.reason) == ("unchanged", "the same bytes were loaded before")
    assert again.counts["records_new"] == again.counts["records_changed"] == 0
    assert place.state() == held


STEPS = st.lists(
    st.dictionaries(st.integers(0, 3), st.sampled_from(["fresh", "again", "tie"]), max_size=4),
    min_size=2,
    max_size=4,
)


def versions(steps: list[dict[int, str]]) -> list[Sent]:
    """Deltas, a day apart, in which a key's versions follow each other as a register's do.

    fresh: a new version under a new date; again: the version before, once more; tie: a new version
    under the date before, which only its publication tells apart.
    """
    last: dict[int, Line] = {}
    sent = []
    for day, step in enumerate(steps, 1):
        for number, how in step.items():
            before = last.get(number)
            if before is None or how == "fresh":
                last[number] = Line(number, f"version {day}", day)
            elif how == "tie":
                last[number] = Line(number, f"version {day}", before.updated_on)
        lines = tuple(last[number] for number in step)
        if lines:
            sent.append(Sent("delta", day, lines))
    return sent


@some(8)
@given(STEPS, st.randoms(use_true_random=False))
def test_the_order_in_which_deltas_come_makes_no_difference(stopped, steps, random) -> None:
    deltas = versions(steps)
    place, ends = stopped, []
    for order in (deltas, deltas[::-1], random.sample(deltas, len(deltas))):
        place.empty("suppression")
        for sent in order:
            sent.ingest(place, list(COLUMNS))
        ends.append(holds(place))
    assert all(end == ends[0] for end in ends)
    for number in range(4):
        newest = [line for sent in deltas for line in sent.lines if line.number == number]
        if newest and number != PERSON:
            assert ends[0][lei(number)][0] == newest[-1].name


@some(8)
@given(st.integers(2, 4), st.integers(0, 6), st.randoms(use_true_random=False))
def test_undated_deliveries_apply_by_the_records_own_date(stopped, count, dated, random) -> None:
    """Each version has a date of its own: then no publication is needed to tell them apart."""
    deliveries = []
    for day in range(count):
        lines = tuple(Line(number, f"version {day}", day) for number in (0, 1, PERSON))
        deliveries.append(Sent("delta", 15, lines) if day == dated else Sent("file", None, lines))
    random.shuffle(deliveries)
    place = stopped
    place.empty("suppression")
    for sent in deliveries:
        sent.ingest(place, list(COLUMNS))
    assert {name for name, *_ in holds(place).values()} == {None, f"version {count - 1}"}
