"""Any sequence of deliveries ends as a clean load of the newest publications would (issue 3).

A publisher goes on publishing while its full files and deltas are loaded late, twice, in any order,
under other names, undated, or die half-way. After each step the warehouse is held to the law of
loading, and to what the publisher said. `make sequences` runs hundreds of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from random import Random

import dying
import ingesting
import pytest
from agreeing import disagreements, held_of
from breaking import COMMITTED, PLACES, Died
from dying import Death, Job
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from ingesting import Ingesting
from loading_law import Law, is_same
from publishing import FIRST, MOVES, SLOT, Line, Publisher, Sent, receive

ANY = st.integers(0, 99)
"""Which publication or delivery, counted from the newest, as far as there are that many."""
CHANGES = st.dictionaries(st.integers(0, 5), st.sampled_from(MOVES), max_size=4)
GAPS = st.integers(1, 5)
LENGTHS = st.sampled_from([1, 1, 1, 2, 3])
"""How many publications a delta reaches back."""
MOSTLY = st.sampled_from([True, True, False])
MOST, STEPS = 12, 9
"""Publications of one history, and what may happen in one sequence."""


class Sequence(RuleBasedStateMachine):
    """One history and the deliveries of it, held to the law and to the publisher's word."""

    place: Ingesting
    clean: Ingesting
    url: str
    ended = 0

    def __init__(self) -> None:
        super().__init__()
        self.place.at(ingesting.MOMENT).empty()
        self.place.written = 0
        self.publisher, self.law = Publisher(), Law()
        self.sent: list[Sent] = []
        self.blurred: set[int] = set()
        self.newest = -1
        self.is_sound = True

    @initialize(steps=st.lists(st.tuples(GAPS, CHANGES), min_size=3, max_size=6), is_led=MOSTLY)
    def begin(self, steps: list[tuple[int, dict[int, str]]], is_led: bool) -> None:
        """Some publications; mostly the first of them is loaded in full."""
        for gap, moves in steps:
            self.publisher.publish(gap, moves)
        if is_led:
            self._load(self.publisher.full(0))

    @precondition(lambda self: len(self.publisher.slots) < MOST)
    @rule(gap=GAPS, moves=CHANGES)
    def publish(self, gap: int, moves: dict[int, str]) -> None:
        self.publisher.publish(gap, moves)

    @rule(back=ANY)
    def full(self, back: int) -> None:
        self._load(self.publisher.full(self._step(back)))

    @rule(back=ANY, length=LENGTHS, says_reach=MOSTLY, is_doubled=st.booleans())
    def delta(self, back: int, length: int, says_reach: bool, is_doubled: bool) -> None:
        step = self._step(back)
        since = max(step - length, 0)
        if step > since:
            made = self.publisher.delta(since, step, says_reach=says_reach, is_doubled=is_doubled)
            self._load(made)

    @rule()
    def follow(self) -> None:
        """What a schedule does: the delta from what is applied to what is newest."""
        slots = self.publisher.slots
        if self.law.applied in slots and self.law.applied != slots[-1]:
            since = slots.index(self.law.applied)
            self._load(self.publisher.delta(since, len(slots) - 1))

    @precondition(lambda self: self.sent)
    @rule(back=ANY, name=st.sampled_from(["the same", "the same", "of a kind", "of nothing"]))
    def again(self, back: int, name: str) -> None:
        """Bytes that were loaded, under the name they had or one that says less."""
        sent = self.sent[-1 - back % len(self.sent)]
        if name == "the same":
            self._load(sent)
        elif sent.lines:
            self._load(sent.unstated(with_kind=name == "of a kind"))

    @rule(back=ANY, length=LENGTHS)
    def undated(self, back: int, length: int) -> None:
        step = self._step(back)
        sent = self.publisher.delta(max(step - length, -1), step)
        if sent.lines:
            self._load(sent.unstated(with_kind=False))

    @rule(back=ANY, place=st.sampled_from(sorted(PLACES)), is_retried=st.booleans())
    def die(self, back: int, place: str, is_retried: bool) -> None:
        step = self._step(back)
        sent = self.publisher.full(step)
        if step and back % 2:
            sent = self.publisher.delta(step - 1, step)
        before, deliveries = self.place.state(), self._deliveries()
        try:
            with PLACES[place]():
                self._load(sent)
        except Died:
            self._after_death(sent, place in COMMITTED, before, deliveries)
        if is_retried:
            self._load(sent)

    def _step(self, back: int) -> int:
        return len(self.publisher.slots) - 1 - back % len(self.publisher.slots)

    def _deliveries(self) -> int:
        found: int = self.place.one("SELECT COALESCE(max(delivery_id), 0) FROM delivery")
        return found

    def _load(self, sent: Sent) -> None:
        self.is_sound = False
        report = receive(self.place.later(hours=1), sent)
        expected = self.law.deliver(sent, report.delivery_id)
        assert report.counts == expected
        self._took(sent)

    def _after_death(self, sent: Sent, is_committed: bool, before: object, deliveries: int) -> None:
        """Nothing at all of it is there, or all of it."""
        event("died after the commit" if is_committed else "died before the commit")
        if is_committed:
            assert self._deliveries() == deliveries + 1
            self.law.deliver(sent, deliveries + 1)
            self._took(sent)
        else:
            assert self._deliveries() == deliveries
            assert self.place.state() == before
            self.is_sound = True

    def _took(self, sent: Sent) -> None:
        self.sent.append(sent)
        self._remember(sent)
        assert disagreements(self.place, self.law) == []
        assert self._contradictions() == []
        self.is_sound = True

    def _remember(self, sent: Sent) -> None:
        """Where the rules leave it open what a company is like.

        HOUSE.md: a row under a later date than the held one's is taken, though published earlier;
        beside what is undated the rows' own dates decide.
        """
        is_late = sent.slot is not None and sent.step < self.newest
        for number, line in sent.told.items():
            outcome = self.law.outcomes[number]
            if sent.slot is None:
                if outcome in {"new", "changed"}:
                    self.blurred.add(number)
                continue
            held = self.law.held[number]
            if is_late:
                if outcome == "changed" and not self.publisher.is_monotone(number, self.newest):
                    self.blurred.add(number)
            elif is_same(held.line, line) and held.published is not None:
                self.blurred.discard(number)
        if sent.slot is not None:
            self.newest = max(self.newest, sent.step)

    def _contradictions(self) -> list[str]:
        """Companies held as they were before what is applied, or not at all."""
        applied, found = self._applied(), []
        for number in self.publisher.states[applied] if applied >= 0 else ():
            held = self.law.held.get(number)
            states = self.publisher.states[applied : max(applied, self.newest) + 1]
            lines = [state[number] for state in states if number in state]
            if number in self.blurred:
                continue
            if held is None or not any(is_same(held.line, line) for line in lines):
                found.append(f"{number} is neither of {lines} but {held}")
        return found

    def _applied(self) -> int:
        slot = self.law.applied
        return -1 if slot is None else self.publisher.slots.index(slot)

    def teardown(self) -> None:
        if not self.is_sound or not self.sent:
            return
        self._ends_clean()
        type(self).ended += 1

    def _ends_clean(self) -> None:
        """With the newest full file: as if that alone had ever been loaded, and so it stays."""
        last = self.publisher.full(max(self.newest, 0))
        self._load(last)
        lines = [line for line in last.lines if self._is_settled(line)]
        self.clean.at(self.place.house.now()).empty()
        receive(self.clean, last)
        assert held_of(self.place, lines) == held_of(self.clean, lines)
        before = self.place.state()
        again = receive(self.place.later(hours=1), last)
        assert again.status == "unchanged"
        assert self.place.state() == before

    def _is_settled(self, line: Line) -> bool:
        """All but what an undated file brought beside it: nothing tells which of them is old."""
        held = self.law.held[line.number]
        is_open = held.published is None and self.law.outcomes[line.number] == "stale"
        assert is_open or is_same(held.line, line)
        return not is_open


class Killed(Sequence):
    """The same, and in between a process of its own that loads a full file is killed."""

    @rule(back=ANY, statement=st.integers(1, 60), is_retried=st.booleans())
    def kill(self, back: int, statement: int, is_retried: bool) -> None:
        house = self.place.later(hours=1).house
        sent = self.publisher.full(self._step(back), is_fetched=False)
        slot = FIRST + sent.slot * SLOT
        file = self.place.folder / f"{slot:%Y%m%d-%H%M}-gleif-goldencopy-lei2-golden-copy.csv"
        file.write_bytes(sent.content())
        job = Job("ingest", self.url, self.place.folder, house.now(), file)
        before, deliveries = self.place.state(), self._deliveries()
        dying.killed(job, Death(nth=statement))
        self._after_death(sent, self._deliveries() > deliveries, before, deliveries)
        if is_retried:
            self._load(sent)


def run(
    machine: type[Sequence], url: str, place: Ingesting, clean: Ingesting, times: float
) -> None:
    """So many sequences for each of the profile's examples."""
    bound = type(machine.__name__, (machine,), {"place": place, "clean": clean, "url": url})
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=max(1, round(settings().max_examples * times)),
            stateful_step_count=STEPS,
            suppress_health_check=[*HealthCheck],
        ),
    )
    dialect = place.house.engine.dialect.name
    sys.stdout.write(f"{machine.__name__}: {bound.ended} sequences on {dialect}\n")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingesting]:
    """Another house, for one load at a time."""
    folder = tmp_path_factory.mktemp("clean")
    url = f"sqlite:///{folder / 'warehouse.db'}"
    with ingesting.opened(url, folder, sources=ingesting.ANY_LENGTH) as place:
        yield place


def test_any_sequence_ends_as_a_clean_load(
    shared_url: str, wide: Ingesting, clean: Ingesting
) -> None:
    is_sqlite = wide.house.engine.dialect.name == "sqlite"
    run(Sequence, shared_url, wide, clean, 1 if is_sqlite else 0.3)


def test_any_sequence_with_killed_processes_does(
    shared_url: str, wide: Ingesting, clean: Ingesting
) -> None:
    run(Killed, shared_url, wide, clean, 0.1)


def whole(publisher: Publisher, draw: Random) -> list[Sent]:
    """Deliveries that tell all there is: a full file, and deltas that meet from there on."""
    steps = len(publisher.slots)
    first = draw.randrange(steps)
    found, since = [publisher.full(first)], first
    while since < steps - 1:
        step = draw.randint(since + 1, steps - 1)
        found.append(publisher.delta(draw.randint(max(since - 1, 0), since), step))
        since = step
    return found + [publisher.full(draw.randrange(steps)) for _ in range(draw.randrange(2))]


ADVANCES = [move for move in MOVES if move not in {"back", "gone"}]


@settings(max_examples=max(1, settings().max_examples // 3), suppress_health_check=[*HealthCheck])
@given(
    st.lists(
        st.tuples(GAPS, st.dictionaries(st.integers(0, 5), st.sampled_from(ADVANCES))),
        min_size=2,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_deliveries_that_tell_all_may_come_in_any_order(
    wide: Ingesting, clean: Ingesting, steps: list[tuple[int, dict[int, str]]], random: Random
) -> None:
    """Where no date is set back; the last of them is not always the newest."""
    publisher = Publisher()
    for gap, moves in steps:
        publisher.publish(gap, {n: "fresh" if m == "revert" else m for n, m in moves.items()})
    sent = whole(publisher, random)
    random.shuffle(sent)
    wide.at(ingesting.MOMENT).empty()
    for one in sent:
        receive(wide.later(hours=1), one)
    newest = publisher.full(len(steps) - 1)
    clean.at(wide.house.now()).empty()
    receive(clean, newest)
    assert held_of(wide, newest.lines) == held_of(clean, newest.lines)
    assert wide.one("SELECT count(*) FROM record") == len(newest.lines)
