"""The API key reaches the publisher, and nothing else: no log, error, plan, delivery or file."""

from __future__ import annotations

import logging
import ssl
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cvr_served import FIRMS, KEY, NOON, QUICK, Served, held_after, served
from pytest_httpserver import HTTPServer

from sources import cvr as source
from sources.kit.errors import SourcenoteError
from sources.kit.secret import HIDDEN, Secret, SecretQuery
from sources.kit.session import PoliteSession

WRITTEN = (KEY, quote(KEY, safe=""), quote(KEY), "planted", "sesame")
"""The key as it is, as addresses have it, and parts of it."""
FAULTS = (
    "reset", "stall", "cut", "no_answer", "missing", "unavailable", "rate_limited", "html_200",
    "redirect_foreign", "redirect_scheme", "redirect_loop", "error_200",
)  # fmt: skip


@pytest.fixture
def cvr(tmp_path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture(autouse=True)
def loud(caplog: pytest.LogCaptureFixture) -> None:
    """Everything that is logged, whoever logs it, at the lowest level."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connection", "urllib3.connectionpool", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)


def all_of(error: BaseException | None) -> str:
    """An error and all that hangs on it, as a log or a report could show it."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(error.args), repr(vars(error))]
        texts += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def check_nowhere(cvr: Served, caplog: pytest.LogCaptureFixture, *more: str) -> None:
    logged = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    root = cvr.landing.root
    files = [path for path in root.rglob("*") if path.is_file()]
    held = [path.read_bytes().decode("latin-1") for path in files]
    texts = [*more, *logged, *map(str, files), *held, repr(cvr.session), repr(vars(cvr.session))]
    for text in texts:
        for part in WRITTEN:
            assert part not in text


def test_the_publisher_is_sent_it_every_time(cvr: Served) -> None:
    cvr.fetch()
    cvr.ask(FIRMS[0].number)
    assert len(cvr.standin.requests) > 20
    for request in cvr.standin.requests:
        _, _, given = request.path.rpartition("apiKey=")
        assert unquote_plus(given) == KEY
        assert request.path.count("apiKey") == 1
        assert KEY not in str(request.headers)


def test_it_is_nowhere_when_all_goes_well(cvr: Served, caplog) -> None:
    plan = cvr.plan()
    landed = cvr.fetch()
    cvr.register.protect(FIRMS[0].number, NOON)
    feed_plan = cvr.plan(held_after(landed))
    feed = cvr.fetch(held_after(landed))
    answer = cvr.ask(FIRMS[0].number)
    assert feed.kind == "feed"
    check_nowhere(cvr, caplog, repr((plan, landed, feed_plan, feed, answer)))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("on", ["GetAvailable", "_Navn_", "/CVR/v2"])
def test_it_is_nowhere_when_something_fails(cvr: Served, caplog, fault: str, on: str) -> None:
    cvr.standin.pace = replace(cvr.standin.pace, retry_after="600", stall_seconds=3)
    cvr.session._manners = replace(QUICK, read_timeout=0.3, attempts=2)
    landed = cvr.ask(FIRMS[0].number) if on != "/CVR/v2" else None
    cvr.standin.misbehave(fault, on=on)
    with pytest.raises(SourcenoteError) as raised:
        cvr.ask(FIRMS[0].number) if on == "/CVR/v2" else cvr.fetch()
    check_nowhere(cvr, caplog, all_of(raised.value), repr(landed))


def test_what_a_download_left_half_done_has_no_key(cvr: Served, caplog) -> None:
    cvr.session._manners = replace(QUICK, attempts=1)
    cvr.standin.misbehave("reset", on="_Navn_")
    for file in cvr.register._files:
        file.body += b"x" * 300_000  # so that some of it arrives
        file.entry["fileSizeInBytes"] = len(file.body)
    with pytest.raises(SourcenoteError):
        cvr.fetch()
    check_nowhere(cvr, caplog)


def test_nobody_is_reached_and_the_address_is_not_told(caplog) -> None:
    with _session("http://127.0.0.1:1") as session, pytest.raises(SourcenoteError) as raised:
        source.plan(session, None)
    text = all_of(raised.value) + "".join(record.getMessage() for record in caplog.records)
    assert not any(part in text for part in WRITTEN)


def test_a_wrong_key_is_not_repeated(tmp_path, caplog) -> None:
    with served(tmp_path, key="wrong-and-planted") as cvr:
        with pytest.raises(SourcenoteError) as raised:
            cvr.fetch()
        check_nowhere(cvr, caplog, all_of(raised.value))


def test_a_server_that_repeats_the_key_in_its_error_is_not_quoted(
    httpserver: HTTPServer, caplog
) -> None:
    error = {"errors": [{"title": f"The key {KEY} is over its limit ({quote(KEY, safe='')})"}]}
    httpserver.expect_request("/listing").respond_with_json(error, status=422)
    with (
        _session(httpserver.url_for("").rstrip("/")) as session,
        pytest.raises(SourcenoteError) as raised,
    ):
        session.get_json(f"{source.CARD.base_url}/listing")
    assert f"The key {HIDDEN} is over its limit ({HIDDEN})" in str(raised.value)
    assert not any(part in all_of(raised.value) for part in WRITTEN)


def _session(base_url: str) -> PoliteSession:
    return PoliteSession(
        source.CARD,
        lambda: NOON,
        base_url=base_url,
        manners=QUICK,
        secret_query={"apiKey": Secret(KEY)},
    )


def test_a_redirect_that_repeats_the_key_is_sent_it_once(httpserver: HTTPServer) -> None:
    there = f"/there?b=1&APIKEY={quote(KEY, safe='')}&c=2"
    httpserver.expect_request("/listing").respond_with_data(status=302, headers={"Location": there})
    httpserver.expect_request("/there").respond_with_json([7])
    with _session(httpserver.url_for("").rstrip("/")) as session:
        assert session.get_json(f"{source.CARD.base_url}/listing?a=1") == [7]
    asked = [request.query_string.decode() for request, _ in httpserver.log]
    key = f"apiKey={quote(KEY, safe='')}"
    assert asked == [f"a=1&{key}", f"b=1&c=2&{key}"]


@pytest.fixture
def two_hosts(tmp_path: Path) -> Iterator[tuple[HTTPServer, HTTPServer, Path]]:
    """Two https servers that one certificate vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    bundle, secret = tmp_path / "ca.pem", tmp_path / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(*form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, secret)
    with ExitStack() as stack:
        make: Callable[[], HTTPServer] = lambda: stack.enter_context(  # noqa: E731, twice the same
            HTTPServer(ssl_context=context)
        )
        yield make(), make(), bundle


def test_another_host_is_not_sent_it_even_one_of_the_publishers(two_hosts) -> None:
    one, other, bundle = two_hosts
    places = tuple(f"localhost:{server.port}" for server in (one, other))
    there = f"https://{places[1]}/there?apiKey={quote(KEY, safe='')}"
    one.expect_request("/listing").respond_with_data(status=307, headers={"Location": there})
    other.expect_request("/there").respond_with_json([7])
    card = replace(source.CARD, hosts=places)
    manners = replace(QUICK, ca_bundle=str(bundle))
    given = {"apiKey": Secret(KEY)}
    with PoliteSession(card, lambda: NOON, manners=manners, secret_query=given) as session:
        assert session.get_json(f"https://{places[0]}/listing") == [7]
    assert one.log[0][0].args["apiKey"] == KEY
    assert other.log[0][0].query_string == b""


def test_a_secret_shows_nothing() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]} {SecretQuery({'apiKey': secret})!r}"
    assert secret.reveal() == KEY


@pytest.mark.parametrize(
    ("address", "dialled"),
    [("https://h/x", "https://h/x?k=a%26b"), ("https://h/x?y=1", "https://h/x?y=1&k=a%26b")],
)
def test_where_it_stands_in_an_address(address: str, dialled: str) -> None:
    query = SecretQuery({"k": Secret("a&b")})
    assert query.added(address) == dialled
    assert query.taken_out(dialled) == address
    assert SecretQuery().added(address) == address
    assert SecretQuery().taken_out(dialled) == dialled
