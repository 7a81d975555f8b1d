"""Contact points: each value with its origin, its class, its clock, and its coming and going."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

import pytest
from entries import any_length, bulk, entry, norwegian, orgnr, some
from ingesting import Ingesting, outcomes

from sources.kit import json_frames, register_files
from sources.kit.json_blocks import ItemBlocks
from sources.kit.sample_numbers import fodselsnummer

ORIGINS = (
    "SELECT o.field, o.source_id, o.delivery_id FROM origins o"
    " JOIN contact_points p ON p.contact_id = o.contact_id AND p.company_id = o.company_id"
)
INFO = {"epostadresse": "info@firma-1.example"}
ROLE = {"epostadresse": "Post@Firma-1.example", "hjemmeside": "www.firma-1.example"}


@pytest.fixture(autouse=True)
def _short_files(place: Ingesting) -> Iterator[None]:
    with any_length(place):
        place.full([norwegian(n) for n in range(1, 9)], "2026-11-01")
        yield


def points(place: Ingesting, columns: str = "kind, value") -> list[tuple[Any, ...]]:
    rows = place.ask(f"SELECT {columns} FROM contact_points ORDER BY kind, value")
    return [tuple(row.values()) for row in rows]


def reasons(place: Ingesting) -> set[str | None]:
    return {
        row["inactive_reason"] for row in place.ask("SELECT inactive_reason FROM contact_point")
    }


def test_values_are_kept_in_one_form_with_their_class(place) -> None:
    bulk(place, [entry(1, **ROLE, telefon="22 00 00 00")], "2026-11-02")
    assert points(place, "kind, value, mailbox_class, source_id, state") == [
        ("email", "post@firma-1.example", "role", "brreg", "active"),
        ("phone", "+4722000000", None, "brreg", "active"),
        ("website", "https://www.firma-1.example", None, "brreg", "active"),
    ]
    assert place.one("SELECT original FROM contact_point WHERE kind = 'email'") == (
        "Post@Firma-1.example"
    )


def test_every_value_has_an_origin(place) -> None:
    report = bulk(place, [entry(1, **ROLE), entry(2, mobil="900 00 000")], "2026-11-02")
    origins = place.ask(ORIGINS)
    assert len(origins) == place.one("SELECT count(*) FROM contact_points") == 3
    assert {row["delivery_id"] for row in origins} == {report.delivery_id}
    assert {row["source_id"] for row in origins} == {"brreg"}


def test_prospects_say_that_there_are_values_and_never_which(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    found = place.prospect(1)
    assert (bool(found["has_email"]), bool(found["has_phone"])) == (True, False)
    assert "firma-1.example" not in repr(place.ask("SELECT * FROM prospects"))
    assert "firma-1.example" not in repr(place.ask("SELECT * FROM changes"))


def test_values_of_natural_persons_and_of_strangers_are_not_taken(place) -> None:
    trader = {"organisasjonsform": {"kode": "ENK"}, "epostadresse": "kari@firma.example"}
    bulk(place, [entry(1, **trader), entry(77, epostadresse="post@to.example")], "2026-11-02")
    assert points(place) == []


def test_a_personal_number_anywhere_is_dropped_and_counted(place) -> None:
    number = fodselsnummer(7)
    planted = {
        "telefon": number,
        "epostadresse": f"{number}@firma.example",
        "hjemmeside": f"firma.example/{number}",
        "navn": f"PRØVEFIRMA {number[:6]} {number[6:]} AS",
    }
    report = bulk(place, [entry(1, **planted)], "2026-11-02")
    told = {name: count for name, count in report.told.items() if "personal_number" in name}
    assert sum(told.values()) == len(planted)
    held = repr(place.tables("record", "contact_point", "quarantined_row"))
    assert number not in held
    assert number[6:] not in held


def test_a_new_value_is_a_change_with_its_own_origin(place) -> None:
    first = bulk(place, [entry(1, **ROLE)], "2026-11-02")
    second = some(place, [entry(1, **{**ROLE, **INFO})], "2026-11-03")
    assert outcomes(second) == {"changed": 1}
    held = place.tables("contact_point")["contact_point"]
    by_value = {row["value"]: row["first_delivery_id"] for row in held}
    assert by_value == {
        "post@firma-1.example": first.delivery_id,
        "info@firma-1.example": second.delivery_id,
        "https://www.firma-1.example": first.delivery_id,
    }
    happened = place.ask("SELECT what, field, delivery_id FROM contact_changes ORDER BY what")
    assert [(row["what"], row["delivery_id"]) for row in happened] == [
        ("came", first.delivery_id),
        ("came", first.delivery_id),
        ("came", second.delivery_id),
        ("went", second.delivery_id),
    ]


def test_values_of_every_frame_are_numbered_once_and_number_on(place, monkeypatch) -> None:
    monkeypatch.setattr(json_frames, "FRAME_ROWS", 1)
    short = partial(ItemBlocks, size=1)
    monkeypatch.setattr(register_files, "ItemBlocks", lambda chunks, size: short(chunks))
    given = [entry(n, epostadresse=f"post@firma-{n}.example") for n in range(1, 7)]
    bulk(place, given, "2026-11-02")
    more = [{**one, "telefon": "22 00 00 00"} for one in given]
    assert outcomes(some(place, more, "2026-11-03")) == {"changed": len(more)}
    held = place.tables("contact_point")["contact_point"]
    numbers = {kind: [row["contact_id"] for row in held if row["kind"] == kind]
               for kind in ("email", "phone")}  # fmt: skip
    assert len({*numbers["email"], *numbers["phone"]}) == 2 * len(given)
    assert max(numbers["email"]) < min(numbers["phone"])


def test_the_same_entries_again_change_nothing(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    before = place.tables("contact_point", "contact_change")
    assert outcomes(bulk(place, [entry(1, **ROLE)], "2026-11-03")) == {"unchanged": 1}
    assert place.tables("contact_point", "contact_change") == before


def test_a_value_that_went_and_came_back_keeps_its_first_origin_and_clock(place) -> None:
    first = bulk(place, [entry(1, **ROLE)], "2026-11-02")
    some(place, [entry(1)], "2026-11-03")
    assert not place.prospect(1)["has_email"]
    some(place, [entry(1, **ROLE)], "2026-11-04")
    assert place.prospect(1)["has_email"]
    held = place.tables("contact_point")["contact_point"]
    assert {row["first_delivery_id"] for row in held} == {first.delivery_id}
    assert {row["obtained_at"].date() for row in held} == {date(2026, 11, 2)}


def test_a_domain_of_many_companies_is_an_agents(place) -> None:
    shared = [
        entry(n, epostadresse=f"post{n}@agent.example", hjemmeside="agent.example")
        for n in range(1, 8)
    ]
    bulk(place, [*shared, entry(8, **ROLE)], "2026-11-02")
    classes = place.ask("SELECT value, mailbox_class FROM contact_points WHERE kind = 'email'")
    assert {row["mailbox_class"] for row in classes if "agent" in row["value"]} == {"agent"}
    some(place, [entry(8, epostadresse="post@agent.example")], "2026-11-03")
    assert (
        place.one("SELECT mailbox_class FROM contact_points WHERE value = 'post@agent.example'")
        == "agent"
    )


def test_strangers_count_for_a_shared_domain_too(place) -> None:
    strangers = [entry(n, epostadresse="regnskab@agent.example") for n in range(50, 60)]
    bulk(place, [*strangers, entry(1, epostadresse="post@agent.example")], "2026-11-02")
    assert points(place, "mailbox_class") == [("agent",)]


def test_a_year_after_it_was_obtained_a_value_is_inactive_and_later_gone(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    place.at(date(2027, 11, 2))
    assert place.deactivate(dry_run=True)["counts"]["contact_points"] == 2
    place.deactivate()
    assert points(place, "state") == [("inactive",), ("inactive",)]
    assert not place.prospect(1)["has_email"]
    place.at(date(2029, 11, 2))
    place.delete()
    assert points(place) == []
    assert place.tables("contact_change")["contact_change"] == []


def test_what_retention_deleted_is_not_taken_again_and_a_new_value_is(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    place.at(date(2029, 11, 2)).deactivate()
    place.delete()
    bulk(place, [entry(1, **ROLE, telefon="22 00 00 00")], "2029-11-03")
    assert points(place) == [("phone", "+4722000000")]


def test_a_withdrawn_value_is_inactive_after_its_grace(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    some(place, [entry(1)], "2026-11-10")
    place.at(date(2026, 12, 9)).deactivate()
    assert {state for (state,) in points(place, "state")} == {"active"}
    place.at(date(2026, 12, 10)).deactivate()
    assert {state for (state,) in points(place, "state")} == {"inactive"}
    assert reasons(place) == {"source_withdrew"}
    some(place, [entry(1, **ROLE)], "2026-12-11")
    place.deactivate()
    assert {state for (state,) in points(place, "state")} == {"active"}


def test_a_ceased_companys_values_are_inactive_at_once(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    some(place, [entry(1, **ROLE, slettedato="2026-11-09")], "2026-11-10")
    place.deactivate()
    assert reasons(place) == {"entity_ceased"}


def test_an_objection_makes_a_companys_values_inactive(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    place.suppress(1)
    place.deactivate()
    assert reasons(place) == {"objection"}
    assert outcomes(some(place, [entry(1, telefon="22 00 00 00")], "2026-11-03")) == {
        "suppressed": 1
    }


def test_a_company_that_goes_takes_its_values_along(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    gone = norwegian(1, lei_status="RETIRED", last_update_published="2026-11-03T08:00:00Z")
    place.delta([gone], "2026-11-04")
    place.at(date(2028, 11, 5)).deactivate()
    place.delete()
    left = place.tables("contact_point", "contact_change")
    assert left == {"contact_point": [], "contact_change": []}
    assert orgnr(1) not in repr(place.tables("record", "record_number", "company_record"))


def test_the_bytes_of_a_register_with_persons_go_after_the_load(place) -> None:
    bulk(place, [entry(1, **ROLE)], "2026-11-02")
    landed = list(place.house.landing_root.rglob("*.bin"))
    assert not any(b"epostadresse" in path.read_bytes() for path in landed)
