"""Group structure as people ask for it: views, `explain`, the segment, and what is deleted."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from group_rows import DIRECT, NO_DIRECT, NO_ULTIMATE, ULTIMATE, exception, ingest, relationship
from ingesting import Ingesting, company, lei, moment

from flows.cli.explain_page import show
from flows.explain_steps import explain
from sources.kit.policy import SourceSettings
from warehouse import segments
from warehouse.engine import reading, writing
from warehouse.export_candidates import candidates

ANY = SourceSettings(min_ratio=0, max_ratio=1000)
TODAY = date(2026, 11, 2)
FUND = "IS_FUND-MANAGED_BY"


@pytest.fixture(autouse=True)
def any_length(place: Ingesting) -> None:
    place.change(sources={"gleif-rr": ANY, "gleif-repex": ANY, "gleif": ANY})


@pytest.fixture
def family(place: Ingesting) -> Ingesting:
    """1 and 2 and 3 are children of 10, which is one of 20; 4 is a fund that 10 manages."""
    numbers = (1, 2, 3, 4, 10)  # 20 is no company of level 1
    place.full([company(number) for number in numbers], "2026-10-01")
    ingest(
        place,
        [
            *(relationship(number, 10) for number in (1, 2, 3)),
            *(relationship(number, 20, ULTIMATE) for number in (1, 2, 3, 10)),
            relationship(10, 20),
            relationship(4, 10, FUND),
        ],
        "2026-10-01",
    )
    ingest(
        place,
        [exception(4, NO_DIRECT), exception(4, NO_ULTIMATE, "NO_LEI", Reference_1="an act")],
        "2026-10-01",
    )
    return place


def group_of(place: Ingesting, number: int) -> dict[str, Any]:
    (group,) = explain(place.house, lei(number))["groups"]
    return group


def test_relationships_are_shown_with_their_origin(family: Ingesting) -> None:
    rows = family.ask("SELECT * FROM relationships WHERE start_lei = :one", one=lei(1))
    row = next(row for row in rows if row["relationship_type"] == DIRECT)
    assert (row["end_lei"], row["relationship_status"]) == (lei(10), "ACTIVE")
    assert str(row["relationship_start_date"]) == "2019-06-01"
    assert row["record_url"] == f"https://search.gleif.org/#/record/{lei(1)}"
    assert (row["source_id"], row["licence"]) == ("gleif-rr", "CC0 1.0 Universal")
    assert (row["retracted_at"], row["vanished_at"]) == (None, None)
    delivery = family.one(
        "SELECT sha256 FROM deliveries WHERE delivery_id = :number", number=row["delivery_id"]
    )
    assert row["delivery_sha256"] == delivery


def test_exceptions_are_shown_with_their_reasons(family: Ingesting) -> None:
    (row,) = family.ask(
        "SELECT * FROM reporting_exceptions WHERE lei = :four AND exception_category = :ultimate",
        four=lei(4),
        ultimate=NO_ULTIMATE,
    )
    assert (row["exception_reasons"], row["exception_references"]) == ("NO_LEI", "an act")
    assert row["source_id"] == "gleif-repex"


def test_a_retracted_one_stays_in_the_view_with_its_moment(family: Ingesting) -> None:
    gone = relationship(1, 10, DeletedAt="2026-10-02T06:00:00Z")
    ingest(family, [gone], "2026-10-02", "delta")
    (row,) = family.ask(
        "SELECT * FROM relationships WHERE start_lei = :one AND end_lei = :ten",
        one=lei(1),
        ten=lei(10),
    )
    assert str(row["retracted_at"]).startswith("2026-10-02 06:00:00")
    changes = family.ask("SELECT field, new_value FROM group_changes WHERE lei = :one", one=lei(1))
    assert changes == [{"field": "retracted_date", "new_value": "2026-10-02T06:00:00Z"}]


def test_every_value_has_its_origin(family: Ingesting) -> None:
    family.later(days=1)
    moved = relationship(1, 3, LastUpdateDate="2026-10-02T08:00:00Z")
    report = ingest(family, [moved], "2026-10-02", "delta")
    origins = {
        row["field"]: row["delivery_id"]
        for row in family.ask(
            "SELECT * FROM group_origins WHERE source_key = :key", key=f"{lei(1)}:{DIRECT}"
        )
    }
    assert origins["end_lei"] == origins["last_update_date"] == report.delivery_id
    assert origins["relationship_type"] < report.delivery_id
    held = family.ask("SELECT * FROM record WHERE start_lei IS NOT NULL")
    total = sum(
        value is not None for row in held for name, value in row.items() if name in PUBLISHED_HERE
    )
    assert family.one("SELECT count(*) AS n FROM group_origins") == total


PUBLISHED_HERE = {
    *("start_lei", "end_lei", "relationship_type", "relationship_status", "managing_lou"),
    *("relationship_periods", "relationship_qualifiers", "relationship_quantifiers"),
    *("registration_status", "initial_registration_published", "last_update_published"),
    *("next_renewal_published", "validation_sources", "exception_category"),
    *("exception_reasons", "exception_references", "retracted_published"),
}


@pytest.mark.parametrize("column", ["start_lei", "end_lei"])
def test_an_lei_reaches_an_index(family: Ingesting, column: str) -> None:
    """Over few rows PostgreSQL may take any index that has the column: one must begin with it."""
    plan = "EXPLAIN QUERY PLAN" if family.house.engine.dialect.name == "sqlite" else "EXPLAIN"
    with writing(family.house.engine) as connection:
        if plan == "EXPLAIN":
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        query = f"{plan} SELECT * FROM relationships WHERE {column} = '{lei(1)}'"
        said = " ".join(str(row) for row in connection.execute(sa.text(query)))
        indexes = sa.inspect(connection).get_indexes("record")
    assert re.search(rf"USING INDEX ix_record_{column}|Index Cond: [^']*\b{column} = ", said)
    assert any(index["column_names"][0] == column for index in indexes)


def test_explain_tells_the_group(family: Ingesting) -> None:
    group = group_of(family, 1)
    assert [(one["relationship_type"], one["lei"]) for one in group["leads_to"]] == [
        (DIRECT, lei(10)),
        (ULTIMATE, lei(20)),
    ]
    parent, ultimate = group["leads_to"]
    assert (parent["name"], parent["is_held"]) == ("Prøvefirma 10 A/S", True)
    assert (ultimate["name"], ultimate["is_held"]) == (None, False)
    assert parent["origins"][0]["source_id"] == "gleif-rr"
    siblings, by_ultimate = group["siblings"]
    assert (siblings["shared_parent"], siblings["count"]) == (lei(10), 2)
    assert (by_ultimate["shared_parent"], by_ultimate["count"]) == (lei(20), 3)
    assert [one["lei"] for one in siblings["first"]] == [lei(2), lei(3)]


def test_explain_tells_children_funds_and_exceptions(family: Ingesting) -> None:
    ten = {one["relationship_type"]: one for one in group_of(family, 10)["led_to_by"]}
    assert (ten[DIRECT]["count"], ten[FUND]["count"]) == (3, 1)
    assert [one["lei"] for one in ten[FUND]["first"]] == [lei(4)]
    four = group_of(family, 4)
    assert [(one["category"], one["reasons"]) for one in four["exceptions"]] == [
        (NO_DIRECT, ["NON_CONSOLIDATING"]),
        (NO_ULTIMATE, ["NO_LEI"]),
    ]
    assert four["leads_to"][0]["relationship_type"] == FUND


def test_explain_tells_of_an_lei_that_level_1_does_not_have(family: Ingesting) -> None:
    found = explain(family.house, lei(20))
    assert not found["is_held"]
    (group,) = found["groups"]
    assert {one["relationship_type"]: one["count"] for one in group["led_to_by"]} == {
        DIRECT: 1,
        ULTIMATE: 4,
    }


def test_what_has_ended_is_told_apart(family: Ingesting) -> None:
    ended = relationship(
        2, 10, RelationshipStatus="INACTIVE", LastUpdateDate="2026-10-02T01:00:00Z"
    )
    gone = relationship(1, 10, DeletedAt="2026-10-02T06:00:00Z")
    ingest(family, [ended, gone], "2026-10-02", "delta")
    (told,) = group_of(family, 2)["ended"]
    assert (told["lei"], told["relationship_status"]) == (lei(10), "INACTIVE")
    (told,) = group_of(family, 1)["ended"]
    assert told["retracted"] == "2026-10-02T06:00:00Z"
    assert {one["relationship_type"]: one["count"] for one in group_of(family, 10)["led_to_by"]}[
        DIRECT
    ] == 1
    assert group_of(family, 3)["siblings"][0]["count"] == 0


class _Page:
    """What the page says, as one text."""

    def __init__(self) -> None:
        self.text = ""

    def __getattr__(self, _name: str) -> Any:
        return lambda *parts, **_options: setattr(self, "text", f"{self.text}\n{parts}")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, ["direct parent", "Prøvefirma 10 A/S, since", "siblings, by the same direct parent"]),
        (4, ["none reported: the parent has no LEI (NO_LEI); see an act", "managed by"]),
        (10, ["direct children", "funds it manages"]),
        (20, ["is not held in this warehouse", "ultimate children"]),
    ],
)
def test_the_page_says_it_in_words(family: Ingesting, number: int, words: list[str]) -> None:
    page: Any = _Page()
    show(page, explain(family.house, lei(number)))
    for word in words:
        assert word in page.text


def test_before_anything_is_loaded_the_page_says_so(place: Ingesting) -> None:
    place.full([company(1)], "2026-10-01")
    page: Any = _Page()
    show(page, explain(place.house, lei(1)))
    assert "no relationships were loaded" in page.text


def due(number: int, days: int) -> dict[str, str]:
    return company(number, next_renewal_published=moment(TODAY + timedelta(days=days)))


def chosen(place: Ingesting, days: int = 60) -> set[str]:
    selection = segments.select("group-sibling", TODAY, days=days)
    with reading(place.house.engine) as connection:
        frames = list(candidates(connection, selection))
    leis = [one for frame in frames for one in frame["lei"].to_pylist()]
    assert segments.count(place.house.engine, selection).candidates == len(leis)
    return set(leis)


def test_siblings_of_who_is_due_make_the_segment(place: Ingesting) -> None:
    rows = [
        due(1, 30),  # due: the segment renewal-due has it
        due(2, 200),
        due(3, 200),  # of another parent
        due(4, 200),  # by the ultimate parent only
        company(5, lei_status="LAPSED", next_renewal_published=moment(TODAY - timedelta(days=9))),
        due(6, 200),  # a fund with the same manager is no sibling
        due(10, 200),
    ]
    place.full(rows, "2026-10-01")
    ingest(
        place,
        [
            relationship(1, 10),
            relationship(2, 10),
            relationship(5, 10),
            relationship(3, 11),
            relationship(1, 20, ULTIMATE),
            relationship(4, 20, ULTIMATE),
            relationship(1, 30, FUND),
            relationship(6, 30, FUND),
        ],
        "2026-10-01",
    )
    assert chosen(place) == {lei(2), lei(4)}
    assert chosen(place, 10) == set()
    gone = relationship(2, 10, DeletedAt="2026-10-02T06:00:00Z")
    ingest(place, [gone], "2026-10-02", "delta")
    assert chosen(place) == {lei(4)}


def test_a_deleted_company_takes_its_relationships_along(place: Ingesting) -> None:
    retired = company(
        1,
        lei_status="RETIRED",
        entity_status="INACTIVE",
        last_update_published=moment("2025-01-01"),
    )
    place.full([retired, company(2), company(3)], "2026-10-01")
    rows = [relationship(1, 2), relationship(3, 1, ULTIMATE), relationship(2, 3)]
    ingest(place, rows, "2026-10-01")
    ingest(place, [exception(1, NO_ULTIMATE), exception(2)], "2026-10-01")
    bad = relationship(1, 2, "IS_FRIEND_OF")
    ingest(place, [bad], "2026-10-02", "delta")
    moved = relationship(1, 3, LastUpdateDate="2026-10-02T08:00:00Z")
    ingest(place, [moved], "2026-10-02", "delta")
    place.at(date(2027, 2, 1)).deactivate()
    place.delete()
    assert place.prospect(1) is None
    left = {row["source_key"] for row in place.ask("SELECT * FROM record")}
    assert left == {lei(2), lei(3), f"{lei(2)}:{DIRECT}", f"{lei(2)}:{NO_DIRECT}"}
    assert place.ask("SELECT * FROM change") == []
    assert place.ask("SELECT * FROM quarantined") == []
    logged = place.ask("SELECT table_name, row_count FROM deletion_log ORDER BY deletion_id DESC")
    assert {"table_name": "record", "row_count": 4} in logged


def test_explain_answers_at_once(family: Ingesting) -> None:
    begun = time.perf_counter()
    group_of(family, 10)
    assert time.perf_counter() - begun < 1
