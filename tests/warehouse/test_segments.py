"""Segments: which companies they hold, how many there are, and what cannot be made yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ingesting import Ingesting, company, lei, opened
from listing import norwegian, stop_lei

from sources.kit.errors import Refused
from sources.kit.policy import SourceSettings
from warehouse import segments
from warehouse.engine import reading, writing
from warehouse.export_candidates import candidates
from warehouse.segment_conditions import conditions, of_companies

TODAY = date(2026, 11, 2)
ANY_LENGTH = {"gleif": SourceSettings(min_ratio=0)}


@pytest.fixture
def held(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path, sources=ANY_LENGTH) as found:
        yield found


def due_in(number: int, days: int, **changes: str) -> dict[str, str]:
    """A company whose LEI is issued and falls due that many days from today."""
    on = f"{TODAY + timedelta(days=days)}T00:00:00Z"
    return norwegian(number, lei_status="ISSUED", next_renewal_published=on, **changes)


def found(held: Ingesting, name: str, **options: Any) -> set[str]:
    selection = segments.select(name, TODAY, **options)
    with reading(held.house.engine) as connection:
        frames = list(candidates(connection, selection))
    leis = [one for frame in frames for one in frame["lei"].to_pylist()]
    assert segments.count(held.house.engine, selection).held == len(leis) == len(set(leis))
    return set(leis)


def test_the_contracts_segments_are_listed() -> None:
    listed = {row["name"]: row["comes_with"] for row in segments.listing()}
    assert set(listed) == {
        "renewal-due",
        "lapsed",
        "no-lei",
        "transfer",
        "group-sibling",
        "all",
    }
    assert {name for name, waits in listed.items() if waits is None} == {
        "renewal-due",
        "lapsed",
        "no-lei",
        "group-sibling",
        "all",
    }


def test_a_later_segment_says_what_it_waits_for() -> None:
    with pytest.raises(Refused, match="it comes with"):
        segments.select("transfer", TODAY)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("everyone", {}, "Choose one of: renewal-due, lapsed, no-lei, group-sibling, all"),
        ("all", {"days": -1}, "--days"),
        ("all", {"days": 10**9}, "--days"),
        ("all", {"countries": ("DK", "XQ")}, "XQ is no country"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        segments.select(name, TODAY, **options)


def test_renewal_due_counts_both_days(held: Ingesting) -> None:
    held.full([due_in(n, days) for n, days in enumerate((-1, 0, 1, 60, 61))], TODAY)
    assert found(held, "renewal-due") == {lei(1), lei(2), lei(3)}
    assert found(held, "renewal-due", days=0) == {lei(1)}
    assert found(held, "renewal-due", days=61) == {lei(1), lei(2), lei(3), lei(4)}


def test_lapsed_asks_for_the_status_only(held: Ingesting) -> None:
    held.full(
        [
            norwegian(1, next_renewal_published="2099-01-01T00:00:00Z"),
            norwegian(2, next_renewal_published=""),
            due_in(3, -30),
            norwegian(4, lei_status="PENDING_TRANSFER"),
        ],
        TODAY,
    )
    assert found(held, "lapsed") == {lei(1), lei(2)}
    assert found(held, "renewal-due") == set()
    assert found(held, "all") == {lei(1), lei(2), lei(3), lei(4)}


def test_countries_are_those_of_the_legal_address(held: Ingesting) -> None:
    held.full(
        [
            norwegian(1),
            norwegian(2, headquarters_country="SE", headquarters_region="SE-AB"),
            company(3, lei_status="LAPSED"),
        ],
        TODAY,
    )
    assert found(held, "lapsed", countries=("no",)) == {lei(1), lei(2)}
    assert found(held, "lapsed", countries=("SE",)) == set()
    assert found(held, "lapsed", countries=("NO", "DK")) == {lei(1), lei(2), lei(3)}


def test_inactive_companies_are_candidates(held: Ingesting) -> None:
    held.full([norwegian(1), norwegian(2)], TODAY)
    for days in (1, 2):
        held.at(TODAY + timedelta(days=days))
        held.full([norwegian(1), due_in(days + 2, 90)], TODAY + timedelta(days=days))
    assert held.deactivate()["counts"]["deactivated"] == 1
    assert found(held, "lapsed") == {lei(1), lei(2)}


def test_a_stopped_company_that_was_not_taken_is_still_counted(held: Ingesting) -> None:
    stop_lei(held, lei(2))
    held.full([norwegian(1), norwegian(2), due_in(3, 5)], TODAY)
    selection = segments.select("lapsed", TODAY)
    assert segments.count(held.house.engine, selection) == segments.Count(held=1, dropped=1)
    elsewhere = segments.select("lapsed", TODAY, countries=("DK",))
    assert segments.count(held.house.engine, elsewhere).candidates == 0
    due = segments.select("renewal-due", TODAY)
    assert segments.count(held.house.engine, due) == segments.Count(held=1, dropped=0)


def test_what_the_newest_full_file_lacks_is_counted_no_more(held: Ingesting) -> None:
    stop_lei(held, lei(2))
    held.full([norwegian(1), norwegian(2)], TODAY)
    held.later(days=1).full([norwegian(1)], TODAY + timedelta(days=1))
    selection = segments.select("all", TODAY)
    assert segments.count(held.house.engine, selection) == segments.Count(held=1, dropped=0)


def test_frames_come_in_the_order_of_company_ids(
    held: Ingesting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.export_candidates.BATCH", 3)
    held.full([norwegian(n) for n in range(8)], TODAY)
    with reading(held.house.engine) as connection:
        frames = list(candidates(connection, segments.select("all", TODAY)))
    ids = [one for frame in frames for one in frame["company_id"].to_pylist()]
    assert [frame.num_rows for frame in frames] == [3, 3, 2]
    assert ids == sorted(ids)


def test_due_companies_are_found_by_an_index(sqlite_url: str, tmp_path: Path) -> None:
    with opened(sqlite_url, tmp_path) as held:
        held.full([due_in(n, n) for n in range(20)], TODAY)
        selection = segments.select("renewal-due", TODAY)
        query = sa.select(sa.func.count()).select_from(of_companies())
        asked: Any = query.where(*conditions(selection)).compile(held.house.engine)
        values = tuple(asked.construct_params()[name] for name in asked.positiontup)
        with reading(held.house.engine) as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)
            plan = " ".join(row[-1] for row in rows)
    assert "ix_record_lei_status" in plan
    assert "SCAN" not in plan


def test_a_record_that_another_company_shows_is_not_counted_twice(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Joined companies are counted by what `prospects` shows, not by their records."""
    with opened(sqlite_url, tmp_path) as held:
        held.full([due_in(n, n) for n in range(2)], TODAY)
        chosen = segments.select("all", TODAY)
        assert segments.count(held.house.engine, chosen).held == 2
        with writing(held.house.engine) as connection:
            connection.exec_driver_sql(
                "UPDATE company_record SET company_id = (SELECT min(company_id) FROM company),"
                " reason = 'same number' WHERE record_id = (SELECT max(record_id) FROM record)"
            )
        assert segments.count(held.house.engine, chosen).held == 1
