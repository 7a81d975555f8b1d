"""Downloads over real sockets: resumed or restarted, held to their length, never half-landed."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from scripted_server import (
    ScriptedServer,
    head,
    resets_after,
    scripted,
    sends,
    stalls_after,
    trickles,
    wants_from,
)
from werkzeug import Request, Response

from sources.gleif import CARD
from sources.kit.errors import DeliveryRefused, SourcenoteError, SourceUnavailable
from sources.kit.landing import Landing
from sources.kit.patience import Manners
from sources.kit.session import PoliteSession

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
QUICK = Manners(rate=1000, connect_timeout=1, read_timeout=0.3, backoff=0.01, budget=20)
FILE = "https://goldencopy.gleif.org/storage/f.zip"
DATA = random.Random(1).randbytes(3_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
CUT = 1_234_567
ETAG = 'ETag: "one"'


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def fetch(
    url: str,
    landing: Landing,
    size: int | None = len(DATA),
    progress: Callable[[int, int | None], None] | None = None,
) -> str:
    with PoliteSession(CARD, lambda: NOW, base_url=url, manners=QUICK) as session:
        path, sha256, byte_count = session.download(
            FILE, landing, expected_size=size, progress=progress
        )
    assert byte_count == path.stat().st_size
    return sha256


def landed(landing: Landing) -> list[str]:
    return [path.name for path in landing.root.rglob("*") if path.is_file()]


def rest(connection: socket.socket, request: str, *, lines: tuple[str, ...] = (ETAG,)) -> None:
    """Answer a Range request as a good server does, a plain one with the whole."""
    start = wants_from(request)
    if start is None:
        connection.sendall(head(len(DATA), *lines) + DATA)
        return
    stated = f"Content-Range: bytes {start}-{len(DATA) - 1}/{len(DATA)}"
    body = DATA[start:]
    connection.sendall(head(len(body), stated, *lines, status="206 Partial Content") + body)


def ranges(server: ScriptedServer) -> list[int | None]:
    return [wants_from(request) for request in server.requests]


def test_a_file_lands_by_its_digest_with_progress(httpserver: HTTPServer, landing: Landing) -> None:
    httpserver.expect_request("/storage/f.zip").respond_with_data(DATA)
    seen: list[tuple[int, int | None]] = []
    url = httpserver.url_for("").rstrip("/")
    assert fetch(url, landing, progress=lambda done, total: seen.append((done, total))) == SHA256
    assert landed(landing) == [f"{SHA256}.bin"]
    assert seen[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert httpserver.log[0][0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("lines", [(ETAG,), ("Last-Modified: Fri, 20 Nov 2026 08:00:00 GMT",), ()])
@pytest.mark.parametrize("fault", ["reset", "short", "stall"])
def test_an_interrupted_download_resumes(
    landing: Landing, fault: str, lines: tuple[str, ...]
) -> None:
    begun = head(len(DATA), *lines) + DATA[:CUT]
    first = {"reset": resets_after(begun), "short": sends(begun), "stall": stalls_after(begun, 0.5)}
    answers = (first[fault], lambda one, asked: rest(one, asked, lines=lines))
    with scripted(*answers) as server:
        assert fetch(server.url, landing) == SHA256
        assert ranges(server) == [None, CUT]
        for line in lines:
            assert f"If-Range: {line.partition(': ')[2]}" in server.requests[1]


def test_several_interruptions_are_survived_up_to_five_attempts(landing: Landing) -> None:
    def some(connection: socket.socket, request: str) -> None:
        start = wants_from(request) or 0
        stated = f"Content-Range: bytes {start}-{len(DATA) - 1}/{len(DATA)}"
        status = "206 Partial Content" if start else "200 OK"
        announced = head(len(DATA) - start, stated, ETAG, status=status)
        connection.sendall(announced + DATA[start : start + 500_000])

    with scripted(some, some, some, some, rest) as server:
        assert fetch(server.url, landing) == SHA256
        assert ranges(server) == [None, 500_000, 1_000_000, 1_500_000, 2_000_000]
    with scripted(some) as server:
        with pytest.raises(SourceUnavailable, match="after 5 attempts"):
            fetch(server.url, landing)
        assert len(server.requests) == 5
    assert [name for name in landed(landing) if ".part" not in name] == [f"{SHA256}.bin"]


OTHER = b"z" * len(DATA)


@pytest.mark.parametrize(
    "second",
    [
        sends(head(len(DATA), ETAG) + DATA),
        sends(head(0, status="416 Range Not Satisfiable")),
        sends(head(5, "Content-Range: bytes 0-4/5", status="206 Partial Content") + b"other"),
        sends(head(5, status="206 Partial Content") + b"other"),
        sends(
            head(
                len(DATA),
                f"Content-Range: bytes 0-{len(DATA) - 1}/{len(DATA)}",
                ETAG,
                status="206 Partial Content",
            )
            + DATA
        ),
        sends(
            head(
                len(DATA) - CUT,
                f"Content-Range: bytes {CUT}-{len(DATA) - 1}/{len(DATA)}",
                'ETag: "two"',
                status="206 Partial Content",
            )
            + OTHER[CUT:]
        ),
        sends(
            head(
                len(DATA) - CUT,
                f"Content-Range: bytes {CUT}-{len(DATA) - 1}/{len(DATA) + 1}",
                ETAG,
                status="206 Partial Content",
            )
            + OTHER[CUT:]
        ),
        sends(head(0, status="503 Service Unavailable")),
    ],
    ids=[
        "ignored",
        "416",
        "wrong range",
        "no range",
        "range from the start",
        "other file",
        "other length",
        "503",
    ],
)
def test_where_the_server_does_not_continue_the_same_file_it_restarts(
    landing: Landing, second: Callable[[socket.socket, str], None]
) -> None:
    with scripted(sends(head(len(DATA), ETAG) + DATA[:CUT]), second, rest) as server:
        assert fetch(server.url, landing) == SHA256


def test_a_weak_etag_is_not_asked_with(landing: Landing) -> None:
    with scripted(sends(head(len(DATA), 'ETag: W/"one"') + DATA[:CUT]), rest) as server:
        assert fetch(server.url, landing) == SHA256
        assert "If-Range" not in server.requests[1]


def test_a_chunked_body_that_breaks_is_fetched_again(landing: Landing) -> None:
    chunk = b"%x\r\n%s\r\n" % (CUT, DATA[:CUT])
    broken = sends(head(None, "Transfer-Encoding: chunked") + chunk)
    with scripted(broken, rest) as server:
        assert fetch(server.url, landing) == SHA256
        assert ranges(server) == [None, None]


def test_a_trickle_is_given_up_for_a_new_attempt(landing: Landing) -> None:
    slow = trickles(head(len(DATA), ETAG), DATA[:200], 0.02)
    started = time.monotonic()
    with scripted(slow, rest) as server:
        assert fetch(server.url, landing) == SHA256
        assert len(server.requests) == 2
        assert time.monotonic() - started < 2


def test_a_trickle_after_a_good_start_is_given_up_too(landing: Landing) -> None:
    slow = trickles(head(len(DATA), ETAG) + DATA[:CUT], DATA[CUT : CUT + 200], 0.02)
    started = time.monotonic()
    with scripted(slow, rest) as server:
        assert fetch(server.url, landing) == SHA256
        assert CUT <= (ranges(server)[1] or 0) < CUT + 200
        assert time.monotonic() - started < 2


def test_a_slow_but_steady_download_outlives_the_budget_and_a_break(landing: Landing) -> None:
    def steady(connection: socket.socket, _: str) -> None:
        connection.sendall(head(len(DATA), ETAG))
        for start in range(0, CUT, CUT // 8):
            connection.sendall(DATA[start : start + CUT // 8])
            time.sleep(0.1)

    manners = Manners(rate=1000, read_timeout=0.4, budget=0.5, backoff=0.01)
    with (
        scripted(steady, rest) as server,
        PoliteSession(CARD, lambda: NOW, base_url=server.url, manners=manners) as session,
    ):
        assert session.download(FILE, landing, expected_size=len(DATA))[1] == SHA256
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "size", "error", "cause", "attempts"),
    [
        (head(len(DATA)) + DATA, len(DATA) - 1, DeliveryRefused, "as listed", 1),
        (head(None) + DATA, len(DATA) - 1, DeliveryRefused, "longer than", 1),
        (head(len(DATA)) + DATA, len(DATA) + 1, DeliveryRefused, "as listed", 5),
        (head(None) + DATA, len(DATA) + 1, DeliveryRefused, "it ended after", 5),
        (head(0), len(DATA), DeliveryRefused, "the answer was empty", 5),
        (head(0), None, DeliveryRefused, "the answer was empty", 5),
        (head(None), None, DeliveryRefused, "the answer was empty", 5),
        (head(len(DATA)) + DATA[:CUT], None, SourceUnavailable, "connection broke", 5),
        (head(6, status="404 Not Found") + b"<html>", 6, SourceUnavailable, "HTTP 404", 1),
        (head(6, "Content-Type: text/html") + b"<html>", 6, DeliveryRefused, "web page", 1),
        (head(6, "Content-Type: text/html") + b"<html>", 7, DeliveryRefused, "web page", 1),
    ],
    ids=[
        "announced longer", "longer", "announced shorter", "shorter", "nothing announced",
        "empty", "empty unannounced", "always cut", "gone", "web page", "short web page",
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_and_leaves_nothing(
    landing: Landing,
    answer: bytes,
    size: int | None,
    error: type[SourcenoteError],
    cause: str,
    attempts: int,
) -> None:
    with scripted(sends(answer)) as server:
        with pytest.raises(error, match=cause) as raised:
            fetch(server.url, landing, size)
        assert len(server.requests) == attempts
    assert raised.value.thing
    assert raised.value.cure
    assert landed(landing) == []


def test_an_endless_file_is_cut_off(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.kit.download.LARGEST_BYTES", 1_000_000)
    with (
        scripted(sends(head(None) + DATA)) as server,
        pytest.raises(DeliveryRefused, match="longer than the 1000000 bytes"),
    ):
        fetch(server.url, landing, None)
    assert landed(landing) == []


def test_a_foreign_redirect_is_refused_before_a_byte_is_fetched(
    httpserver: HTTPServer, landing: Landing
) -> None:
    with scripted(rest) as foreign:
        httpserver.expect_request("/storage/f.zip").respond_with_data(
            status=302, headers={"Location": f"{foreign.url}/storage/f.zip"}
        )
        with pytest.raises(DeliveryRefused, match="private address"):
            fetch(httpserver.url_for("").rstrip("/"), landing)
        assert foreign.requests == []
    assert landed(landing) == []


def test_a_redirected_download_starts_at_the_publisher_on_every_attempt(
    httpserver: HTTPServer, landing: Landing
) -> None:
    asked: list[str | None] = []

    def moved(request: Request) -> Response:
        asked.append(request.headers.get("Range"))
        if len(asked) == 1:
            return Response(status=503)
        return Response(DATA)

    httpserver.expect_request("/storage/f.zip").respond_with_data(
        status=302, headers={"Location": "https://goldencopy.gleif.org/storage/id-7/f.zip"}
    )
    httpserver.expect_request("/storage/id-7/f.zip").respond_with_handler(moved)
    assert fetch(httpserver.url_for("").rstrip("/"), landing) == SHA256
    paths = [request.path for request, _ in httpserver.log]
    assert paths == ["/storage/f.zip", "/storage/id-7/f.zip"] * 2


def test_one_download_at_a_time(landing: Landing) -> None:
    running: list[int] = []
    most: list[int] = []

    def slow(connection: socket.socket, request: str) -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.1)
        running.pop()
        rest(connection, request)

    with (
        scripted(slow) as server,
        PoliteSession(CARD, lambda: NOW, base_url=server.url, manners=QUICK) as session,
    ):
        threads = [threading.Thread(target=session.download, args=(FILE, landing)) for _ in "123"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 3
    assert max(most) == 1
