"""Planted values: a sole trader's name and a care-of line are where they belong, nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest
import sqlalchemy as sa
from ingesting import THEIRS, company, csv_bytes, lei
from kept import Holding
from listing import norwegian
from standing import asked
from trials import first_rows

from warehouse import merge
from warehouse.engine import open_warehouse, reading
from warehouse.schema import METADATA

SOLE_TRADER, BROKEN_SOLE_TRADER, CARE_OF = "Plantwell", "Hemmeligsen", "Kvistgren"
STREET = "Skjulestien 77"
NAME = "20261102-1600-gleif-goldencopy-lei2-golden-copy.csv"
PLANTED = (SOLE_TRADER, BROKEN_SOLE_TRADER, CARE_OF, STREET)
VIEWS = ("prospects", "changes", "deliveries", "runs", "origins", "disclosures", "quarantined",
         "retention_due", "audit_events", "contact_points")  # fmt: skip
LIST = ("--channel", "post", "--purpose", "direct_marketing", "--recipient", "own", "--json")


def delivery() -> bytes:
    """Sound and broken rows of sole traders, by category and by legal form, and care-of lines."""
    natural = {
        "entity_category": "SOLE_PROPRIETOR",
        "legal_address_line": STREET,
        "headquarters_address_line": STREET,
    }
    rows = [
        company(1, legal_name="Ida Plantwell", **natural),
        company(2, legal_name="Ib Hemmeligsen", **natural, lei_status="WHAT"),
        company(3, legal_name="Bo Hemmeligsen", **natural, next_renewal_published="9940-01-01"),
        company(4, legal_name="Plantwell", **natural, source_key=lei(4).lower()),
        norwegian(5, headquarters_mail_routing=f"c/o Ottilie {CARE_OF}"),
        company(6, lei_status="LAPSED", headquarters_address_line_1=f"v/ Ottilie {CARE_OF}"),
        norwegian(7),
        *(norwegian(n) for n in range(20, 30)),
    ]
    return csv_bytes(rows) + f'"Ib {BROKEN_SOLE_TRADER}","{STREET}"\r\n'.encode()


@pytest.fixture
def planted(holding: Holding, monkeypatch: pytest.MonkeyPatch) -> Iterator[Holding]:
    """Instead of what is kept for every test: a delivery of a day later with persons in it."""
    with (holding.home / "sourcenote.toml").open("a") as settings:
        settings.write("\n[sources.gleif]\nmin_ratio = 0.0\nmax_ratio = 1000.0\n")
    monkeypatch.setenv("TMPDIR", str(holding.home / "scratch"))
    (holding.home / "scratch").mkdir()
    return holding


def load(held: Holding) -> Any:
    return held.load(delivery(), NAME)


def tables_that_hold(url: str, text: str) -> set[str]:
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            return {
                table.name
                for table in METADATA.sorted_tables
                if any(text in str(tuple(row)) for row in connection.execute(table.select()))
            }
    finally:
        engine.dispose()


def views_that_hold(url: str, text: str) -> set[str]:
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            rows = {name: connection.execute(sa.text(f"SELECT * FROM {name}")) for name in VIEWS}
            return {name for name in VIEWS if any(text in str(tuple(row)) for row in rows[name])}
    finally:
        engine.dispose()


def files_that_hold(held: Holding, text: str) -> set[str]:
    """Names of files outside the landing and what the test wrote itself."""
    given = {"landing", "received"}
    found = set()
    for path in held.home.rglob("*"):
        parts = path.relative_to(held.home).parts
        if path.is_file() and not given & set(parts) and path.suffix != ".csv":
            found |= {path.name} if text.encode() in path.read_bytes() else set()
    return found


def test_persons_stay_where_they_belong(planted: Holding) -> None:
    answer = load(planted)
    assert answer.code == 3, answer.err
    assert answer.document["counts"]["records_minimised"] == 1
    assert answer.document["counts"]["records_quarantined"] == 4
    for text in (SOLE_TRADER, BROKEN_SOLE_TRADER, STREET):
        assert tables_that_hold(planted.url, text) == set()
        assert views_that_hold(planted.url, text) == set()
    assert tables_that_hold(planted.url, CARE_OF) == {"personal_value"}
    assert views_that_hold(planted.url, CARE_OF) == set()
    warehouse = {"warehouse.db", "warehouse.db-wal"} if planted.url.startswith("sqlite") else set()
    for text in PLANTED:
        allowed = warehouse if text == CARE_OF else set()
        assert files_that_hold(planted, text) <= allowed
    assert list((planted.home / "scratch").iterdir()) == []


def test_no_answer_but_explain_names_them(planted: Holding) -> None:
    said = [load(planted)]
    lines = [
        ["status"], ["status", "--json"], ["sources", "show", "gleif", "--json"],
        ["quarantine", "list"], ["quarantine", "list", "--json"], ["segment", "list", "--json"],
        ["deactivate", "--dry-run", "--json"], ["delete", "--dry-run", "--json"],
        ["deactivate", "--json"], ["delete", "--json"],
        ["export", "--segment", "lapsed", *LIST, "--out", planted.home / "out"],
        ["ingest", "gleif", "--file", planted.home / "nowhere"],
    ]  # fmt: skip
    said += [planted.run(*line) for line in lines]
    entries = asked(planted.url, "SELECT quarantine_id FROM quarantined_row")
    said += [planted.run("quarantine", "show", entry["quarantine_id"]) for entry in entries]
    for text in PLANTED:
        assert [answer for answer in said if text in answer.out + answer.err] == []
    (exported,) = (planted.home / "out").iterdir()
    for path in exported.rglob("*"):
        assert path.is_dir() or not any(text in path.read_text("utf-8") for text in PLANTED)
    answer = planted.run("explain", lei(5), "--json")
    assert CARE_OF in answer.out
    assert CARE_OF not in answer.err


@pytest.mark.parametrize("option", [[], ["--debug"]])
def test_an_error_from_below_does_not_quote_them(planted: Holding, option: list[str]) -> None:
    """What a database or a parser says may hold the row it stumbled on."""

    def broken(connection: Any, *_: Any) -> None:
        statement = sa.text("SELECT load_this(:name)")
        connection.execute(statement, {"name": f"Ida {SOLE_TRADER}, {STREET}"})

    with mock.patch.object(merge, "move_cursor", broken):
        answer = load(planted)
        again = planted.run("ingest", "gleif", *option, "--file", planted.home / "received" / NAME)
    for each in (answer, again):
        assert each.code == 1
        assert not any(text in each.out + each.err for text in PLANTED)
    (run,) = asked(planted.url, "SELECT message FROM run WHERE run_id = 2")
    assert run["message"] in {"OperationalError", "ProgrammingError"}
    assert planted.is_as_before()
    assert planted.left_over() == []
    for text in (SOLE_TRADER, STREET):
        assert tables_that_hold(planted.url, text) == set()


def test_the_servers_files_hold_no_sole_trader(heavy: Holding) -> None:
    """Staging on PostgreSQL is temporary tables, which go with their transaction."""
    assert load(heavy).code == 3
    server = heavy.kept.databases.server
    assert server is not None
    with psycopg.connect(heavy.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        oid = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        folder = server.folder / "data" / "base" / str(oid.fetchone()[0])
    content = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert SOLE_TRADER.encode() not in content
    assert STREET.encode() not in content


def test_a_house_that_may_hold_them_keeps_them_apart(planted: Holding) -> None:
    """With `natural_persons = "full"`: in one table, in no view."""
    config = planted.home / "sourcenote.toml"
    text = config.read_text("utf-8")
    assert 'natural_persons = "skeleton"' in text
    config.write_text(text.replace('natural_persons = "skeleton"', 'natural_persons = "full"'))
    answer = load(planted)
    assert answer.code == 3, answer.err
    assert tables_that_hold(planted.url, SOLE_TRADER) == {"personal_value"}
    assert tables_that_hold(planted.url, BROKEN_SOLE_TRADER) == set()
    assert views_that_hold(planted.url, SOLE_TRADER) == set()


def test_what_is_planted_is_in_the_file(tmp_path: Path) -> None:
    """The tests above would pass on a file without them."""
    text = delivery().decode()
    assert all(planted in text for planted in PLANTED)
    assert SOLE_TRADER in csv_bytes(first_rows(9)).decode()
    assert THEIRS["legal_name"] in text
    assert os.environ.get("TMPDIR") != str(tmp_path)
