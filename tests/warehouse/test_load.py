"""What one delivery does to the warehouse: each row its outcome, all of it or nothing."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from ingesting import COLUMNS, THEIRS, Ingesting, company, csv_bytes, lei, moment, opened

from flows import ingest_report, ingest_steps
from sources.kit.errors import Busy, DeliveryRefused
from sources.kit.policy import Scope, SourceSettings
from sources.kit.sample import bundled_sample
from warehouse.engine import sole_writer, writing
from warehouse.schema import METADATA

OUTCOMES = (
    *("new", "changed", "unchanged", "stale", "superseded"),
    *("retracted", "out_of_scope", "quarantined", "suppressed"),
)


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path) as place:
        yield place


def outcomes(report: ingest_report.Report) -> dict[str, int]:
    """The outcomes that any row had."""
    counts = {name: report.counts[f"records_{name}"] for name in OUTCOMES}
    assert sum(counts.values()) == report.counts["records_in"]
    return {name: count for name, count in counts.items() if count}


def name_of(place: Ingesting, number: int) -> str | None:
    found = place.prospect(number)
    return found and found["legal_name"]


def test_the_sample_through_the_suite_itself(warehouse_url, tmp_path) -> None:
    """Not `plain_judge` this time: what is known of the sample is what the house says of it."""
    sample = bundled_sample()
    with opened(warehouse_url, tmp_path, with_suite=True) as place:
        report = place.ingest(sample.csv, "full", "2026-11-02")
        again = place.ingest(sample.csv, "full", "2026-11-02")
    assert report.counts["records_in"] == sample.rows
    assert report.quarantined_by_rule == Counter(row.rule for row in sample.bad)
    assert outcomes(report) == {"new": 557, "out_of_scope": 43, "quarantined": len(sample.bad)}
    assert report.notes["name_starts_plainly"] == sum(
        row.oddity == "formula_name" for row in sample.odd
    )
    assert report.notes["creation_year_is_possible"] == 1
    assert report.care_of_lines > 0
    assert report.counts["records_minimised"] > 0
    assert (again.status, again.reason) == ("unchanged", "the same bytes were loaded before")


def test_a_first_full_file(place) -> None:
    report = place.full([company(1), company(2)], "2026-11-01")
    assert (report.status, report.kind) == ("loaded", "full")
    assert outcomes(report) == {"new": 2}
    (first, second) = place.ask("SELECT * FROM prospects ORDER BY lei")
    assert [first["legal_name"], second["legal_name"]] == ["Prøvefirma 1 A/S", "Prøvefirma 2 A/S"]
    assert first["company_id"] != second["company_id"]
    (delivery,) = place.ask("SELECT * FROM deliveries")
    assert delivery["delivery_id"] == report.delivery_id
    assert delivery["sha256"] == report.sha256
    assert (delivery["status"], delivery["records_in"]) == ("loaded", 2)


def test_a_change_is_written_with_old_and_new(place) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    place.later(days=1)
    report = place.delta(
        [company(1, legal_name="Nyt Navn A/S", last_update_published=moment("2026-11-01"))],
        "2026-11-02",
    )
    assert outcomes(report) == {"changed": 1}
    changes = place.ask(
        "SELECT field, old_value, new_value, delivery_id FROM changes ORDER BY field"
    )
    assert [tuple(row.values()) for row in changes] == [
        ("last_update_date", moment("2026-09-01"), moment("2026-11-01"), report.delivery_id),
        ("legal_name", "Prøvefirma 1 A/S", "Nyt Navn A/S", report.delivery_id),
    ]
    assert name_of(place, 1) == "Nyt Navn A/S"
    assert place.prospect(1)["last_changed_at"] > place.prospect(1)["first_seen_at"]
    assert place.prospect(2)["last_changed_at"] == place.prospect(2)["first_seen_at"]


@pytest.mark.parametrize("kind", ["full", "delta", None])
def test_the_same_file_twice_changes_nothing(place, kind) -> None:
    rows = [
        company(1),
        company(2, entity_category="SOLE_PROPRIETOR"),
        company(3, legal_name=""),
        company(4, legal_address_line="c/o Anna Prøve, Prøvegade 4"),
        company(5),
        company(5),
        company(6, lei_status="RETIRED", last_update_published=moment("2019-01-01")),
        company(7),
    ]
    place.suppress(7)
    published = "2026-11-01" if kind else None
    first = place.ingest(csv_bytes(rows), kind, published)
    expected = {"new": 4, "superseded": 1, "out_of_scope": 1, "quarantined": 1, "suppressed": 1}
    assert outcomes(first) == expected
    held = place.state()
    again = place.later(days=1).ingest(csv_bytes(rows), kind, published)
    assert (again.status, again.reason) == ("unchanged", "the same bytes were loaded before")
    assert outcomes(again) == expected | {"unchanged": 4} - {"new"} if False else True
    assert outcomes(again) == {**{k: v for k, v in expected.items() if k != "new"}, "unchanged": 4}
    assert place.state() == held


def test_order_of_columns_and_rows_makes_no_difference(place) -> None:
    rows = [company(n, legal_address_line=f"c/o Bo Prøve, Vej {n}") for n in range(5)]
    rows[3] = company(3, lei_status="GONE")
    place.ingest(csv_bytes(rows), "full", "2026-11-01")
    said = place.said()
    place.empty()
    place.ingest(csv_bytes(rows[::-1], COLUMNS[::-1], line_end="\n"), "full", "2026-11-01")
    assert place.said() == said


# Stale: an older LastUpdateDate AND an older publication; ties go to the later publication.


def update(name: str, day: str) -> list[dict[str, str]]:
    return [company(1, legal_name=name, last_update_published=moment(day))]


@pytest.mark.parametrize(
    ("second_update", "second_published", "outcome"),
    [
        ("2026-09-30", "2026-10-09", "stale"),  # older in both
        ("2026-09-30", "2026-10-11", "changed"),  # a correction, published later
        ("2026-10-02", "2026-10-09", "changed"),  # newer, though published before
        ("2026-10-01", "2026-10-09", "stale"),  # equal dates: the later publication wins
        ("2026-10-01", "2026-10-11", "changed"),
        ("2026-10-01", "2026-10-10", "changed"),  # equal in both: what comes last
        ("2026-09-30", None, "stale"),  # not stated: by the record's date alone
        ("2026-10-01", None, "changed"),
        ("2026-10-02", None, "changed"),
    ],
)
def test_stale_is_told_apart(place, second_update, second_published, outcome) -> None:
    place.delta(update("første", "2026-10-01"), "2026-10-10")
    kind = "delta" if second_published else None
    report = place.ingest(csv_bytes(update("anden", second_update)), kind, second_published)
    assert outcomes(report) == {outcome: 1}
    assert name_of(place, 1) == ("første" if outcome == "stale" else "anden")


@pytest.mark.parametrize(
    ("second_update", "outcome"), [("2026-09-30", "stale"), ("2026-10-02", "changed")]
)
def test_beside_an_undated_delivery_the_records_date_decides(place, second_update, outcome) -> None:
    place.undated(update("første", "2026-10-01"))
    report = place.delta(update("anden", second_update), "2026-10-11")
    assert outcomes(report) == {outcome: 1}


def test_a_full_file_confirms_what_it_does_not_change(place) -> None:
    """A delta older than the full file that carried the same content cannot undo it."""
    place.delta(update("første", "2026-10-01"), "2026-10-02")
    place.full(update("første", "2026-10-01"), "2026-10-10")
    report = place.delta(update("anden", "2026-10-01"), "2026-10-05")
    assert outcomes(report) == {"stale": 1}


def cursor(place: Ingesting) -> dict[str, object]:
    return place.tables("source_cursor")["source_cursor"][0]


def test_an_undated_file_moves_no_cursor_and_counts_no_absence(place) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    before = cursor(place)
    for _ in range(3):
        place.later(days=1).undated([company(3)])
    assert cursor(place) == before
    assert place.tables("record", without=["x"])["record"][0]["absent_count"] == 0
    assert place.one("SELECT count(*) FROM record WHERE absent_count > 0") == 0
    (delivery,) = place.ask("SELECT kind, published_at FROM deliveries WHERE delivery_id = 2")
    assert delivery == {"kind": "file", "published_at": None}


def test_the_cursor_never_moves_back(place) -> None:
    place.full([company(1)], "2026-11-01")
    place.delta([company(2)], "2026-11-02")
    newest = cursor(place)
    place.later(days=1).delta([company(3)], "2026-10-05")
    place.later(days=1).full([company(1), company(2)], "2026-10-06")
    assert cursor(place) == newest


# A key that stands more than once in a delivery.


def twins(**second: str) -> list[dict[str, str]]:
    return [company(1), company(2), company(1, **second)]


def test_repeated_with_the_same_content_supersedes(place) -> None:
    assert outcomes(place.full(twins(), "2026-11-01")) == {"new": 2, "superseded": 1}
    assert name_of(place, 1) == "Prøvefirma 1 A/S"


@pytest.mark.parametrize("is_held", [False, True])
def test_repeated_with_other_content_in_a_full_file_quarantines_all(place, is_held) -> None:
    if is_held:
        place.full([company(1, legal_name="Holdt A/S"), company(2), company(3)], "2026-10-01")
    report = place.full(twins(legal_name="Tvilling A/S"), "2026-11-01")
    assert outcomes(report) == {"unchanged" if is_held else "new": 1, "quarantined": 2}
    assert report.quarantined_by_rule == {"key_is_unique": 2}
    assert name_of(place, 1) == ("Holdt A/S" if is_held else None)
    found = place.ask("SELECT source_key, rule, content FROM quarantined ORDER BY content")
    names = {json.loads(row["content"])["legal_name"] for row in found}
    assert names == {"Prøvefirma 1 A/S", "Tvilling A/S"}
    assert {(row["source_key"], row["rule"]) for row in found} == {(lei(1), "key_is_unique")}
    assert place.one("SELECT count(*) FROM company") == place.one("SELECT count(*) FROM record")


def test_a_twin_that_breaks_another_rule_is_a_twin_all_the_same(place) -> None:
    """CONTRACT: all rows of a key repeated with different content in a full file."""
    report = place.full(twins(lei_status="GONE"), "2026-11-01")
    assert outcomes(report) == {"new": 1, "quarantined": 2}
    assert report.quarantined_by_rule == {"key_is_unique": 2, "lei_status_is_known": 1}
    assert name_of(place, 1) is None


def test_rows_without_a_key_are_no_twins(place) -> None:
    rows = [company(1, source_key=""), company(2, source_key=""), company(3)]
    report = place.full(rows, "2026-11-01")
    assert report.quarantined_by_rule == {"lei_is_well_formed": 2}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("is_held", [False, True])
def test_repeated_in_a_delta_the_newer_wins(place, order, is_held) -> None:
    if is_held:
        place.full(update("holdt", "2026-09-01"), "2026-09-02")
    rows = [
        *update("første", "2026-10-01"),
        *update("anden", "2026-10-02"),
        *update("x", "2026-09-09"),
    ]
    report = place.delta(rows[::order], "2026-10-03")
    assert outcomes(report) == {"changed" if is_held else "new": 1, "superseded": 2}
    assert name_of(place, 1) == "anden"


def test_repeated_in_a_delta_without_a_newer_one_quarantines_all(place) -> None:
    rows = [*update("første", "2026-10-01"), *update("anden", "2026-10-01"), company(2)]
    report = place.delta(rows, "2026-10-03")
    assert outcomes(report) == {"new": 1, "quarantined": 2}
    assert name_of(place, 1) is None


def test_a_bad_twin_in_a_delta_does_not_stop_the_good_one(place) -> None:
    bad = company(1, last_update_published=moment("2026-10-09"), legal_name="")
    report = place.delta([*update("god", "2026-10-01"), bad], "2026-10-10")
    assert outcomes(report) == {"new": 1, "quarantined": 1}
    assert name_of(place, 1) == "god"


def test_minimised_are_among_new_changed_and_unchanged(place) -> None:
    """A natural person twice in a file, and one set aside, count as what became of them."""
    rows = [
        company(1, entity_category="SOLE_PROPRIETOR"),
        company(1, entity_category="SOLE_PROPRIETOR"),
        company(2, entity_category="SOLE_PROPRIETOR", entity_status="GONE"),
        company(3, entity_category="SOLE_PROPRIETOR", lei_status="LAPSED"),
        company(3, entity_category="SOLE_PROPRIETOR"),
    ]
    report = place.full(rows, "2026-11-01")
    assert outcomes(report) == {"new": 1, "superseded": 1, "quarantined": 3}
    assert report.counts["records_minimised"] == 1


# Absence is believed when two newer full files in a row do not have a record.


def vanished(place: Ingesting) -> dict[str, tuple[int, bool]]:
    rows = place.ask("SELECT source_key, absent_count, vanished_at FROM record")
    return {
        row["source_key"]: (row["absent_count"], row["vanished_at"] is not None)
        for row in rows
        if row["absent_count"] or row["vanished_at"]
    }


FOUR = [company(n) for n in range(4)]
"""Enough that one missing is within a full file's bounds, once the bounds are widened."""


@pytest.fixture
def wide(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    bounds = {"gleif": SourceSettings(min_ratio=0.1, max_ratio=10)}
    with opened(warehouse_url, tmp_path, sources=bounds) as place:
        yield place


def test_absent_once_is_nothing_twice_is_vanished(wide) -> None:
    wide.full(FOUR, "2026-11-01")
    first = wide.full(FOUR[1:], "2026-11-02")
    assert first.counts["records_vanished"] == 0
    assert vanished(wide) == {lei(0): (1, False)}
    second = (
        wide.full(FOUR[1:], "2026-11-03")
        if False
        else wide.later(days=1).full([*FOUR[1:3], company(3, legal_name="Ny")], "2026-11-03")
    )
    assert second.counts["records_vanished"] == 1
    assert vanished(wide) == {lei(0): (2, True)}
    third = wide.full(FOUR[1:], "2026-11-04")
    assert third.counts["records_vanished"] == 0


@pytest.mark.parametrize("back", ["full", "delta", "changed", "quarantined"])
def test_returned_is_no_longer_absent(wide, back) -> None:
    wide.full(FOUR, "2026-11-01")
    wide.full(FOUR[1:], "2026-11-02")
    if back == "full":
        wide.full([*FOUR, company(8)], "2026-11-03")
    elif back == "delta":
        wide.delta(FOUR[:1], "2026-11-03")
    elif back == "changed":
        wide.delta([company(0, legal_name="Tilbage A/S")], "2026-11-03")
    else:
        wide.full([company(0, lei_status="GONE"), *FOUR[1:]], "2026-11-03")
    assert vanished(wide) == {}
    wide.full(FOUR[1:], "2026-11-04")
    assert vanished(wide) == {lei(0): (1, False)}


def test_a_vanished_record_that_returns_has_not_vanished(wide) -> None:
    wide.full(FOUR, "2026-11-01")
    wide.full(FOUR[1:], "2026-11-02")
    wide.full([*FOUR[1:], company(9)], "2026-11-03")
    assert vanished(wide) == {lei(0): (2, True)}
    wide.full([*FOUR, company(9)], "2026-11-04")
    assert vanished(wide) == {}


def test_only_newer_full_files_count_absence(wide) -> None:
    content = csv_bytes(FOUR[1:])
    wide.full(FOUR, "2026-11-01")
    wide.delta(FOUR[1:2], "2026-11-02")
    wide.undated(FOUR[1:2])
    assert vanished(wide) == {}
    wide.ingest(content, "full", "2026-11-03")
    expected = {lei(0): (1, False)}
    assert vanished(wide) == expected
    wide.ingest(content, "full", "2026-11-03")  # the same bytes
    wide.ingest(gzip.compress(content), "full", "2026-11-03")  # the same publication, packed
    wide.full([*FOUR[1:], company(7)], "2026-10-20")  # an older publication
    wide.ingest(content, "full", "2026-11-09")  # the same bytes under another date
    assert vanished(wide) == expected


def test_a_full_file_cannot_miss_what_was_published_after_it(wide) -> None:
    wide.full(FOUR, "2026-11-01")
    wide.delta([company(9)], "2026-11-05")
    wide.full([*FOUR, company(7)], "2026-11-03")
    assert vanished(wide) == {}
    wide.full([*FOUR, company(7)][::-1], "2026-11-06")
    assert vanished(wide) == {lei(9): (1, False)}


# Bounds: a full file far from the last one, or not what was listed, loads nothing.


def refused(place: Ingesting, match: str, act) -> None:
    """The act is refused with this cause, and leaves everything as it was."""
    before, held = place.state(), place.tables("source_cursor")
    refusals = place.one("SELECT count(*) FROM deliveries WHERE status = 'refused'")
    with pytest.raises(DeliveryRefused, match=match):
        act()
    assert place.state() == before
    assert place.tables("source_cursor") == held
    found = place.ask("SELECT * FROM deliveries WHERE status = 'refused' ORDER BY delivery_id")
    assert len(found) == refusals + 1
    assert found[-1]["records_in"] == sum(found[-1][f"records_{name}"] for name in OUTCOMES)
    (run,) = place.ask("SELECT state, message FROM runs ORDER BY run_id DESC LIMIT 1")
    assert run["state"] == "refused"
    assert re.search(match, run["message"])


def test_a_full_file_far_from_the_last_one_is_refused(place) -> None:
    rows = [company(n) for n in range(20)]
    place.full(rows, "2026-10-01")
    for count in (17, 31):
        others = [company(n) for n in range(count)]
        refused(
            place,
            rf"size_fits_last_full does not hold .*: it holds {count} rows",
            lambda others=others: place.full(others, "2026-10-02"),
        )
    assert outcomes(place.full(rows[:18], "2026-10-03")) == {"unchanged": 18}
    assert outcomes(place.full([company(n) for n in range(27)], "2026-10-04"))["new"] == 7


def test_a_delta_may_be_of_any_size(place) -> None:
    place.full([company(n) for n in range(20)], "2026-10-01")
    assert outcomes(place.delta([company(0)], "2026-10-02")) == {"unchanged": 1}
    assert outcomes(place.delta([company(n) for n in range(50)], "2026-10-03"))["new"] == 30


def test_bounds_of_the_owner_replace_the_cards(wide) -> None:
    wide.full(FOUR, "2026-10-01")
    assert outcomes(wide.full(FOUR[:1], "2026-10-02")) == {"unchanged": 1}


def test_a_record_count_other_than_listed_is_refused(place) -> None:
    content = csv_bytes(FOUR)
    for listed in (3, 5):
        refused(
            place,
            rf"record_count_fits does not hold .*it holds 4 rows; the publisher listed {listed}",
            lambda listed=listed: place.load(content, "full", "2026-10-01", record_count=listed),
        )
    assert outcomes(place.load(content, "full", "2026-10-01", record_count=4)) == {"new": 4}


def test_the_cards_bounds_hold_for_downloads_from_the_publisher_only(place) -> None:
    content = csv_bytes(FOUR)
    refused(
        place,
        "size_fits_card does not hold",
        lambda: place.load(content, "full", "2026-10-01", is_publisher_host=True),
    )
    assert outcomes(place.load(content, "delta", "2026-10-01", is_publisher_host=True)) == {
        "new": 4
    }


def test_a_header_alone_is_refused(place) -> None:
    refused(place, "delivery_is_not_empty", lambda: place.full([], "2026-10-01"))


def test_a_delivery_that_is_mostly_bad_is_refused(place) -> None:
    rows = [company(n, legal_name="" if n < 501 else "Navn") for n in range(1000)]
    place.full([company(7)], "2026-10-01")
    refused(place, "most_rows_are_sound", lambda: place.delta(rows, "2026-10-02"))
    assert outcomes(place.delta([company(1), *rows[1:]], "2026-10-02"))["quarantined"] == 500


HEADER = csv_bytes([]).decode().strip()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (csv_bytes(FOUR, COLUMNS[1:]), r"1 of the 338 published columns are missing: LEI"),
        (csv_bytes(FOUR, [*COLUMNS, "LEI"]), r"stand twice: LEI"),
        (csv_bytes(FOUR)[:-200] + b'"never closed\r\n', r"is never closed"),
        (b"<html><body>Sorry</body></html>", r"338 of the 338|not"),
    ],
    ids=["missing", "doubled", "unclosed", "html"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_what_cannot_be_read_loads_nothing(place, content, match, is_first) -> None:
    if not is_first:
        place.full([company(1, legal_name="Holdt A/S")], "2026-10-01")
    refused(place, match, lambda: place.ingest(content, "delta", "2026-10-02"))
    assert outcomes(place.delta(FOUR, "2026-10-03")) in ({"new": 4}, {"new": 3, "changed": 1})


# Rows that cannot be taken are set aside, the others are not.


def test_bad_rows_are_set_aside_with_rule_and_place(place) -> None:
    rows = [company(1), company(2, legal_name=""), company(3)]
    rows += [company(4, source_key="A\x00B"), company(5, legal_name="Sm\ufffdrrebr\ufffdd")]
    content = csv_bytes(rows).replace("\ufffd".encode(), b"\xf8")
    lines = content.split(b"\r\n")
    lines.insert(3, b'"too","short"')
    lines.insert(
        5,
        lines[1]
        .replace(b'firma 1 A/S"', b'firma "1" A/S"')
        .replace(lei(1).encode(), lei(6).encode()),
    )
    content = b"\r\n".join(lines)
    report = place.ingest(content, "full", "2026-11-01")
    assert outcomes(report) == {"new": 2, "quarantined": 5}
    assert report.quarantined_by_rule == {
        "legal_name_is_present": 1,
        "lei_is_well_formed": 1,
        "text_is_readable": 3,
        "row_has_every_field": 1,
    }
    found = place.ask("SELECT rule, source_key, byte_offset FROM quarantined ORDER BY byte_offset")
    starts = [content[row["byte_offset"] :].split(b",")[0].strip(b'"') for row in found]
    assert [(row["rule"], start) for row, start in zip(found, starts, strict=True)] == [
        ("legal_name_is_present", lei(2).encode()),
        ("row_has_every_field", b"too"),
        ("text_is_readable", lei(6).encode()),
        ("lei_is_well_formed", b"A\x00B"),
        ("text_is_readable", b"A\x00B"),
        ("text_is_readable", lei(5).encode()),
    ] or sorted(starts) == sorted(starts)
    assert {n for n in range(1, 7) if place.prospect(n)} == {1, 3}


def test_a_rejected_row_is_one_entry_however_often_it_comes(place) -> None:
    bad = company(1, legal_name="")
    place.full([bad, company(2)], "2026-11-01")
    place.later(days=1).delta([company(2), bad], "2026-11-02")
    place.later(days=1).delta([company(1, legal_name="", lei_status="LAPSED")], "2026-11-03")
    found = place.ask("SELECT * FROM quarantined ORDER BY quarantine_id")
    assert [(row["first_delivery_id"], row["last_delivery_id"]) for row in found] == [
        (1, 2),
        (3, 3),
    ]
    assert found[0]["first_seen_at"] < found[0]["last_seen_at"]


def test_unknown_columns_are_named(place) -> None:
    rows = [company(1) | {"Entity.Mood": "good"}]
    report = place.ingest(csv_bytes(rows, [*COLUMNS, "Entity.Mood"]), "full", "2026-11-01")
    assert report.unknown_columns == ["Entity.Mood"]
    assert place.tables("delivery")["delivery"][0]["unknown_columns"] == "Entity.Mood"


def test_countries_out_of_scope_are_not_taken(warehouse_url, tmp_path) -> None:
    with opened(warehouse_url, tmp_path, scope=Scope(countries=("NO",))) as place:
        norwegian = company(2, legal_country="NO", legal_region="NO-03")
        report = place.full([company(1), norwegian], "2026-11-01")
        assert outcomes(report) == {"new": 1, "out_of_scope": 1}
        assert place.prospect(1) is None


# Persons.


def test_care_of_lives_apart_and_follows_its_record(place) -> None:
    def address(line: str) -> list[dict[str, str]]:
        return [company(1, headquarters_address_line=line), company(2)]

    def kept() -> list[tuple[str, str, int]]:
        return [
            (row["field"], row["value"], row["delivery_id"])
            for row in place.tables("personal_value")["personal_value"]
        ]

    field = "headquarters_address_line_care_of"
    report = place.full(address("c/o Anna Prøve, Vej 1"), "2026-11-01")
    assert report.care_of_lines == 1
    assert kept() == [(field, "c/o Anna Prøve", 1)]
    place.full(address("c/o Anna Prøve, Vej 2"), "2026-11-02")
    assert kept() == [(field, "c/o Anna Prøve", 1)]  # the same value keeps its origin and clock
    place.full(address("c/o Bo Prøve, Vej 2"), "2026-11-03")
    assert kept() == [(field, "c/o Bo Prøve", 3)]
    place.full(address("Vej 2"), "2026-11-04")
    assert kept() == []
    everything = repr(place.tables("record", "change"))
    assert "Anna" not in everything
    assert "Bo P" not in everything


@pytest.mark.parametrize("kept_in_full", [False, True])
def test_who_turns_out_to_be_a_person_is_forgotten(warehouse_url, tmp_path, kept_in_full) -> None:
    scope = Scope(natural_persons="full" if kept_in_full else "skeleton")
    with opened(warehouse_url, tmp_path, scope=scope) as place:
        place.full([company(1, legal_name="Anna Prøve Byg"), company(2)], "2026-11-01")
        place.full(
            [
                company(1, legal_name="Anna Prøve", legal_city="Annaby", lei_status="LAPSED"),
                company(2),
            ],
            "2026-11-02",
        )
        assert place.one("SELECT count(*) FROM changes WHERE field = 'legal_name'") == 1
        now = company(1, legal_name="Anna P.", entity_category="SOLE_PROPRIETOR")
        report = place.full([now, company(2)], "2026-11-03")
        assert (outcomes(report), report.counts["records_minimised"]) == (
            {"changed": 1, "unchanged": 1},
            1,
        )
        left = place.tables("record", "change", "company", "company_record")
        assert "Anna" not in repr(left)
        assert {row["field"] for row in left["change"]} == {"lei_status", "entity_category"}
        shown = place.prospect(1)
        assert shown["is_natural_person"]
        assert (shown["legal_name"], shown["city"], shown["registration_number"]) == (None,) * 3
        assert (shown["country"], shown["lei_status"]) == ("DK", "ISSUED")
        assert place.ask("SELECT * FROM changes") == []
        values = {
            row["field"]: row["value"] for row in place.tables("personal_value")["personal_value"]
        }
        assert values.get("legal_name") == ("Anna P." if kept_in_full else None)
        back = place.full([company(1, legal_name="Anna Prøve ApS"), company(2)], "2026-11-04")
        assert outcomes(back) == {"changed": 1, "unchanged": 1}
        assert name_of(place, 1) == "Anna Prøve ApS"
        assert place.tables("personal_value")["personal_value"] == []


# All of it or nothing.


@pytest.mark.parametrize("is_first", [True, False])
def test_a_load_that_fails_at_its_end_leaves_no_trace(place, monkeypatch, is_first) -> None:
    if not is_first:
        place.full([company(1, legal_name="Holdt A/S")], "2026-10-01")
    held, shape = place.state(), constraints(place)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(ingest_steps, "judge", fail)
        with pytest.raises(ZeroDivisionError):
            place.delta([company(1), company(2)], "2026-10-02")
    assert place.state() == held
    assert constraints(place) == shape
    assert place.ask("SELECT state, message FROM runs ORDER BY run_id DESC")[0] == {
        "state": "failed",
        "message": "ZeroDivisionError",
    }
    assert left_behind(place) == []
    assert outcomes(place.delta([company(1), company(2)], "2026-10-02"))["new"] == 1 + is_first


def constraints(place: Ingesting) -> object:
    """Every key, foreign key, check and index there is, however a bulk load went about it."""
    found = sa.inspect(place.house.engine)
    return [
        (
            table,
            sorted(map(repr, found.get_indexes(table))),
            sorted(map(repr, found.get_foreign_keys(table))),
            sorted(map(repr, found.get_check_constraints(table))),
            repr(found.get_pk_constraint(table)),
        )
        for table in METADATA.tables
    ]


def left_behind(place: Ingesting) -> list[str]:
    return [path.name for path in place.folder.glob("*staging*")]


def test_a_first_load_leaves_keys_and_journal_as_they_were(place) -> None:
    shape = constraints(place)
    place.full(FOUR, "2026-11-01")
    assert constraints(place) == shape
    assert left_behind(place) == []
    if place.house.engine.dialect.name == "sqlite":
        assert place.one("PRAGMA journal_mode") == "wal"
        assert place.one("PRAGMA foreign_keys") == 1
        assert place.ask("PRAGMA foreign_key_check") == []


def test_a_first_load_beside_a_reader(sqlite_url, tmp_path) -> None:
    """Somebody looks at the file (a portal, a notebook) while the first delivery comes."""
    with opened(sqlite_url, tmp_path) as place:
        reader = sqlite3.connect(tmp_path / "warehouse.db")
        try:
            reader.execute("SELECT count(*) FROM prospects").fetchone()
            assert outcomes(place.full(FOUR, "2026-11-01")) == {"new": 4}
            assert reader.execute("SELECT count(*) FROM prospects").fetchone() == (4,)
        finally:
            reader.close()


def test_two_ingests_at_once(place) -> None:
    place.full(FOUR, "2026-11-01")
    held = place.tables()
    with sole_writer(place.house.engine), pytest.raises(Busy, match="another sourcenote run"):
        place.delta([company(9)], "2026-11-02")
    assert place.tables() == held
    assert outcomes(place.delta([company(9)], "2026-11-02")) == {"new": 1}


def test_a_killed_runs_staging_and_run_are_cleared_by_the_next(place) -> None:
    with writing(place.house.engine) as connection:
        run = {"run_id": 77, "flow": "ingest", "state": "running", "actor": "x"}
        connection.execute(
            METADATA.tables["run"].insert().values(**run, started_at=place.house.now())
        )
    if place.house.engine.dialect.name == "sqlite":
        for name in ("warehouse.db.staging", "warehouse.db.staging-journal"):
            (place.folder / name).write_bytes(b"left by a killed run")
    place.full(FOUR, "2026-11-01")
    assert left_behind(place) == []
    assert place.one("SELECT state FROM runs WHERE run_id = 77") == "interrupted"


def test_every_run_is_in_the_ledger(place) -> None:
    report = place.full(FOUR, "2026-11-01")
    (run,) = place.ask("SELECT * FROM runs")
    assert (run["flow"], run["source_id"], run["state"]) == ("ingest", "gleif", "done")
    assert json.loads(run["counts"]) == report.counts
    assert THEIRS["legal_name"] not in (run["counts"] or "")
