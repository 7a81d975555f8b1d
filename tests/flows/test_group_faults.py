"""Level 2 over HTTP where it does not fit what is held: retractions, LEIs, counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from group_rows import NO_DIRECT, exception, group_bytes, relationship
from ingesting import ANY_LENGTH, Ingesting, Row, company, csv_bytes, lei, opened, outcomes, quiet

from flows import ingest_run
from flows.explain_steps import explain
from flows.ingest_report import Report, Request
from sources.kit.errors import DeliveryRefused
from sources.kit.standin import Publish, StandIn
from sources.kit.standin_publish import Level
from sources.kit.standin_sequence import sequence

pytestmark = pytest.mark.long

FIRST = datetime(2026, 11, 2, 0, tzinfo=UTC)
SLOT = timedelta(hours=8)
LONG_AGO = FIRST - timedelta(days=70)
LENGTHS = dict.fromkeys(("gleif", "gleif-rr", "gleif-repex"), ANY_LENGTH["gleif"])
GONE = "2026-11-02T06:00:00Z"
LEVELS: dict[str, tuple[Level, list[Row], Row, str]] = {
    "gleif-rr": (
        "rr",
        [relationship(n, n + 100) for n in range(1, 8)],
        relationship(700, 701, DeletedAt=GONE),
        "relationships",
    ),
    "gleif-repex": (
        "repex",
        [exception(n, NO_DIRECT) for n in range(1, 8)],
        exception(700, NO_DIRECT, DeletedAt=GONE),
        "reporting_exceptions",
    ),
}


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path, sources=LENGTHS) as found:
        yield found


def take(place: Ingesting, source_id: str, standin: StandIn, step: int) -> Report:
    place.at(FIRST + step * SLOT + timedelta(hours=2))
    return ingest_run.run(place.house, Request(source_id, base_url=standin.base_url), quiet)


def published(level: Level, *states: list[Row]) -> list[Publish]:
    moments = [LONG_AGO, *(FIRST + step * SLOT for step in range(len(states)))]
    contents = [group_bytes(rows) for rows in (states[0], *states)]
    return sequence(dict(zip(moments, contents, strict=True)), level)[1:]


def with_row(publish: Publish, row: Row) -> Publish:
    """The publication, its deltas one row longer."""
    deltas: dict[str, Any] = {}
    for window, content in publish.deltas.items():
        assert isinstance(content, bytes)
        header = next(csv.reader(io.StringIO(content.decode())))
        line = csv_bytes([{**dict.fromkeys(header, ""), **row}], header).partition(b"\r\n")[2]
        deltas[window] = content + line
    return Publish(publish.published_at, publish.content, deltas=deltas, level=publish.level)


@pytest.mark.parametrize("source_id", LEVELS)
def test_a_retraction_of_what_we_never_held_is_counted_and_nothing_else(
    place: Ingesting, source_id: str
) -> None:
    level, rows, unknown, view = LEVELS[source_id]
    first, second, third = published(level, rows, rows[:-1], rows)
    with StandIn([first]) as standin:
        take(place, source_id, standin, 0)
        standin.publish(with_row(second, unknown))
        report = take(place, source_id, standin, 1)
        assert (report.kind, outcomes(report)) == ("delta", {"retracted": 2})
        assert place.one(f"SELECT count(*) FROM {view}") == len(rows)
        assert place.one(f"SELECT count(*) FROM {view} WHERE retracted_at IS NOT NULL") == 1
        assert place.one("SELECT count(*) FROM group_changes") == 1
        assert lei(700) not in repr(place.tables("record", "change", "quarantined_row"))
        standin.publish(third)
        assert outcomes(take(place, source_id, standin, 2)) == {"changed": 1}
    assert place.one(f"SELECT count(*) FROM {view} WHERE retracted_at IS NOT NULL") == 0


def test_leis_that_level_1_does_not_have_make_no_company_and_get_their_name_later(
    place: Ingesting,
) -> None:
    level, rows, *_ = LEVELS["gleif-rr"]
    (relations,) = published(level, rows)
    known = [company(n) for n in range(1, 8)]
    levels = [Publish(FIRST, csv_bytes(known), deltas={}), relations]
    with StandIn(levels) as standin:
        take(place, "gleif", standin, 0)
        assert outcomes(take(place, "gleif-rr", standin, 0)) == {"new": 7}
        assert place.one("SELECT count(*) FROM prospects") == 7
        assert parent_of(place, 1) == (lei(101), None, False)
        standin.publish(Publish(FIRST + SLOT, csv_bytes([*known, company(101)]), deltas={}))
        assert outcomes(take(place, "gleif", standin, 1)) == {"new": 1, "unchanged": 7}
    assert parent_of(place, 1) == (lei(101), company(101)["Entity.LegalName"], True)


def parent_of(place: Ingesting, number: int) -> tuple[str, str | None, bool]:
    (group,) = explain(place.house, lei(number))["groups"]
    (parent,) = group["leads_to"]
    return parent["lei"], parent["name"], parent["is_held"]


@pytest.mark.parametrize("source_id", LEVELS)
def test_a_delta_of_another_length_than_listed_is_refused_and_a_larger_one_ends_right(
    place: Ingesting, source_id: str
) -> None:
    level, rows, _, view = LEVELS[source_id]
    first, second = published(level, rows, rows[:-1])
    with StandIn([first]) as standin:
        take(place, source_id, standin, 0)
        before = place.state()
        standin.publish(second)
        standin.misbehave("wrong_delta_record_count")
        with pytest.raises(DeliveryRefused) as refused:
            take(place, source_id, standin, 1)
        assert refused.value.thing.endswith(f" of {source_id}")
        assert "it holds 1 rows; the publisher listed 2" in refused.value.cause
        assert "--file" in refused.value.cure
        assert place.state() == before
        standin.behave()
        assert take(place, source_id, standin, 1).kind == "delta"
    assert place.one(f"SELECT count(*) FROM {view} WHERE retracted_at IS NULL") == len(rows) - 1
