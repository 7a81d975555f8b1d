"""The polite session over real sockets: who it is, how it waits, and where it refuses to go."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_httpserver import HTTPServer
from scripted_server import head, resets_after, scripted, sends, stalls_after, trickles
from werkzeug import Request, Response

from sources.gleif import CARD
from sources.kit.errors import DeliveryRefused, Refused, SourceUnavailable
from sources.kit.hosts import Hosts, shown
from sources.kit.patience import Manners
from sources.kit.session import PoliteSession

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
QUICK = Manners(rate=1000, connect_timeout=1, read_timeout=0.3, backoff=0.01, budget=20)
LISTING = "https://goldencopy.gleif.org/listing"


def session(base_url: str | None, manners: Manners = QUICK) -> PoliteSession:
    return PoliteSession(CARD, lambda: NOW, base_url=base_url, manners=manners)


def fetch(base_url: str, url: str = LISTING, manners: Manners = QUICK) -> Any:
    with session(base_url, manners) as polite:
        return polite.get_json(url)


def ok(document: object) -> bytes:
    body = json.dumps(document).encode()
    return head(len(body)) + body


def answers(*statuses: int, **headers: str) -> Callable[[Request], Response]:
    left = list(statuses)

    def answer(_: Request) -> Response:
        return Response("[7]", left.pop(0) if len(left) > 1 else left[0], headers)

    return answer


def base(server: HTTPServer) -> str:
    return server.url_for("").rstrip("/")


def test_the_publisher_sees_who_asks_and_for_which_path(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing", query_string="per_page=1").respond_with_json({"a": 1})
    manners = replace(QUICK, homepage="https://invented.example")
    assert fetch(base(httpserver), f"{LISTING}?per_page=1", manners) == {"a": 1}
    request, _ = httpserver.log[0]
    assert request.headers["User-Agent"].startswith("sourcenote/")
    assert request.headers["User-Agent"].endswith("(+https://invented.example)")


def test_head_gives_the_headers(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing", method="HEAD").respond_with_data(
        headers={"X-Gleif-Publish-Date": "2026-05-16 16:00:00"}
    )
    with session(base(httpserver)) as polite:
        assert polite.head(LISTING)["x-gleif-publish-date"] == "2026-05-16 16:00:00"


def test_the_environment_is_not_asked(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine localhost login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    httpserver.expect_request("/listing").respond_with_json([])
    fetch(base(httpserver))
    assert "Authorization" not in httpserver.log[0][0].headers


def test_no_cookie_is_kept(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing").respond_with_json([], headers={"Set-Cookie": "who=you"})
    with session(base(httpserver)) as polite:
        polite.get_json(LISTING)
        polite.get_json(LISTING)
    assert "Cookie" not in httpserver.log[1][0].headers


def test_requests_keep_the_rate(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing").respond_with_json([])
    started = time.monotonic()
    with session(base(httpserver), replace(QUICK, rate=5)) as polite:
        for _ in range(3):
            polite.get_json(LISTING)
    assert time.monotonic() - started >= 0.39


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_fault_is_retried(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/listing").respond_with_handler(answers(status, status, 200))
    assert fetch(base(httpserver)) == [7]
    assert len(httpserver.log) == 3


def test_retry_after_is_honoured(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/listing").respond_with_data(
        status=429, headers={"Retry-After": "1"}
    )
    httpserver.expect_ordered_request("/listing").respond_with_json([7])
    started = time.monotonic()
    assert fetch(base(httpserver)) == [7]
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e9", ""])
def test_an_unreadable_retry_after_is_as_none(httpserver: HTTPServer, nonsense: str) -> None:
    handler = answers(503, 200, **{"Retry-After": nonsense})
    httpserver.expect_request("/listing").respond_with_handler(handler)
    assert fetch(base(httpserver)) == [7]


def test_a_pause_longer_than_the_budget_is_not_waited_for(httpserver: HTTPServer) -> None:
    handler = answers(503, **{"Retry-After": "3600"})
    httpserver.expect_request("/listing").respond_with_handler(handler)
    with pytest.raises(SourceUnavailable) as raised:
        fetch(base(httpserver))
    assert "3600 s" in raised.value.cause
    assert len(httpserver.log) == 1


def test_how_long_a_publisher_asks_to_wait_is_told_as_it_asks(httpserver: HTTPServer) -> None:
    handler = answers(429, **{"Retry-After": "86400"})
    httpserver.expect_request("/listing").respond_with_handler(handler)
    with pytest.raises(SourceUnavailable, match="asks to wait 86400 s"):
        fetch(base(httpserver))


def test_it_gives_up_after_five_attempts(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing").respond_with_data(status=503)
    with pytest.raises(SourceUnavailable) as raised:
        fetch(base(httpserver))
    assert len(httpserver.log) == 5
    assert raised.value.cause == "it answers HTTP 503, after 5 attempts"
    assert "--file" in raised.value.cure


def test_it_gives_up_when_the_budget_is_spent() -> None:
    with scripted(stalls_after(head(10), 0.9)) as server:
        started = time.monotonic()
        with pytest.raises(SourceUnavailable):
            fetch(server.url, manners=replace(QUICK, read_timeout=5, budget=0.4))
        assert time.monotonic() - started < 0.8
        assert len(server.requests) < 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204, 304])
def test_what_waiting_will_not_mend_is_not_retried(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/listing").respond_with_data(status=status)
    with pytest.raises(SourceUnavailable, match=f"HTTP {status}"):
        fetch(base(httpserver))
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    "fault",
    [
        sends(b""),
        sends(b"HTTP/1.1 200 OK\r\nContent-Le"),
        resets_after(head(100) + b"[1,"),
        sends(head(100) + b"[1,"),
        stalls_after(head(100) + b"[1,", 0.6),
        sends(head(None, "Transfer-Encoding: chunked") + b"5\r\n[1,"),
        sends(b"this is no HTTP\r\n\r\n"),
    ],
    ids=["closed", "cut header", "reset", "short", "stall", "cut chunk", "not HTTP"],
)
def test_a_broken_answer_is_retried(fault: Any) -> None:
    with scripted(fault, sends(ok([7]))) as server:
        assert fetch(server.url) == [7]


def test_a_trickle_is_a_stall() -> None:
    started = time.monotonic()
    with scripted(trickles(head(100), b"[" + b" " * 90, 0.03), sends(ok([7]))) as server:
        assert fetch(server.url) == [7]
        assert len(server.requests) == 2
        assert time.monotonic() - started < 1.5


def test_nobody_listening_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="no connection could be made"):
        fetch(f"http://127.0.0.1:{port}")


def test_a_name_that_does_not_resolve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(SourceUnavailable, match="DNS"):
        fetch("http://nowhere.invalid")


@pytest.fixture
def secure_server(tmp_path: Path) -> Iterator[tuple[HTTPServer, Path]]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    bundle, secret = tmp_path / "ca.pem", tmp_path / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, secret)
    with HTTPServer(ssl_context=context) as server:
        yield server, bundle


def test_a_certificate_nobody_vouches_for_is_refused(
    secure_server: tuple[HTTPServer, Path],
) -> None:
    server, bundle = secure_server
    server.expect_request("/listing").respond_with_json([7])
    with pytest.raises(SourceUnavailable, match="TLS"):
        fetch(base(server), manners=replace(QUICK, attempts=1))
    assert fetch(base(server), manners=replace(QUICK, ca_bundle=str(bundle))) == [7]


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"<!DOCTYPE html><title>Maintenance</title>", "web page"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": 1, "a": 2}', "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_what_is_not_json_is_refused(httpserver: HTTPServer, body: bytes, cause: str) -> None:
    httpserver.expect_request("/listing").respond_with_data(body)
    with pytest.raises(DeliveryRefused, match=cause):
        fetch(base(httpserver))
    assert len(httpserver.log) == 1


def test_an_answer_that_cannot_be_used_is_named_by_who_gave_it(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing").respond_with_data(b"<html>")
    with pytest.raises(DeliveryRefused) as raised:
        fetch(base(httpserver))
    assert raised.value.thing == f"{base(httpserver)}/listing"


def test_where_there_is_no_key_nobody_is_sent_to_look_for_one(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing").respond_with_data(status=403)
    with pytest.raises(SourceUnavailable) as raised:
        fetch(base(httpserver))
    assert "key" not in raised.value.cure


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_answer_is_asked_for_again(httpserver: HTTPServer, body: bytes) -> None:
    httpserver.expect_request("/listing").respond_with_data(body)
    with pytest.raises(DeliveryRefused, match="its answer is empty, after 5 attempts"):
        fetch(base(httpserver))
    assert len(httpserver.log) == 5


def test_an_endless_document_is_refused(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.kit.session.LARGEST_JSON_BYTES", 1000)
    httpserver.expect_request("/listing").respond_with_data(b"[" + b"1," * 1000 + b"1]")
    with pytest.raises(DeliveryRefused, match="over 1000 bytes"):
        fetch(base(httpserver))


def redirecting(server: HTTPServer, location: str) -> str:
    server.expect_request("/listing").respond_with_data(status=302, headers={"Location": location})
    server.expect_request("/there").respond_with_json([7])
    return base(server)


@pytest.mark.parametrize("location", ["/there", "there", "https://goldencopy.gleif.org/there"])
def test_a_redirect_within_the_source_is_followed(httpserver: HTTPServer, location: str) -> None:
    assert fetch(redirecting(httpserver, location)) == [7]


@pytest.mark.parametrize(
    "location",
    [
        "http://foreign.example/there",
        "//foreign.example/there",
        "https://goldencopy.gleif.org.foreign.example/there",
        "https://goldencopy.gleif.org:8443/there",
        "https://goldencopy.gleif.org@foreign.example/there",
        "https://foreign.example\\@goldencopy.gleif.org/there",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/there",
        "http://127.0.0.1:1/there",
        "file:///etc/passwd",
        "ftp://goldencopy.gleif.org/there",
        "gopher://goldencopy.gleif.org/there",
    ],
)
def test_a_redirect_elsewhere_is_refused(httpserver: HTTPServer, location: str) -> None:
    with pytest.raises(DeliveryRefused, match="redirect"):
        fetch(redirecting(httpserver, location))
    assert len(httpserver.log) == 1


def test_the_last_of_several_hops_is_checked_too(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/one").respond_with_data(
        status=307, headers={"Location": "http://foreign.example/"}
    )
    with pytest.raises(DeliveryRefused, match=r"foreign\.example"):
        fetch(redirecting(httpserver, "/one"))


def test_redirects_in_a_circle_end(httpserver: HTTPServer) -> None:
    with pytest.raises(SourceUnavailable, match="more than 5 times"):
        fetch(redirecting(httpserver, "/listing"))
    assert len(httpserver.log) == 6


@pytest.mark.parametrize(
    "url",
    [
        "http://goldencopy.gleif.org/x",
        "https://goldencopy.gleif.org:444/x",
        "https://foreign.example/x",
        "https://me:secret@goldencopy.gleif.org/x",
        "https://goldencopy.gleif.org/a b",
        "file:///etc/passwd",
        "goldencopy.gleif.org/x",
        "",
    ],
)
def test_without_a_base_url_only_https_on_the_cards_hosts_is_dialled(url: str) -> None:
    with session(None) as polite, pytest.raises(DeliveryRefused):
        polite.get_json(url)


def test_a_redirect_without_a_base_url_keeps_to_the_card() -> None:
    hosts = Hosts("gleif", CARD.hosts, None)
    current = "https://goldencopy.gleif.org/latest.csv"
    assert hosts.redirected(current, "/f.zip") == "https://goldencopy.gleif.org/f.zip"
    assert hosts.redirected(current, "https://api.gleif.org:443/x") == "https://api.gleif.org/x"
    for location in ("http://goldencopy.gleif.org/f.zip", "https://10.0.0.1/", "//cdn.example/f"):
        with pytest.raises(DeliveryRefused):
            hosts.redirected(current, location)


def test_a_base_url_replaces_scheme_host_and_port_and_nothing_else() -> None:
    with session("http://127.0.0.1:8001/") as polite:
        assert polite.address(f"{LISTING}?a=b%20c&d") == "http://127.0.0.1:8001/listing?a=b%20c&d"
        assert polite.address("https://elsewhere.example/f") == "http://127.0.0.1:8001/f"
        assert not polite.is_publisher_host


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://h", "http://h/path", "http://u:p@h", "http://h?q"]
)
def test_a_base_url_is_a_host_and_a_port(url: str) -> None:
    with pytest.raises(Refused, match="base_url of gleif"):
        session(url)


def test_a_key_in_an_address_is_in_no_error_text(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/listing").respond_with_data(status=404)
    with pytest.raises(SourceUnavailable) as raised:
        fetch(base(httpserver), f"{LISTING}?api_key=hunter2#hunter2")
    assert "/listing" in raised.value.thing
    assert "hunter2" not in repr(raised.value)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SourceUnavailable) as unreachable:
        fetch(f"http://127.0.0.1:{port}", f"{LISTING}?api_key=hunter2")
    assert "hunter2" not in repr(unreachable.value)
    assert unreachable.value.__suppress_context__ or unreachable.value.__context__ is None
    assert shown("https://me:hunter2@goldencopy.gleif.org/x") == "an address that cannot be read"
