"""CVR's files joined: only what holds now, only of companies, and three states of protection."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from register_files import cvr_file, points, told

from sources.cvr_drawers import DRAWERS, Drawers
from sources.cvr_names import EntityFile
from sources.cvr_parse import joined_frames
from sources.kit.errors import DeliveryRefused

ENDED = {"virkningTil": "2021-01-01T00:00:00.000000+01:00"}
REPLACED = {"registreringTil": "2021-01-01T00:00:00.000000+01:00"}


def of(unit: str, value: object, **more: object) -> dict[str, object]:
    return {"CVREnhedsId": unit, "vaerdi": value, **more}


def address(unit: str, use: str = "beliggenhedsadresse", **more: object) -> dict[str, object]:
    return {
        "CVREnhedsId": unit,
        "AdresseringAnvendelse": use,
        "CVRAdresse_vejnavn": "Prøvevej",
        "CVRAdresse_husnummerFra": "1",
        "CVRAdresse_husnummerTil": "3",
        "CVRAdresse_etagebetegnelse": "2",
        "CVRAdresse_doerbetegnelse": "tv",
        "CVRAdresse_postnummer": "7190",
        "CVRAdresse_postdistrikt": "Billund",
        "coNavn": "Hans",
        **more,
    }


def company(unit: str, number: str, status: str = "aktiv", end: str = "") -> dict[str, object]:
    return {
        "id": unit,
        "CVRNummer": number,
        "status": status,
        "virksomhedStartdato": "1999-11-15",
        "virksomhedOphoersdato": end,
    }


@pytest.fixture
def files(tmp_path):
    rows = {
        "Virksomhed": [
            company("4001", "10000001"),
            company("4002", "10000002", "inaktiv", "2010-01-01"),
            company("4003", "10000003"),
            company("4004", "10000004"),
            {**company("4005", "10000005"), **ENDED},
        ],
        "Navn": [
            of("4001", "Binavn", sekvens="1"),
            of("4001", "Prøve ApS", sekvens="0"),
            of("4002", "Gammel I/S", sekvens="0"),
            of("4003", "Prøve v/ Hansen", sekvens="0"),
            of("9999", "En Person", sekvens="0"),
        ],
        "Adressering": [
            address("4001"),
            address("4001", "postadresse", CVRAdresse_vejnavn="Gammelvej", **ENDED),
            address("9999"),
        ],
        "e-mailadresse": [
            of("4001", "info@prove.example", hemmelig="false"),
            of("4001", "gammel@prove.example", hemmelig="false", **ENDED),
            of("4001", "rettet@prove.example", hemmelig="false", **REPLACED),
            of("4002", "secret@prove.example", hemmelig="true"),
            of("4003", "010190-1234@prove.example", hemmelig=""),
            of("9999", "person@prove.example", hemmelig="false"),
        ],
        "Telefonnummer": [of("4001", "12345678"), of("4003", "87654321"), of("4004", "11111111")],
        "Reklamebeskyttelse": [
            of("4001", "false"),
            of("4002", "true"),
            of("4003", "true", **ENDED),
            of("4004", "maybe"),
        ],
        "Virksomhedsform": [of("4001", "080"), of("4002", "30"), of("4003", "10")],
    }
    return {name: cvr_file(tmp_path, name, given) for name, given in rows.items()}


def read(files, tmp_path):
    workspace = tmp_path / "work"
    workspace.mkdir(exist_ok=True)
    given = {name: EntityFile(path) for name, path in files.items()}
    with joined_frames(given, workspace, lambda frame: frame) as (_, found):
        frames = list(found)
    assert list(workspace.iterdir()) == []
    return frames


def companies(frames) -> dict[str, dict[str, object]]:
    return {row["source_key"]: row for frame in frames for row in frame.table.to_pylist()}


def contacts(frames) -> set[tuple[str, str, str, bool | None]]:
    return {
        (
            frame.table["source_key"][row["ordinal"]].as_py(),
            row["kind"],
            row["original"],
            row["ad_protected"],
        )
        for frame in frames
        for row in frame.contacts.to_pylist()
    }


def test_a_company_in_the_houses_words(files, tmp_path) -> None:
    frames = read(files, tmp_path)
    row = told(companies(frames)["10000001"])
    row.pop("ordinal")
    place = {
        "address_line": "Prøvevej 1-3, 2. tv",
        "address_line_3": "c/o Hans",
        "postal_code": "7190",
        "city": "Billund",
        "country": "DK",
    }
    assert row == {
        "source_key": "10000001",
        "registration_number": "10000001",
        "registration_authority": "RA000170",
        "legal_jurisdiction": "DK",
        "legal_name": "Prøve ApS",
        "legal_form": "H8VP",
        "entity_status": "ACTIVE",
        "creation_published": "1999-11-15",
        "creation_at": 942624000,
        **{f"legal_{name}": value for name, value in place.items()},
        **{f"headquarters_{name}": value for name, value in place.items()},
        "person_kind": "none",
    }


def test_only_what_holds_now_of_companies_and_not_secret(files, tmp_path) -> None:
    frames = read(files, tmp_path)
    assert set(companies(frames)) == {"10000001", "10000002", "10000003", "10000004"}
    assert contacts(frames) == {
        ("10000001", "email", "info@prove.example", False),
        ("10000001", "phone", "12345678", False),
        ("10000003", "phone", "87654321", None),
        ("10000004", "phone", "11111111", None),
    }
    dropped: Counter[str] = Counter()
    for frame in frames:
        dropped.update(frame.dropped)
    assert dropped["ended"] == 5
    assert dropped["secret"] == 1
    assert dropped["not_of_a_company"] == 3
    assert dropped["personal_number"] == 1
    assert dropped["protection_unreadable"] == 1
    since = {day for frame in frames for day in frame.contacts["valid_from"].to_pylist()}
    assert since == {date(2020, 1, 1)}


def test_a_company_told_twice_in_the_same_words_is_one(files, tmp_path) -> None:
    """What the other files say of it hangs on one row: the second would seem another company."""
    rows = [company("4001", "10000001"), company("4004", "10000004")]
    again = [*rows, rows[0], {**rows[1], "status": "inaktiv"}]
    files["Virksomhed"] = cvr_file(tmp_path, "Virksomhed", again)
    frames = read(files, tmp_path)
    keys = [key for frame in frames for key in frame.table["source_key"].to_pylist()]
    assert sorted(keys) == ["10000001", "10000004", "10000004"]
    assert ("10000001", "email", "info@prove.example", False) in contacts(frames)


def test_protection_has_three_states(files, tmp_path) -> None:
    flags = {
        key: flag
        for frame in read(files, tmp_path)
        for key, flag in zip(
            frame.table["source_key"].to_pylist(), frame.ad_protected.to_pylist(), strict=True
        )
    }
    assert flags == {"10000001": False, "10000002": True, "10000003": None, "10000004": None}


def test_persons_and_statuses(files, tmp_path) -> None:
    found = companies(read(files, tmp_path))
    assert found["10000002"]["entity_status"] == "INACTIVE"
    assert found["10000002"]["expiration_published"] == "2010-01-01"
    assert found["10000003"]["person_kind"] == "natural"
    assert found["10000004"]["person_kind"] == "possible"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("10", "natural"), ("15", "natural"), ("20", "natural"), ("990", "possible"),
        ("", "possible"), ("110", "none"), ("999", "none"),
    ],
)  # fmt: skip
def test_forms_of_persons(files, tmp_path, code, kind) -> None:
    files["Virksomhedsform"] = cvr_file(tmp_path, "Virksomhedsform", [of("4001", code)])
    assert companies(read(files, tmp_path))["10000001"]["person_kind"] == kind


def test_without_forms_anyone_may_be_a_person(files, tmp_path) -> None:
    del files["Virksomhedsform"]
    found = companies(read(files, tmp_path))
    assert {row["person_kind"] for row in found.values()} == {"possible"}


def test_without_the_protection_file_nobody_is_unprotected(files, tmp_path) -> None:
    del files["Reklamebeskyttelse"]
    frames = read(files, tmp_path)
    assert {flag for frame in frames for flag in frame.ad_protected.to_pylist()} == {None}
    assert {flag for *_, flag in contacts(frames)} == {None}
    assert len(contacts(frames)) == 4


@pytest.mark.parametrize("name", ["Navn", "Adressering", "Virksomhed", "e-mailadresse"])
def test_a_missing_file_is_named(files, tmp_path, name) -> None:
    del files[name]
    with pytest.raises(DeliveryRefused, match=name):
        read(files, tmp_path)


def test_json_says_the_same_as_csv(files, tmp_path) -> None:
    before = read(files, tmp_path)
    files["Virksomhed"] = cvr_file(
        tmp_path,
        "Virksomhed",
        [
            {**company("4001", "10000001"), "CVRNummer": 10000001, "virksomhedOphoersdato": None},
            company("4002", "10000002", "inaktiv", "2010-01-01"),
            company("4003", "10000003"),
            company("4004", "10000004"),
        ],
        "json",
    )
    files["Reklamebeskyttelse"] = cvr_file(
        tmp_path,
        "Reklamebeskyttelse",
        [of("4001", False), of("4002", True), of("4004", None)],
        "json",
    )
    after = read(files, tmp_path)
    assert companies(after) == companies(before)
    assert contacts(after) == contacts(before)


def test_a_file_that_lacks_a_column_is_refused(files, tmp_path) -> None:
    files["Navn"] = cvr_file(tmp_path, "Navn", [{"CVREnhedsId": "1", "navn": "X"}])
    with pytest.raises(DeliveryRefused, match="Navn: it lacks the columns vaerdi, sekvens"):
        read(files, tmp_path)


def test_rows_are_pointed_at_in_virksomhed(files, tmp_path) -> None:
    frames = read(files, tmp_path)
    places = [int(at) for frame in frames for at in frame.origin.row_offsets()]
    assert len(set(places)) == 4
    assert all(frame.origin.row_count == frame.table.num_rows for frame in frames)


def test_drawers_keep_a_unit_together(tmp_path) -> None:
    units = pa.array(
        [str(number) for number in range(4_000_000_000, 4_000_005_000)] * 2 + ["", "7"]
    )
    table = pa.table({"unit": units, "row": np.arange(len(units))})
    with Drawers(tmp_path) as opened:
        opened.put_away([table.slice(0, 6000), table.slice(6000)], "x")
        assert list(tmp_path.iterdir()) == []  # nothing to be left behind by a process that dies
        drawers = [opened.take_out("x", n) for n in range(DRAWERS)]
    found = [set(drawer["unit"].to_pylist()) for drawer in drawers if drawer is not None]
    assert sum(map(len, found)) == len(set(units.to_pylist()))
    assert sum(d.num_rows for d in drawers if d is not None) == len(units)
    assert max(map(len, found)) < 3 * len(units) / 2 / DRAWERS


def test_points_come_in_their_companies_order(files, tmp_path) -> None:
    for frame in read(files, tmp_path):
        rows = [row for row, _, _ in points(frame)]
        assert rows == sorted(rows)
