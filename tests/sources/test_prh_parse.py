"""PRH's shapes in the house's words."""

from __future__ import annotations

import json
from datetime import date

import pytest
from register_files import Nowhere, points, told, zipped

from sources import prh_parse
from sources.kit.json_shape import scalars, struct_of

VISITING = {
    "type": 1,
    "co": "Matti",
    "street": "Esimerkkitie",
    "buildingNumber": "17-19",
    "entrance": "A",
    "apartmentNumber": "3",
    "postCode": "00380",
    "registrationDate": "2025-09-29",
    "source": "0",
    "postOffices": [
        {"city": "HELSINGFORS", "languageCode": "2", "municipalityCode": "091"},
        {"city": "HELSINKI", "languageCode": "1", "municipalityCode": "091"},
    ],
}
POSTAL = {"type": 2, "postOfficeBox": "100", "postCode": "00101", "postOffices": [
    {"city": "HELSINKI", "languageCode": "1"}]}  # fmt: skip
COMPANY = {
    "businessId": {"value": "0100130-4", "registrationDate": "1978-03-15", "source": "3"},
    "euId": {"value": "FIFPRO.0100130-4", "source": "1"},
    "names": [
        {
            "name": "Vanha Oy",
            "type": "1",
            "registrationDate": "2000-09-22",
            "endDate": "2022-01-21",
        },
        {"name": "Aputoiminimi", "type": "3", "registrationDate": "2023-11-30", "version": 1},
        {"name": "Edellinen Oy", "type": "1", "registrationDate": "2021-01-01"},
        {"name": "Esimerkki Oy", "type": "1", "registrationDate": "2022-01-21", "source": "1"},
    ],
    "mainBusinessLine": {"type": "82200", "descriptions": [{"languageCode": "3"}]},
    "website": {"url": "www.esimerkki.example", "registrationDate": "2025-09-29", "source": "0"},
    "companyForms": [
        {"type": "13", "endDate": "2001-01-01", "version": 2},
        {"type": "16", "version": 1, "descriptions": [{"description": "Osakeyhtiö"}]},
    ],
    "companySituations": [],
    "registeredEntries": [{"type": "80", "register": "6"}],
    "addresses": [POSTAL, {**VISITING, "street": "Vanha tie", "endDate": "2020-01-01"}, VISITING],
    "tradeRegisterStatus": "1",
    "status": "2",
    "registrationDate": "1973-08-10",
    "lastModified": "2026-01-02T03:04:05",
}


def answered(*companies):
    names = frozenset(name for company in companies for name, _ in scalars(company))
    return prh_parse.frame_of_rows(struct_of(prh_parse.SHAPE, companies), Nowhere(), names)


def test_a_company_in_the_houses_words() -> None:
    frame = answered(COMPANY)
    assert told(frame.table.to_pylist()[0]) == {
        "ordinal": 0,
        "source_key": "0100130-4",
        "registration_number": "0100130-4",
        "registration_authority": "RA000188",
        "legal_jurisdiction": "FI",
        "legal_name": "Esimerkki Oy",
        "legal_form": "DKUW",
        "entity_status": "ACTIVE",
        "creation_published": "1973-08-10",
        "creation_at": 113788800,
        "last_update_published": "2026-01-02T03:04:05",
        "last_update_at": 1767323045,
        "legal_address_line": "Esimerkkitie 17-19 A 3",
        "legal_address_line_2": "c/o Matti",
        "legal_postal_code": "00380",
        "legal_city": "HELSINKI",
        "legal_country": "FI",
        "headquarters_address_line": "PL 100",
        "headquarters_postal_code": "00101",
        "headquarters_city": "HELSINKI",
        "headquarters_country": "FI",
        "person_kind": "none",
    }
    assert prh_parse.unknown(frame.names) == []
    assert points(frame) == [(0, "website", "www.esimerkki.example")]
    assert frame.contacts["valid_from"].to_pylist() == [date(2025, 9, 29)]


def test_a_website_with_an_end_is_left_out_and_counted() -> None:
    ended = {**COMPANY, "website": {"url": "www.vanha.example", "endDate": "2020-01-01"}}
    frame = answered(ended, COMPANY)
    assert points(frame) == [(1, "website", "www.esimerkki.example")]
    assert frame.dropped == {"no_longer_valid": 1}


def test_a_status_that_the_list_has_not_is_not_known_and_counted() -> None:
    frame = answered({**COMPANY, "tradeRegisterStatus": "3"}, COMPANY)
    assert frame.table["entity_status"].to_pylist() == [None, "ACTIVE"]
    assert frame.dropped == {"status_not_listed": 1}


def test_one_address_is_never_filled_up_from_the_other() -> None:
    row = answered({**COMPANY, "addresses": [POSTAL]}).table.to_pylist()[0]
    assert row["legal_address_line"] == "PL 100"
    row = answered({**COMPANY, "addresses": [VISITING]}).table.to_pylist()[0]
    assert row["headquarters_address_line"] == "Esimerkkitie 17-19 A 3"
    foreign = {"type": 1, "freeAddressLine": "Box 1, Stockholm", "country": "SE"}
    row = answered({**COMPANY, "addresses": [foreign, POSTAL]}).table.to_pylist()[0]
    assert (row["legal_address_line"], row["legal_country"]) == ("Box 1, Stockholm", "SE")
    assert (row["legal_city"], row["legal_postal_code"]) == (None, None)
    row = answered({**COMPANY, "addresses": []}).table.to_pylist()[0]
    assert (row["legal_country"], row["headquarters_country"]) == (None, None)


@pytest.mark.parametrize(
    ("changed", "status", "kind"),
    [
        ({"tradeRegisterStatus": "4"}, "INACTIVE", "none"),
        ({"tradeRegisterStatus": "3"}, None, "none"),
        ({"endDate": "2002-02-02"}, "INACTIVE", "none"),
        ({"endDate": ""}, "ACTIVE", "none"),
        ({"companyForms": [{"type": "26"}]}, "ACTIVE", "natural"),
        ({"companyForms": []}, "ACTIVE", "possible"),
    ],
)
def test_statuses_and_persons(changed, status, kind) -> None:
    row = answered({**COMPANY, **changed}).table.to_pylist()[0]
    assert (row["entity_status"], row["person_kind"]) == (status, kind)


def test_the_bulk_zip_says_the_same_as_a_page(tmp_path) -> None:
    other = {"businessId": {"value": "0111111-1"}, "names": [], "website": None}
    path = zipped(tmp_path / "all", "all_companies.json", json.dumps([COMPANY, other]))
    with prh_parse.json_frames(path, lambda frame: frame) as (_, found):
        (frame,) = found
    page = answered(COMPANY, other)
    assert frame.table.equals(page.table)
    assert frame.contacts.equals(page.contacts)
    assert frame.table["legal_name"].to_pylist() == ["Esimerkki Oy", None]


def test_who_has_ceased_keeps_the_name_and_form_it_ended_with() -> None:
    ended = {"endDate": "2005-12-19", "registrationDate": "1976-04-23"}
    ceased = {
        **COMPANY,
        "names": [
            {"name": "Ensimmäinen Oy", "type": "1", "endDate": "1976-04-22"},
            {"name": "Viimeinen Oy", "type": "1", **ended},
            {"name": "Aputoiminimi", "type": "3", "registrationDate": "2004-01-01"},
        ],
        "companyForms": [{"type": "13", "endDate": "2001-01-01"}, {"type": "16", **ended}],
        "endDate": "2005-12-19",
    }
    row = answered(ceased).table.to_pylist()[0]
    assert (row["legal_name"], row["legal_form"]) == ("Viimeinen Oy", "DKUW")
    assert (row["entity_status"], row["expiration_published"]) == ("INACTIVE", "2005-12-19")


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([{"type": "1", "register": "1", "registrationDate": "2009-09-14"}], "ACTIVE"),
        (
            [
                {"type": "1", "register": "1", "endDate": "2005-12-18"},
                {"type": "4", "register": "1", "registrationDate": "2005-12-19"},
            ],
            "INACTIVE",
        ),
        ([{"type": "1", "register": "1", "endDate": "2005-12-18"}], None),
        ([{"type": "1", "register": "6"}], None),
        ([], None),
    ],
)
def test_an_open_entry_in_the_trade_register_stands_in_for_a_status_left_out(
    entries, status
) -> None:
    company = {**COMPANY, "registeredEntries": entries}
    del company["tradeRegisterStatus"]
    assert answered(company).table["entity_status"].to_pylist() == [status]
    stated = answered({**company, "tradeRegisterStatus": "1"})
    assert stated.table["entity_status"].to_pylist() == ["ACTIVE"]
