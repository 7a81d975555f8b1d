"""What one delivery does to the warehouse: each row its outcome, all of it or nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from ingesting import (
    COLUMNS,
    THEIRS,
    Ingesting,
    company,
    csv_bytes,
    lei,
    moment,
    opened,
    outcomes,
)

from flows import ingest_steps
from sources.kit.errors import Busy
from sources.kit.policy import Scope
from sources.kit.sample import bundled_sample
from warehouse import bulk
from warehouse.engine import sole_writer, writing
from warehouse.schema import METADATA

ROWS = [company(n) for n in range(4)]


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
    assert place.name(1) == "Nyt Navn A/S"
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
    assert expected.pop("new") == 4
    assert (again.status, again.reason) == ("unchanged", "the same bytes were loaded before")
    assert outcomes(again) == expected | {"unchanged": 4}
    assert place.state() == held


def test_order_of_columns_and_rows_makes_no_difference(place) -> None:
    rows = [company(n, legal_address_line=f"c/o Bo Prøve, Vej {n}") for n in range(5)]
    rows[3] = company(3, lei_status="GONE")
    place.ingest(csv_bytes(rows), "full", "2026-11-01")
    said = place.said()
    place.empty()
    place.ingest(csv_bytes(rows[::-1], COLUMNS[::-1], line_end="\n"), "full", "2026-11-01")
    assert place.said() == said


# Rows that cannot be taken are set aside, the others are not.


def keys(*numbers: int) -> list[bytes]:
    return [lei(number).encode() for number in numbers]


def test_bad_rows_are_set_aside_with_rule_and_place(place) -> None:
    rows = [company(1), company(2, legal_name=""), company(3)]
    rows += [company(4, source_key="A\x00B"), company(5, legal_name="Sm\ufffdrrebr\ufffdd")]
    content = csv_bytes(rows).replace("\ufffd".encode(), b"\xf8")
    header, *lines = content.split(b"\r\n")
    stray = lines[0].replace(b'firma 1 A/S"', b'firma "1" A/S"').replace(*keys(1, 6))
    lines[2:2] = [b'"too","short"', stray]
    content = b"\r\n".join([header, *lines])
    report = place.ingest(content, "full", "2026-11-01")
    assert outcomes(report) == {"new": 2, "quarantined": 5}
    assert report.quarantined_by_rule == {
        "legal_name_is_present": 1,
        "lei_is_well_formed": 1,
        "text_is_readable": 2,
        "row_has_every_field": 1,
    }
    found = place.ask("SELECT rule, source_key, byte_offset FROM quarantined ORDER BY byte_offset")
    assert [(row["rule"], content[row["byte_offset"] :].split(b'"')[1]) for row in found] == [
        ("legal_name_is_present", lei(2).encode()),
        ("row_has_every_field", b"too"),
        ("text_is_readable", lei(6).encode()),
        ("lei_is_well_formed", b"A\x00B"),
        ("text_is_readable", lei(5).encode()),
    ]
    assert [row["source_key"] for row in found] == [lei(2), "", lei(6), "A\ufffdB", lei(5)]
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


def test_countries_out_of_scope_are_not_taken(place) -> None:
    place.change(scope=Scope(countries=("NO",)))
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
def test_who_turns_out_to_be_a_person_is_forgotten(place, kept_in_full) -> None:
    place.change(scope=Scope(natural_persons="full" if kept_in_full else "skeleton"))
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
    assert place.name(1) == "Anna Prøve ApS"
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


def constraints(place: Ingesting) -> dict[str, list[str]]:
    """Every key, foreign key, check and index there is, however a bulk load went about it."""
    query = {
        "sqlite": "SELECT tbl_name AS name, sql AS text FROM sqlite_master WHERE sql IS NOT NULL",
        "postgresql": "SELECT conrelid::regclass::text AS name, pg_get_constraintdef(oid)"
        " || conname AS text FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        " UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }[place.house.engine.dialect.name]
    found: dict[str, list[str]] = {}
    for row in place.ask(query):
        found.setdefault(row["name"], []).append(row["text"])
    return {name: sorted(texts) for name, texts in found.items()}


def beside(place: Ingesting) -> Path:
    """The folder of the warehouse's file; on PostgreSQL one in which nothing is expected."""
    url = place.house.engine.url
    return Path(str(url.database)).parent if url.get_backend_name() == "sqlite" else place.folder


def left_behind(place: Ingesting) -> list[str]:
    return [path.name for path in beside(place).glob("*staging*")]


def test_a_first_load_leaves_keys_and_journal_as_they_were(place) -> None:
    shape = constraints(place)
    place.full(ROWS, "2026-11-01")
    assert constraints(place) == shape
    assert left_behind(place) == []
    if place.house.engine.dialect.name == "sqlite":
        assert place.one("PRAGMA journal_mode") == "wal"
        assert place.one("PRAGMA foreign_keys") == 1
        assert place.ask("PRAGMA foreign_key_check") == []


def test_keys_that_a_killed_first_load_left_unproved_are_proved_by_the_next(
    place, monkeypatch
) -> None:
    shape = constraints(place)
    with monkeypatch.context() as killed:
        killed.setattr(bulk, "prove_keys", lambda _: None)
        place.full(ROWS, "2026-11-01")
    is_left = any("NOT VALID" in text for texts in constraints(place).values() for text in texts)
    assert is_left == (place.house.engine.dialect.name == "postgresql")
    place.delta([company(1), company(2)], "2026-11-02")
    assert constraints(place) == shape


def test_a_first_load_beside_a_reader(sqlite_url, tmp_path) -> None:
    """Somebody looks at the file (a portal, a notebook) while the first delivery comes."""
    with opened(sqlite_url, tmp_path) as place:
        reader = sqlite3.connect(tmp_path / "warehouse.db")
        try:
            reader.execute("SELECT count(*) FROM prospects").fetchone()
            assert outcomes(place.full(ROWS, "2026-11-01")) == {"new": 4}
            assert reader.execute("SELECT count(*) FROM prospects").fetchone() == (4,)
        finally:
            reader.close()


def test_two_ingests_at_once(place) -> None:
    place.full(ROWS, "2026-11-01")
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
            (beside(place) / name).write_bytes(b"left by a killed run")
        assert len(left_behind(place)) == 2
    place.full(ROWS, "2026-11-01")
    assert left_behind(place) == []
    assert place.one("SELECT state FROM runs WHERE run_id = 77") == "interrupted"


def test_every_run_is_in_the_ledger(place) -> None:
    report = place.full(ROWS, "2026-11-01")
    (run,) = place.ask("SELECT * FROM runs")
    assert (run["flow"], run["source_id"], run["state"]) == ("ingest", "gleif", "done")
    assert json.loads(run["counts"]) == report.counts
    assert THEIRS["legal_name"] not in (run["counts"] or "")
