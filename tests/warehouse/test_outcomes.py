"""Which outcome a row has beside what is held: stale, superseded, in conflict, absent, returned."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest
from ingesting import Ingesting, company, csv_bytes, lei, moment, outcomes

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
    assert place.name(1) == ("første" if outcome == "stale" else "anden")


@pytest.mark.parametrize(
    ("second_update", "outcome"), [("2026-09-30", "stale"), ("2026-10-02", "changed")]
)
def test_beside_an_undated_delivery_the_records_date_decides(place, second_update, outcome) -> None:
    place.undated(update("første", "2026-10-01"))
    report = place.delta(update("anden", second_update), "2026-10-11")
    assert outcomes(report) == {outcome: 1}


def test_a_full_file_does_not_confirm_what_it_contradicts(place) -> None:
    """Its row is stale beside an undated one, however often the file comes."""
    place.undated(update("første", "2026-10-01"))
    for _ in range(2):
        report = place.full(update("anden", "2026-09-30"), "2026-10-02")
        assert outcomes(report) == {"stale": 1}
    assert place.name(1) == "første"


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
    assert place.one("SELECT count(*) FROM record WHERE absent_count > 0") == 0
    (delivery,) = place.ask("SELECT kind, published_at FROM deliveries WHERE delivery_id = 2")
    assert delivery == {"kind": "file", "published_at": None}


def test_the_cursor_never_moves_back(wide) -> None:
    wide.full([company(1)], "2026-11-01")
    wide.delta([company(2)], "2026-11-02")
    newest = cursor(wide)
    wide.later(days=1).delta([company(3)], "2026-10-05")
    wide.later(days=1).full([company(1), company(2)], "2026-10-06")
    assert cursor(wide) == newest


# A key that stands more than once in a delivery.


def twins(**second: str) -> list[dict[str, str]]:
    return [company(1), company(2), company(1, **second)]


def test_repeated_with_the_same_content_supersedes(place) -> None:
    assert outcomes(place.full(twins(), "2026-11-01")) == {"new": 2, "superseded": 1}
    assert place.name(1) == "Prøvefirma 1 A/S"


@pytest.mark.parametrize("is_held", [False, True])
def test_repeated_with_other_content_in_a_full_file_quarantines_all(place, is_held) -> None:
    if is_held:
        place.full([company(1, legal_name="Holdt A/S"), company(2), company(3)], "2026-10-01")
    report = place.full(twins(legal_name="Tvilling A/S"), "2026-11-01")
    assert outcomes(report) == {"unchanged" if is_held else "new": 1, "quarantined": 2}
    assert report.quarantined_by_rule == {"key_is_unique": 2}
    assert place.name(1) == ("Holdt A/S" if is_held else None)
    found = place.ask("SELECT source_key, rule, content FROM quarantined ORDER BY content")
    names = {json.loads(row["content"])["legal_name"] for row in found}
    assert names == {"Prøvefirma 1 A/S", "Tvilling A/S"}
    assert {(row["source_key"], row["rule"]) for row in found} == {(lei(1), "key_is_unique")}
    assert place.one("SELECT count(*) FROM company") == place.one("SELECT count(*) FROM record")


@pytest.mark.parametrize(("name", "lost"), [("Tvilling", "quarantined"), (None, "superseded")])
def test_new_twins_in_a_later_delivery(wide, name, lost) -> None:
    """Rows staged as new are taken out of staging again, on both databases."""
    wide.full([company(8)], "2026-10-01")
    changes = {"legal_name": name} if name else {}
    report = wide.full([company(8), *twins(**changes)], "2026-11-01")
    new, count = (1, 2) if name else (2, 1)
    assert outcomes(report) == {"unchanged": 1, "new": new, lost: count}
    assert wide.one("SELECT count(*) FROM prospects") == 1 + new


def test_a_twin_that_breaks_another_rule_is_a_twin_all_the_same(place) -> None:
    """CONTRACT: all rows of a key repeated with different content in a full file."""
    report = place.full(twins(lei_status="GONE"), "2026-11-01")
    assert outcomes(report) == {"new": 1, "quarantined": 2}
    assert report.quarantined_by_rule == {"key_is_unique": 2, "lei_status_is_known": 1}
    assert place.name(1) is None


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
    assert place.name(1) == "anden"


def test_repeated_in_a_delta_without_a_newer_one_quarantines_all(place) -> None:
    rows = [*update("første", "2026-10-01"), *update("anden", "2026-10-01"), company(2)]
    report = place.delta(rows, "2026-10-03")
    assert outcomes(report) == {"new": 1, "quarantined": 2}
    assert place.name(1) is None


def test_a_bad_twin_in_a_delta_does_not_stop_the_good_one(place) -> None:
    bad = company(1, last_update_published=moment("2026-10-09"), legal_name="")
    report = place.delta([*update("god", "2026-10-01"), bad], "2026-10-10")
    assert outcomes(report) == {"new": 1, "quarantined": 1}
    assert place.name(1) == "god"


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


def without_first(extra: int) -> list[dict[str, str]]:
    """The others, and one more: the same bytes twice would count no absence."""
    return [*FOUR[1:], company(extra)]


def test_absent_once_is_nothing_twice_is_vanished(wide) -> None:
    wide.full(FOUR, "2026-11-01")
    first = wide.full(FOUR[1:], "2026-11-02")
    assert first.counts["records_vanished"] == 0
    assert vanished(wide) == {lei(0): (1, False)}
    second = wide.full(without_first(8), "2026-11-03")
    assert (second.status, second.counts["records_vanished"]) == ("loaded", 1)
    assert vanished(wide) == {lei(0): (2, True)}
    third = wide.full([*FOUR[1:], company(8), company(9)], "2026-11-04")
    assert third.counts["records_vanished"] == 0


@pytest.mark.parametrize("back", ["full", "delta", "changed", "quarantined"])
def test_returned_is_no_longer_absent(wide, back) -> None:
    wide.full(FOUR, "2026-11-01")
    wide.full(FOUR[1:], "2026-11-02")
    acts = {
        "full": lambda: wide.full([*FOUR, company(8)], "2026-11-03"),
        "delta": lambda: wide.delta(FOUR[:1], "2026-11-03"),
        "changed": lambda: wide.delta([company(0, legal_name="Tilbage A/S")], "2026-11-03"),
        "quarantined": lambda: wide.full([company(0, lei_status=""), *FOUR[1:]], "2026-11-03"),
    }
    acts[back]()
    assert vanished(wide) == {}
    wide.full([*FOUR[1:], company(8), company(9)], "2026-11-04")
    assert vanished(wide) == {lei(0): (1, False)}


def test_a_vanished_record_that_returns_has_not_vanished(wide) -> None:
    wide.full(FOUR, "2026-11-01")
    wide.full(FOUR[1:], "2026-11-02")
    wide.full(without_first(9), "2026-11-03")
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
    assert vanished(wide) == expected | {lei(7): (1, False)}  # the newest one is without it


def test_what_is_no_newer_than_the_absence_does_not_end_it(wide) -> None:
    wide.full(FOUR, "2026-10-01")
    wide.full(FOUR[1:], "2026-10-03")
    wide.full(without_first(8), "2026-10-05")
    wide.full(FOUR, "2026-10-01")  # the first one again
    wide.delta(FOUR[:1], "2026-10-04")
    wide.undated([company(0, last_update_published=moment("2026-10-30"))])
    assert vanished(wide) == {lei(0): (2, True)}
    wide.delta(FOUR[:1], "2026-10-05")
    assert vanished(wide) == {}


def test_a_full_file_of_the_publication_that_deltas_reached_counts_absence(wide) -> None:
    wide.full(FOUR, "2026-10-01")
    wide.load(csv_bytes(FOUR[3:]), "delta", "2026-10-03", reach=timedelta(days=2))
    assert cursor(wide)["published_at"] > cursor(wide)["full_published_at"]
    wide.full(FOUR[1:], "2026-10-03")
    assert vanished(wide) == {lei(0): (1, False)}


@pytest.mark.parametrize("name", ["again", "undated", "undated, with its kind"])
def test_bytes_that_were_compared_before_bring_no_older_word_back(wide, name) -> None:
    """Also where the register set the record's date back since."""
    first = csv_bytes([*update("første", "2026-10-02"), company(2)])
    wide.ingest(first, "full", "2026-10-03")
    wide.full([*update("anden", "2026-10-01"), company(2)], "2026-10-04")
    named = {"again": ("full", "2026-10-03"), "undated": (None, None)}
    report = wide.ingest(first, *named.get(name, ("full", None)))
    assert outcomes(report) == {"stale": 1, "unchanged": 1}
    assert wide.name(1) == "anden"


def test_undated_bytes_twice_change_nothing_the_second_time(wide) -> None:
    undated = update("udateret", "2026-10-01")
    wide.undated(undated)
    wide.full(update("dateret", "2026-10-01"), "2026-10-04")
    assert outcomes(wide.undated(undated)) == {"stale": 1}
    assert wide.name(1) == "dateret"


def test_a_full_file_cannot_miss_what_was_published_after_it(wide) -> None:
    wide.full(FOUR, "2026-11-01")
    wide.delta([company(9)], "2026-11-05")
    wide.full([*FOUR, company(7)], "2026-11-03")
    assert vanished(wide) == {}
    wide.full([*FOUR, company(7), company(8)], "2026-11-06")
    assert vanished(wide) == {lei(9): (1, False)}
