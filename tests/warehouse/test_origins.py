"""No value without its origin: which delivery brought what is now held, found by an index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from ingesting import SOUND, Ingesting, company, lei, moment

from sources.gleif import CARD
from sources.kit.sample import bundled_sample
from warehouse.engine import writing
from warehouse.schema import METADATA, change, company_record, personal_value, record

SOURCE_COLUMNS = (
    *("lei", "legal_name", "country", "region", "city", "postal_code"),
    *("registration_authority", "registration_number", "legal_form", "entity_category"),
    *("entity_status", "lei_status", "initial_registration_date", "next_renewal_date"),
    "managing_lou",
)
"""Columns of `prospects` that a publisher filled."""


def without_origin(place: Ingesting) -> list[tuple[Any, str]]:
    """(company, column) of every value shown that no row of `origins` accounts for."""
    told = {(row["company_id"], row["field"]) for row in place.ask("SELECT * FROM origins")}
    return [
        (row["company_id"], name)
        for row in place.ask("SELECT * FROM prospects")
        for name in SOURCE_COLUMNS
        if row[name] is not None and (row["company_id"], name) not in told
    ]


def origins(place: Ingesting, number: int) -> dict[str, int]:
    """Field to delivery, of one company."""
    rows = place.ask(
        "SELECT o.field, o.delivery_id FROM origins o JOIN prospects p"
        " ON p.company_id = o.company_id WHERE p.lei = :lei",
        lei=lei(number),
    )
    found = {row["field"]: row["delivery_id"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_every_value_of_the_sample_has_an_origin_also_after_changes(place) -> None:
    """Companies of every status and category, in several scripts; then a day later, again."""
    sample = bundled_sample()
    place.ingest(sample.csv, "full", "2026-11-02")
    assert place.one("SELECT count(*) FROM prospects") > 500
    assert without_origin(place) == []
    changed = sample.csv.replace(b'"ISSUED"', b'"LAPSED"').replace(b"a", b"e").splitlines(True)
    place.ingest(b"".join([sample.csv.splitlines(True)[0], *changed[1:]]), "delta", "2026-11-03")
    assert place.one("SELECT count(*) FROM changes") > 500
    assert without_origin(place) == []
    (kinds,) = {
        tuple(sorted(row.items()))
        for row in place.ask("SELECT DISTINCT source_id, licence, is_public_database FROM origins")
    }
    assert dict(kinds) == {"source_id": "gleif", "licence": CARD.licence, "is_public_database": 1}


def test_no_origin_without_its_value(place) -> None:
    place.full([company(1, legal_region="", legal_form="")], "2026-11-01")
    assert set(origins(place, 1)) == set(SOURCE_COLUMNS) - {"region", "legal_form"}


def test_a_natural_person_has_origins_for_the_skeleton_only(place) -> None:
    place.full([company(1, entity_category="SOLE_PROPRIETOR")], "2026-11-01")
    assert set(origins(place, 1)) == {
        *("lei", "country", "entity_category", "entity_status", "lei_status"),
        *("initial_registration_date", "next_renewal_date"),
    }


def test_an_origin_says_all_there_is_to_say(place) -> None:
    report = place.full([company(1)], "2026-11-01")
    (row,) = place.ask("SELECT * FROM origins WHERE company_id = 1 AND field = 'legal_name'")
    (delivery,) = place.ask("SELECT * FROM deliveries")
    assert (row["publisher"], row["database_name"]) == (CARD.publisher, CARD.database_name)
    assert row["record_url"] == f"https://search.gleif.org/#/record/{lei(1)}"
    assert row["delivery_sha256"] == report.sha256 == delivery["sha256"]
    assert row["contact_id"] is None
    for name in ("delivery_id", "published_at", "retrieved_at"):
        assert row[name] == delivery[name]
    assert row["first_seen_at"] == row["last_seen_at"] == delivery["retrieved_at"]


def test_the_origin_is_the_delivery_that_brought_the_value_now_held(wide) -> None:
    changed = {"legal_name": "Andet A/S", "last_update_published": moment("2026-11-02")}
    wide.full([company(1), company(2)], "2026-11-01")
    wide.later(days=1).full([company(1, **changed), company(2)], "2026-11-02")
    wide.later(days=1).full([company(1, **changed), company(2), company(3)], "2026-11-03")
    assert origins(wide, 1) == dict.fromkeys(SOURCE_COLUMNS, 1) | {"legal_name": 2}
    back = {"last_update_published": moment("2026-11-04"), "legal_form": ""}
    wide.later(days=1).delta([company(1, **back)], "2026-11-04")
    found = dict.fromkeys(SOURCE_COLUMNS, 1) | {"legal_name": 4}
    del found["legal_form"]
    assert origins(wide, 1) == found
    back["legal_form"], back["last_update_published"] = SOUND["legal_form"], moment("2026-11-05")
    wide.later(days=1).delta([company(1, **back)], "2026-11-05")
    assert origins(wide, 1) == found | {"legal_form": 5}
    assert origins(wide, 2) == dict.fromkeys(SOURCE_COLUMNS, 1)
    assert origins(wide, 3) == dict.fromkeys(SOURCE_COLUMNS, 3)
    history = wide.ask("SELECT * FROM changes WHERE field = 'legal_name' ORDER BY delivery_id")
    assert [(row["old_value"], row["new_value"], row["delivery_id"]) for row in history] == [
        ("Prøvefirma 1 A/S", "Andet A/S", 2),
        ("Andet A/S", "Prøvefirma 1 A/S", 4),
    ]


def test_a_dates_origin_follows_its_published_text(place) -> None:
    place.full([company(1)], "2026-11-01")
    place.delta([company(1, next_renewal_published=moment("2028-03-05"))], "2026-11-02")
    expected = dict.fromkeys(SOURCE_COLUMNS, 1) | {"next_renewal_date": 2}
    assert origins(place, 1) == expected


def test_stale_unchanged_and_refused_deliveries_are_no_origins(place) -> None:
    place.delta([company(1, last_update_published=moment("2026-10-09"))], "2026-10-10")
    place.delta([company(1, legal_name="Forældet")], "2026-10-05")
    place.delta([company(1, last_update_published=moment("2026-10-09"))], "2026-10-11")
    with pytest.raises(Exception, match="not_empty"):
        place.delta([], "2026-10-12")
    assert set(origins(place, 1).values()) == {1}


def test_last_seen_is_the_newest_full_file_while_it_is_in_it(wide) -> None:
    def seen(number: int) -> str:
        rows = wide.ask(
            "SELECT DISTINCT o.last_seen_at FROM origins o JOIN prospects p"
            " ON p.company_id = o.company_id WHERE p.lei = :lei AND field = 'legal_name'",
            lei=lei(number),
        )
        return str(rows[0]["last_seen_at"])[:10]

    wide.full([company(1), company(2)], "2026-11-01")
    assert (seen(1), seen(2)) == ("2026-11-02", "2026-11-02")
    wide.later(days=1).delta([company(1)], "2026-11-02")
    assert seen(1) == "2026-11-02"  # a delta says nothing of what it does not hold
    wide.later(days=1).full([company(1), company(3)], "2026-11-03")
    assert (seen(1), seen(2), seen(3)) == ("2026-11-04", "2026-11-02", "2026-11-04")


def test_unstated_publication_is_said_to_be_unstated(place) -> None:
    place.undated([company(1)])
    rows = place.ask("SELECT published_at, retrieved_at FROM origins")
    assert len(rows) == len(SOURCE_COLUMNS)
    assert all(row["published_at"] is None and row["retrieved_at"] for row in rows)


SMALL = {"delivery", "source_cursor", "d", "k", "contact_point"}
"""One row a delivery or a source, or none yet: reading them whole costs nothing."""


def read_whole(place: Ingesting, query: str) -> set[str]:
    """Tables that the database would read from end to end, even where that is unattractive."""
    with writing(place.house.engine) as connection:
        if connection.dialect.name == "sqlite":
            lines = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {query}")).mappings()
            found = [re.match(r"SCAN (\w+)", row["detail"]) for row in lines]
            return {match[1] for match in found if match} - SMALL - {"origins"}
        connection.execute(sa.text("ANALYZE"))
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        (top,) = connection.scalar(sa.text(f"EXPLAIN (FORMAT JSON) {query}"))
        nodes = list(nodes_of(top["Plan"]))
    reads = [node for node in nodes if "Scan" in node["Node Type"] and "Index Cond" not in node]
    return {node.get("Relation Name", "record") for node in reads if bitmap(node)} - SMALL


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from nodes_of(below)


def bitmap(node: dict[str, Any]) -> bool:
    """Whether the node itself has to be told where to read: a bitmap's heap is told below."""
    return node["Node Type"] not in {"Bitmap Heap Scan", "Subquery Scan"}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM origins WHERE company_id = 17",
        "SELECT * FROM origins WHERE company_id = 17 AND field = 'legal_name'",
        "SELECT * FROM prospects WHERE company_id = 17",
        "SELECT * FROM changes WHERE company_id = 17",
    ],
)
def test_one_company_is_found_by_an_index(place, query) -> None:
    place.full([company(n) for n in range(200)], "2026-11-01")
    place.delta([company(n, legal_name="Nyt") for n in range(100)], "2026-11-02")
    assert read_whole(place, query) == set()


@pytest.mark.parametrize("view", ["origins", "prospects", "changes"])
def test_the_plan_test_can_fail(place, view) -> None:
    place.full([company(1)], "2026-11-01")
    assert read_whole(place, f"SELECT * FROM {view}") != set()


# A value without an origin is impossible: the schema refuses it, whoever writes.

TAGGED = [
    (record, "first_delivery_id"),
    (change, "delivery_id"),
    (personal_value, "delivery_id"),
]


def copy_of(place: Ingesting, table: sa.Table, **changes: Any) -> dict[str, Any]:
    """A row like one that is held, under a number and field of its own."""
    row = place.tables(table.name)[table.name][0]
    if table is record:
        row |= {"record_id": 999, "source_key": lei(999)}
    else:
        row |= {"field": "another"}
    return row | changes


@pytest.mark.parametrize(("table", "column"), TAGGED, ids=lambda part: getattr(part, "name", part))
@pytest.mark.parametrize("wrong", [None, 4711])
def test_nothing_is_held_without_the_delivery_that_brought_it(place, table, column, wrong) -> None:
    place.full([company(1, legal_address_line="c/o Anna Prøve, Vej 1")], "2026-11-01")
    place.delta([company(1, legal_address_line="c/o Anna Prøve, Vej 2")], "2026-11-02")
    refused = pytest.raises(sa.exc.IntegrityError)
    with refused, writing(place.house.engine) as connection:
        connection.execute(table.insert().values(**copy_of(place, table, **{column: wrong})))
    with writing(place.house.engine) as connection, connection.begin_nested() as taken_back:
        connection.execute(table.insert().values(**copy_of(place, table)))
        taken_back.rollback()


def test_a_delivery_that_brought_something_cannot_go(place) -> None:
    place.full([company(1)], "2026-11-01")
    refused = pytest.raises(sa.exc.IntegrityError)
    with refused, writing(place.house.engine) as connection:
        connection.execute(METADATA.tables["delivery"].delete())


@pytest.mark.parametrize("column", ["source_id", "last_delivery_id", "digest", "person_kind"])
def test_a_record_is_never_without(place, column) -> None:
    place.full([company(1)], "2026-11-01")
    refused = pytest.raises(sa.exc.IntegrityError)
    with refused, writing(place.house.engine) as connection:
        connection.execute(record.update().values(**{column: None}))


def test_a_link_needs_its_record_and_its_company(place) -> None:
    place.full([company(1)], "2026-11-01")
    (link,) = place.tables("company_record")["company_record"]
    for wrong in ({"record_id": 999}, {"company_id": 999}, {"source_key": lei(999)}):
        refused = pytest.raises(sa.exc.IntegrityError)
        with refused, writing(place.house.engine) as connection:
            connection.execute(company_record.insert().values(**{**link, "record_id": 2} | wrong))


def test_the_schema_itself_keeps_a_persons_name_out_of_records(place) -> None:
    place.full([company(1, entity_category="SOLE_PROPRIETOR")], "2026-11-01")
    for name in ("legal_name", "registration_number", "headquarters_city", "legal_form"):
        refused = pytest.raises(sa.exc.IntegrityError)
        with refused, writing(place.house.engine) as connection:
            connection.execute(record.update().values(**{name: "Anna"}))


def test_a_deliverys_outcomes_must_add_up(place) -> None:
    place.full([company(1)], "2026-11-01")
    delivery = METADATA.tables["delivery"]
    refused = pytest.raises(sa.exc.IntegrityError)
    with refused, writing(place.house.engine) as connection:
        connection.execute(delivery.update().values(records_in=delivery.c.records_in + 1))
