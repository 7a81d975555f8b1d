"""The stand-ins of the registers that publish whole files: Estonia's and Finland's."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from sources.kit.sample_firm import Contact
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_ariregister import PATH, Ariregister
from sources.kit.standin_prh import Prh
from sources.kit.standin_registers import RegisterStandIn

DAY = date(2026, 11, 2)
NEXT = datetime(2026, 11, 3, 4, tzinfo=UTC)
SAMPLE = bundled_registers(DAY)
PRH = "/opendata-ytj-api/v3"


@pytest.fixture
def ariregister() -> Ariregister:
    return Ariregister(SAMPLE.firms["ariregister"], DAY)


@pytest.fixture
def prh() -> Prh:
    return Prh(SAMPLE.firms["prh"], DAY)


@pytest.fixture
def base(ariregister: Ariregister, prh: Prh) -> Iterator[str]:
    with RegisterStandIn(ariregister, prh) as standing:
        yield standing.base_url


def get(url: str, **options: Any) -> requests.Response:
    return requests.get(url, timeout=5, **options)


def unpacked(content: bytes) -> tuple[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = archive.namelist()[0]
        return name, archive.read(name).decode()


def records(base: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(unpacked(get(base + PATH).content)[1])
    return found


def channels(base: str) -> list[dict[str, Any]]:
    return [channel for record in records(base) for channel in record["yldandmed"]["sidevahendid"]]


def test_ee_is_one_pretty_printed_array_in_a_zip(base: str) -> None:
    answer = get(base + PATH)
    assert answer.headers["Content-Type"] == "application/zip"
    name, text = unpacked(answer.content)
    assert name == "ettevotja_rekvisiidid__yldandmed.json"
    assert text.startswith('[\n    {\n        "ariregistri_kood": ')
    listed = json.loads(text)
    assert {str(one["ariregistri_kood"]) for one in listed} == {
        firm.number for firm in SAMPLE.firms["ariregister"]
    }
    assert {one["yldandmed"]["staatus"] for one in listed} == {"R", "L"}
    assert "FIE" in {one["yldandmed"]["oiguslik_vorm"] for one in listed}
    names = [one["nimi"] for one in listed]
    assert names == sorted(names)


def test_ee_contacts_end_are_messy_and_share_an_agent(base: str) -> None:
    found = channels(base)
    assert {channel["liik"] for channel in found} == {"EMAIL", "TEL", "MOB", "WWW"}
    assert [channel for channel in found if "lopp_kpv" in channel]
    mails = [channel["sisu"] for channel in found if channel["liik"] == "EMAIL"]
    assert any(".." in mail for mail in mails)
    assert any(mail.endswith(".") for mail in mails)
    assert any(" " in mail for mail in mails)
    domains = Counter(mail.rpartition("@")[2] for mail in mails)
    assert domains["raamatupidaja-naidis.example"] >= 8
    assert sum(domains[name] for name in ("gmail.com", "mail.ee", "hot.ee")) > 0.3 * len(mails)


def test_ee_file_is_dated_and_not_sent_twice(base: str, ariregister: Ariregister) -> None:
    first = get(base + PATH)
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert get(base + PATH, headers=since).status_code == 304
    ariregister.publish(NEXT)
    again = get(base + PATH, headers=since)
    assert again.status_code == 200
    assert again.content == first.content  # dated anew, and the same
    assert again.headers["Last-Modified"] == "Tue, 03 Nov 2026 04:00:00 GMT"
    tag = {"If-None-Match": first.headers["ETag"]}
    assert get(base + PATH, headers=tag).status_code == 304
    assert get(f"{base}/sites/default/files/avaandmed/other.zip").status_code == 404


def test_ee_changes_and_absences_show_in_the_next_file(base: str, ariregister: Ariregister) -> None:
    gone, changed = (firm.number for firm in SAMPLE.of("ariregister", "role")[:2])
    ariregister.drop(gone)
    ariregister.change(changed, Contact("email", "uus@naidis.example", DAY, ended=DAY))
    assert int(gone) in [one["ariregistri_kood"] for one in records(base)]
    ariregister.publish(NEXT)
    listed = {str(one["ariregistri_kood"]): one for one in records(base)}
    assert gone not in listed
    assert listed[changed]["yldandmed"]["sidevahendid"][0]["lopp_kpv"] == "02.11.2026"


def test_ee_too_few_rows(base: str, ariregister: Ariregister) -> None:
    whole = len(records(base))
    ariregister.publish(NEXT, share=0.85)
    assert len(records(base)) == round(0.85 * whole)
    ariregister.publish(NEXT + timedelta(days=1))
    assert len(records(base)) == whole


def test_ee_truncated_or_broken_zip(base: str, ariregister: Ariregister) -> None:
    whole = get(base + PATH).content
    ariregister.truncate()
    answer = get(base + PATH)
    assert answer.content == whole[: len(whole) * 6 // 10]
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(zipfile.BadZipFile):
        unpacked(answer.content)
    ariregister.publish(NEXT)
    ariregister.break_checksum()
    with pytest.raises(zipfile.BadZipFile, match="CRC"):
        unpacked(get(base + PATH).content)
    ariregister.publish_bytes(b"", NEXT)
    assert get(base + PATH).content == b""


def test_fi_bulk_is_one_array_in_a_zip(base: str, prh: Prh) -> None:
    answer = get(f"{base}{PRH}/all_companies")
    name, text = unpacked(answer.content)
    assert name == "data_20261102.json"
    listed = json.loads(text)
    assert len(listed) == len(SAMPLE.firms["prh"])
    assert any("website" in company for company in listed)
    assert not [company for company in listed if "email" in json.dumps(company).lower()]
    former = [one for company in listed for one in company["names"] if "endDate" in one]
    assert former
    assert [company for company in listed if "endDate" in company]
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert get(f"{base}{PRH}/all_companies", headers=tag).status_code == 304
    prh.publish(NEXT, share=0.85)
    shorter = get(f"{base}{PRH}/all_companies", headers=tag)
    assert len(json.loads(unpacked(shorter.content)[1])) == round(0.85 * len(listed))


def test_fi_pages_hold_a_hundred() -> None:
    firms = [firm for register in ("prh", "ariregister") for firm in SAMPLE.firms[register]]  # type: ignore[index]
    with RegisterStandIn(Prh(firms, DAY)) as standing:
        pages = [
            get(f"{standing.base_url}{PRH}/companies?page={page}").json() for page in (1, 2, 3)
        ]
    assert [page["totalResults"] for page in pages] == [len(firms)] * 3
    assert [len(page["companies"]) for page in pages] == [100, len(firms) - 100, 0]


def test_fi_look_up_and_change(base: str, prh: Prh) -> None:
    number = SAMPLE.firms["prh"][0].number
    look_up = f"{base}{PRH}/companies?businessId={number}"
    (company,) = get(look_up).json()["companies"]
    assert company["businessId"]["value"] == number
    assert company["lastModified"].startswith("2026-11-02")
    prh.change(number, DAY + timedelta(days=1), name="Uusi Nimi Oy", house="7")
    (company,) = get(look_up).json()["companies"]
    assert company["names"][0]["name"] == "Uusi Nimi Oy"
    assert company["lastModified"].startswith("2026-11-03")
    prh.drop(number)
    assert get(look_up).json() == {"totalResults": 0, "companies": []}
    wrong = get(f"{base}{PRH}/companies?businessId=12")
    assert (wrong.status_code, wrong.json()["errorcode"]) == (400, 400)


def test_fi_by_day_of_registration(base: str) -> None:
    days = sorted(firm.registered.isoformat() for firm in SAMPLE.firms["prh"])
    query = f"registrationDateStart={days[5]}&registrationDateEnd={days[9]}"
    found = get(f"{base}{PRH}/companies?{query}").json()
    assert found["totalResults"] == sum(days[5] <= day <= days[9] for day in days)


def test_fi_429_comes_from_others_load(base: str, prh: Prh) -> None:
    prh.others_took(299)
    assert get(f"{base}{PRH}/companies").status_code == 200
    refused = get(f"{base}{PRH}/companies")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    prh.retry_after = "60"
    assert get(f"{base}{PRH}/all_companies").headers["Retry-After"] == "60"
    prh.minute_passes()
    assert get(f"{base}{PRH}/companies").status_code == 200
