"""Customers, enquiries, visits and consents: what is stored, with which origin, and what is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from ingesting import MOMENT, Ingesting, company, lei
from listing import export, norwegian
from own_files import bring, consent, customer, enquiry, outcomes_of, visit

from warehouse import segments
from warehouse.engine import reading, writing
from warehouse.privacy import suppression
from warehouse.privacy.suppression import KEY_PURPOSE
from warehouse.schema import METADATA

TODAY = MOMENT.date()
CPR = "010190-1234"
"""A day and four digits: a personal number by its form, and nobody's."""
TABLES = ("customer", "enquiry", "visit", "consent", "own_change", "quarantined_row")


def held(place: Ingesting, table: str) -> list[dict[str, Any]]:
    return place.tables(table)[table]


def add_stop(place: Ingesting, kind: Any, value: str) -> None:
    with writing(place.house.engine) as connection:
        suppression.add(
            connection,
            place.house.keys,
            kind,
            value,
            reason="asked",
            origin="command",
            actor="tester",
            now=place.house.now(),
        )


def test_a_row_comes_with_its_origin(place) -> None:
    report = bring(place, "customers", customer(1, LEI=lei(7), Telefon="33 12 34 56"))
    assert outcomes_of(report) == {"new": 1}
    (row,) = held(place, "customer")
    assert (row["event_reference"], row["source_kind"]) == ("F1", "data_subject")
    assert row["event_date"] == date(2020, 3, 2)
    assert (row["email"], row["phone"]) == ("post1@eksempel.dk", "+4533123456")
    assert (row["lei"], row["country"], row["is_managed"]) == (lei(7), "DK", False)
    (delivery,) = held(place, "delivery")
    assert row["first_delivery_id"] == row["last_delivery_id"] == delivery["delivery_id"]
    assert (delivery["kind"], delivery["source_id"]) == ("file", "own-customers")
    assert delivery["sha256"] == report["sha256"]
    assert delivery["retrieved_at"] == row["obtained_at"] == MOMENT
    (cursor,) = held(place, "source_cursor")
    assert cursor["publisher"] == place.house.settings.controller.name
    assert cursor["is_public_database"] is False


@pytest.mark.parametrize(
    ("code", "row", "table"),
    [
        ("customers", customer(1), "customer"),
        ("enquiries", enquiry(1), "enquiry"),
        ("visits", visit(1), "visit"),
        ("consents", consent(1), "consent"),
    ],
)
def test_the_same_file_again_changes_nothing(place, code, row, table) -> None:
    assert outcomes_of(bring(place, code, row)) == {"new": 1}
    before = held(place, table)
    again = bring(place.later(days=1), code, row)
    assert outcomes_of(again) == {"unchanged": 1}
    assert held(place, table) == before
    assert len(before) == 1
    assert place.one("SELECT status FROM delivery WHERE delivery_id = 2") == "unchanged"


def test_a_corrected_row_leaves_a_history_without_persons(place) -> None:
    bring(place, "customers", customer(1))
    changed = customer(1, **{"Kunde til": "01-09-2027", "E-mail": "ny@eksempel.dk"})
    assert outcomes_of(bring(place, "customers", changed)) == {"changed": 1}
    (row,) = held(place, "customer")
    assert row["email"] == "ny@eksempel.dk"
    assert (row["first_delivery_id"], row["last_delivery_id"]) == (1, 2)
    found = {
        each["field"]: (each["old_value"], each["new_value"], each["delivery_id"])
        for each in held(place, "own_change")
    }
    assert found == {"relationship_end_date": (None, "2027-09-01", 2), "email": (None, None, 2)}
    assert "post1@" not in repr(place.tables(*TABLES))


def test_a_dry_run_counts_and_writes_nothing(place) -> None:
    before = place.tables()
    rows = (customer(1), customer(2, Land="Atlantis"))
    report = bring(place, "customers", *rows, dry_run=True)
    assert outcomes_of(report) == {"new": 1, "quarantined": 1}
    assert report["delivery_id"] is None
    assert place.tables() == before


def test_a_fault_half_way_leaves_nothing(place, monkeypatch) -> None:
    from warehouse import own_lists

    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(own_lists, "settle", fail)
    with pytest.raises(OSError):  # noqa: PT011 (the fault itself)
        bring(place, "customers", customer(1), customer(2, Land="Atlantis"))
    assert not any(place.tables(*TABLES, "delivery").values())
    assert place.one("SELECT state FROM run") == "failed"


def test_quarantined_rows_wait_for_their_correction(place) -> None:
    bad = customer(2, **{"Kunde til": "01-01-2019"})
    report = bring(place, "customers", customer(1), bad)
    assert outcomes_of(report) == {"new": 1, "quarantined": 1}
    assert report["quarantined_by_rule"] == {"relationship_ends_after_start": 1}
    (entry,) = held(place, "quarantined_row")
    assert (entry["source_id"], entry["source_key"]) == ("own-customers", "F2")
    assert (entry["rule"], entry["state"]) == ("relationship_ends_after_start", "open")
    bring(place, "customers", customer(1), bad)
    assert len(held(place, "quarantined_row")) == 1
    bring(place, "customers", customer(2))
    assert [entry["state"] for entry in held(place, "quarantined_row")] == ["retried"]
    assert len(held(place, "customer")) == 2


def test_personal_numbers_are_nowhere(place) -> None:
    rows = (
        customer(1, Kundenavn=f"Firma {CPR}"),
        customer(2, **{"Fakturanr.": CPR}),
        customer(3, Telefon=CPR),
        customer(4, Kundenavn=f"Firma {CPR}", Land="Atlantis"),
    )
    report = bring(place, "customers", *rows)
    assert outcomes_of(report) == {"new": 2, "quarantined": 2}
    assert report["personal_numbers_dropped"] == 3
    assert report["values_kept_out"] == {"phone.personal_number": 1}
    told = repr(place.tables()) + repr(report)
    assert CPR not in told
    assert CPR.replace("-", "") not in told


def test_an_import_lifts_no_stop(place) -> None:
    add_stop(place, "email", "post1@eksempel.dk")
    add_stop(place, "domain", "firma.example")
    add_stop(place, "lei", lei(3))
    before = place.tables("suppression")
    rows = (
        customer(1),
        customer(2, **{"E-mail": "anna@firma.example"}),
        customer(3, LEI=lei(3)),
        customer(4),
    )
    report = bring(place, "customers", *rows)
    assert (outcomes_of(report), report["stopped"]) == ({"new": 4}, 3)
    assert bring(place, "consents", consent(1, **{"E-mail": "post1@eksempel.dk"}))["stopped"] == 1
    assert place.tables("suppression") == before


def test_visits_hold_nothing_that_leads_to_anybody_else(place) -> None:
    row = visit(1) | {"E-mail": "anna@eksempel.dk", "LEI": lei(1)}
    report = bring(place, "visits", row)
    assert report["columns_dropped"] == ["E-mail", "LEI"]
    (kept,) = held(place, "visit")
    assert (kept["ip_address"], kept["browser"]) == ("192.0.2.7", "Eksempelbrowser 7")
    assert "anna@eksempel.dk" not in repr(place.tables())
    table = METADATA.tables["visit"]
    assert {key.target_fullname for key in table.foreign_keys} == {"delivery.delivery_id"}
    shared = {"company_id", "record_id", "source_key", "lei", "email", "registration_number"}
    assert not shared & set(table.columns.keys())


def test_a_consent_is_found_by_its_hash_and_is_no_mailing_list(place) -> None:
    bring(place, "consents", consent(1))
    (kept,) = held(place, "consent")
    address = "samtykke1@eksempel.dk"
    assert address not in repr(place.tables())
    macs = place.house.keys.macs(KEY_PURPOSE, f"email:{address}")
    assert macs[kept["key_version"]] == kept["contact_hash"]
    assert (kept["channel"], kept["purpose"]) == ("email", "direct_marketing")
    assert kept["inactive_after"] == date(2027, 10, 1)


def test_a_withdrawal_ends_a_consent(place) -> None:
    bring(place, "consents", consent(1))
    bring(place, "consents", consent(1, Withdrawn="2026-10-20T12:00:00Z"))
    (kept,) = held(place, "consent")
    assert (kept["state"], kept["inactive_reason"]) == ("inactive", "withdrawn")
    assert (kept["inactive_after"], kept["delete_after"]) == (
        date(2026, 10, 20),
        date(2028, 10, 20),
    )


# never a prospect


@pytest.fixture
def with_customers(place: Ingesting) -> Ingesting:
    keys = ("Registration authority", "Org nr")
    rows = (
        customer(1, LEI=lei(1)),
        customer(2, LEI=lei(2).lower(), **{"Kunde til": "01-09-2026", "Administreret": "ja"}),
        customer(3) | dict(zip(keys, ("RA000472", "999999999"), strict=True)),
        customer(4, LEI=lei(4), **{"Kunde til": "02-11-2026"}),
        customer(5, Kundenavn="Prøvefirma 5 AS"),
        customer(6, LEI=lei(6), **{"Kunde til": "03-11-2026"}),
    )
    companies = [norwegian(number) for number in range(1, 7)]
    companies[2] = norwegian(
        3, registration_authority="RA000473", registration_number="999 999 999"
    )
    place.full(companies, "2026-11-01")
    bring(place, "customers", *(dict.fromkeys(keys, "") | row for row in rows))
    return place


def test_an_older_list_does_not_take_a_withdrawal_back(place) -> None:
    older = consent(1)
    bring(place, "consents", older)
    bring(place, "consents", consent(1, Withdrawn="2026-10-01T08:00:00Z"))
    before = held(place, "consent")
    assert outcomes_of(bring(place, "consents", older)) == {"unchanged": 1}
    assert held(place, "consent") == before
    again = consent(1, **{"Consented at": "2026-10-02T08:00:00Z"})
    assert outcomes_of(bring(place, "consents", again)) == {"changed": 1}
    assert [row["state"] for row in held(place, "consent")] == ["active"]


def test_customers_and_what_we_manage_stay_at_home(with_customers, tmp_path) -> None:
    """By LEI and by number, not by name; a relationship that ended today is over."""
    place = with_customers
    manifest = export(place, tmp_path / "out")
    assert manifest["excluded"] == {"own_customer": 4}
    assert (manifest["candidates"], manifest["selected"]) == (6, 2)
    text = next((tmp_path / "out").glob("*/rows.csv")).read_text("utf-8")
    assert [number for number in range(1, 7) if lei(number) in text] == [4, 5]
    chosen = segments.select("lapsed", TODAY)
    assert segments.count(place.house.engine, chosen) == segments.Count(held=6, dropped=0, ours=4)


def test_a_customer_who_left_is_a_prospect_again(with_customers) -> None:
    place = with_customers.at(date(2026, 11, 4))
    manifest = export(place, None, dry_run=True)
    assert manifest["excluded"] == {"own_customer": 3}


def test_nothing_of_the_lists_is_in_analysts_views(place) -> None:
    place.full([company(1)], "2026-11-01")
    before = place.ask("SELECT * FROM prospects")
    bring(place, "customers", customer(1, LEI=lei(1)))
    bring(place, "enquiries", enquiry(1))
    bring(place, "visits", visit(1))
    assert place.ask("SELECT * FROM prospects") == before
    from warehouse.views import VIEWS

    for view in set(VIEWS) - {"deliveries", "runs", "audit_events"}:
        told = repr(place.ask(f"SELECT * FROM {view}"))
        assert not any(value in told for value in ("eksempel.dk", "192.0.2.7", "Prøvekunde")), view


# active → inactive → gone


def dates(place: Ingesting, table: str) -> tuple[Any, ...]:
    (row,) = held(place, table)
    names = ("state", "inactive_reason", "inactive_after", "delete_after")
    return tuple(row[name] for name in names)


def test_a_customer_is_active_until_the_relationship_ends_and_kept_five_years(place) -> None:
    bring(place, "customers", customer(1, **{"Kunde til": "01-12-2026"}))
    end, gone = date(2026, 12, 1), date(2031, 12, 1)
    assert dates(place, "customer") == ("active", "relationship_ended", end, gone)
    place.at(end - timedelta(days=1)).deactivate()
    assert dates(place, "customer")[0] == "active"
    place.at(end)
    dry = place.deactivate(dry_run=True)
    assert dry["counts"]["own_rows_deactivated"] == 1
    assert dry["own_lists"][0]["list_code"] == "customers"
    assert dates(place, "customer")[0] == "active"
    assert place.deactivate()["counts"]["own_rows_deactivated"] == 1
    assert dates(place, "customer")[0] == "inactive"
    assert place.at(gone - timedelta(days=1)).delete()["counts"].get("customers", 0) == 0
    listed = place.at(gone).delete(dry_run=True)
    assert (listed["counts"]["customers"], len(listed["own_lists_due"])) == (1, 1)
    assert place.delete()["rows_deleted"] == {"customer": 1, "own_change": 0, "quarantined_row": 0}
    assert held(place, "customer") == []


def test_without_an_end_a_customer_stays_and_a_lifted_end_brings_him_back(place) -> None:
    bring(place, "customers", customer(1))
    place.at(date(2046, 1, 1)).deactivate()
    assert dates(place, "customer") == ("active", None, None, None)
    bring(place, "customers", customer(1, **{"Kunde til": "01-12-2045"}))
    assert dates(place, "customer")[0] == "inactive"
    bring(place, "customers", customer(1))
    assert dates(place, "customer") == ("active", None, None, None)


@pytest.mark.parametrize(
    ("code", "row", "table", "inactive", "gone"),
    [
        ("enquiries", enquiry(1), "enquiry", date(2027, 10, 1), date(2028, 10, 1)),
        ("visits", visit(1), "visit", date(2027, 11, 1), date(2027, 11, 1)),
        ("consents", consent(1), "consent", date(2027, 10, 1), date(2029, 10, 1)),
    ],
)
def test_the_others_go_by_the_clock_from_the_persons_act(
    place, code, row, table, inactive, gone
) -> None:
    """Not from the day of the import, and not anew when they come again."""
    bring(place.at(date(2026, 10, 30)), code, row)
    assert dates(place, table) == ("active", "inactive_after", inactive, gone)
    bring(place.at(inactive - timedelta(days=1)), code, row)
    place.deactivate()
    assert dates(place, table)[0] == "active"
    place.at(inactive).deactivate()
    assert dates(place, table)[0] == "inactive"
    assert place.at(gone).delete()["rows_deleted"][table] == 1
    assert outcomes_of(bring(place, code, row)) == {"out_of_scope": 1}
    assert held(place, table) == []


def test_what_is_too_old_on_arrival_is_not_taken(place) -> None:
    old = customer(1, **{"Kunde til": "02-11-2021"})
    kept = customer(2, **{"Kunde til": "03-11-2021"})
    assert outcomes_of(bring(place, "customers", old, kept)) == {"out_of_scope": 1, "new": 1}


def test_what_we_manage_stays_however_long_ago_it_ended(place) -> None:
    """A company whose LEI we manage is never a prospect, so its row is needed until we do not."""
    place.full([norwegian(1)], "2026-11-01")
    ended = customer(1, LEI=lei(1), **{"Kunde til": "02-11-2015", "Kunde fra": "02-11-2012"})
    managed = ended | {"Administreret": "ja"}
    assert outcomes_of(bring(place, "customers", managed)) == {"new": 1}
    place.at(date(2027, 1, 4)).deactivate()
    place.delete()
    assert dates(place, "customer") == ("active", None, None, None)
    chosen = segments.select("lapsed", TODAY)
    assert segments.count(place.house.engine, chosen).ours == 1
    assert outcomes_of(bring(place, "customers", ended)) == {"changed": 1}
    assert dates(place, "customer")[0] == "inactive"
    assert place.delete()["rows_deleted"]["customer"] == 1


def test_an_objection_makes_an_enquirer_inactive(place) -> None:
    bring(place, "enquiries", enquiry(1), enquiry(2))
    add_stop(place, "email", "spoerger1@eksempel.dk")
    assert place.deactivate()["counts"]["own_rows_deactivated"] == 1
    states = {row["event_reference"]: row["inactive_reason"] for row in held(place, "enquiry")}
    assert states == {"W1": "objection", "W2": "inactive_after"}
    assert "own_rows_deactivated" not in place.later(days=1).deactivate()["counts"]


def test_a_shorter_period_acts_at_the_next_run(place) -> None:
    bring(place, "enquiries", enquiry(1))
    rows = place.house.settings.retention
    place.change(
        retention=tuple(
            row.model_copy(update={"inactive_after": "P1M"}) if row.id == "enquirer" else row
            for row in rows
        )
    )
    assert place.deactivate()["counts"]["own_rows_deactivated"] == 1
    assert dates(place, "enquiry")[1:] == ("inactive_after", date(2026, 11, 1), date(2027, 11, 1))


def test_a_person_goes_whole_with_history_and_quarantine(place) -> None:
    bring(place, "customers", customer(1), customer(2))
    bring(place, "customers", customer(1, **{"Kunde til": "01-01-2019"}))
    end = {"Kunde til": "01-10-2026"}
    bring(place, "customers", customer(1, **end), customer(2, **end, Kundenavn="Andet ApS"))
    with writing(place.house.engine) as connection:
        table = METADATA.tables["customer"]
        connection.execute(
            table.update().where(table.c.event_reference == "F1").values(delete_after=TODAY)
        )
    others = [row for row in held(place, "own_change") if row["own_id"] == 2]
    logged = place.one("SELECT count(*) FROM deletion_log WHERE table_name = 'customer'")
    found = place.delete()
    assert found["counts"]["customers"] == 1
    assert [row["event_reference"] for row in held(place, "customer")] == ["F2"]
    assert held(place, "own_change") == others
    assert held(place, "quarantined_row") == []
    assert (
        place.one("SELECT count(*) FROM deletion_log WHERE table_name = 'customer'") == logged + 1
    )


def test_a_deletion_that_breaks_keeps_the_person_whole(place, monkeypatch) -> None:
    from warehouse.privacy import own_lists

    bring(place, "customers", customer(1), customer(2))
    ends = {"Kunde til": "01-10-2026"}
    bring(place, "customers", customer(1, **ends), customer(2, **ends))
    before = place.tables("customer", "own_change")
    asked: list[int] = []

    def fail(*arguments: Any) -> None:
        asked.append(1)
        raise OSError

    monkeypatch.setattr(own_lists, "log_act", fail)
    with pytest.raises(OSError):  # noqa: PT011 (the fault itself)
        place.at(date(2031, 10, 1)).delete()
    assert asked
    assert place.tables("customer", "own_change") == before


def test_status_tells_what_is_held_and_due(place) -> None:
    from flows.status_steps import status

    bring(place, "customers", customer(1, **{"Kunde til": "01-12-2026"}), customer(2))
    bring(place, "visits", visit(1))
    found = status(place.house)
    assert found["own_lists"]["customers"] == {"active": 2, "inactive": 0}
    assert found["retention"]["deactivate_due"]["own_rows"] == 0
    found = status(place.at(date(2027, 11, 2)).house)
    assert found["retention"]["deactivate_due"]["own_rows"] == 2
    assert found["retention"]["delete_due"]["own_rows"] == 1
    assert found["retention"]["delete_overdue"]["own_rows"] == 1
    place.deactivate()
    place.delete()
    found = status(place.house)
    assert found["retention"]["delete_due"]["own_rows"] == found["retention"]["overdue"] == 0


def test_the_database_refuses_what_the_lists_are_not(place) -> None:
    bring(place, "consents", consent(1))
    bring(place, "customers", customer(1))
    refused = [
        ("customer", {"source_kind": "public"}),
        ("consent", {"act": ""}),
        ("consent", {"channel": "post"}),
        ("customer", {"delete_after": TODAY}),
    ]
    for name, change in refused:
        with (
            pytest.raises(sa.exc.IntegrityError),
            writing(place.house.engine) as connection,
        ):
            connection.execute(METADATA.tables[name].update().values(**change))
    with reading(place.house.engine) as connection:
        assert connection.scalar(sa.select(METADATA.tables["customer"].c.source_kind))
