"""The questions that `status` and `explain` ask, on both databases, where the command is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from our_command import Filled, copy_filled, fill

from sources.kit.errors import Busy, Refused
from sources.kit.keys import Keys
from warehouse import quarantine, read_company, read_faults, read_sources, read_status, read_stops
from warehouse.engine import open_warehouse, reading
from warehouse.privacy import suppression
from warehouse.schema import change, contact_point, export, record, run

NOW = datetime(2026, 11, 5, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path, Filled]]:
    """A filled warehouse that the tests of this file share: what they write, they take back."""
    home = tmp_path_factory.mktemp("house")
    if request.param == "sqlite":
        yield f"sqlite:///{home / 'sourcenote.db'}", home, copy_filled(home)
        return
    server = request.getfixturevalue("postgres_process")
    name = server.create_database()
    yield server.url(name), home, fill(server.url(name), home)
    server.drop_database(name)


@pytest.fixture
def filled(house: tuple[str, Path, Filled]) -> Filled:
    return house[2]


@pytest.fixture
def keys(house: tuple[str, Path, Filled]) -> Keys:
    return Keys.load(house[1] / "sourcenote.key")


@pytest.fixture
def connection(
    house: tuple[str, Path, Filled], no_connection_left: None
) -> Iterator[sa.Connection]:
    engine = open_warehouse(house[0])
    with engine.connect() as opened, opened.begin() as transaction:
        yield opened
        transaction.rollback()
    engine.dispose()


def test_contact_points_lead_to_their_company(
    connection: sa.Connection, filled: Filled, keys: Keys
) -> None:
    """No source brings any yet; the questions are there for those that will."""
    (number,) = read_company.ids_by_lei(connection, filled.changed)
    (held,) = read_company.records_of(connection, number)
    add_contact(connection, held, "email", "info@example.org")
    assert read_company.ids_by_contact(connection, "email", "info@example.org") == [number]
    assert read_company.ids_by_contact(connection, "phone", "info@example.org") == []
    (point,) = read_company.contact_points_of(connection, [held["record_id"]])
    assert (point["value"], point["state"]) == ("info@example.org", "active")
    asked = ["info@example.org", "other@example.org"] * 600
    assert read_stops.contacts_of_stopped(connection, "email", asked) == set()
    stop(connection, keys, "lei", filled.changed)
    assert read_stops.contacts_of_stopped(connection, "email", asked) == {"info@example.org"}
    assert read_stops.contacts_of_stopped(connection, "phone", asked) == set()


def add_contact(connection: sa.Connection, held: dict[str, Any], kind: str, value: str) -> None:
    connection.execute(
        contact_point.insert().values(
            contact_id=1,
            record_id=held["record_id"],
            source_key=held["source_key"],
            kind=kind,
            value=value,
            original=value,
            mail_domain=value.partition("@")[2] if kind == "email" else None,
            mailbox_class="role" if kind == "email" else None,
            person_kind="none",
            first_delivery_id=held["first_delivery_id"],
            obtained_at=NOW,
            inactive_after=NOW.date(),
            delete_after=NOW.date(),
        )
    )


def stop(connection: sa.Connection, keys: Keys, kind: suppression.Kind, value: str) -> None:
    suppression.add(
        connection, keys, kind, value, reason="asked to", origin="command", actor="us", now=NOW
    )


def test_the_record_of_a_company(connection: sa.Connection, filled: Filled) -> None:
    (number,) = read_company.ids_by_lei(connection, filled.changed)
    (held,) = read_company.records_of(connection, number)
    assert held["initial_registration_at"].tzinfo is UTC
    assert held["publisher"].startswith("Global Legal Entity")
    assert held["until_at"] is None
    assert read_company.companies(connection, [number, 10**9])[0]["company_id"] == number
    assert read_company.ids_by_lei(connection, "0" * 20) == []
    assert read_company.disclosures_of(connection, number) == []
    assert read_company.deliveries_by_id(connection, [1, 1, 2]).keys() == {1, 2}


def test_stops_under_an_old_key_and_by_the_oldest(
    connection: sa.Connection, filled: Filled, keys: Keys
) -> None:
    newer = Keys(2, {1: keys.by_version[1], 2: b"2" * 32})
    assert read_stops.stop_on(connection, keys, "lei", filled.changed) is None
    stop(connection, keys, "lei", filled.changed)
    found = read_stops.stop_on(connection, newer, "lei", filled.changed.lower())
    assert found is not None
    assert found["added_at"] == NOW
    (number,) = read_company.ids_by_lei(connection, filled.changed)
    assert read_stops.first_covering(connection, [number, 10**9]) == found
    assert read_stops.first_covering(connection, []) is None
    assert read_stops.companies_covered(connection, found["suppression_id"]) == 1
    assert read_stops.stop_by_token(connection, "no such digest") is None
    assert read_status.stops_held(connection) == 1


def test_what_deactivate_would_do_counts_absences_too(connection: sa.Connection) -> None:
    def due(*, vanished: bool) -> int:
        return read_status.to_deactivate(connection, ("RETIRED",), vanished=vanished, as_of=TODAY)[
            "companies"
        ]

    retired = due(vanished=True)
    assert retired == due(vanished=False) > 0
    some = sa.select(record.c.record_id).where(record.c.lei_status == "ISSUED").limit(2)
    rows = connection.execute(
        sa.select(record.c.record_id, record.c.source_key).where(record.c.record_id.in_(some))
    ).mappings()
    gone = {"field": "vanished_at", "new_value": "2026-11-05", "is_current": True}
    known = {"delivery_id": 2, "changed_at": NOW}
    connection.execute(change.insert(), [{**row, **gone, **known} for row in rows.all()])
    assert (due(vanished=True), due(vanished=False)) == (retired + 2, retired)


def test_a_later_good_run_settles_a_bad_one(connection: sa.Connection) -> None:
    assert read_status.troubled_runs(connection, 5) == []
    for number, (flow, source, state) in enumerate(
        (
            ("ingest", "gleif", "failed"),
            ("export", None, "refused"),
            ("delete", None, "running"),
            ("export", None, "done"),
        ),
        start=101,
    ):
        connection.execute(
            run.insert().values(
                run_id=number,
                flow=flow,
                source_id=source,
                state=state,
                actor="us",
                started_at=NOW,
            )
        )
    troubled = read_status.troubled_runs(connection, 5)
    assert [(row["flow"], row["state"]) for row in troubled] == [
        ("delete", "running"),
        ("ingest", "failed"),
    ]
    assert len(read_status.troubled_runs(connection, 1)) == 1


def test_unfinished_exports(connection: sa.Connection) -> None:
    for number, state in (("a", "published"), ("b", "written")):
        connection.execute(
            export.insert().values(
                export_id=number,
                state=state,
                directory="lists",
                segment="all",
                channel="post",
                purpose="p",
                recipient="own",
                created_at=NOW,
                actor="us",
                manifest="{}",
                run_id=1,
            )
        )
    assert [row["export_id"] for row in read_status.unfinished_exports(connection)] == ["b"]


def test_sources_and_quarantine(connection: sa.Connection, filled: Filled) -> None:
    last = read_sources.last_deliveries(connection)["gleif"]
    assert (last["delivery_id"], last["kind"]) == (2, "delta")
    assert read_sources.last_deliveries(connection, refused=True) == {}
    assert read_sources.cursors(connection)["gleif"]["published_at"] == datetime(
        2026, 11, 3, 8, tzinfo=UTC
    )
    counts = read_status.companies(connection)
    assert read_sources.record_counts(connection) == {"gleif": counts["active"]}
    assert read_sources.quarantine_counts(connection) == {"gleif": (13, 1)}
    assert read_sources.alarming_in(connection, 1) == 12
    assert read_sources.alarming_in(connection, 2) == 0
    assert read_sources.where_from(connection, 1)["byte_count"] > 900_000
    rows, count = quarantine.listing(connection, limit=1)
    assert (len(rows), count) == (1, 13)
    with pytest.raises(Refused, match="none of that number"):
        quarantine.drop(connection, [rows[0]["quarantine_id"], 10**9], actor="us", now=NOW)
    assert quarantine.drop(connection, [rows[0]["quarantine_id"]], actor="us", now=NOW) == 1
    assert read_sources.alarming_in(connection, 1) == 11
    assert quarantine.listing(connection, source_id="nosuch") == ([], 0)
    assert quarantine.listing(connection, with_dropped=True)[1] == 13
    (entry,) = read_company.quarantined_on(connection, [filled.bad, filled.changed])
    assert "content" not in entry
    assert quarantine.one(connection, entry["quarantine_id"])["content"]


def test_what_is_due_by_a_day(connection: sa.Connection) -> None:
    assert read_status.to_delete(connection, TODAY) == {"companies": 0, "personal_values": 0}
    values = read_status.to_deactivate(connection, (), vanished=False, as_of=date(2030, 1, 1))
    assert values["personal_values"] > 0


def test_one_company_is_reached_by_indexes(tmp_path: Path, no_connection_left: None) -> None:
    """At three million records a scan takes seconds; `explain` must not make one."""
    known = copy_filled(tmp_path)
    opened = open_warehouse(f"sqlite:///{tmp_path / 'sourcenote.db'}")
    seen: list[str] = []

    def look(connection: sa.Connection, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            plan = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            seen.extend(row[-1] for row in plan.fetchall())

    sa.event.listen(opened, "before_cursor_execute", look)
    with reading(opened) as connection:
        (number,) = read_company.ids_by_lei(connection, known.changed)
        read_company.companies(connection, [number])
        (held,) = read_company.records_of(connection, number)
        read_company.changes_of(connection, [held["record_id"]])
        read_company.personal_values_of(connection, [held["record_id"]])
        read_company.contact_points_of(connection, [held["record_id"]])
        read_company.disclosures_of(connection, number)
        read_stops.stop_on_company(connection, number)
    opened.dispose()
    scans = [line for line in seen if line.startswith("SCAN")]
    assert len(seen) > 8
    assert all("source_cursor" in line for line in scans), scans


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("SQLITE_BUSY", Busy, "keeps it locked"),
        ("SQLITE_CANTOPEN_ISDIR", Refused, "cannot be opened"),
        ("SQLITE_FULL", Refused, "disk is full"),
        ("SQLITE_NOTADB", Refused, "no SQLite database"),
    ],
)
def test_sqlites_errors_in_our_words(name: str, kind: type[Exception], said: str) -> None:
    original = RuntimeError("anna@example.org")
    original.sqlite_errorname = name  # type: ignore[attr-defined]
    found = read_faults.as_refusal(sa.exc.OperationalError("SELECT 1", {}, original))
    assert isinstance(found, kind)
    assert said in str(found)
    assert "anna@" not in str(found)


def test_postgresqls_errors_in_our_words(postgres_url: str) -> None:
    missing = open_warehouse(postgres_url + "_missing")
    with pytest.raises(sa.exc.OperationalError) as failure, missing.connect():
        pass
    missing.dispose()
    assert "cannot be reached, or does not let us in" in str(read_faults.as_refusal(failure.value))
    held = open_warehouse(postgres_url)
    with pytest.raises(sa.exc.ProgrammingError) as unknown, held.connect() as connection:
        connection.execute(sa.text("SELECT 1 FROM no_such_table"))
    held.dispose()
    assert read_faults.as_refusal(unknown.value) is None
    assert read_faults.as_refusal(ValueError("x")) is None
