"""The views analysts query: the contract's names and columns, and what they show and hide."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from ingesting import SOUND, Ingesting, company, lei, moment

from sources.kit import columns
from warehouse import migrate
from warehouse.engine import writing
from warehouse.schema import METADATA, contact_point, export, record
from warehouse.views import VIEWS, recreate_views

CONTRACT = {
    "prospects": "company_id, lei, legal_name, country, region, city, postal_code, "
    "registration_authority, registration_number, legal_form, entity_category, is_natural_person, "
    "entity_status, lei_status, initial_registration_date, next_renewal_date, managing_lou, "
    "ad_protected, has_email, has_phone, has_post, sources, state, inactive_since, "
    "inactive_reason, delete_after, first_seen_at, last_changed_at",
    "contact_points": "contact_id, company_id, kind, value, mailbox_class, source_id, "
    "first_seen_at, last_seen_at, state",
    "origins": "company_id, contact_id, field, source_id, publisher, database_name, "
    "is_public_database, licence, record_url, delivery_id, delivery_sha256, published_at, "
    "retrieved_at, first_seen_at, last_seen_at",
    "changes": "company_id, field, old_value, new_value, delivery_id, changed_at",
    "deliveries": "delivery_id, source_id, kind, url, published_at, retrieved_at, byte_count, "
    "sha256, status, records_in, records_new, records_changed, records_unchanged, records_stale, "
    "records_superseded, records_retracted, records_out_of_scope, records_quarantined, "
    "records_suppressed, records_vanished, records_minimised",
}
"""The public interface; it changes only with a note in CHANGELOG.md."""
GROUP = ("relationships", "reporting_exceptions", "group_origins", "group_changes")
CODES = ("legal_forms", "registration_authorities", "code_words")
OTHERS = {
    *("runs", "quarantined", "disclosures", "retention_due", "audit_events", "contact_changes"),
    *("delivery_profiles", *GROUP, *CODES),
}


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_has_the_contracts_columns_in_their_order(place, view) -> None:
    shown = [column["name"] for column in sa.inspect(place.house.engine).get_columns(view)]
    assert shown == CONTRACT[view].split(", ")


def test_every_view_is_there_and_can_be_made_again(place) -> None:
    assert set(VIEWS) == set(CONTRACT) | OTHERS
    with writing(place.house.engine) as connection:
        recreate_views(connection)
        recreate_views(connection)
    assert set(sa.inspect(place.house.engine).get_view_names()) == set(VIEWS)


def plain_rows(place: Ingesting, view: str) -> list[tuple[Any, ...]]:
    """Read as an analyst would: with the database's own client and nothing of ours."""
    url = place.house.engine.url
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(url.database))
        try:
            return connection.execute(f"SELECT * FROM {view}").fetchall()
        finally:
            connection.close()
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        return connection.execute(f"SELECT * FROM public.{view}").fetchall()


def test_views_are_readable_without_anything_of_ours(place) -> None:
    place.full([company(1), company(2, legal_name="")], "2026-11-01")
    place.delta([company(1, legal_name="Nyt", lei_status="RETIRED")], "2026-11-02")
    place.deactivate()
    counted = {view: len(plain_rows(place, view)) for view in VIEWS}
    empty = {"contact_points", "contact_changes", "disclosures", *GROUP, *CODES}
    assert {view for view, rows in counted.items() if not rows} == empty
    assert counted["prospects"] == counted["retention_due"] == counted["quarantined"] == 1


def test_prospects_shows_what_the_publisher_said(place) -> None:
    place.full([company(1)], "2026-11-01")
    row = place.prospect(1)
    assert row is not None
    truth = {name: bool(row[name]) for name in row if name.startswith(("has_", "is_"))}
    assert truth == {
        "is_natural_person": False,
        "has_email": False,
        "has_phone": False,
        "has_post": True,
    }
    expected = {
        "lei": lei(1),
        "legal_name": "Prøvefirma 1 A/S",
        "country": "DK",
        "region": "DK-84",
        "city": "Prøveby",
        "postal_code": "0999",
        "registration_authority": "RA000170",
        "registration_number": "99000001",
        "legal_form": "599X",
        "entity_category": "GENERAL",
        "entity_status": "ACTIVE",
        "lei_status": "ISSUED",
        "initial_registration_date": day("2018-03-05", place),
        "next_renewal_date": day("2027-03-05", place),
        "managing_lou": SOUND["managing_lou"],
        "ad_protected": None,
        "sources": "gleif",
        "state": "active",
        "inactive_since": None,
        "inactive_reason": None,
        "delete_after": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["first_seen_at"] == row["last_changed_at"] == at("2026-11-02 10:00:00", place)


def day(text: str, place: Ingesting) -> date | str:
    """A date as plain SQL finds it there: SQLite has no type of its own for it."""
    return text if place.house.engine.dialect.name == "sqlite" else date.fromisoformat(text)


def at(text: str, place: Ingesting) -> datetime | str:
    if place.house.engine.dialect.name == "sqlite":
        return f"{text}Z"
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_local_midnight_shows_the_day_as_published(place) -> None:
    place.full([company(1, next_renewal_published="2027-03-05T00:00:00+02:00")], "2026-11-01")
    assert place.prospect(1)["next_renewal_date"] == day("2027-03-05", place)


@pytest.mark.parametrize(
    "changes", [{"entity_category": "SOLE_PROPRIETOR"}, {"legal_form": "FUKI"}]
)
def test_of_a_natural_person_only_the_skeleton_shows(place, changes) -> None:
    place.full([company(1, legal_name="Anna Prøve", **changes)], "2026-11-01")
    row = place.prospect(1)
    hidden = {
        *("legal_name", "region", "city", "postal_code", "legal_form", "managing_lou"),
        *("registration_authority", "registration_number"),
    }
    assert {name for name in hidden if row[name] is not None} == set()
    assert row["is_natural_person"]
    assert not row["has_post"]
    assert (row["lei"], row["country"], row["lei_status"]) == (lei(1), "DK", "ISSUED")
    assert row["next_renewal_date"] == day("2027-03-05", place)


def test_every_shown_field_is_a_prospects_column() -> None:
    shown = {shown for shown, _ in columns.SHOWN}
    ours = "company_id, lei, is_natural_person, ad_protected, has_email, has_phone, has_post"
    derived = {*ours.split(", "), "sources", "state", "inactive_since", "inactive_reason"}
    derived |= {"delete_after", "first_seen_at", "last_changed_at"}
    assert shown | derived == set(CONTRACT["prospects"].split(", "))


@pytest.mark.parametrize(
    "missing", ["headquarters_address_line", "headquarters_city", "headquarters_country"]
)
def test_no_letter_without_an_address(place, missing) -> None:
    place.full([company(1, **{missing: ""})], "2026-11-01")
    assert bool(place.prospect(1)["has_post"]) is (missing == "headquarters_country")


def add_contact(place: Ingesting, contact_id: int, kind: str, **changes: Any) -> None:
    (held,) = place.tables("record")["record"]
    values = {
        "contact_id": contact_id,
        "record_id": held["record_id"],
        "source_key": held["source_key"],
        "kind": kind,
        "value": f"invented {contact_id}",
        "original": f"invented {contact_id}",
        "mail_domain": "invented.example" if kind == "email" else None,
        "mailbox_class": "role" if kind == "email" else None,
        "person_kind": "none",
        "first_delivery_id": held["first_delivery_id"],
        "obtained_at": place.house.now(),
        "inactive_after": place.house.now().date(),
        "delete_after": place.house.now().date(),
        **changes,
    }
    with writing(place.house.engine) as connection:
        connection.execute(contact_point.insert().values(**values))


def test_contact_points_are_told_of_never_shown(place) -> None:
    place.full([company(1)], "2026-11-01")
    add_contact(place, 1, "email", mailbox_class="role")
    add_contact(place, 2, "phone", state="inactive")
    row = place.prospect(1)
    assert (bool(row["has_email"]), bool(row["has_phone"])) == (True, False)
    assert "invented" not in repr(row)
    shown = place.ask("SELECT contact_id, company_id, kind, value, state FROM contact_points")
    assert sorted(shown, key=repr) == [
        {
            "contact_id": 1,
            "company_id": 1,
            "kind": "email",
            "value": "invented 1",
            "state": "active",
        },
        {
            "contact_id": 2,
            "company_id": 1,
            "kind": "phone",
            "value": "invented 2",
            "state": "inactive",
        },
    ]


@pytest.mark.parametrize(
    ("told", "shown"), [(None, None), ("false", False), ("true", True)], ids=str
)
def test_protection_from_marketing_is_yes_no_or_unknown(place, told, shown) -> None:
    """The register's word on the company, the same on both databases; a mailbox's is its own."""
    place.full([company(1)], "2026-11-01")
    add_contact(place, 1, "email", ad_protected=True)
    with writing(place.house.engine) as connection:
        connection.execute(record.update().values(ad_protected=told))
    found = place.prospect(1)["ad_protected"]
    assert (None if found is None else bool(found)) is shown


def test_changes_are_told_in_the_words_of_prospects(place) -> None:
    place.full([company(1), company(2, entity_category="SOLE_PROPRIETOR")], "2026-11-01")
    place.full(
        [
            company(
                1,
                legal_city="Nyby",
                headquarters_address_line="Ny Gade 3",
                headquarters_mail_routing="Port 2",
                next_renewal_published=moment("2028-03-05"),
            ),
            company(2, entity_category="SOLE_PROPRIETOR", lei_status="LAPSED"),
        ],
        "2026-11-02",
    )
    found = place.ask("SELECT * FROM changes ORDER BY field")
    assert [(row["field"], row["old_value"], row["new_value"]) for row in found] == [
        ("city", "Prøveby", "Nyby"),
        ("headquarters_address_line", "Prøvegade 2", "Ny Gade 3"),
        ("headquarters_mail_routing", None, "Port 2"),
        ("next_renewal_date", "2027-03-05T12:00:00Z", "2028-03-05T08:00:00Z"),
    ]
    assert {(row["delivery_id"], row["company_id"]) for row in found} == {(2, 1)}


def test_deliveries_show_refused_ones_too_and_add_up(place) -> None:
    place.full([company(1), company(2, legal_name="")], "2026-11-01")
    with pytest.raises(Exception, match="delivery_is_not_empty"):
        place.full([], "2026-11-02")
    loaded, refused = place.ask("SELECT * FROM deliveries ORDER BY delivery_id")
    outcomes = [name for name in loaded if name.startswith("records_")][1:10]
    for row in (loaded, refused):
        assert row["records_in"] == sum(row[name] for name in outcomes)
    assert (loaded["status"], refused["status"]) == ("loaded", "refused")
    assert (loaded["records_in"], loaded["records_quarantined"]) == (2, 1)
    assert loaded["published_at"] == at("2026-11-01 08:00:00", place)
    assert loaded["retrieved_at"] == at("2026-11-02 10:00:00", place)
    assert loaded["url"] == "file:delivery 1.csv"


def test_disclosures_show_who_received_which_fields(place) -> None:
    with writing(place.house.engine) as connection:
        connection.execute(
            METADATA.tables["run"]
            .insert()
            .values(run_id=9, flow="export", state="done", actor="x", started_at=place.house.now())
        )
        texts = dict.fromkeys(
            ("directory", "segment", "channel", "purpose", "recipient", "actor", "manifest"), "x"
        )
        connection.execute(
            export.insert().values(
                export_id="E1", state="published", run_id=9, created_at=place.house.now(), **texts
            )
        )
        texts = dict.fromkeys(("row_id", "recipient_name", "notice_id", "policy_version"), "x")
        connection.execute(
            METADATA.tables["disclosure"]
            .insert()
            .values(
                disclosure_id=1,
                export_id="E1",
                company_id=7,
                recipient="own",
                fields="legal_name, lei",
                disclosed_at=place.house.now(),
                **texts,
            )
        )
    (row,) = place.ask("SELECT * FROM disclosures")
    assert (row["recipient"], row["company_id"], row["fields"]) == ("own", 7, "legal_name, lei")


def test_views_come_with_the_schema_and_again_with_every_upgrade(place) -> None:
    with writing(place.house.engine) as connection:
        connection.execute(sa.text("DROP VIEW prospects"))
    migrate.upgrade(place.house.engine)
    assert place.ask("SELECT * FROM prospects") == []
