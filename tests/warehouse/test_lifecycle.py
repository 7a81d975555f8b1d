"""active → inactive → gone, by the policy rows and the registers' own dates; and what is left."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ingesting import MOMENT, Ingesting, company, lei, moment, opened, outcomes

from flows import lifecycle
from sources.kit.errors import Busy, Refused
from sources.kit.policy import DeletionCap, RetentionPolicy, Scope, SourceSettings
from warehouse.engine import reading, sole_writer, writing
from warehouse.privacy import chain, deletion
from warehouse.schema import METADATA, audit_event, deletion_log
from warehouse.schema.base import Utc

TODAY = MOMENT.date()
RETIRED_ON, GONE_ON = date(2026, 9, 1), date(2028, 9, 1)
"""The register's own date of the change, and P24M later."""


def retired(number: int, **changes: str) -> dict[str, str]:
    return company(number, **{"lei_status": "RETIRED", "entity_status": "INACTIVE"} | changes)


def with_policy(place: Ingesting, policy_id: str, **changes: Any) -> Ingesting:
    """Change one retention row, as [[retention]] in the configuration does."""
    rows = tuple(
        RetentionPolicy(**{**dict(row), **changes}) if row.id == policy_id else row
        for row in place.house.settings.retention
    )
    return place.change(retention=rows)


def state_of(place: Ingesting, number: int) -> tuple[Any, ...] | None:
    row = place.prospect(number)
    if row is None:
        return None
    names = ("state", "inactive_since", "inactive_reason", "delete_after")
    return tuple(str(row[name]) if "_" in name and row[name] else row[name] for name in names)


INACTIVE = ("inactive", str(RETIRED_ON), "lei_retired", str(GONE_ON))
ACTIVE = ("active", None, None, None)


# active → inactive


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("RETIRED", "lei_retired"),
        ("MERGED", "lei_merged"),
        ("ANNULLED", "lei_annulled"),
        ("DUPLICATE", "lei_duplicate"),
    ],
)
def test_a_status_that_ends_a_company_makes_it_inactive(place, status, reason) -> None:
    place.full([company(1, lei_status=status), company(2)], "2026-11-01")
    report = place.deactivate()
    assert report["counts"]["deactivated"] == 1
    assert state_of(place, 1) == ("inactive", str(RETIRED_ON), reason, str(GONE_ON))
    assert state_of(place, 2) == ACTIVE
    assert place.deactivate()["counts"]["deactivated"] == 0


@pytest.mark.parametrize("status", ["ISSUED", "LAPSED", "PENDING_TRANSFER", "PENDING_ARCHIVAL"])
def test_other_statuses_have_no_clock(place, status) -> None:
    place.full([company(1, lei_status=status)], "2026-11-01")
    place.at(date(2050, 1, 1)).deactivate()
    assert state_of(place, 1) == ACTIVE


def test_a_vanished_company_counts_from_the_day_we_knew(wide) -> None:
    wide.full([company(n) for n in range(3)], "2026-11-01")
    wide.later(days=1).full([company(1), company(2)], "2026-11-02")
    wide.deactivate()
    assert state_of(wide, 0) == ACTIVE
    wide.later(days=1).full([company(1), company(2), company(3)], "2026-11-03")
    wide.deactivate()
    assert state_of(wide, 0) == ("inactive", "2026-11-04", "vanished", "2028-11-04")


def test_what_the_register_takes_back_is_active_again(place) -> None:
    place.full([retired(1), company(2)], "2026-11-01")
    place.deactivate()
    again = company(1, last_update_published=moment("2026-11-02"))
    place.later(days=1).delta([again], "2026-11-02")
    assert state_of(place, 1) == INACTIVE
    report = place.deactivate()
    assert report["counts"] | {"personal_values": 0} == {
        "deactivated": 0,
        "reactivated": 1,
        "rescheduled": 0,
        "personal_values": 0,
        "contact_points": 0,
    }
    assert state_of(place, 1) == ACTIVE


def test_a_vanished_company_that_returns_is_active_again(wide) -> None:
    wide.full([company(n) for n in range(3)], "2026-11-01")
    wide.full([company(1), company(2)], "2026-11-02")
    wide.full([company(1), company(2), company(3)], "2026-11-03")
    wide.deactivate()
    wide.full([company(n) for n in range(4)], "2026-11-04")
    wide.deactivate()
    assert state_of(wide, 0) == ACTIVE


def test_a_dry_run_lists_what_the_run_then_does(place) -> None:
    place.full([retired(1), company(2), retired(3, lei_status="MERGED")], "2026-11-01")
    before = place.tables()
    planned = place.deactivate(dry_run=True)
    assert place.tables() == before
    done = place.deactivate()
    assert (planned.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert planned == done
    assert [
        (move["reason"], move["since"], move["delete_after"]) for move in done["deactivated"]
    ] == [
        ("lei_retired", str(RETIRED_ON), str(GONE_ON)),
        ("lei_merged", str(RETIRED_ON), str(GONE_ON)),
    ]


@pytest.mark.parametrize("as_of", [TODAY + timedelta(days=1), date(2030, 1, 1), date(2026, 1, 1)])
def test_a_look_at_another_day_never_acts(place, as_of) -> None:
    place.full([retired(1), company(2)], "2026-11-01")
    place.deactivate()
    place.delta([retired(3)], "2026-11-02")
    before = place.state()
    place.deactivate(as_of=as_of)
    assert place.state() == before
    place.delete(as_of=as_of)
    assert place.state() == before


def test_a_forecast_shows_what_will_be_due(place) -> None:
    place.full([retired(1), company(2)], "2026-11-01")
    place.deactivate()
    assert place.delete(as_of=GONE_ON - timedelta(days=1))["counts"]["companies"] == 0
    report = place.delete(as_of=GONE_ON)
    assert (report["dry_run"], report["counts"]["companies"]) == (True, 1)
    assert report["due"][0]["reason"] == "lei_retired"


def test_a_shortened_period_acts_at_the_next_run(place) -> None:
    place.full([retired(1), company(2)], "2026-11-01")
    place.deactivate()
    with_policy(place, "company_public", delete_after_inactive="P1M")
    report = place.deactivate()
    assert report["counts"]["rescheduled"] == 1
    assert state_of(place, 1) == (*INACTIVE[:3], "2026-10-01")
    assert place.delete()["counts"]["companies"] == 1
    assert place.prospect(1) is None


def test_a_condition_nothing_can_meet_is_said_aloud(place) -> None:
    row = next(row for row in place.house.settings.retention if row.id == "company_public")
    with_policy(place, "company_public", inactive_when=(*row.inactive_when, "moon_is_full"))
    (said,) = place.deactivate(dry_run=True)["loud_skips"]
    assert "moon_is_full" in said


# inactive → gone


def gone(place: Ingesting, *numbers: int) -> Ingesting:
    """These retired companies with two others, on the day they are due."""
    place.full([*(retired(n) for n in numbers), company(98), company(99)], "2026-11-01")
    place.deactivate()
    return place.at(GONE_ON)


def test_deleted_on_its_day_and_not_before(place) -> None:
    gone(place, 1).at(GONE_ON - timedelta(days=1))
    assert place.delete()["counts"]["companies"] == 0
    assert place.prospect(1)
    planned = place.at(GONE_ON).delete(dry_run=True)
    assert place.prospect(1)
    done = place.delete()
    assert planned["counts"]["companies"] == done["counts"]["companies"] == 1
    assert planned["due"] == done["due"]
    assert done["rows_deleted"] | {"change": 0} == {
        "change": 0,
        "company": 1,
        "company_record": 1,
        "record": 1,
        "record_number": 1,
    } | {
        name: 0
        for name in done["rows_deleted"]
        if name not in {"company", "company_record", "record", "record_number"}
    }
    assert place.prospect(1) is None
    assert {n for n in (98, 99) if place.prospect(n)} == {98, 99}


def test_the_next_file_does_not_bring_it_back(place) -> None:
    rows = [retired(1), company(98), company(99)]
    gone(place, 1).delete()
    held = place.state()
    report = place.full(rows, "2028-09-01")
    assert outcomes(report) == {"unchanged": 2, "out_of_scope": 1}
    assert place.prospect(1) is None
    assert place.state() == held


def test_what_is_due_on_arrival_is_not_taken(place) -> None:
    old = moment(f"{TODAY.year - 2}-11-02")
    report = place.full(
        [
            retired(1, last_update_published=old),
            retired(2, last_update_published=moment("2024-11-03")),
        ],
        "2026-11-01",
    )
    assert outcomes(report) == {"new": 1, "out_of_scope": 1}


def test_numbers_are_never_given_again(place) -> None:
    gone(place, 1, 2).delete()
    highest = max(row["company_id"] for row in place.ask("SELECT company_id FROM prospects"))
    place.delta([company(7)], "2028-09-01")
    assert place.prospect(7)["company_id"] > max(highest, 4)
    assert place.one("SELECT min(company_id) FROM prospects") == 3


def test_past_the_cap_a_person_has_to_confirm(place) -> None:
    gone(place, 1)
    before = place.state()
    with pytest.raises(Refused, match=r"1 of 3 companies .* more than the cap of 5% or 1000"):
        place.delete(confirm=False)
    assert place.state() == before
    assert place.ask("SELECT state FROM runs ORDER BY run_id DESC")[0]["state"] == "refused"
    assert place.delete(confirm=True)["counts"]["companies"] == 1


@pytest.mark.parametrize(
    ("share", "rows", "refused"), [(0.5, 10, False), (0.3, 10, True), (0.5, 0, True)]
)
def test_the_cap_is_the_owners(place, share, rows, refused) -> None:
    gone(place, 1).change(deletion_cap=DeletionCap(max_share=share, max_rows=rows))
    if refused:
        with pytest.raises(Refused, match="more than the cap"):
            place.delete(confirm=False)
    else:
        assert place.delete(confirm=False)["counts"]["companies"] == 1


IDENTIFYING = {"company_id", "record_id", "source_key", "contact_id"}
KEEPS_A_NUMBER = {"letter", "disclosure"}
"""Proof, and links that go on working: an opaque number that leads nowhere, and no value."""


def hang_something_on(place: Ingesting, number: int) -> dict[str, set[Any]]:
    """Give the company a row in every table that can have one; returns what identifies it."""
    shown = place.prospect(number)
    assert shown is not None
    held = {"company_id": shown["company_id"], "source_key": lei(number), "contact_id": number}
    held["record_id"] = place.one(
        "SELECT record_id FROM record WHERE source_key = :k", k=lei(number)
    )
    with writing(place.house.engine) as connection:
        for table in METADATA.sorted_tables:
            names = set(table.columns.keys()) & IDENTIFYING
            if not names or rows_of(connection, table, {name: {held[name]} for name in names}):
                continue
            columns = [c for c in table.columns if c.server_default is None]
            values = {c.name: held.get(c.name, filler(c, number)) for c in columns}
            connection.execute(table.insert().values(**values))
    return {name: {value} for name, value in held.items()}


def filler(column: sa.Column[Any], number: int) -> Any:
    """A value that fits the column and any rule on it."""
    if column.foreign_keys and column.name.endswith("delivery_id"):
        return 1
    listed = {"kind": "email", "export_id": "E1", "suppression_id": 1, "source_id": "gleif"}
    listed |= {"withheld": "text", "field": "legal_name"}
    if column.name in listed:
        return listed[column.name]
    if isinstance(column.type, Utc):
        return MOMENT
    kinds = {int: number, str: f"Planted {number}", bool: True, bytes: b"p" * 16}
    return (kinds | {date: TODAY})[column.type.python_type]


def rows_of(connection: Any, table: sa.Table, held: dict[str, set[Any]]) -> list[Any]:
    names = set(table.columns.keys()) & set(held)
    condition = sa.or_(*(table.c[name].in_(held[name]) for name in names))
    return connection.execute(sa.select(table).where(condition)).mappings().all()


def with_an_export(place: Ingesting) -> None:
    texts = ("directory", "segment", "channel", "purpose", "recipient", "actor", "manifest")
    with writing(place.house.engine) as connection:
        connection.execute(
            METADATA.tables["export"]
            .insert()
            .values(
                export_id="E1",
                state="published",
                run_id=1,
                created_at=MOMENT,
                **dict.fromkeys(texts, "x"),
            )
        )


def test_one_company_goes_whole_from_every_table_there_is(place) -> None:
    """A new table that can hold something of a company fails here until deletion knows it."""
    tables = [t for t in METADATA.sorted_tables if set(t.columns.keys()) & IDENTIFYING]
    place.full([retired(1), company(2)], "2026-11-01")
    place.suppress(3)
    with_an_export(place)
    first, second = hang_something_on(place, 1), hang_something_on(place, 2)
    place.deactivate()
    with reading(place.house.engine) as connection:
        others = {table.name: rows_of(connection, table, second) for table in tables}
        assert all(rows_of(connection, table, first) for table in tables)
        assert all(others.values())
    with_policy(place.at(GONE_ON), "quarantine", delete_after_inactive="P9Y")
    place.delete()
    with reading(place.house.engine) as connection:
        left = {table.name for table in tables if rows_of(connection, table, first)}
        assert left == KEEPS_A_NUMBER
        assert {table.name: rows_of(connection, table, second) for table in tables} == others
        (letter,) = rows_of(connection, METADATA.tables["letter"], first)
    assert letter["notice_html"] is None
    assert lei(1) not in repr(place.tables())
    assert "Prøvefirma 1" not in repr(place.tables())


def test_a_record_that_another_company_shares_stays_whole(place) -> None:
    place.full([retired(1), company(2)], "2026-11-01")
    place.delta(
        [retired(1, legal_name="Delt A/S", last_update_published=moment("2026-09-01"))],
        "2026-11-02",
    )
    first, second = place.prospect(1)["company_id"], place.prospect(2)["company_id"]
    (link,) = place.ask("SELECT * FROM company_record WHERE company_id = :id", id=first)
    with writing(place.house.engine) as connection:
        connection.execute(
            METADATA.tables["company_record"]
            .insert()
            .values(**{**link, "company_id": second, "since_at": MOMENT, "reason": "same number"})
        )
    place.deactivate()
    place.at(GONE_ON).delete()
    assert place.one("SELECT count(*) FROM record") == 2
    assert place.one("SELECT count(*) FROM changes") == 1
    assert place.prospect(1) is None
    assert place.prospect(2)


def test_a_run_that_fails_leaves_whole_companies(place, monkeypatch) -> None:
    gone(place, 1, 2, 3)
    monkeypatch.setattr(deletion, "BATCH", 1)
    calls = []
    right = deletion.chain.append

    def fail_at_the_third(connection: Any, table: sa.Table, rows: list[Any]) -> None:
        calls.append(table.name)
        if calls.count("deletion_log") == 3:
            raise ZeroDivisionError
        right(connection, table, rows)

    with monkeypatch.context() as patch:
        patch.setattr(deletion.chain, "append", fail_at_the_third)
        with pytest.raises(ZeroDivisionError):
            place.delete()
    kept = {n for n in (1, 2, 3) if place.prospect(n)}
    assert kept == {3}
    for table, count in (("record", 3), ("company", 3), ("company_record", 3)):
        assert place.one(f"SELECT count(*) FROM {table}") == count
    assert place.delete()["counts"]["companies"] == 1
    assert chain_breaks(place) == (None, None)


def test_one_run_at_a_time(place) -> None:
    gone(place, 1)
    with sole_writer(place.house.engine):
        with pytest.raises(Busy):
            place.delete()
        with pytest.raises(Busy):
            place.deactivate()
    assert place.prospect(1)


# Proof


def chain_breaks(place: Ingesting) -> tuple[int | None, int | None]:
    with reading(place.house.engine) as connection:
        return tuple(chain.first_break(connection, table) for table in (deletion_log, audit_event))


def test_the_deletion_log_proves_and_names_nobody(place) -> None:
    known = len(place.tables("deletion_log")["deletion_log"])
    gone(place, 1, 2).delete()
    entries = sorted(
        place.tables("deletion_log")["deletion_log"], key=lambda row: row["deletion_id"]
    )[known:]
    subjects = {row["subject"] for row in entries}
    assert len(subjects) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", subject) for subject in subjects)
    tables = {"company", "company_record", "record"}
    assert {row["table_name"] for row in entries} >= tables
    assert {(row["reason"], row["policy_id"]) for row in entries} == {
        ("lei_retired", "company_public")
    }
    assert {row["policy_version"] for row in entries} == {place.house.settings.policy.version}
    assert "506700TEST" not in repr(entries)
    assert chain_breaks(place) == (None, None)
    assert {row["action"] for row in place.ask("SELECT action FROM audit_events")} >= {
        "deactivate",
        "delete",
    }


@pytest.mark.parametrize("table", ["deletion_log", "audit_event"])
@pytest.mark.parametrize("act", ["UPDATE {0} SET actor = 'someone else'", "DELETE FROM {0}"])
def test_proof_can_only_be_added_to(place, table, act) -> None:
    gone(place, 1).delete()
    refused = pytest.raises(sa.exc.DBAPIError, match="append-only")
    with refused, writing(place.house.engine) as connection:
        connection.execute(sa.text(act.format(table)))


def test_proof_cannot_be_truncated(postgres_url, tmp_path) -> None:
    """SQLite has no such verb."""
    with opened(postgres_url, tmp_path) as place:
        refused = pytest.raises(sa.exc.DBAPIError, match="append-only")
        with refused, writing(place.house.engine) as connection:
            connection.execute(sa.text("TRUNCATE deletion_log"))


@pytest.mark.parametrize(
    "act", ["UPDATE {0} SET actor = 'x' WHERE {1} = 1", "DELETE FROM {0} WHERE {1} = 1"]
)
def test_an_edit_or_a_gap_is_found(sqlite_url, tmp_path, act) -> None:
    """Also by someone who can take the triggers away."""
    with opened(sqlite_url, tmp_path) as place:
        gone(place, 1, 2).delete()
        assert chain_breaks(place) == (None, None)
        with writing(place.house.engine) as connection:
            triggers = connection.scalars(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            )
            for name in triggers.all():
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
            for table, key in (("deletion_log", "deletion_id"), ("audit_event", "event_id")):
                connection.execute(sa.text(act.format(table, key)))
        assert chain_breaks(place) == (1, 1)


# Quarantine and landing files


def test_quarantine_goes_a_fortnight_after_it_was_last_seen(place) -> None:
    place.full([company(1, legal_name=""), company(2, legal_name=""), company(3)], "2026-11-01")
    place.later(days=5).delta([company(2, legal_name=""), company(3)], "2026-11-05")

    def left(day: date) -> set[str]:
        place.at(day)
        counted = place.delete(dry_run=True)["counts"]["quarantined_row"]
        report = place.delete()
        assert report["counts"]["quarantined_row"] == counted
        return {row["source_key"] for row in place.ask("SELECT source_key FROM quarantined")}

    assert left(date(2026, 11, 15)) == {lei(1), lei(2)}
    assert left(date(2026, 11, 16)) == {lei(2)}
    assert left(date(2026, 11, 20)) == {lei(2)}
    assert left(date(2026, 11, 21)) == set()


def landed(place: Ingesting) -> list[Path]:
    return sorted(place.house.landing_root.rglob("*.bin"))


def test_landing_files_go_and_their_digests_stay(warehouse_url, tmp_path) -> None:
    with opened(warehouse_url, tmp_path) as place:
        place.full([company(1), company(2)], "2026-11-01")
        place.later(days=10).full([company(1), company(2)], "2026-11-01")  # the same bytes, later
        place.delta([company(3)], "2026-11-02")
        assert len(landed(place)) == 2
        place.at(TODAY + timedelta(days=44)).delete()
        assert len(landed(place)) == 2
        assert place.at(TODAY + timedelta(days=45)).delete()["counts"]["landing_file"] == 2
        assert landed(place) == []
        assert len({row["sha256"] for row in place.ask("SELECT sha256 FROM deliveries")}) == 2


def test_the_owner_may_keep_landing_files_for_less(warehouse_url, tmp_path) -> None:
    shorter = {"gleif": SourceSettings(landing_retention="P1D")}
    with opened(warehouse_url, tmp_path, sources=shorter) as place:
        place.full([company(1)], "2026-11-01")
        place.delete()
        assert len(landed(place)) == 1
        place.later(days=1).delete()
        assert landed(place) == []


# Values that name a person


def person(line: str = "c/o Anna Prøve, Vej 1", **changes: str) -> list[dict[str, str]]:
    return [company(1, headquarters_address_line=line, **changes), company(2)]


def values(place: Ingesting) -> list[tuple[str, str]]:
    rows = place.tables("personal_value")["personal_value"]
    return sorted((row["value"], row["state"]) for row in rows)


def test_a_personal_value_has_a_year_and_then_two(place) -> None:
    """person_public: inactive after P12M, deleted P24M later, P36M at most."""
    place.full(person(), "2026-11-01")
    place.at(date(2027, 11, 1)).deactivate()
    assert values(place) == [("c/o Anna Prøve", "active")]
    report = place.at(date(2027, 11, 2)).deactivate()
    assert report["counts"]["personal_values"] == 1
    assert values(place) == [("c/o Anna Prøve", "inactive")]
    place.at(date(2029, 11, 1)).delete()
    assert len(values(place)) == 1
    report = place.at(date(2029, 11, 2)).delete()
    assert (report["counts"]["personal_values"], report["counts"]["companies"]) == (1, 0)
    assert values(place) == []
    assert place.prospect(1)


def test_being_published_again_starts_no_new_clock(place) -> None:
    place.full(person(), "2026-11-01")
    place.at(date(2027, 10, 1)).full(person("c/o Anna Prøve, Vej 2"), "2027-10-01")
    place.at(date(2027, 11, 2)).deactivate()
    assert values(place) == [("c/o Anna Prøve", "inactive")]


def test_what_retention_deleted_is_not_taken_again(place) -> None:
    place.full(person(), "2026-11-01")
    place.at(date(2027, 11, 2)).deactivate()
    place.at(date(2029, 11, 2)).delete()
    (remembered,) = place.tables("not_retaken")["not_retaken"]
    assert "Anna" not in repr(remembered)
    place.full(person("c/o Anna Prøve, Vej 2"), "2029-11-03")
    assert values(place) == []
    place.full(person("c/o Bo Prøve, Vej 2"), "2029-11-04")
    assert values(place) == [("c/o Bo Prøve", "active")]
    place.delta(
        [company(7, headquarters_address_line="c/o Anna Prøve, Vej 2"), company(8)], "2029-11-05"
    )
    assert values(place) == [("c/o Anna Prøve", "active"), ("c/o Bo Prøve", "active")]


def test_a_shortened_period_reaches_personal_values_too(place) -> None:
    place.full(person(), "2026-11-01")
    with_policy(place, "person_public", inactive_after="P1M", delete_after_inactive="P1M")
    place.at(date(2026, 12, 2)).deactivate()
    assert values(place) == [("c/o Anna Prøve", "inactive")]
    place.at(date(2027, 1, 2)).deactivate()
    place.delete()
    assert values(place) == []


def test_the_cap_from_the_start_holds(place) -> None:
    with_policy(place, "person_public", inactive_after="P30M", delete_after_inactive="P24M")
    place.full(person(), "2026-11-01")
    place.at(date(2029, 11, 1)).deactivate()
    place.delete()
    assert len(values(place)) == 1
    place.at(date(2029, 11, 2)).delete()
    assert values(place) == []


@pytest.mark.parametrize("how", ["retired", "stopped"])
def test_an_inactive_or_stopped_companys_persons_are_inactive_at_once(place, how) -> None:
    place.full(person(), "2026-11-01")
    if how == "retired":
        place.delta(person(lei_status="RETIRED")[:1], "2026-11-02")
    else:
        place.suppress(1)
    planned = place.deactivate(dry_run=True)
    report = place.deactivate()
    assert values(place) == [("c/o Anna Prøve", "inactive")]
    assert planned["counts"] == report["counts"]
    assert report["counts"]["personal_values"] == 1


def test_kept_in_full_a_natural_persons_values_follow_the_same_clock(place) -> None:
    place.change(scope=Scope(natural_persons="full"))
    place.full(
        [company(1, entity_category="SOLE_PROPRIETOR", legal_name="Anna Prøve")], "2026-11-01"
    )
    assert ("Anna Prøve", "active") in values(place)
    place.at(date(2027, 11, 2)).deactivate()
    place.at(date(2029, 11, 2)).delete()
    assert values(place) == []
    assert place.prospect(1)["lei"] == lei(1)


# The database's own bytes

PLANTED = ("Plantet Firma A/S", "c/o Plantet Person", "Plantet Gade", "Plantet Rettelse")


def planted(**changes: str) -> dict[str, str]:
    line = f"{PLANTED[1]}, {PLANTED[2]} 7"
    return retired(1, **{"legal_name": PLANTED[0], "headquarters_address_line": line} | changes)


def fill_with_planted_values(place: Ingesting) -> None:
    others = [company(n) for n in range(2, 40)]
    bad = company(40, legal_name=PLANTED[0], lei_status="GONE")
    place.full([planted(), *others, bad], "2026-11-01")
    changed = planted(
        legal_name=PLANTED[3], last_update_published=moment("2026-09-01", "T09:00:00Z")
    )
    place.delta([changed, *others[:5]], "2026-11-02")
    place.deactivate()
    place.at(date(2028, 9, 2))


def bytes_found(files: list[Path]) -> set[str]:
    content = b"".join(path.read_bytes() for path in files if path.exists())
    return {text for text in PLANTED if text.encode() in content}


def test_sqlites_files_hold_nothing_of_what_was_deleted(sqlite_url, tmp_path) -> None:
    with opened(sqlite_url, tmp_path) as place:
        fill_with_planted_values(place)
        files = [tmp_path / f"warehouse.db{end}" for end in ("", "-wal", "-shm", "-journal")]
        assert bytes_found(files) == set(PLANTED)
        place.delete()
        assert bytes_found(files) == set()
        assert place.one("SELECT count(*) FROM prospects") == 38
    assert bytes_found(files) == set()


def test_postgresqls_tables_of_persons_hold_nothing_of_what_was_deleted(
    postgres_url, tmp_path
) -> None:
    def found() -> set[str]:
        with writing(place.house.engine) as connection:
            connection.execute(sa.text("CHECKPOINT"))
            content = b""
            for table in ("personal_value", "quarantined_row"):
                query = f"SELECT pg_read_binary_file(pg_relation_filepath('{table}'))"
                content += bytes(connection.scalar(sa.text(query)))
        return {text for text in PLANTED if text.encode() in content}

    with opened(postgres_url, tmp_path) as place:
        fill_with_planted_values(place)
        assert found() == {PLANTED[0], PLANTED[1]}
        place.delete()
        assert found() == set()


def test_delete_tells_how_far_it_is(place) -> None:
    gone(place, 1, 2)
    told: list[tuple[str, int, int | None]] = []
    lifecycle.delete(place.house, confirm=True, tell=lambda *said: told.append(said))
    assert told == [("deleted", 2, 2)]


def test_every_row_that_personal_retention_names_has_a_clock(place) -> None:
    """A column under a policy that no row has would never be deleted."""
    held = {row.id for row in place.house.settings.retention}
    named = {
        column.info["retention"] for table in METADATA.tables.values() for column in table.columns
    }
    assert named <= held | {"operation"}
