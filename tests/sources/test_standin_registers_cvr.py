"""The stand-in of Datafordeler answers as the publisher does, over a real socket."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from sources.kit.sample_cvr import COLUMNS, person_id, production_unit_id, unit_id
from sources.kit.sample_registers import Firm, bundled_registers
from sources.kit.standin_cvr import Cvr
from sources.kit.standin_registers import RegisterStandIn

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
KEY = "a-key-of-nobody"
NOW = "2026-11-03T12:00:00.000000Z"
SAMPLE = bundled_registers(DAY)
LISTING_NAMES = {
    "fileName", "register", "entityName", "frequency", "typeOfDownload", "typeOfData", "version",
    "generationNumber", "pointInTime", "generationTime", "expirationDate", "containedFileFormat",
    "outputFileFormat", "municipalityCode", "registerImportSequenceNumber", "md5Hash",
    "fileSizeInBytes",
}  # fmt: skip


@pytest.fixture
def cvr() -> Cvr:
    return Cvr(SAMPLE.firms["cvr"], DAY, KEY)


@pytest.fixture
def base(cvr: Cvr) -> Iterator[str]:
    with RegisterStandIn(cvr) as standing:
        yield standing.base_url


def files(base: str, path: str, **query: Any) -> requests.Response:
    asked = {"apiKey": KEY, **query}
    return requests.get(f"{base}/FileDownloads/{path}", params=asked, timeout=5)


def listing(base: str, entity: str, form: str = "csv") -> dict[str, Any]:
    answer = files(base, "GetAvailableFileDownloads", Register="CVR").json()
    found: list[dict[str, Any]] = [
        entry
        for entry in answer["availableFileDownloads"]
        if (entry["entityName"], entry["containedFileFormat"]) == (entity, form)
    ]
    return found[-1]


def rows(base: str, entity: str) -> list[dict[str, str]]:
    body = files(base, "GetFile", Filename=listing(base, entity)["fileName"]).content
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ask(base: str, query: str, key: str = KEY, **variables: Any) -> requests.Response:
    posted = {"query": query, "variables": variables}
    return requests.post(f"{base}/CVR/v2?apiKey={key}", json=posted, timeout=5)


def nodes(base: str, entity: str, selected: str, where: str, at: str = NOW) -> list[dict[str, Any]]:
    given = f'first: 100, virkningstid: "{at}", where: {where}'
    query = f"{{ {entity}({given}) {{ nodes {{ {selected} }} }} }}"
    found: list[dict[str, Any]] = ask(base, query).json()["data"][entity]["nodes"]
    return found


def flag(base: str, unit: str) -> list[Any]:
    where = f'{{ CVREnhedsId: {{ eq: "{unit}" }} }}'
    return [node["vaerdi"] for node in nodes(base, "CVR_Reklamebeskyttelse", "vaerdi", where)]


def refusal(answer: requests.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


def test_listing_has_the_published_shape(base: str) -> None:
    answer = files(base, "GetAvailableFileDownloads", Register="CVR").json()
    listed = answer["availableFileDownloads"]
    assert set(listed[0]) == LISTING_NAMES
    assert answer["paginationMetadata"]["totalCount"] == len(listed) == 2 * len(COLUMNS)
    assert listing(base, "Navn")["fileName"] == "CVR_V2_Navn_TotalDownload_csv_Current_525.zip"
    after = files(base, "GetAvailableFileDownloads", Register="CVR", PageNumber=2)
    assert after.status_code == 400
    assert "greater than the total amount of pages" in after.json()["detail"]


def test_a_file_is_what_the_listing_says(base: str) -> None:
    for form in ("csv", "json"):
        said = listing(base, "Reklamebeskyttelse", form)
        answer = files(base, "GetFile", Filename=said["fileName"])
        assert len(answer.content) == said["fileSizeInBytes"]
        assert hashlib.md5(answer.content, usedforsecurity=False).hexdigest() == said["md5Hash"]
        latest = {
            "LatestTotalForEntity": "Reklamebeskyttelse",
            "type": "current",
            "format": form.upper(),
        }
        assert files(base, "GetFile", Register="CVR", **latest).content == answer.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        first = json.loads(archive.read(archive.namelist()[0]))[0]
    assert isinstance(first["vaerdi"], bool)


def test_rows_are_csv_with_two_times(base: str) -> None:
    mails = rows(base, "e-mailadresse")
    assert tuple(mails[0]) == COLUMNS["e-mailadresse"]
    ended = [row for row in mails if row["virkningTil"] and row["registreringTil"]]
    assert ended
    assert [row for row in mails if not row["virkningTil"] and not row["registreringTil"]]
    assert {row["hemmelig"] for row in mails} == {"true", "false"}
    assert {row["vaerdi"] for row in rows(base, "Reklamebeskyttelse")} == {"true", "false"}
    numbers = {row["CVRNummer"] for row in rows(base, "Virksomhed")}
    assert numbers == {firm.number for firm in SAMPLE.firms["cvr"]}


def test_persons_and_production_units_stand_among_companies(base: str) -> None:
    companies = {row["id"] for row in rows(base, "Virksomhed")}
    for entity in ("Navn", "Adressering", "Telefonnummer", "e-mailadresse"):
        units = {row["CVREnhedsId"] for row in rows(base, entity)}
        assert units - companies, entity
        assert units & companies, entity
    sole = SAMPLE.of("cvr", "sole")[0]
    assert person_id(sole.number) in {row["CVREnhedsId"] for row in rows(base, "e-mailadresse")}
    forms = {row["CVREnhedsId"]: row["vaerdi"] for row in rows(base, "Virksomhedsform")}
    assert forms[unit_id(sole.number)] == "10"


@pytest.mark.parametrize(
    ("case", "company", "unit"),
    [("unit_open", [True], [False]), ("unit_protected", [False], [True]), ("flagless", [], [])],
)
def test_flags_of_company_and_unit(
    base: str, case: Any, company: list[bool], unit: list[bool]
) -> None:
    firm: Firm = SAMPLE.of("cvr", case)[0]
    assert flag(base, unit_id(firm.number)) == company
    assert flag(base, production_unit_id(firm.number)) == unit


def test_a_flag_flips_between_two_questions(base: str, cvr: Cvr) -> None:
    firm = next(firm for firm in SAMPLE.firms["cvr"] if firm.is_protected is False)
    unit = unit_id(firm.number)
    assert flag(base, unit) == [False]
    cvr.protect(firm.number, NOON)
    assert flag(base, unit) == [True]
    where = f'{{ CVREnhedsId: {{ eq: "{unit}" }} }}'
    before = nodes(base, "CVR_Reklamebeskyttelse", "vaerdi", where, "2026-11-01T12:00:00.000000Z")
    assert before == []  # its registration has ended
    held = [row for row in rows(base, "Reklamebeskyttelse") if row["CVREnhedsId"] == unit]
    assert [row["vaerdi"] for row in held] == ["false"]  # the file is of before
    cvr.publish(NOON)
    held = [row for row in rows(base, "Reklamebeskyttelse") if row["CVREnhedsId"] == unit]
    assert [(row["vaerdi"], bool(row["virkningTil"])) for row in held] == [
        ("false", True), ("true", False),
    ]  # fmt: skip


def test_events_tell_what_happened(base: str, cvr: Cvr) -> None:
    last = cvr.events[-1]["eventid"]
    firm = next(firm for firm in SAMPLE.firms["cvr"] if firm.is_protected is False)
    cvr.protect(firm.number, NOON)
    query = """query Events($first: Int!, $after: String, $where: CVR_EventsFilterInput) {
      CVR_Events(first: $first, after: $after, where: $where) {
        pageInfo { hasNextPage endCursor } nodes { eventid entityname eventaction object_id } } }"""
    where = {"eventid": {"gt": last}}
    first = ask(base, query, first=1, after=None, where=where).json()["data"]["CVR_Events"]
    assert first["pageInfo"]["hasNextPage"] is True
    cursor = first["pageInfo"]["endCursor"]
    second = ask(base, query, first=1, after=cursor, where=where).json()["data"]["CVR_Events"]
    told = first["nodes"] + second["nodes"]
    assert [event["eventaction"] for event in told] == ["u", "i"]
    assert {event["entityname"] for event in told} == {"Reklamebeskyttelse"}
    assert {event["object_id"] for event in told} == {unit_id(firm.number)}
    assert second["pageInfo"]["hasNextPage"] is False


def test_a_dropped_unit_is_told_and_gone(base: str, cvr: Cvr) -> None:
    firm = SAMPLE.firms["cvr"][0]
    cvr.drop(unit_id(firm.number), NOON)
    assert {event["eventaction"] for event in cvr.events[-3:]} == {"d"}
    where = f"{{ CVRNummer: {{ eq: {firm.number} }} }}"
    assert nodes(base, "CVR_Virksomhed", "id", where) == []


def test_lookups_as_recorded(base: str) -> None:
    firm = next(f for f in SAMPLE.firms["cvr"] if f.former_name and not f.ceased)
    query = """query LookupVirksomhed($cvr: Long!, $at: DafDateTime!) {
      CVR_Virksomhed(first: 1, virkningstid: $at, where: { CVRNummer: { eq: $cvr } }) {
        nodes { id CVRNummer status } } }"""
    answer = ask(base, query, cvr=int(firm.number), at=NOW).json()
    expected = {"id": unit_id(firm.number), "CVRNummer": int(firm.number), "status": "aktiv"}
    assert answer == {"data": {"CVR_Virksomhed": {"nodes": [expected]}}}
    unit = unit_id(firm.number)
    where = f'{{ and: [{{ CVREnhedsId: {{ in: ["{unit}"] }} }}, {{ sekvens: {{ eq: 0 }} }}] }}'
    assert nodes(base, "CVR_Navn", "vaerdi", where) == [{"vaerdi": firm.name}]
    every = f"{{ CVR_Navn(where: {where}) {{ nodes {{ vaerdi }} }} }}"
    versions = ask(base, every).json()["data"]["CVR_Navn"]["nodes"]
    assert {"vaerdi": firm.former_name} in versions


REFUSED = [
    ("{ CVR_Navn(first: 1) { nodes { vaerdi } } }", 200, "DAF-GQL-0009"),
    ('{ a: CVR_Navn(where: {vaerdi: {eq: "x"}}) { nodes { vaerdi } } }', 200, "DAF-GQL-0008"),
    ('{ CVR_Navn(where: {vaerdi: {eq: "x"}}) { nodes { v: vaerdi } } }', 200, "DAF-GQL-0008"),
    ("{ CVR_Events { nodes { eventid } } CVR_Events { nodes { eventid } } }", 200, "DAF-GQL-0010"),
    ("{ __schema { types { name } } }", 400, "HC0046"),
    ('{ CVR_Navn(where: {vaerdi: {eq: "x"}}) { nodes { hemmelig } } }', 400, "HC0016"),
    ("{ CVR_CVRPerson(first: 1) { nodes { id } } }", 400, "HC0016"),
    ("{ CVR_Navn(where: ", 400, "HC0011"),
    ("no query", 400, "HC0011"),
]


@pytest.mark.parametrize(("query", "status", "code"), REFUSED)
def test_queries_are_refused_as_published(base: str, query: str, status: int, code: str) -> None:
    answer = ask(base, query)
    if code == "HC0016" and "hemmelig" in query:
        query = query.replace('"x"', json.dumps(SAMPLE.firms["cvr"][0].name))
        answer = ask(base, query)
    assert (answer.status_code, refusal(answer)) == (status, code)
    if status == 200:
        assert list(answer.json()["data"].values()) == [None]


@pytest.mark.parametrize(("many", "code"), [(100, None), (101, "DAF-GQL-0016")])
def test_at_most_a_hundred_in_a_list(base: str, many: int, code: str | None) -> None:
    units = [unit_id(firm.number) for firm in SAMPLE.firms["cvr"]][:many]
    assert len(units) == many
    query = """query($ids: [String!]) {
      CVR_Reklamebeskyttelse(first: 200, where: { CVREnhedsId: { in: $ids } }) {
        nodes { CVREnhedsId vaerdi } } }"""
    answer = ask(base, query, ids=units)
    assert answer.status_code == 200
    assert ("errors" in answer.json()) is (code is not None)
    if code:
        assert refusal(answer) == code


def test_a_wrong_key_is_401_everywhere(base: str) -> None:
    for path in ("GetAvailableFileDownloads", "GetFile"):
        answer = files(base, path, Register="CVR", apiKey="wrong")
        assert answer.status_code == 401
        assert answer.json()["errorCode"] == "DAF-AUTH-0005"
        assert KEY not in answer.text
    assert ask(base, "{ CVR_Events(first: 1) { nodes { eventid } } }", key="").status_code == 401


def test_md5_can_disagree_with_the_bytes(base: str, cvr: Cvr) -> None:
    cvr.spoil("Reklamebeskyttelse", md5Hash="0" * 32)
    said = listing(base, "Reklamebeskyttelse")
    body = files(base, "GetFile", Filename=said["fileName"]).content
    assert said["md5Hash"] != hashlib.md5(body, usedforsecurity=False).hexdigest()
    assert len(body) == said["fileSizeInBytes"]


def test_files_expire_after_seven_days(base: str, cvr: Cvr) -> None:
    said = listing(base, "Navn")
    cvr.now += timedelta(days=8)
    assert (
        files(base, "GetAvailableFileDownloads", Register="CVR").json()["availableFileDownloads"]
        == []
    )
    assert files(base, "GetFile", Filename=said["fileName"]).status_code == 404
    cvr.publish(cvr.now)
    assert listing(base, "Navn")["generationNumber"] == said["generationNumber"] + 1


def test_an_entity_can_have_no_file(base: str, cvr: Cvr) -> None:
    cvr.now += timedelta(days=8)
    cvr.without = {"Reklamebeskyttelse"}
    cvr.publish(cvr.now)
    latest = {"LatestTotalForEntity": "Reklamebeskyttelse", "type": "current", "format": "CSV"}
    assert files(base, "GetFile", Register="CVR", **latest).status_code == 404
    assert listing(base, "Navn")


def test_files_as_they_are_without_the_secret_column(base: str, cvr: Cvr) -> None:
    for entity in ("e-mailadresse", "Telefonnummer"):
        cvr.columns[entity] = tuple(name for name in COLUMNS[entity] if name != "hemmelig")
    cvr.publish(NOON)
    assert "hemmelig" not in rows(base, "e-mailadresse")[0]
