"""The stand-in of Enhetsregisteret answers as the register does, over a real socket."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from sources.kit.sample_firm import Contact
from sources.kit.sample_registers import Firm, bundled_registers
from sources.kit.standin_brreg import REMOVED, Brreg
from sources.kit.standin_registers import RegisterStandIn

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
API = "/enhetsregisteret/api"


@pytest.fixture
def brreg() -> Brreg:
    return Brreg(bundled_registers(DAY).firms["brreg"], DAY)


@pytest.fixture
def base(brreg: Brreg) -> Iterator[str]:
    with RegisterStandIn(brreg) as standing:
        yield standing.base_url + API


def get(url: str, **options: Any) -> requests.Response:
    return requests.get(url, timeout=5, **options)


def bulk(base: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        gzip.decompress(get(f"{base}/enheter/lastned").content)
    )
    return found


def events(base: str, query: str) -> list[dict[str, Any]]:
    answer = get(f"{base}/oppdateringer/enheter?{query}").json()
    found: list[dict[str, Any]] = answer.get("_embedded", {}).get("oppdaterteEnheter", [])
    return found


def mailed(brreg: Brreg) -> str:
    return next(number for number, found in brreg.entities.items() if "epostadresse" in found)


def test_bulk_is_one_gzip_array_of_the_living(base: str, brreg: Brreg) -> None:
    answer = get(f"{base}/enheter/lastned")
    assert answer.content[:2] == b"\x1f\x8b"
    assert "Content-Encoding" not in answer.headers
    assert gzip.decompress(answer.content).startswith(b'[\n  {\n    "organisasjonsnummer": "')
    listed = bulk(base)
    deleted = [n for n, found in brreg.entities.items() if "slettedato" in found]
    assert deleted
    assert len(listed) == len(brreg.entities) - len(deleted)
    assert all("varslingsadresser" not in found for found in listed)
    assert {"epostadresse", "telefon", "mobil", "hjemmeside"} <= set().union(*listed)
    assert any(found["organisasjonsform"]["kode"] == "ENK" for found in listed)


def test_bulk_is_not_sent_twice(base: str, brreg: Brreg) -> None:
    first = get(f"{base}/enheter/lastned")
    same = {"If-None-Match": first.headers["ETag"]}
    again = get(f"{base}/enheter/lastned", headers=same)
    assert (again.status_code, again.content) == (304, b"")
    brreg.change(mailed(brreg), NOON, epostadresse="post@ny.example")
    assert get(f"{base}/enheter/lastned", headers=same).status_code == 304
    brreg.publish_bulk(NOON + timedelta(days=1))
    newer = get(f"{base}/enheter/lastned", headers=same)
    assert newer.status_code == 200
    assert newer.headers["ETag"] != first.headers["ETag"]
    head = requests.head(f"{base}/enheter/lastned", timeout=5)
    assert head.headers["Last-Modified"] == newer.headers["Last-Modified"]
    assert head.content == b""


def test_bulk_can_be_older_than_the_cursor(base: str, brreg: Brreg) -> None:
    number = mailed(brreg)
    brreg.publish_bulk(datetime(2026, 10, 20, 4, tzinfo=UTC))
    brreg.change(number, NOON, epostadresse="post@senere.example")
    answer = get(f"{base}/enheter/lastned")
    built = parsedate_to_datetime(answer.headers["Last-Modified"])
    newest = datetime.fromisoformat(events(base, "size=10000")[-1]["dato"])
    assert built < newest - timedelta(days=10)
    held = {found["organisasjonsnummer"]: found for found in bulk(base)}
    assert held[number]["epostadresse"] != get(f"{base}/enheter/{number}").json()["epostadresse"]


def test_a_new_entity_and_a_change_are_told(base: str, brreg: Brreg) -> None:
    cursor = brreg.events[-1]["oppdateringsid"] + 1
    assert events(base, f"oppdateringsid={cursor}") == []
    address = Contact("email", "post@nystiftet.example", DAY)
    firm = Firm("brreg", "900000006", "Nystiftet AS", "AS", "Aksjeselskap", False, "Kaia", "1",
                "0150", "OSLO", DAY, contacts=(address,))  # fmt: skip
    brreg.add(firm, NOON)
    brreg.change(firm.number, NOON, epostadresse=None, telefon="22 00 00 01")
    told = events(base, f"oppdateringsid={cursor}")
    assert [event["endringstype"] for event in told] == ["Ny", "Endring"]
    assert set(told[0]) == {
        "oppdateringsid", "dato", "organisasjonsnummer", "endringstype", "_links",
    }  # fmt: skip
    assert told[0]["dato"] == "2026-11-02T12:00:00.000Z"
    found = get(f"{base}/enheter/{firm.number}").json()
    assert found["telefon"] == "22 00 00 01"
    assert "epostadresse" not in found


def test_removed_is_told_and_gone(base: str, brreg: Brreg) -> None:
    number = mailed(brreg)
    brreg.remove(number, NOON)
    told = events(base, "size=10000")[-1]
    assert (told["organisasjonsnummer"], told["endringstype"]) == (number, "Fjernet")
    answer = get(f"{base}/enheter/{number}")
    assert answer.status_code == 410
    assert answer.json()["slettedato"] == "2026-11-02"
    assert "navn" not in answer.json()
    brreg.publish_bulk(NOON)
    assert number not in [found["organisasjonsnummer"] for found in bulk(base)]


def test_deleted_answers_200_with_the_day(base: str, brreg: Brreg) -> None:
    number = mailed(brreg)
    brreg.delete(number, NOON)
    assert events(base, "size=10000")[-1]["endringstype"] == "Sletting"
    answer = get(f"{base}/enheter/{number}")
    assert answer.status_code == 200
    assert answer.json()["slettedato"] == "2026-11-02"
    assert "epostadresse" not in answer.json()


def test_unknown_is_404_without_a_body_and_nonsense_is_refused(base: str) -> None:
    answer = get(f"{base}/enheter/999999999")
    assert (answer.status_code, answer.content) == (404, b"")
    wrong = get(f"{base}/enheter/12")
    assert wrong.status_code == 400
    assert wrong.json()["valideringsfeil"][0]["feilaktigVerdi"] == "12"
    assert get(f"{base}/oppdateringer/enheter?dato=i-dag").status_code == 400


def test_search_by_numbers_pages_in_hal(base: str, brreg: Brreg) -> None:
    numbers = [n for n, found in brreg.entities.items() if "slettedato" not in found][:5]
    answer = get(f"{base}/enheter?organisasjonsnummer={','.join(numbers)}&size=2&page=1").json()
    listed = [found["organisasjonsnummer"] for found in answer["_embedded"]["enheter"]]
    assert listed == sorted(numbers)[2:4]
    assert answer["page"] == {"size": 2, "totalElements": 5, "totalPages": 3, "number": 1}
    assert set(answer["_links"]) == {"first", "self", "prev", "next", "last"}
    assert answer["_links"]["next"]["href"].startswith("https://data.brreg.no/enhetsregisteret/")


def test_nothing_found_has_no_embedded(base: str) -> None:
    for query in (
        "enheter?organisasjonsnummer=999999999",
        "oppdateringer/enheter?dato=2030-01-01T00:00:00.000Z",
    ):
        answer = get(f"{base}/{query}")
        assert answer.status_code == 200
        assert "_embedded" not in answer.json()
        assert answer.json()["page"]["totalElements"] == 0


@pytest.mark.parametrize("path", ["enheter", "oppdateringer/enheter"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("size=10000", 200),
        ("size=10001", 400),
        ("size=5000&page=1", 200),
        ("size=5000&page=2", 400),
    ],
)
def test_paging_reaches_ten_thousand(base: str, path: str, query: str, status: int) -> None:
    answer = get(f"{base}/{path}?{query}")
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["feilmelding"] == "Feilaktig forespørsel"


def test_feed_by_date_starts_there(base: str, brreg: Brreg) -> None:
    brreg.tell(mailed(brreg), "Ukjent", NOON)
    told = events(base, "dato=2026-11-02T11:59:59.000Z")
    assert [event["endringstype"] for event in told] == ["Ukjent"]


def test_pages_overlap_and_ids_repeat(base: str, brreg: Brreg) -> None:
    brreg.overlap = 2
    pages = [events(base, f"size=10&page={page}") for page in range(3)]
    ids = [event["oppdateringsid"] for page in pages for event in page]
    assert len(ids) == 30
    assert len(set(ids)) == 30 - 2 * 2
    assert pages[1][:2] == pages[0][8:]
    every, page = set(), 0
    while told := events(base, f"size=10&page={page}"):
        every |= {event["oppdateringsid"] for event in told}
        page += 1
    assert every == {event["oppdateringsid"] for event in brreg.events}


def test_the_night_before_the_bulk_file_has_events_of_every_kind(base: str, brreg: Brreg) -> None:
    told = events(base, "dato=2026-11-01T04:00:00.000Z&size=10000")
    assert {event["endringstype"] for event in told} == {
        "Ny", "Endring", "Ukjent", "Sletting", "Fjernet",
    }  # fmt: skip
    gone = [event for event in told if event["endringstype"] == "Fjernet"]
    assert [event["organisasjonsnummer"] for event in gone] == [REMOVED]
    assert REMOVED not in [found["organisasjonsnummer"] for found in bulk(base)]
    assert get(f"{base}/enheter/{REMOVED}").status_code == 410
