"""CVR's weekly files: whole, of their length and MD5, and what is done where one is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cvr_served import BUILT, FIRMS, KEY, Served, served, told

from sources import cvr as source
from sources.kit.errors import DeliveryRefused, NotThere, Refused, SourceUnavailable
from sources.kit.standin_cvr import Cvr

NAVN = "CVR_V2_Navn_TotalDownload_csv_Current_525.zip"


@pytest.fixture
def cvr(tmp_path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def downloads(cvr: Served, of: str = "") -> list[str]:
    return [path for path in cvr.paths() if "GetFile" in path and of in path]


def lose(register: Cvr, entity: str, *, also_by_name: bool = True) -> None:
    """The entity's files are listed no longer, nor given by the entity's name."""
    for file in register._files:
        if file.entry["entityName"] == entity:
            file.entry["typeOfData"] = "Temporal"
            if also_by_name:
                file.entry["entityName"] = "Telefaxnummer"


def test_a_delivery_is_a_list_and_its_files_stand_beside_it(cvr: Served) -> None:
    landed = cvr.fetch()
    entries = json.loads(landed.path.read_bytes())
    assert [entry["entity"] for entry in entries] == sorted(entry["entity"] for entry in entries)
    assert len(landed.parts) == len(entries) == 8
    root = cvr.landing.root
    for entry, path in zip(entries, landed.parts, strict=True):
        body = path.read_bytes()
        assert path == root / entry["sha256"][:2] / f"{entry['sha256']}.bin"
        assert hashlib.sha256(body).hexdigest() == entry["sha256"]
        assert hashlib.md5(body, usedforsecurity=False).hexdigest() == entry["md5"]
        assert (len(body), entry["generation"]) == (entry["size"], 525)
    assert landed.byte_count == sum(entry["size"] for entry in entries)
    assert (landed.kind, landed.published_at, landed.record_count) == ("full", BUILT, None)
    text = landed.path.read_text()
    assert KEY not in text
    assert "http" not in text
    assert "?" not in text
    assert cvr.fetch().sha256 == landed.sha256  # the same files, the same list


def test_what_a_delivery_says(cvr: Served) -> None:
    found = told(cvr.fetch().path)
    assert set(found.companies) == {firm.number for firm in FIRMS}
    assert found.flags == {firm.number: firm.is_protected for firm in FIRMS}
    assert found.unknown == ()
    wanted = {
        (firm.number, {"mobile": "phone"}.get(contact.kind, contact.kind), contact.value.strip())
        for firm in FIRMS
        for contact in firm.contacts
        if contact.ended is None and not contact.is_secret
    }
    planted = {firm.personal_number for firm in FIRMS if firm.personal_number}
    assert {(number, kind, value.strip()) for number, kind, value, _ in found.contacts} == {
        (number, kind, value)
        for number, kind, value in wanted
        if not any(secret in value for secret in planted)
    }
    secret = [c for firm in FIRMS for c in firm.contacts if c.is_secret and c.ended is None]
    assert found.dropped["secret"] == len(secret) > 0
    assert found.dropped["not_of_a_company"] > 0


def test_progress_is_of_all_files_together(cvr: Served) -> None:
    seen: list[tuple[int, int | None]] = []
    plan = cvr.plan()
    landed = source.fetch(
        cvr.session, plan, cvr.landing, progress=lambda done, of: seen.append((done, of))
    )
    assert {of for _, of in seen} == {landed.byte_count} == {plan.size}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == landed.byte_count


@pytest.mark.parametrize("fault", ["reset", "cut", "stall"])
def test_a_connection_broken_mid_body_is_mended(cvr: Served, fault: str) -> None:
    cvr.standin.misbehave(fault, times=2, on=NAVN)
    assert len(told(cvr.fetch().path).companies) == len(FIRMS)
    assert len(downloads(cvr, NAVN)) == 3


def test_a_wrong_md5_is_fetched_anew_and_then_refused(cvr: Served) -> None:
    cvr.register.spoil("Reklamebeskyttelse", md5Hash="0" * 32)
    with pytest.raises(DeliveryRefused, match=r"Reklamebeskyttelse.*MD5 is not the one listed"):
        cvr.fetch()
    assert len(downloads(cvr, "Reklamebeskyttelse")) == 3
    bodies = [path.read_bytes() for path in cvr.landing.root.glob("??/*.bin")]
    assert not any(b"Reklamebeskyttelse" in body for body in bodies)  # nor does it stay behind


def test_damage_of_the_same_length_is_mended(cvr: Served) -> None:
    """Bytes that differ once: the MD5 tells, and the second download is taken."""
    whole = next(file for file in cvr.register._files if file.entry["fileName"] == NAVN)
    sound = whole.body
    answers = iter([sound[:100] + bytes([sound[100] ^ 1]) + sound[101:], sound])
    answer = cvr.register.answer

    def once_damaged(asked):
        if asked.query.get("filename") == NAVN:
            whole.body = next(answers)
        return answer(asked)

    cvr.register.answer = once_damaged  # type: ignore[method-assign]
    assert len(told(cvr.fetch().path).companies) == len(FIRMS)
    assert len(downloads(cvr, NAVN)) == 2


def test_what_came_whole_is_not_fetched_again(cvr: Served) -> None:
    cvr.standin.misbehave("reset", on="_Telefonnummer_")
    with pytest.raises(SourceUnavailable):
        cvr.fetch()
    before = downloads(cvr)
    cvr.standin.behave()
    cvr.fetch()
    again = downloads(cvr)[len(before) :]
    assert not any("_Navn_" in path or "_Adressering_" in path for path in again)
    assert [path for path in again if "_Telefonnummer_" in path]


def test_a_file_that_has_expired_is_an_error_with_its_cure(cvr: Served) -> None:
    cvr.standin.misbehave("missing", on=NAVN)
    with pytest.raises(NotThere, match=f"{NAVN}: Datafordeler no longer has it") as raised:
        cvr.fetch()
    assert "the listing is then read anew" in raised.value.cure
    assert raised.value.landed is None


def test_without_the_protection_file_everything_is_loaded_as_unknown(cvr: Served) -> None:
    lose(cvr.register, "Reklamebeskyttelse")
    plan = cvr.plan()
    assert "Reklamebeskyttelse is not listed: who is protected" in plan.reason
    landed = cvr.fetch()
    assert "nothing of it can be exported" in landed.reason
    found = told(landed.path)
    assert set(found.flags.values()) == {None}
    assert {flag for *_, flag in found.contacts} == {None}
    assert len(found.companies) == len(FIRMS)


@pytest.mark.parametrize(
    ("name", "lacking"),
    [("Virksomhedsform", "any may be a person"), ("Produktionsenhed", "production units")],
)
def test_other_files_that_may_lack(cvr: Served, name: str, lacking: str) -> None:
    lose(cvr.register, name)
    landed = cvr.fetch()
    assert f"{name} is missing" in landed.reason
    assert lacking in landed.reason
    assert len(told(landed.path).companies) == len(FIRMS)


@pytest.mark.parametrize("name", ["Reklamebeskyttelse", "Navn"])
def test_a_file_that_is_not_listed_is_asked_for_by_its_name(cvr: Served, name: str) -> None:
    lose(cvr.register, name, also_by_name=False)
    landed = cvr.fetch()
    found = told(landed.path)
    assert found.flags == {firm.number: firm.is_protected for firm in FIRMS}
    entry = next(e for e in json.loads(landed.path.read_bytes()) if e["entity"] == name)
    assert (entry["md5"], entry["generation"]) == (None, 525)
    asked = next(path for path in cvr.paths() if "LatestTotalForEntity" in path)
    assert asked.startswith(
        f"/FileDownloads/GetFile?Register=CVR&LatestTotalForEntity={name}&type=current&format=CSV&"
    )
    assert "is missing" not in landed.reason


def test_a_server_in_trouble_is_not_a_file_that_is_missing(cvr: Served) -> None:
    """Only what says that there is none does: else nobody's flag would be known for a hiccup."""
    lose(cvr.register, "Reklamebeskyttelse", also_by_name=False)
    cvr.standin.misbehave("unavailable", on="LatestTotal")
    with pytest.raises(SourceUnavailable, match="HTTP 503"):
        cvr.fetch()


def test_files_that_are_gone_from_the_landing_are_named(cvr: Served) -> None:
    landed = cvr.fetch()
    for path in landed.parts[:2]:
        path.unlink()
    with pytest.raises(DeliveryRefused, match="no longer in the landing: Adressering, Navn"):
        told(landed.path)


def test_a_list_that_names_other_places_is_none(cvr: Served, tmp_path: Path) -> None:
    entry = json.loads(cvr.fetch().path.read_bytes())[0]
    for change in ({"sha256": "../../etc/passwd"}, {"entity": "CVRPerson"}, {"more": 1}):
        path = tmp_path / "list.bin"
        path.write_text(json.dumps([entry | change]))
        with pytest.raises(DeliveryRefused, match="not a list of CVR's files"):
            told(path)


def test_a_listing_that_has_gone_back_loads_nothing(cvr: Served) -> None:
    plan = replace(cvr.plan(), published_at=BUILT + timedelta(days=7), window="generation 526")
    with pytest.raises(DeliveryRefused, match="generation 526 was planned, 525 is listed"):
        source.fetch(cvr.session, plan, cvr.landing)
    assert downloads(cvr) == []


def test_a_generation_published_meanwhile_is_the_one_that_is_told(cvr: Served) -> None:
    plan = cvr.plan()
    cvr.publish(BUILT + timedelta(hours=1))
    landed = source.fetch(cvr.session, plan, cvr.landing)
    assert landed.published_at == BUILT + timedelta(hours=1)
    assert landed.member == "generation 526"
    assert "generation 526 was published meanwhile and is the one loaded" in landed.reason


def test_there_is_nothing_to_fetch_by_a_plan_of_nothing(cvr: Served) -> None:
    with pytest.raises(Refused, match="nothing to fetch"):
        source.fetch(cvr.session, replace(cvr.plan(), kind="up_to_date"), cvr.landing)
