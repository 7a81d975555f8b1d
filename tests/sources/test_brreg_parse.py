"""Enhetsregisteret's shapes in the house's words."""

from __future__ import annotations

import pytest
from register_files import Nowhere, csv_text, gzipped, points, told, zipped

from sources import brreg_parse
from sources.kit import columns
from sources.kit.errors import DeliveryRefused
from sources.kit.sample_numbers import fodselsnummer

ADDRESS = {
    "land": "Norge",
    "landkode": "NO",
    "postnummer": "0150",
    "poststed": "OSLO",
    "adresse": ["Prøvegata 1", "2. etasje"],
    "kommune": "OSLO",
    "kommunenummer": "0301",
}
COMPANY = {
    "organisasjonsnummer": "999 888 777",
    "navn": "PRØVE AS",
    "organisasjonsform": {"kode": "AS", "beskrivelse": "Aksjeselskap", "_links": {"self": {}}},
    "hjemmeside": "www.prove.example",
    "epostadresse": "post@prove.example",
    "telefon": "22 00 00 00",
    "mobil": "900 00 000",
    "forretningsadresse": ADDRESS,
    "postadresse": {**ADDRESS, "adresse": ["Postboks 5"], "postnummer": "0101"},
    "registreringsdatoEnhetsregisteret": "1995-02-19",
    "stiftelsesdato": "1990-01-02",
    "registrertIForetaksregisteret": True,
    "naeringskode1": {"kode": "06.100", "beskrivelse": "x"},
    "vedtektsfestetFormaal": ["a", "b"],
    "varslingsadresser": [{"epost": "varsel@prove.example"}],
    "respons_klasse": "Enhet",
}
TRADER = {
    "organisasjonsnummer": "888777666",
    "navn": "KARI PRØVE",
    "organisasjonsform": {"kode": "ENK"},
    "registrertIForetaksregisteret": False,
    "registreringsdatoEnhetsregisteret": "2001-01-01",
    "epostadresse": "  ",
}
DELETED = {
    "organisasjonsnummer": "777666555",
    "navn": "BORTE ANS",
    "organisasjonsform": {"kode": "ANS", "utgaatt": "2017-07-17"},
    "slettedato": "2017-10-20",
}


def entity(found):
    return brreg_parse.frame_of_entities([found], Nowhere(), frozenset())


def frames(path):
    with brreg_parse.json_frames(path, lambda frame: frame) as (_, found):
        return list(found)


@pytest.fixture
def bulk(tmp_path):
    (frame,) = frames(gzipped(tmp_path / "lastned", [COMPANY, TRADER, DELETED]))
    return frame


def test_a_company_in_the_houses_words(bulk) -> None:
    assert told(bulk.table.to_pylist()[0]) == {
        "ordinal": 0,
        "source_key": "999888777",
        "registration_number": "999888777",
        "registration_authority": "RA000472",
        "legal_jurisdiction": "NO",
        "legal_name": "PRØVE AS",
        "legal_form": "YI42",
        "entity_status": "ACTIVE",
        "creation_published": "1990-01-02",
        "creation_at": 631238400,
        "legal_address_line": "Prøvegata 1",
        "legal_address_line_1": "2. etasje",
        "legal_postal_code": "0150",
        "legal_city": "OSLO",
        "legal_country": "NO",
        "headquarters_address_line": "Postboks 5",
        "headquarters_postal_code": "0101",
        "headquarters_city": "OSLO",
        "headquarters_country": "NO",
        "person_kind": "none",
    }
    assert {*columns.NAMES} < {*bulk.table.column_names}


def test_contact_points_are_as_published_and_never_the_authorities_own(bulk) -> None:
    assert points(bulk) == [
        (0, "email", "post@prove.example"),
        (0, "phone", "22 00 00 00"),
        (0, "phone", "900 00 000"),
        (0, "website", "www.prove.example"),
    ]
    assert set(bulk.contacts["ad_protected"].to_pylist()) == {None}
    assert bulk.ad_protected.to_pylist() == [None, None, None]


def test_sole_traders_are_persons_and_deleted_ones_inactive(bulk) -> None:
    _, trader, deleted = bulk.table.to_pylist()
    assert (trader["person_kind"], trader["legal_form"]) == ("natural", "EXD7")
    assert trader["registration_authority"] == "RA000473"
    assert trader["creation_published"] == "2001-01-01"
    assert (deleted["entity_status"], deleted["expiration_published"]) == ("INACTIVE", "2017-10-20")


def test_every_published_name_is_kept_or_ignored_for_a_reason(bulk) -> None:
    assert brreg_parse.unknown(bulk.names) == []
    assert brreg_parse.unknown(frozenset({"nyttFelt.kode"})) == ["nyttFelt.kode"]


def test_a_branch_is_of_its_home_countrys_law() -> None:
    branch = {**COMPANY, "underlagtLovgivningLandKode": "SE", "organisasjonsform": {"kode": "NUF"}}
    frame = entity(branch)
    row = frame.table.to_pylist()[0]
    assert (row["legal_jurisdiction"], row["legal_form_other"]) == ("SE", "NUF")


def test_employees_are_counted_where_the_register_says_how_many(tmp_path) -> None:
    given = [{**COMPANY, "antallAnsatte": 12, "harRegistrertAntallAnsatte": True}, TRADER]
    (frame,) = frames(gzipped(tmp_path / "lastned", given))
    assert frame.employees().to_pylist() == [12, None]


def test_an_unpublished_form_may_be_a_persons() -> None:
    frame = entity({"organisasjonsnummer": "1", "navn": "X"})
    row = frame.table.to_pylist()[0]
    assert (row["person_kind"], row["person_rule"]) == ("possible", "legal form not published")


def test_personal_numbers_are_dropped_and_counted(tmp_path) -> None:
    marked = {
        **COMPANY,
        "navn": "PRØVE 010190-1234 AS",
        "epostadresse": "010190-1234@prove.example",
        "forretningsadresse": {**ADDRESS, "adresse": ["Vei 010190-1234"]},
    }
    (frame,) = frames(gzipped(tmp_path / "lastned", [marked]))
    assert frame.dropped == {"personal_number": 3}
    assert "1234" not in str(frame.table.to_pylist()) + str(frame.contacts.to_pylist())
    assert points(frame)[0] == (0, "phone", "22 00 00 00")


def test_a_personal_number_in_a_phones_place_is_dropped_and_a_foreign_phone_is_not() -> None:
    marked = {**COMPANY, "telefon": fodselsnummer(7), "mobil": "+46 70 123 45 67"}
    frame = entity(marked)
    assert [text for _, kind, text in points(frame) if kind == "phone"] == ["+46 70 123 45 67"]
    assert frame.dropped == {"personal_number": 1}


def test_the_csv_says_the_same(tmp_path) -> None:
    flat = {
        name: COMPANY.get(name, "")
        for name in ("organisasjonsnummer", "navn", "stiftelsesdato", "epostadresse", "telefon")
    } | {
        "mobil": "",
        "hjemmeside": "www.prove.example",
        "organisasjonsform.kode": "AS",
        "registreringsdatoenhetsregisteret": "1995-02-19",
        "registrertIForetaksregisteret": "true",
        "underlagtLovgivningLandKode": "",
        "maalform": "Bokmål",
    }
    for place in ("forretningsadresse", "postadresse"):
        given = COMPANY[place]
        flat |= {f"{place}.{name}": given[name] for name in ("postnummer", "poststed", "landkode")}
        flat[f"{place}.adresse"] = given["adresse"][0]
    path = tmp_path / "enheter.csv"
    path.write_text(csv_text([flat]), encoding="utf-8")
    with brreg_parse.csv_frames(path, lambda frame: frame) as (_, found):
        (frame,) = found
    row = told(frame.table.to_pylist()[0])
    assert row["registration_authority"] == "RA000472"
    assert (row["legal_form"], row["headquarters_address_line"]) == ("YI42", "Postboks 5")
    assert [kind for _, kind, _ in points(frame)] == ["email", "phone", "website"]
    assert brreg_parse.unknown(frame.names) == []
    (tmp_path / "lacking.csv").write_text('"navn"\n"X"\n', encoding="utf-8")
    with (
        pytest.raises(DeliveryRefused, match="lacks the columns"),
        brreg_parse.csv_frames(tmp_path / "lacking.csv", lambda frame: frame),
    ):
        pass


def test_a_truncated_zip_is_refused(tmp_path) -> None:
    path = zipped(tmp_path / "x.zip", "enheter.json", "[" + '{"organisasjonsnummer":"1"},' * 500)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DeliveryRefused):
        frames(path)
