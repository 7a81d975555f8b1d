"""JSON:API lists over real sockets: paging, its bound, and every answer that is not a list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources import gleif_codes
from sources.kit import json_api
from sources.kit.code_words import built_in
from sources.kit.errors import DeliveryRefused, SourcenoteError, SourceUnavailable
from sources.kit.landing import Landing
from sources.kit.patience import Manners
from sources.kit.sample import bundled_sample
from sources.kit.session import PoliteSession
from sources.kit.standin import StandIn
from sources.kit.standin_api import FAULTS, Api, ApiStandIn
from sources.kit.standin_publish import Publish

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
URL = "https://api.gleif.org/api/v1/registration-authorities?page%5Bsize%5D=200"
HASTY = Manners(rate=500.0, read_timeout=0.5, backoff=0.01, budget=3.0)
CODES = [f"RA{number:06d}" for number in range(25)]


@pytest.fixture
def standin() -> Iterator[ApiStandIn]:
    authorities = [{"code": code, "localName": f"Prøveregister {code}"} for code in CODES]
    with ApiStandIn(Api(NOW, authorities=authorities, most_per_page=10, retry_after="0")) as served:
        yield served


def fetched(standin: ApiStandIn, most: int = 9) -> list[json_api.Page]:
    session = PoliteSession(gleif_codes.CARD, lambda: NOW, base_url=standin.base_url, manners=HASTY)
    with session:
        return list(json_api.pages(session, URL, most=most))


def test_every_page_is_read_to_the_last(standin: ApiStandIn, tmp_path: Path) -> None:
    found = fetched(standin)
    assert [len(page.data) for page in found] == [10, 10, 5]
    assert [entry["id"] for page in found for entry in page.data] == CODES
    assert json_api.publication(found) == NOW
    path, _, length = json_api.land(Landing(tmp_path), found)
    again = json_api.landed_pages(path)
    content = path.read_bytes()
    assert length == len(content)
    assert [page.body for page in again] == [page.body for page in found]
    for page in again:
        assert content[page.offset :].startswith(page.body)
        for entry, offset in zip(page.data, page.offsets(), strict=True):
            assert content[offset:].startswith(f'"id": "{entry["id"]}"'.encode())


def test_a_page_more_than_the_bound_is_refused(standin: ApiStandIn) -> None:
    assert len(fetched(standin, most=3)) == 3
    with pytest.raises(DeliveryRefused, match="after 2 pages"):
        fetched(standin, most=2)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("bad_request", SourceUnavailable, "HTTP 400: “Invalid filter”"),
        ("missing", SourceUnavailable, "HTTP 404: “Not found”"),
        ("rate_limited", SourceUnavailable, "HTTP 429: “Too many requests”, after 5 attempts"),
        ("rate_limited_bare", SourceUnavailable, "HTTP 429: “Too many requests”, after 5 attempts"),
        ("server_error", SourceUnavailable, "HTTP 500, after 5 attempts"),
        ("not_json", DeliveryRefused, "a web page came instead of JSON"),
        ("not_a_list", DeliveryRefused, "it has no list 'data'"),
        ("errors_200", DeliveryRefused, "it says “Try later”"),
        ("endless", DeliveryRefused, "after 9 pages"),
        ("loop", DeliveryRefused, "the list would never end"),
        ("foreign", DeliveryRefused, "which is not one of its hosts"),
    ],
)
def test_what_is_no_list_is_refused_in_clear_words(
    standin: ApiStandIn, fault: str, error: type[SourcenoteError], words: str
) -> None:
    standin.api.misbehave(fault)
    with pytest.raises(error) as caught:
        fetched(standin)
    assert words in str(caught.value)


@pytest.mark.parametrize("fault", ["rate_limited", "rate_limited_bare", "server_error"])
def test_a_passing_fault_is_waited_out(standin: ApiStandIn, fault: str) -> None:
    standin.api.misbehave(fault, times=2)
    assert len(fetched(standin)) == 3


def test_nothing_is_fetched_from_the_foreign_host(standin: ApiStandIn) -> None:
    standin.api.misbehave("foreign")
    with pytest.raises(DeliveryRefused):
        fetched(standin)
    assert len(standin.api.requests) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"data": {}}', b'{"data": []} x', b"\xff", b'{"data": [], "links": 7}'],
)
def test_a_landed_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answer"
    path.write_bytes(content)
    if content in {b"", b'{"data": [], "links": 7}'}:
        assert len(json_api.landed_pages(path)) == bool(content)
    else:
        with pytest.raises(DeliveryRefused):
            json_api.landed_pages(path)


def test_the_oldest_page_dates_the_whole() -> None:
    def page(day: int) -> json_api.Page:
        stated = {"meta": {"goldenCopy": {"publishDate": f"2026-11-{day:02d}T08:00:00Z"}}}
        return json_api.Page(b"", {"data": [], **stated})

    assert json_api.publication([page(3), page(2)]) == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert json_api.publication([json_api.Page(b"", {"data": []})]) is None


def test_every_fault_is_described() -> None:
    with pytest.raises(ValueError, match="no fault"):
        Api(NOW).misbehave("sulking")
    assert all(FAULTS.values())


def test_the_stand_in_of_the_files_serves_the_api_beside_them() -> None:
    """So `--base-url` of one server is enough for `ingest all` and `refresh`."""
    sample = bundled_sample()
    publish = Publish(sample.published_at, sample.csv)
    with StandIn([publish], api=Api.beside(sample.published_at, sample.csv)) as standin:
        session = PoliteSession(
            gleif_codes.CARD, lambda: NOW, base_url=standin.base_url, manners=HASTY
        )
        with session:
            (page,) = json_api.pages(session, URL, most=1)
            assert session.get_json("https://api.gleif.org/api/v2/golden-copies/publishes")["data"]
    registers = built_in().codes.authorities
    assert [entry["id"] for entry in page.data] == [one.code for one in registers]
    assert page.published_at == sample.published_at
