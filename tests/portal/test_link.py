"""What a link shows, and that a link which is not ours teaches its guesser nothing."""

from __future__ import annotations

import html
import logging
import re
import secrets
import socket
import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from warehouse import schema
from warehouse.engine import writing

UNKNOWN = "This link belongs to no letter we know"
RIGHTS = {
    "da": ("Indsigt", "Berigtigelse", "Sletning", "Begrænsning", "Indsigelse", "Fornyelse"),
    "en": ("Access", "Rectification", "Erasure", "Restriction", "Objection", "Renewal"),
}


def text_of(page: str) -> str:
    """What a reader of the page reads."""
    shown = re.sub(r"(?s)<head>.*?</head>|<[^>]+>", " ", page)
    return " ".join(html.unescape(shown).split())


def stored_notice(office: Any) -> str:
    with office.engine.connect() as connection:
        return str(connection.scalar(sa.select(schema.letter.c.notice_html)))


@pytest.mark.parametrize(
    ("language", "button", "langs"),
    [("da", "Afmeld", {"da"}), ("en", "Unsubscribe", {"en"})]
    + [(both, "Afmeld · Unsubscribe", {"da", "en"}) for both in ("da+en", "de")],
)
def test_a_link_shows_its_whole_notice_and_one_button(
    sqlite_office: Any,
    portal: Callable[..., str],
    language: str,
    button: str,
    langs: set[str],
) -> None:
    written = {"de": "en"}.get(language, language)
    token = sqlite_office.send(language=written)
    with writing(sqlite_office.engine) as connection:
        connection.execute(schema.letter.update().values(language=language))
    page = requests.get(f"{portal(sqlite_office)}/u/{token}", timeout=10).text
    assert text_of(stored_notice(sqlite_office)) in text_of(page)
    assert [text_of(each) for each in re.findall(r"(?s)<button.*?</button>", page)] == [button]
    assert re.findall("<form[^>]*>", page) == ['<form method="post">']
    assert page.count("<h1>") == 1
    for lang in langs:
        assert set(RIGHTS[lang]) <= set(re.findall("<dt>([^<]*)</dt>", page))
    assert page.startswith(f'<!doctype html>\n<html lang="{"da" if "da" in langs else "en"}">')
    for shown in ("Eksempel Register ApS", "Prøvevej 1, 2630 Taastrup", "CVR 00000000"):
        assert shown in page
    assert 'href="mailto:privatliv@example.test"' in page


def test_a_deleted_companys_link_says_so(office: Any, portal: Callable[..., str]) -> None:
    token = office.send(language="en", page=None)
    page = text_of(requests.get(f"{portal(office)}/u/{token}", timeout=10).text)
    assert "The data have been deleted" in page
    assert "The link still works" in page
    assert "Unsubscribe" in page


def test_a_portal_without_a_controller_points_at_the_letter(
    sqlite_office: Any, portal: Callable[..., str]
) -> None:
    token = sqlite_office.send(language="da", page=None)
    page = requests.get(f"{portal(sqlite_office, controller=None)}/u/{token}", timeout=10).text
    assert "Vores navn og adresse står i brevet." in page


def not_ours(token: str) -> Iterator[str]:
    """Links that somebody changed, cut, lengthened, re-spelled, or made up."""
    flipped = "B" if token[3] == "A" else "A"
    yield from (token[:at] for at in (1, 21, 22, 23, 40, 65))
    yield from (f"{token}A", f"{token}/", f"{token}=", f"%20{token}", f"{token}%00")
    yield from (f"{token}%0A", f"%0D%0A{token}", f"{token[:5]}%0A{token[5:]}")
    yield from (f"{token[:3]}{flipped}{token[4:]}", f"{token[:30]}{flipped}{token[31:]}")
    yield from (token.lower(), token[::-1], f"{token[:22]}.{'A' * 43}", "", "..", "%2e%2e%2fu")
    yield from ("A" * 511, "A" * 513, "A" * 10_000, "%ff%fe", "%E2%80%AE", "<script>", "{{7*7}}")


def test_every_link_that_is_not_ours_gets_one_and_the_same(
    office: Any, portal: Callable[..., str]
) -> None:
    url, token = portal(office), office.send()
    neutral = requests.get(f"{url}/u/nothing", timeout=10)
    assert UNKNOWN in neutral.text
    assert "<button" in neutral.text
    known = told(requests.post(f"{url}/u/{token}", timeout=10))
    for guess in not_ours(token):
        assert told(raw(url, "GET", f"/u/{guess}")) == told(neutral), guess
        assert told(raw(url, "POST", f"/u/{guess}")) == known, guess
    assert len(office.stops()) == 1
    assert office.stopped_companies() == [1]


def told(answer: requests.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that an answer tells, but the time of day."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


def raw(url: str, method: str, path: str) -> requests.Response:
    """Ask for a path as it stands: requests would tidy it."""
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request(method, url))
        prepared.url = f"{url}{path}"
        return session.send(prepared, timeout=10, allow_redirects=False)


def test_thousands_of_guesses_learn_nothing(sqlite_office: Any, portal: Callable[..., str]) -> None:
    url, token = portal(sqlite_office), sqlite_office.send()
    signs = string.ascii_letters + string.digits + "-_"
    seen = set()
    with requests.Session() as guesser:
        for number in range(2_000):
            end = "".join(secrets.choice(signs) for _ in range(43))
            start = token[:22] if number % 2 else secrets.token_urlsafe(16)
            answer = guesser.post(f"{url}/u/{start}.{end}", timeout=10)
            seen.add((answer.status_code, answer.content))
        assert len(seen) == 1
        assert sqlite_office.stops() == []
        mine = guesser.post(f"{url}/u/{token}", timeout=10)
        assert (mine.status_code, mine.content) in seen
    assert sqlite_office.stopped_companies() == [1]


ASKED = ["/", "/u", "/admin", "/healthz/", "/static/x.css", "/favicon.ico", "//u/x", "/robots.txt"]


@pytest.mark.parametrize("path", ASKED)
def test_there_is_nothing_else(sqlite_office: Any, portal: Callable[..., str], path: str) -> None:
    answer = raw(portal(sqlite_office), "GET", path)
    assert answer.status_code == 404
    assert "There is no page here." in answer.text
    assert path.strip("/") not in answer.text or path == "/"


def test_health(sqlite_office: Any, portal: Callable[..., str]) -> None:
    answer = requests.get(f"{portal(sqlite_office)}/healthz", timeout=10)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert requests.post(f"{portal(sqlite_office)}/healthz", timeout=10).status_code == 405


def test_every_answer_is_kept_to_itself(sqlite_office: Any, portal: Callable[..., str]) -> None:
    url, token = portal(sqlite_office), sqlite_office.send()
    wanted = ["GET /nothing", f"GET /u/{token}", f"HEAD /u/{token}", f"POST /u/{token}"]
    for method, path in map(str.split, [*wanted, "PUT /u/x", "GET /healthz"]):
        headers = raw(url, method, path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert re.fullmatch(r"'sha256-\S+'", policy["style-src"])
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert not {"set-cookie", "server", "location"} & set(map(str.lower, headers))


def test_no_log_and_no_output_holds_a_link_or_a_value(
    sqlite_office: Any,
    portal: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Handlers that earlier tests left write to streams that are closed, and say so loudly.
    for name in list(logging.root.manager.loggerDict):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])
    caplog.set_level(logging.CRITICAL, "urllib3")  # this test's own requests, not the portal
    caplog.set_level(logging.NOTSET)
    url, token = portal(sqlite_office), sqlite_office.send()
    for method in ("GET", "HEAD", "POST", "PUT"):
        raw(url, method, f"/u/{token}")
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as broken:
        broken.sendall(f"GET /u/{token} HTTP/1.1\r\nHost: x\r\n: bad header\r\n\r\n".encode())
        broken.recv(1000)
    with writing(sqlite_office.engine) as connection:
        connection.execute(sa.text("ALTER TABLE letter RENAME TO gone"))
    assert raw(url, "GET", f"/u/{token}").status_code == 503
    assert raw(url, "POST", f"/u/{token}").status_code == 503
    monkeypatch.setattr("portal.app.verify_token", lambda token, keys: 1 / len(()))
    assert raw(url, "POST", f"/u/{token}").status_code == 500
    said = caplog.text + "".join(capfd.readouterr())
    assert "warehouse_unavailable error=OperationalError" in said
    assert "request_failed error=ZeroDivisionError" in said
    for secret in (token, token[:22], "Nordlys", "Traceback"):
        assert secret not in said
