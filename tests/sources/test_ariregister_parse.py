"""The e-Business Register's shape in the house's words."""

from __future__ import annotations

import json
from datetime import date

import pytest
from register_files import points, told, zipped

from sources import ariregister_parse
from sources.kit.country_codes import alpha2


def company(**general) -> dict:
    return {
        "ariregistri_kood": 10000001,
        "nimi": "Näidis OÜ",
        "yldandmed": {
            "esmaregistreerimise_kpv": "05.06.2023",
            "staatus": "R",
            "staatus_tekstina": "Registrisse kantud",
            "piirkond": 5,
            "oiguslik_vorm": "OÜ",
            "oiguslik_vorm_nr": 5,
            "aadressid": [
                {"riik": "FIN", "tanav_maja_korter": "Vana 1", "lopp_kpv": "01.01.2020"},
                {
                    "kirje_id": 1,
                    "riik": "EST",
                    "ehak": "0596",
                    "ehak_nimetus": "Pirita linnaosa, Tallinn, Harju maakond",
                    "tanav_maja_korter": "Näidise pst 12",
                    "postiindeks": "11911",
                    "aadress_ads__ads_normaliseeritud_taisaadress": "Harju maakond, Tallinn",
                },
            ],
            "sidevahendid": [
                {
                    "kirje_id": 2,
                    "liik": "EMAIL",
                    "sisu": "info..@naidis.example.",
                    "algus_kpv": "05.06.2023",
                    "lopp_kpv": None,
                },
                {"kirje_id": 3, "liik": "MOB", "sisu": "+372 5000000", "lopp_kpv": "31.12.2024"},
                {"kirje_id": 4, "liik": "WWW", "sisu": "https://naidis.example/"},
                {"kirje_id": 5, "liik": "FAX", "sisu": "6000000"},
                {"kirje_id": 6, "liik": "TEL", "sisu": "6000001", "lopp_kpv": "soon"},
            ],
            "info_majandusaasta_aruannetest": [{"kirje_id": 6, "tootajate_arv": "0"}],
            **general,
        },
    }


def frame_of(tmp_path, *companies, indent=4):
    content = json.dumps(companies, indent=indent, ensure_ascii=False)
    path = zipped(tmp_path / "y.json.zip", "ettevotja_rekvisiidid__yldandmed.json", content)
    with ariregister_parse.json_frames(path, lambda frame: frame) as (_, found):
        (frame,) = found
    return frame


def test_a_company_in_the_houses_words(tmp_path) -> None:
    frame = frame_of(tmp_path, company())
    address = {
        "address_line": "Näidise pst 12",
        "postal_code": "11911",
        "city": "Pirita linnaosa, Tallinn",
        "country": "EE",
    }
    assert told(frame.table.to_pylist()[0]) == {
        "ordinal": 0,
        "source_key": "10000001",
        "registration_number": "10000001",
        "registration_authority": "RA000181",
        "legal_jurisdiction": "EE",
        "legal_name": "Näidis OÜ",
        "legal_form": "JC0Y",
        "entity_status": "ACTIVE",
        "creation_published": "2023-06-05",
        "creation_at": 1685923200,
        **{f"legal_{name}": value for name, value in address.items()},
        **{f"headquarters_{name}": value for name, value in address.items()},
        "person_kind": "none",
    }
    assert ariregister_parse.unknown(frame.names) == []


def test_contact_points_with_an_end_and_other_kinds_are_left_out_and_counted(tmp_path) -> None:
    frame = frame_of(tmp_path, company())
    assert sorted(points(frame)) == [
        (0, "email", "info..@naidis.example."),
        (0, "website", "https://naidis.example/"),
    ]
    since = {row["kind"]: row["valid_from"] for row in frame.contacts.to_pylist()}
    assert since == {"email": date(2023, 6, 5), "website": None}
    assert frame.dropped == {"other_kind": 1, "no_longer_valid": 2}


def test_a_status_that_the_list_has_not_is_not_known_and_counted(tmp_path) -> None:
    frame = frame_of(tmp_path, company(staatus="Q"))
    assert frame.table["entity_status"].to_pylist() == [None]
    assert frame.dropped["status_not_listed"] == 1


def test_how_many_are_employed_is_the_latest_report_s_word(tmp_path) -> None:
    def reports(*pairs):
        return [
            {"majandusaasta_perioodi_lopp_kpv": end, "tootajate_arv": count} for end, count in pairs
        ]

    frame = frame_of(
        tmp_path,
        company(
            info_majandusaasta_aruannetest=reports(
                ("31.12.2023", "9"), ("30.06.2024", 12), ("31.01.2020", "1")
            )
        ),
        company(info_majandusaasta_aruannetest=reports(("31.12.2024", "many"))),
        company(info_majandusaasta_aruannetest=[]),
    )
    assert frame.employees().to_pylist() == [12, None, None]


@pytest.mark.parametrize(
    ("general", "status", "kind"),
    [
        ({"staatus": "L"}, "ACTIVE", "none"),
        ({"staatus": "K", "kustutamise_kpv": "01.02.2024"}, "INACTIVE", "none"),
        ({"staatus": "?"}, None, "none"),
        ({"oiguslik_vorm": "FIE"}, "ACTIVE", "natural"),
        ({"oiguslik_vorm": None}, "ACTIVE", "possible"),
    ],
)
def test_statuses_and_persons(tmp_path, general, status, kind) -> None:
    row = frame_of(tmp_path, company(**general)).table.to_pylist()[0]
    assert (row["entity_status"], row["person_kind"]) == (status, kind)


def test_a_company_without_lists_or_general_part_is_still_one(tmp_path) -> None:
    bare = {"ariregistri_kood": "10000002", "nimi": "Tühi MTÜ", "yldandmed": None}
    empty = company(aadressid=[], sidevahendid=[])
    frame = frame_of(tmp_path, bare, empty, indent=None)
    assert frame.table["source_key"].to_pylist() == ["10000002", "10000001"]
    assert frame.table["legal_country"].to_pylist() == [None, None]
    assert frame.contacts.num_rows == 0
    assert frame.origin.misshapen == ()


def test_countries_come_in_two_letters_and_strange_ones_stay() -> None:
    import pyarrow as pa

    assert alpha2(pa.array(["EST", "FIN", "XYZ", None])).to_pylist() == ["EE", "FI", "XYZ", None]
