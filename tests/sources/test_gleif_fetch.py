"""GLEIF from its listing to the landed file: what is planned, what is fetched, what is refused."""

from __future__ import annotations

import copy
import hashlib
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from sources import gleif
from sources.gleif import CARD, adopt, fetch, plan
from sources.gleif_files import named
from sources.kit.card import Held, Plan
from sources.kit.catalogue import catalogue, source
from sources.kit.errors import DeliveryRefused, Refused
from sources.kit.landing import Landing
from sources.kit.patience import Manners
from sources.kit.session import PoliteSession

NOW = datetime(2026, 5, 16, 18, 5, tzinfo=UTC)
PUBLISHED = datetime(2026, 5, 16, 16, tzinfo=UTC)
MEMBER = "20260516-1600-gleif-goldencopy-lei2-golden-copy.csv"
FILE_PATH = f"/storage/golden-copy-files/2026/05/16/71/{MEMBER}.zip"
QUICK = Manners(rate=1000, backoff=0.01, read_timeout=1)


def packed(name: str = MEMBER) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, '"LEI","Entity.LegalName"\r\n"INVENTED","Opdigtet Handel ApS"\r\n')
    return made.getvalue()


DATA = packed()
LISTING = {
    "data": [
        {
            "publish_date": "2026-05-16 16:00:00",
            "lei2": {
                "type": "lei2",
                "publish_date": "2026-05-16 16:00:00",
                "full_file": {
                    "csv": {
                        "type": "lei2",
                        "format": "csv",
                        "record_count": 3_409_464,
                        "size": len(DATA),
                        "delta_type": "GoldenCopy",
                        "cdf_version": "LEI_3.1",
                        "publish_date": "2026-05-16 16:00:00",
                        "url": f"https://goldencopy.gleif.org{FILE_PATH}",
                    },
                    "json": {},
                    "xml": {},
                },
                "delta_files": [],
            },
            "rr": {},
            "repex": {},
        }
    ]
}


@pytest.fixture
def polite(httpserver: HTTPServer) -> Iterator[PoliteSession]:
    base_url = httpserver.url_for("").rstrip("/")
    with PoliteSession(CARD, lambda: NOW, base_url=base_url, manners=QUICK) as session:
        yield session


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def publish(server: HTTPServer, listing: Any) -> None:
    server.expect_request(
        "/api/v2/golden-copies/publishes", query_string="per_page=1"
    ).respond_with_json(listing)
    server.expect_request(FILE_PATH).respond_with_data(DATA, content_type="application/zip")


def changed(*path: str | int, to: object = None) -> Any:
    """The listing with one value replaced, or removed when `to` is None."""
    listing: Any = copy.deepcopy(LISTING)
    at = listing
    for step in path[:-1]:
        at = at[step]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return listing


CSV = ("data", 0, "lei2", "full_file", "csv")


def test_the_first_plan_is_the_full_file(httpserver: HTTPServer, polite: PoliteSession) -> None:
    publish(httpserver, LISTING)
    made = plan(polite, None)
    assert (made.kind, made.window, made.reason) == ("full", "GoldenCopy", "nothing is held yet")
    assert made.published_at == PUBLISHED
    assert (made.size, made.record_count) == (len(DATA), 3_409_464)
    assert made.url == f"https://goldencopy.gleif.org{FILE_PATH}"


@pytest.mark.parametrize(
    ("held", "is_full_wanted", "kind", "reason"),
    [
        ("2026-05-16T08:00:00+00:00", False, "full", "a newer publication is listed"),
        ("2026-05-16T16:00:00+00:00", False, "up_to_date", "already held"),
        ("2026-05-16T18:00:00+02:00", False, "up_to_date", "already held"),
        ("2026-05-17T00:00:00+00:00", False, "up_to_date", "newer than the newest"),
        ("2026-05-16T16:00:00+00:00", True, "full", "asked for"),
        (None, False, "full", "nothing is held"),
    ],
)
def test_what_is_held_decides_the_plan(
    httpserver: HTTPServer, polite: PoliteSession, held: str | None, is_full_wanted: bool,
    kind: str, reason: str,
) -> None:  # fmt: skip
    publish(httpserver, LISTING)
    moment = datetime.fromisoformat(held) if held else None
    made = plan(polite, Held(moment), is_full_wanted=is_full_wanted)
    assert made.kind == kind
    assert reason in made.reason


def test_nothing_is_fetched_when_nothing_is_planned(
    httpserver: HTTPServer, polite: PoliteSession, landing: Landing
) -> None:
    publish(httpserver, LISTING)
    with pytest.raises(Refused, match="already held"):
        fetch(polite, plan(polite, Held(PUBLISHED)), landing)
    assert [request.method for request, _ in httpserver.log] == ["HEAD", "GET"]


def test_the_file_lands_with_all_that_an_origin_needs(
    httpserver: HTTPServer, polite: PoliteSession, landing: Landing
) -> None:
    publish(httpserver, LISTING)
    told: list[tuple[int, int | None]] = []
    landed = fetch(
        polite, plan(polite, None), landing, progress=lambda done, total: told.append((done, total))
    )
    assert landed.path.read_bytes() == DATA
    assert landed.sha256 == hashlib.sha256(DATA).hexdigest()
    assert landed.byte_count == len(DATA)
    assert landed.url == httpserver.url_for(FILE_PATH)
    assert (landed.retrieved_at, landed.published_at) == (NOW, PUBLISHED)
    assert (landed.kind, landed.record_count) == ("full", 3_409_464)
    assert landed.member == MEMBER
    assert not landed.is_publisher_host
    assert told[-1] == (len(DATA), len(DATA))


@pytest.mark.parametrize(
    ("data", "cause"),
    [(b"this is no archive\n", "not a zip archive"), (packed("../x.csv"), "climbs out")],
)
def test_what_lands_must_be_the_archive_that_is_listed(
    httpserver: HTTPServer, polite: PoliteSession, landing: Landing, data: bytes, cause: str
) -> None:
    httpserver.expect_request(FILE_PATH).respond_with_data(data)
    url = f"https://goldencopy.gleif.org{FILE_PATH}"
    planned = Plan("gleif", "full", url, PUBLISHED, len(data), 1, "GoldenCopy", "")
    with pytest.raises(DeliveryRefused, match=cause):
        fetch(polite, planned, landing)


def test_a_file_of_another_size_than_listed_is_refused(
    httpserver: HTTPServer, polite: PoliteSession, landing: Landing
) -> None:
    publish(httpserver, changed(*CSV, "size", to=len(DATA) - 1))
    with pytest.raises(DeliveryRefused, match=f"{len(DATA)} bytes long, not {len(DATA) - 1}"):
        fetch(polite, plan(polite, None), landing)
    assert list(landing.root.iterdir()) == []


@pytest.mark.parametrize(
    "listing",
    [changed(*path) for path in (CSV[:1], CSV[:3], CSV[:4], CSV)]
    + [changed(*CSV, key) for key in ("url", "size", "record_count")]
    + [changed(*CSV, "size", to=value) for value in (0, -1, "476000000", True, 1.5)]
    + [changed(*CSV, "record_count", to=0), changed(*CSV, "url", to=["x"])]
    + [changed(*CSV, "publish_date", to=value) for value in ("yesterday", "9940-13-01", 20260516)]
    + [changed("data", to=[]), changed("data", to={}), changed("data", to="x")]
    + [changed("data", to=[[]]), changed("data", to=[None])]
    + [changed(*CSV[:4], to=[]), [], {}, "text", 7, None],
)
def test_a_listing_without_what_a_download_is_held_to_is_refused(
    httpserver: HTTPServer, polite: PoliteSession, listing: Any
) -> None:
    publish(httpserver, listing)
    with pytest.raises(DeliveryRefused) as raised:
        plan(polite, None)
    assert raised.value.thing == "GLEIF's listing of golden copies"
    assert "--file" in raised.value.cure


def test_the_date_is_taken_from_the_nearest_level_that_states_it(
    httpserver: HTTPServer, polite: PoliteSession
) -> None:
    listing = changed(*CSV, "publish_date")
    del listing["data"][0]["lei2"]["publish_date"]
    publish(httpserver, listing)
    assert plan(polite, None).published_at == PUBLISHED


def test_delta_files_as_objects_are_no_hindrance(
    httpserver: HTTPServer, polite: PoliteSession
) -> None:
    publish(httpserver, changed("data", 0, "lei2", "delta_files", to={"LastDay": {"csv": {}}}))
    assert plan(polite, None).kind == "full"


def test_a_web_page_for_a_listing_is_named(httpserver: HTTPServer, polite: PoliteSession) -> None:
    httpserver.expect_request("/api/v2/golden-copies/publishes").respond_with_data("<html>503")
    with pytest.raises(DeliveryRefused, match="web page"):
        plan(polite, None)


def test_a_listing_that_names_a_foreign_host_is_not_followed(landing: Landing) -> None:
    url = "https://foreign.example/f.zip"
    planned = Plan("gleif", "full", url, PUBLISHED, 1, 1, "GoldenCopy", "nothing is held yet")
    with (
        PoliteSession(CARD, lambda: NOW, manners=QUICK) as session,
        pytest.raises(DeliveryRefused, match=r"foreign\.example"),
    ):
        fetch(session, planned, landing)


@pytest.mark.parametrize(
    ("name", "kind", "window"),
    [
        (f"{MEMBER}.zip", "full", "GoldenCopy"),
        (MEMBER, "full", "GoldenCopy"),
        (f"{MEMBER}.gz", "full", "GoldenCopy"),
        ("20260516-1600-gleif-goldencopy-lei2-last-day.csv.zip", "delta", "LastDay"),
        ("20260516-1600-GLEIF-goldencopy-lei2-intra-day.CSV.ZIP", "delta", "IntraDay"),
    ],
)
def test_the_publishers_names_say_kind_and_date(name: str, kind: str, window: str) -> None:
    said = named(name)
    assert said is not None
    assert (said.kind, said.window, said.published_at) == (kind, window, PUBLISHED)


def test_other_names_say_nothing_and_other_forms_are_refused() -> None:
    for name in ("mine.csv", "20261399-1600-gleif-goldencopy-lei2-golden-copy.csv", f"x{MEMBER}"):
        assert named(name) is None
    assert named(MEMBER.replace("golden-copy", "last-year")) is None
    for other in (MEMBER.replace("lei2", "rr"), MEMBER.replace(".csv", ".xml.zip")):
        with pytest.raises(Refused, match="not level 1"):
            named(other)


@pytest.mark.parametrize(
    ("name", "member", "kind", "published_at", "said_member"),
    [
        (f"{MEMBER}.zip", "rows.csv", "full", PUBLISHED, "rows.csv"),
        ("mine.zip", MEMBER, "full", PUBLISHED, MEMBER),
        ("mine.zip", MEMBER.replace("golden-copy", "last-week"), "delta", PUBLISHED, None),
        ("mine.zip", "rows.csv", "file", None, "rows.csv"),
    ],
)
def test_a_local_file_says_what_it_is_by_name(
    tmp_path: Path, landing: Landing, name: str, member: str, kind: str,
    published_at: datetime | None, said_member: str | None,
) -> None:  # fmt: skip
    (tmp_path / name).write_bytes(packed(member))
    landed = adopt(tmp_path / name, landing, NOW)
    assert (landed.kind, landed.published_at) == (kind, published_at)
    assert landed.member == (said_member or member)
    assert (landed.retrieved_at, landed.url) == (NOW, f"file:{name}")
    assert not landed.is_publisher_host
    assert landed.record_count is None


def test_what_is_stated_of_a_local_file_goes_before_its_name(
    tmp_path: Path, landing: Landing
) -> None:
    (tmp_path / MEMBER).write_text('"LEI"\r\n"INVENTED"\r\n')
    stated = datetime(2026, 5, 1, tzinfo=UTC)
    landed = adopt(tmp_path / MEMBER, landing, NOW, kind="delta", published_at=stated)
    assert (landed.kind, landed.published_at, landed.member) == ("delta", stated, MEMBER)
    (tmp_path / "mine.csv").write_text('"LEI"\r\n"INVENTED"\r\n')
    assert adopt(tmp_path / "mine.csv", landing, NOW, kind="full").kind == "full"


def test_a_local_file_that_is_no_delivery_is_refused(tmp_path: Path, landing: Landing) -> None:
    (tmp_path / "page.csv").write_text("<html>")
    with pytest.raises(DeliveryRefused, match="web page"):
        adopt(tmp_path / "page.csv", landing, NOW)


def test_the_card_says_what_a_notice_must_say() -> None:
    assert CARD.record_url("INVENTED 1") == "https://search.gleif.org/#/record/INVENTED%201"
    for language, day in (("da", "21. november 2026"), ("en", "21 November 2026")):
        sentence = CARD.source_sentence(language, day)
        assert CARD.publisher in sentence
        assert CARD.database_name in sentence
        assert day in sentence
    assert CARD.licence.startswith("CC0 1.0")
    assert CARD.base_url.removeprefix("https://") in CARD.hosts
    assert CARD.expected_min < 3_457_357 < CARD.expected_max


def test_the_catalogue_finds_every_card_and_names_them() -> None:
    assert catalogue()["gleif"] is gleif
    assert source("gleif") is gleif
    assert all(module.CARD.source_id == name for name, module in catalogue().items())
    with pytest.raises(Refused, match=r"gleif") as raised:
        source("nothing")
    assert "Choose one of" in raised.value.cure
