"""Registers' records find the company that states their number, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa
from entries import ALL_NORWEGIAN, any_length, bulk, entry, norwegian, orgnr, some
from ingesting import Ingesting, lei, outcomes

from warehouse.engine import writing
from warehouse.schema import company_record
from warehouse.schema.records import BY_HAND

LINKS = (
    "SELECT l.company_id, r.source_id, r.source_key, l.reason, l.until_reason"
    " FROM company_record l JOIN record r ON r.record_id = l.record_id"
    " WHERE r.source_id = :source ORDER BY r.source_key, l.company_id"
)


@pytest.fixture(autouse=True)
def _short_files(place: Ingesting) -> Iterator[None]:
    with any_length(place):
        yield


def company_of(place: Ingesting, number: int) -> int:
    found = place.prospect(number)
    assert found is not None
    return int(found["company_id"])


def links(place: Ingesting, source: str = "brreg") -> list[tuple[int, str, str, str | None]]:
    return [
        (row["company_id"], row["source_key"], row["reason"], row["until_reason"])
        for row in place.ask(LINKS, source=source)
    ]


def test_a_record_joins_the_company_that_states_its_number(place) -> None:
    place.full([norwegian(1), norwegian(2)], "2026-11-01")
    assert outcomes(bulk(place, [entry(1), entry(3)], "2026-11-02")) == {
        "new": 1,
        "out_of_scope": 1,
    }
    assert links(place) == [(company_of(place, 1), orgnr(1), "same number", None)]
    assert place.prospect(1)["sources"] in ("gleif,brreg", "brreg,gleif")


@pytest.mark.parametrize(
    "stated",
    [
        {"registration_number": f"{orgnr(1)[:3]} {orgnr(1)[3:6]} {orgnr(1)[6:]}"},
        {"registration_authority": "RA000473"},
    ],
)
def test_a_number_is_one_number_however_it_is_typed(place, stated) -> None:
    place.full([norwegian(1, **stated)], "2026-11-01")
    bulk(place, [entry(1)], "2026-11-02")
    assert [company_id for company_id, *_ in links(place)] == [company_of(place, 1)]


@pytest.mark.parametrize("authority", ["RA000170", "RA888888", ""])
def test_another_registers_number_joins_nothing(place, authority) -> None:
    place.full([norwegian(1, registration_authority=authority)], "2026-11-01")
    assert outcomes(bulk(place, [entry(1)], "2026-11-02")) == {"out_of_scope": 1}


def test_a_name_joins_nothing(place) -> None:
    place.full([norwegian(1, registration_number=orgnr(9))], "2026-11-01")
    assert outcomes(bulk(place, [entry(1)], "2026-11-02")) == {"out_of_scope": 1}


def test_a_number_of_two_companies_is_quarantined_with_both_shown(place) -> None:
    place.full([norwegian(1), norwegian(2, registration_number=orgnr(1))], "2026-11-01")
    report = bulk(place, [entry(1)], "2026-11-02")
    assert report.quarantined_by_rule == {"join_is_unambiguous": 1}
    content = place.one("SELECT content FROM quarantined_row WHERE source_id = 'brreg'")
    assert lei(1) in content
    assert lei(2) in content
    assert links(place) == []


@pytest.mark.parametrize("status", ["DUPLICATE", "ANNULLED", "MERGED", "RETIRED"])
def test_an_ended_lei_gives_way_to_the_one_that_goes_on(place, status) -> None:
    ended = norwegian(
        1,
        registration_number=orgnr(2),
        lei_status=status,
        last_update_published="2026-10-01T08:00:00Z",
    )
    place.full([ended, norwegian(2)], "2026-11-01")
    bulk(place, [entry(2)], "2026-11-02")
    assert [company_id for company_id, *_ in links(place)] == [company_of(place, 2)]


def test_companies_without_an_lei_are_taken_where_the_scope_names_them(place) -> None:
    place.change(scope=ALL_NORWEGIAN)
    trader = entry(4, organisasjonsform={"kode": "ENK"})
    assert outcomes(bulk(place, [entry(3), trader], "2026-11-02")) == {"new": 1, "out_of_scope": 1}
    (found,) = place.ask("SELECT * FROM prospects")
    assert (found["lei"], found["legal_name"]) == (None, "PRØVEFIRMA 3 AS")


def test_a_company_that_gets_an_lei_keeps_its_id(place) -> None:
    place.change(scope=ALL_NORWEGIAN)
    bulk(place, [entry(1)], "2026-11-02")
    (before,) = place.ask("SELECT company_id FROM prospects")
    place.full([norwegian(1, legal_name="NYTT NAVN AS")], "2026-11-03")
    (after,) = place.ask("SELECT * FROM prospects")
    assert after["company_id"] == before["company_id"]
    assert (after["lei"], after["legal_name"]) == (lei(1), "NYTT NAVN AS")
    assert links(place, "gleif") == [(after["company_id"], lei(1), "same number", None)]


def test_a_corrected_number_moves_the_join_and_rewrites_nothing(place) -> None:
    place.full([norwegian(1, registration_number=orgnr(2)), norwegian(3)], "2026-11-01")
    bulk(place, [entry(2, epostadresse="post@to.example")], "2026-11-02")
    first, contacts = links(place), place.tables("contact_point")
    place.delta(
        [
            norwegian(1, last_update_published="2026-11-02T08:00:00Z"),
            norwegian(
                3, registration_number=orgnr(2), last_update_published="2026-11-02T08:00:00Z"
            ),
        ],
        "2026-11-03",
    )
    assert links(place) == [
        (*first[0][:3], "number"),
        (company_of(place, 3), orgnr(2), "same number", None),
    ]
    assert place.tables("contact_point") == contacts
    assert place.one("SELECT company_id FROM contact_points") == company_of(place, 3)


def test_a_number_that_nobody_states_any_more_joins_nothing(place) -> None:
    place.full([norwegian(1)], "2026-11-01")
    bulk(place, [entry(1, epostadresse="post@en.example")], "2026-11-02")
    corrected = norwegian(
        1, registration_number=orgnr(7), last_update_published="2026-11-02T08:00:00Z"
    )
    place.delta([corrected], "2026-11-03")
    assert [reason for *_, reason in links(place)] == ["number"]
    assert place.ask("SELECT * FROM contact_points") == []


def test_a_join_that_a_person_ended_is_not_made_again(place) -> None:
    place.full([norwegian(1)], "2026-11-01")
    bulk(place, [entry(1)], "2026-11-02")
    with writing(place.house.engine) as connection:
        connection.execute(
            company_record.update()
            .where(company_record.c.reason == "same number")
            .values(until_at=place.house.now(), until_reason=BY_HAND)
        )
    place.delta([norwegian(1, last_update_published="2026-11-03T08:00:00Z")], "2026-11-04")
    some(place, [entry(1, navn="ET ANNET AS")], "2026-11-05")
    assert [reason for *_, reason in links(place)] == [BY_HAND]


def test_a_company_whose_record_joined_another_is_inactive(place) -> None:
    place.change(scope=ALL_NORWEGIAN)
    place.full([norwegian(1, registration_number=orgnr(9))], "2026-11-01")
    bulk(place, [entry(2, epostadresse="post@to.example")], "2026-11-02")
    place.delta(
        [norwegian(1, registration_number=orgnr(2), last_update_published="2026-11-02T08:00:00Z")],
        "2026-11-03",
    )
    place.deactivate()
    shown = place.ask("SELECT lei, state FROM prospects")
    assert [(row["lei"], row["state"]) for row in shown] == [(lei(1), "active")]
    assert place.one("SELECT count(*) FROM company WHERE state = 'inactive'") == 1
    assert place.one("SELECT state FROM contact_points") == "active"
    place.at(date(2028, 11, 4)).deactivate()
    place.delete()
    assert [row["lei"] for row in place.ask("SELECT lei FROM prospects")] == [lei(1)]
    assert place.one("SELECT count(*) FROM record WHERE source_id = 'brreg'") == 1


def test_contact_points_come_back_with_a_company_that_is_listed_again(place) -> None:
    place.change(scope=ALL_NORWEGIAN)
    rows = [entry(1, epostadresse="post@en.example"), entry(2), entry(3)]
    bulk(place, rows, "2026-11-01")
    for day in (2, 3):
        place.at(date(2026, 11, day))
        bulk(place, [*rows[1:], entry(day + 2)], f"2026-11-0{day}")
    place.deactivate()
    told = "SELECT p.state, c.state AS of_contact FROM prospects p JOIN contact_points c"
    told += " ON c.company_id = p.company_id"
    assert place.ask(told) == [{"state": "inactive", "of_contact": "inactive"}]
    bulk(place, rows, "2026-11-04")
    place.at(date(2026, 11, 4)).deactivate()
    assert place.ask(told) == [{"state": "active", "of_contact": "active"}]


def test_the_order_of_the_two_files_makes_no_difference(place) -> None:
    place.change(scope=ALL_NORWEGIAN)
    rows = [norwegian(1), norwegian(2)]
    entries = [entry(n, epostadresse=f"post@nr{n}.example") for n in (1, 2, 3)]
    told = "SELECT lei, legal_name, has_email FROM prospects ORDER BY legal_name"
    place.full(rows, "2026-11-01")
    bulk(place, entries, "2026-11-02")
    first = place.ask(told)
    place.empty()
    bulk(place, entries, "2026-11-01")
    place.full(rows, "2026-11-02")
    assert place.ask(told) == first
    assert [row["lei"] for row in first] == [lei(1), lei(2), None]


def test_loading_again_changes_no_link(place) -> None:
    place.full([norwegian(1)], "2026-11-01")
    bulk(place, [entry(1), entry(2)], "2026-11-02")
    before = place.tables("company", "company_record", "record_number")
    bulk(place, [entry(2), entry(1)], "2026-11-03")
    place.full([norwegian(1)], "2026-11-04")
    assert place.tables("company", "company_record", "record_number") == before


def test_every_link_is_of_a_company_and_a_record(place) -> None:
    place.change(scope=ALL_NORWEGIAN)
    place.full([norwegian(n) for n in range(1, 6)], "2026-11-01")
    bulk(place, [entry(n) for n in range(4, 9)], "2026-11-02")
    with place.house.engine.connect() as connection:
        lonely = connection.scalar(
            sa.text(
                "SELECT count(*) FROM record r WHERE (SELECT count(*) FROM company_record l"
                " WHERE l.record_id = r.record_id AND l.until_at IS NULL) <> 1"
            )
        )
    assert lonely == 0
