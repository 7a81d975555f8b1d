"""Level 2 fetched from a stand-in: deltas with retractions end where the newest full file is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from group_rows import (
    NO_ULTIMATE,
    ULTIMATE,
    exception,
    group_bytes,
    relationship,
)
from ingesting import Ingesting, Row, company, csv_bytes, lei, opened, outcomes, quiet

from flows import ingest_run
from flows.ingest_report import Report, Request
from sources.kit.policy import SourceSettings
from sources.kit.sample import bundled_sample
from sources.kit.sample_group import bundled_group
from sources.kit.standin import Publish, StandIn
from sources.kit.standin_sequence import sequence

FIRST = datetime(2026, 11, 2, 0, tzinfo=UTC)
SLOT = timedelta(hours=8)
STEPS = 6
ANY = SourceSettings(min_ratio=0, max_ratio=1000, rate=500)


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    any_length = dict.fromkeys(("gleif", "gleif-rr", "gleif-repex"), ANY)
    with opened(warehouse_url, tmp_path, sources=any_length) as found:
        yield found


def there(number: int, step: int) -> bool:
    """Whether the record of that number is published at that step: some go, some come back."""
    return (number + step) % 7 != 0 and not (number % 5 == 0 and step in {2, 3})


def relations(step: int) -> list[Row]:
    return [
        relationship(number, 100 + (number + step // 2) % 4, LastUpdateDate=f"2026-10-0{1 + step}")
        if number % 3 == 0
        else relationship(number, 100 + number % 4, ULTIMATE)
        for number in range(1, 40)
        if there(number, step)
    ]


def exceptions(step: int) -> list[Row]:
    reasons = ("NO_LEI", "NON_PUBLIC", "NON_CONSOLIDATING")
    return [
        exception(number, NO_ULTIMATE, reasons[(number + step // 2) % 3])
        for number in range(1, 40)
        if there(number, step)
    ]


LEVELS: dict[str, tuple[str, Callable[[int], list[Row]]]] = {
    "gleif-rr": ("rr", relations),
    "gleif-repex": ("repex", exceptions),
}
VIEWS = {
    "gleif-rr": "SELECT start_lei, end_lei AS said FROM relationships",
    "gleif-repex": "SELECT lei AS start_lei, exception_reasons AS said FROM reporting_exceptions",
}


def published(source_id: str) -> list[Publish]:
    level, rows = LEVELS[source_id]
    moments = [FIRST - timedelta(days=70), *(FIRST + step * SLOT for step in range(STEPS))]
    states = [rows(0), *(rows(step) for step in range(STEPS))]
    contents = [group_bytes(state) for state in states]
    return sequence(dict(zip(moments, contents, strict=True)), level)[1:]


def take(place: Ingesting, source_id: str, base_url: str, step: int) -> Report:
    place.at(FIRST + step * SLOT + timedelta(hours=2))
    return ingest_run.run(place.house, Request(source_id, base_url=base_url), quiet)


def said_now(place: Ingesting, source_id: str) -> set[tuple[str, str]]:
    query = f"{VIEWS[source_id]} WHERE retracted_at IS NULL AND vanished_at IS NULL"
    return {(row["start_lei"], row["said"]) for row in place.ask(query)}


def truth(rows: Iterable[Row]) -> set[tuple[str, str]]:
    return {
        (row["LEI"], row["Exception.Reason.1"])
        if "LEI" in row
        else (row["Relationship.StartNode.NodeID"], row["Relationship.EndNode.NodeID"])
        for row in rows
    }


@pytest.mark.parametrize("source_id", LEVELS)
@pytest.mark.parametrize("steps", [range(STEPS), (0, 2, 5), (0, 5), (5,)], ids=str)
def test_every_way_through_the_publications_ends_the_same(
    place: Ingesting, source_id: str, steps: Iterable[int]
) -> None:
    publishes = published(source_id)
    with StandIn() as standin:
        shown = 0
        for step in steps:
            for publish in publishes[shown : step + 1]:
                standin.publish(publish)
            shown = step + 1
            report = take(place, source_id, standin.base_url, step)
            assert report.kind == ("full" if step == next(iter(steps)) else "delta")
            outcomes(report)
        assert take(place, source_id, standin.base_url, step).kind == "up_to_date"
    rows = LEVELS[source_id][1](STEPS - 1)
    assert said_now(place, source_id) == truth(rows)


@pytest.mark.parametrize("source_id", LEVELS)
def test_deltas_out_of_order_and_twice_end_the_same(place: Ingesting, source_id: str) -> None:
    publishes = published(source_id)
    files = [("full", publishes[0].content, 0)]
    files += [("delta", publishes[n].deltas["IntraDay"], n) for n in (1, 3, 2, 3, 5, 4, 5, 1)]
    for number, (kind, content, step) in enumerate(files):
        assert isinstance(content, bytes)
        path = place.folder / f"{number}.csv"
        path.write_bytes(content)
        place.at(FIRST + STEPS * SLOT)
        request = Request(
            source_id,
            file=path,
            kind=kind,
            published_at=FIRST + step * SLOT,  # type: ignore[arg-type]
        )
        ingest_run.run(place.house, request, quiet)
    assert said_now(place, source_id) == truth(LEVELS[source_id][1](STEPS - 1))


def test_all_takes_every_level_and_leaves_companies_to_level_1(place: Ingesting) -> None:
    sample = bundled_sample()
    group = bundled_group(sample)
    at = sample.published_at
    publishes = [
        Publish(at, sample.csv, record_count=sample.rows),
        Publish(at, group.relationships, level="rr"),
        Publish(at, group.exceptions, level="repex"),
    ]
    place.at(at + timedelta(hours=2))
    with StandIn(publishes) as standin:
        for source_id in ("gleif", "gleif-repex", "gleif-rr"):
            ingest_run.run(place.house, Request(source_id, base_url=standin.base_url), quiet)
    companies = place.one("SELECT count(*) AS n FROM company")
    assert companies == place.one("SELECT count(*) AS n FROM record WHERE source_id = 'gleif'")
    assert place.one("SELECT count(*) AS n FROM relationships") == group.relationship_rows - 2


def test_a_file_of_another_level_is_refused(place: Ingesting) -> None:
    path = place.folder / "20261102-0000-gleif-goldencopy-lei2-golden-copy.csv"
    path.write_bytes(csv_bytes([company(1)]))
    with pytest.raises(Exception, match=r"relationships \(rr\)"):
        ingest_run.run(place.house, Request("gleif-rr", file=path), quiet)
    assert place.ask("SELECT * FROM record") == []
    assert lei(1) not in repr(place.ask("SELECT * FROM delivery"))
