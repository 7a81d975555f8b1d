"""Statuses that are answers, and what a server says of a file, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from norway import HASTY
from pytest_httpserver import HTTPServer

from sources.brreg import CARD
from sources.kit.errors import DeliveryRefused, NotThere, SourceUnavailable
from sources.kit.landing import Landing
from sources.kit.partial import Told
from sources.kit.session import PoliteSession

URL = f"{CARD.base_url}/one"
NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def session(httpserver: HTTPServer) -> Iterator[PoliteSession]:
    base_url = httpserver.url_for("").rstrip("/")
    with PoliteSession(CARD, lambda: NOW, base_url=base_url, manners=HASTY) as found:
        yield found


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"a": 1}', (200, b'{"a": 1}', {"a": 1})),
        (404, "", (404, b"", None)),
        (404, " \n", (404, b" \n", None)),
        (410, '{"gone": true}', (410, b'{"gone": true}', {"gone": True})),
    ],
)
def test_a_status_may_be_an_answer(
    httpserver: HTTPServer, session: PoliteSession, status: int, body: str, expected: object
) -> None:
    httpserver.expect_request("/one").respond_with_data(body, status=status)
    assert session.ask(URL, also=(404, 410)) == expected
    assert len(httpserver.log) == 1


def test_others_are_what_they_were(httpserver: HTTPServer, session: PoliteSession) -> None:
    httpserver.expect_request("/one").respond_with_data("", status=404)
    with pytest.raises(NotThere):
        session.ask(URL)
    with pytest.raises(NotThere):
        session.ask(URL, also=(410,))
    with pytest.raises(NotThere):
        session.get_answer(URL)


@pytest.mark.parametrize(("status", "body"), [(200, ""), (200, "<html>"), (404, "<html>no")])
def test_what_is_no_answer_is_refused(
    httpserver: HTTPServer, session: PoliteSession, status: int, body: str
) -> None:
    httpserver.expect_request("/one").respond_with_data(body, status=status)
    with pytest.raises(DeliveryRefused):
        session.ask(URL, also=(404,))


def test_an_outage_is_waited_for(httpserver: HTTPServer, session: PoliteSession) -> None:
    httpserver.expect_ordered_request("/one").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/one").respond_with_data("", status=404)
    assert session.ask(URL, also=(404,))[0] == 404
    httpserver.clear()
    httpserver.expect_request("/one").respond_with_data("", status=503)
    with pytest.raises(SourceUnavailable):
        session.ask(URL, also=(404,))


def test_a_download_tells_what_the_server_said_of_the_file(
    httpserver: HTTPServer, session: PoliteSession, tmp_path: Path
) -> None:
    headers = {"ETag": '"x"', "Last-Modified": "Mon, 02 Nov 2026 04:00:00 GMT"}
    httpserver.expect_request("/one").respond_with_data("abc", headers=headers)
    said: list[Told] = []
    session.download(URL, Landing(tmp_path), hear=said.append)
    assert said == [Told(3, '"x"', "Mon, 02 Nov 2026 04:00:00 GMT")]
