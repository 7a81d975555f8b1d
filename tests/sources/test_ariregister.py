"""Estonia's register from its file's headers to frames: planned, fetched, refused, adopted."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from register_files import zipped

from sources import ariregister
from sources.ariregister import CARD, adopt, fetch, plan, rows_of
from sources.kit.card import Held
from sources.kit.catalogue import source
from sources.kit.errors import DeliveryRefused, NotThere, Refused, SourceUnavailable
from sources.kit.landing import Landing
from sources.kit.patience import Manners
from sources.kit.sample_ariregister import MEMBER, archive, array, record
from sources.kit.sample_registers import bundled_registers
from sources.kit.session import PoliteSession
from sources.kit.standin_ariregister import PATH, Ariregister
from sources.kit.standin_registers import RegisterStandIn

DAY = date(2026, 11, 2)
BUILT = datetime(2026, 11, 2, 4, tzinfo=UTC)
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
FIRMS = bundled_registers(DAY).firms["ariregister"]
QUICK = Manners(rate=1000, backoff=0.01, read_timeout=1)


@pytest.fixture
def register() -> Ariregister:
    return Ariregister(FIRMS, DAY)


@pytest.fixture
def standing(register: Ariregister) -> Iterator[RegisterStandIn]:
    with RegisterStandIn(register) as found:
        yield found


@pytest.fixture
def polite(standing: RegisterStandIn) -> Iterator[PoliteSession]:
    with PoliteSession(CARD, lambda: NOW, base_url=standing.base_url, manners=QUICK) as session:
        yield session


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def told(path: Path):
    """The rows' keys, and the frames' contact points by kind."""
    with rows_of(path, lambda frame: frame) as rows:
        frames = list(rows.frames)
        assert rows.unknown == []
    keys = [key for frame in frames for key in frame.table["source_key"].to_pylist()]
    kinds = {kind for frame in frames for kind in frame.contacts["kind"].to_pylist()}
    return keys, kinds


def test_it_is_a_source_with_its_card() -> None:
    assert source("ariregister") is ariregister
    assert CARD.record_url("16752073") == "https://ariregister.rik.ee/eng/company/16752073"
    assert CARD.source_sentence("en", "2 November 2026") == (
        "Source: e-äriregister (avaandmed), Registrite ja Infosüsteemide Keskus (RIK), "
        "publicly accessible (CC BY 4.0), fetched 2 November 2026."
    )


def test_the_whole_file_comes_in(polite: PoliteSession, landing: Landing) -> None:
    planned = plan(polite, None)
    assert (planned.kind, planned.reason) == ("full", "nothing is held yet")
    assert (planned.published_at, planned.size) == (BUILT, len(archive(FIRMS)))
    heard: list[tuple[int, int | None]] = []
    landed = fetch(polite, planned, landing, progress=lambda *so_far: heard.append(so_far))
    assert (landed.kind, landed.published_at, landed.retrieved_at) == ("full", BUILT, NOW)
    assert (landed.member, landed.byte_count) == (MEMBER, planned.size)
    assert heard[-1] == (planned.size, planned.size)
    keys, kinds = told(landed.path)
    assert sorted(keys) == sorted(firm.number for firm in FIRMS)
    assert kinds == {"email", "phone", "website"}


@pytest.mark.parametrize(
    ("held_at", "kind", "why"),
    [
        (BUILT, "up_to_date", "the newest publication is already held"),
        (BUILT + timedelta(days=1), "up_to_date", "what is held is newer than what is published"),
        (BUILT - timedelta(days=1), "full", "a newer publication is there"),
    ],
)
def test_only_a_newer_publication_is_fetched(
    polite: PoliteSession, standing: RegisterStandIn, landing: Landing, held_at, kind, why
) -> None:
    planned = plan(polite, Held(held_at))
    assert (planned.kind, planned.reason, planned.held_at) == (kind, why, held_at)
    assert [request.method for request in standing.requests] == ["HEAD"]
    wanted = plan(polite, Held(held_at), is_full_wanted=True)
    assert (wanted.kind, wanted.reason) == ("full", "a full file was asked for")
    if kind == "up_to_date":
        with pytest.raises(Refused, match="nothing to fetch"):
            fetch(polite, planned, landing)


def test_the_same_file_is_fetched_again_for_companies_that_came_later(
    polite: PoliteSession,
) -> None:
    planned = plan(polite, Held(BUILT, missing=(FIRMS[0].number, FIRMS[1].number)))
    assert (planned.kind, planned.reason) == (
        "full",
        "companies state numbers of it that are not held yet: 2 or more",
    )


def test_what_is_published_anew_between_plan_and_fetch_bears_its_own_date(
    polite: PoliteSession, register: Ariregister, landing: Landing
) -> None:
    planned = plan(polite, None)
    register.drop(FIRMS[0].number)
    register.publish(BUILT + timedelta(hours=5))
    landed = fetch(polite, planned, landing)
    assert landed.published_at == BUILT + timedelta(hours=5)
    assert FIRMS[0].number not in told(landed.path)[0]


def test_a_publication_from_the_future_is_refused(
    polite: PoliteSession, register: Ariregister, landing: Landing
) -> None:
    planned = plan(polite, None)
    register.publish(NOW + timedelta(days=2))
    with pytest.raises(DeliveryRefused, match="2026-11-04 09:30 UTC, and it is only"):
        plan(polite, None)
    with pytest.raises(DeliveryRefused, match="is dated") as raised:
        fetch(polite, planned, landing)
    assert raised.value.landed is not None


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("html_200", "it is a web page|a web page came"),
        ("error_200", "a web page came instead of the file"),
        ("empty_200", "the answer was empty"),
        ("truncated", "it is cut short or not a sound zip archive"),
    ],
)
def test_what_is_not_the_file_is_refused(
    polite: PoliteSession, standing: RegisterStandIn, landing: Landing, fault: str, cause: str
) -> None:
    planned = plan(polite, None)
    standing.misbehave(fault)
    with pytest.raises(DeliveryRefused, match=cause):
        fetch(polite, planned, landing)
    standing.behave()
    assert told(fetch(polite, planned, landing).path)[0]


@pytest.mark.parametrize(
    ("fault", "error"),
    [("rate_limited_bare", SourceUnavailable), ("missing", NotThere), ("reset", SourceUnavailable)],
)
def test_a_server_that_does_not_answer_is_unavailable(
    polite: PoliteSession, standing: RegisterStandIn, landing: Landing, fault: str, error: type
) -> None:
    planned = plan(polite, None)
    standing.misbehave(fault)
    with pytest.raises(error):
        fetch(polite, planned, landing)


def test_a_download_that_breaks_off_goes_on(
    polite: PoliteSession, standing: RegisterStandIn, landing: Landing
) -> None:
    standing.misbehave("reset", times=1, on=PATH)
    standing.misbehave("cut", times=2, on=PATH)
    landed = fetch(polite, plan(polite, None), landing)
    assert sorted(told(landed.path)[0]) == sorted(firm.number for firm in FIRMS)
    assert any("range" in request.headers for request in standing.requests)


def test_a_damaged_member_is_refused_while_it_is_read(
    polite: PoliteSession, register: Ariregister, landing: Landing
) -> None:
    register.break_checksum()
    landed = fetch(polite, plan(polite, None), landing)
    with pytest.raises(DeliveryRefused, match="CRC-32"):
        told(landed.path)


def test_a_bomb_is_refused_and_a_file_of_a_hundred_to_one_is_not(tmp_path: Path) -> None:
    blank = f'{{"ariregistri_kood": 1, "nimi": "{" " * 100_000}"}}'
    path = zipped(tmp_path / "bomb.zip", MEMBER, f"[{', '.join([blank] * 800)}]")
    with pytest.raises(DeliveryRefused, match="more than 200 times its size"):
        told(path)
    listed = [record(firm) for firm in FIRMS[:40]]
    for n, one in enumerate(listed):
        noise = random.Random(n).randbytes(12_000).hex()
        one["yldandmed"]["markused_kaardil"] = [{"sisu": noise + " " * 2_000_000}]
    dense = zipped(tmp_path / "dense.zip", MEMBER, array(listed).decode())
    assert 80_000_000 / dense.stat().st_size > 100
    assert len(told(dense)[0]) == 40


@pytest.mark.parametrize("form", ["zip", "json", "json.gz"])
def test_a_file_by_hand_is_whole_by_its_name(tmp_path: Path, landing: Landing, form: str) -> None:
    content = array(record(firm) for firm in FIRMS)
    packed = {"zip": archive(FIRMS), "json": content, "json.gz": gzip.compress(content)}
    name = MEMBER.removesuffix("json") + form if form != "zip" else f"{MEMBER}.zip"
    path = tmp_path / name
    path.write_bytes(packed[form])
    landed = adopt(path, landing, NOW)
    assert (landed.kind, landed.published_at, landed.url) == ("full", None, f"file:{name}")
    assert landed.member == (MEMBER if form == "zip" else name)
    assert sorted(told(landed.path)[0]) == sorted(firm.number for firm in FIRMS)


def test_a_file_by_hand_is_what_it_is_said_to_be(tmp_path: Path, landing: Landing) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(array([record(FIRMS[0])]))
    assert adopt(path, landing, NOW).kind == "file"
    stated = adopt(path, landing, NOW, kind="delta", published_at=BUILT)
    assert (stated.kind, stated.published_at) == ("delta", BUILT)
    with pytest.raises(DeliveryRefused, match="it is only"):
        adopt(path, landing, NOW, published_at=NOW + timedelta(days=3))
    for sibling in ("lihtandmed.csv.zip", "yldandmed.xml.zip", "osanikud.json.zip"):
        other = tmp_path / f"ettevotja_rekvisiidid__{sibling}"
        other.write_bytes(archive(FIRMS))
        with pytest.raises(Refused, match="another one of the publisher's files"):
            adopt(other, landing, NOW)


def test_a_field_nobody_knows_is_named(tmp_path: Path) -> None:
    one = record(FIRMS[0])
    one["yldandmed"]["uus"] = {"vali": 1}
    path = zipped(tmp_path / "y.zip", MEMBER, array([one]).decode())
    with rows_of(path, lambda frame: frame) as rows:
        assert len(list(rows.frames)) == 1
        assert rows.unknown == ["yldandmed.uus.vali"]


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ('"nimi"', '"arinimi"', "nimi"),
        ('"staatus"', '"seisund"', "yldandmed.staatus"),
        ('"yldandmed"', '"andmed"', "yldandmed"),
        ('"liik"', '"tyyp"', r"yldandmed.sidevahendid\[\].liik"),
        ('"sisu"', '"vaartus"', r"yldandmed.sidevahendid\[\].sisu"),
    ],
)
def test_a_renamed_field_refuses_the_delivery(
    tmp_path: Path, old: str, new: str, missing: str
) -> None:
    content = array(record(firm) for firm in FIRMS).decode().replace(old, new)
    path = zipped(tmp_path / "y.zip", MEMBER, content)
    with pytest.raises(
        DeliveryRefused, match=f"published fields are missing: {missing}$|{missing}"
    ):
        told(path)


def test_many_companies_without_any_contact_point_are_refused(tmp_path: Path) -> None:
    many = [record(FIRMS[0]) for _ in range(1000)]
    for one in many:
        one["yldandmed"]["kanalid"] = one["yldandmed"].pop("sidevahendid")
    path = zipped(tmp_path / "y.zip", MEMBER, json.dumps(many))
    with pytest.raises(DeliveryRefused, match="none of its 1,000 companies has a contact point"):
        told(path)
    few = zipped(tmp_path / "few.zip", MEMBER, json.dumps(many[:999]))
    with rows_of(few, lambda frame: frame.contacts.num_rows) as rows:
        assert list(rows.frames) == [0]
        assert "yldandmed.kanalid[].sisu" in rows.unknown
