"""A publisher that is down keeps nobody from writing: the lock is held in attempts, not between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from ingesting import MOMENT, lei, settings_of
from kept import Holding
from standing import asked

from flows import door, ingest_run, ingest_steps, lifecycle
from flows.house import Clock, House
from flows.ingest_report import Request
from sources.kit.errors import Busy, SourceUnavailable
from sources.kit.standin import Pace, Publish, StandIn
from warehouse.engine import sole_writer

NEWS = MOMENT.replace(hour=8)


@pytest.fixture
def publisher(holding: Holding) -> Iterator[StandIn]:
    with StandIn([Publish(NEWS, holding.second)], pace=Pace(retry_after="0")) as standin:
        standin.misbehave("unavailable", on="any")
        yield standin


@contextmanager
def house_of(held: Holding, **more: Any) -> Iterator[House]:
    house = House(settings_of(held.url, held.home, **more), Clock(MOMENT))
    try:
        yield house
    finally:
        house.close()


def states(held: Holding) -> list[tuple[str, str]]:
    rows = asked(held.url, "SELECT flow, state FROM run ORDER BY run_id")
    return [(row["flow"], row["state"]) for row in rows][1:]


def tried_again(wait: Callable[[], None]) -> Any:
    """A fetch that is tried a second time, with a wait between, as Prefect's task does it."""

    def fetch(turn: ExitStack, *arguments: Any) -> Any:
        try:
            return ingest_run.fetch_in_turn(turn, *arguments)
        except SourceUnavailable:
            wait()
        return ingest_run.fetch_in_turn(turn, *arguments)

    return fetch, ingest_steps.load_delivery


def ingest(held: Holding, publisher: StandIn, wait: Callable[[], None]) -> Any:
    request = Request("gleif", base_url=publisher.base_url)
    with house_of(held) as house:
        return ingest_run.run(house, request, door.tell_nobody, halves=tried_again(wait))


def test_while_an_ingest_waits_for_its_publisher_others_write(
    holding: Holding, publisher: StandIn, in_a_hurry: None
) -> None:
    def meanwhile() -> None:
        line = ["--lei", lei(3), "--reason", "asked"]
        assert holding.run("suppress", "add", *line).code == 0
        for command in (["deactivate"], ["delete", "--confirm"]):
            assert holding.run(*command).code == 0
        with house_of(holding) as other, sole_writer(other.engine):
            publisher.behave()

    report = ingest(holding, publisher, meanwhile)
    assert report.status == "loaded"
    assert states(holding) == [
        ("ingest", "refused"), ("deactivate", "done"), ("delete", "done"), ("ingest", "done"),
    ]  # fmt: skip
    said = asked(holding.url, "SELECT message FROM run WHERE state = 'refused'")
    assert "it answers HTTP 503" in said[0]["message"]
    assert holding.run("explain", lei(3), "--json").document["stop"]
    assert holding.left_over() == []


def test_another_ingest_in_the_wait_leaves_the_first_nothing_to_do(
    holding: Holding, publisher: StandIn, in_a_hurry: None
) -> None:
    def meanwhile() -> None:
        publisher.behave()
        line = ["ingest", "gleif", "--base-url", publisher.base_url]
        assert holding.run(*line).code in {0, 3}

    assert ingest(holding, publisher, meanwhile).status == "up_to_date"
    assert states(holding) == [("ingest", "refused"), ("ingest", "done"), ("ingest", "done")]
    assert holding.holds_values_of_after()


def test_an_ingest_that_another_has_overtaken_is_told_that_it_is_busy(
    holding: Holding, publisher: StandIn, in_a_hurry: None
) -> None:
    with ExitStack() as theirs:
        other = theirs.enter_context(house_of(holding))

        def overtake() -> None:
            theirs.enter_context(sole_writer(other.engine))

        with pytest.raises(Busy):
            ingest(holding, publisher, overtake)
    assert states(holding) == [("ingest", "refused")]
    assert holding.is_as_before()
    publisher.behave()
    assert ingest(holding, publisher, lambda: None).status == "loaded"


def test_from_the_first_byte_to_the_commit_nobody_else_writes(
    holding: Holding, publisher: StandIn, in_a_hurry: None
) -> None:
    """The lock of the attempt that succeeds is the load's: no gap between the two."""
    publisher.behave()
    seen: list[str] = []

    def tell(stage: str, _done: int, _total: int | None) -> None:
        if stage not in seen:
            seen.append(stage)
            with house_of(holding) as other, pytest.raises(Busy):
                lifecycle.deactivate(other)

    with house_of(holding) as house:
        request = Request("gleif", base_url=publisher.base_url)
        assert ingest_run.run(house, request, tell).status == "loaded"
    assert {"bytes", "rows", "merge"} <= set(seen)
    with house_of(holding) as other:
        lifecycle.deactivate(other)
