"""A posted link puts its company on the do-not-contact list, once; nothing else does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from warehouse import schema
from warehouse.engine import open_warehouse, reading, writing
from warehouse.privacy.chain import first_break

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def told(answer: requests.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that an answer tells, but the time of day."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


def test_a_posted_link_stops_its_company(office: Any, portal: Callable[..., str]) -> None:
    token, other = office.send(), office.send()
    url = portal(office)
    answer = requests.post(f"{url}/u/{token}", data=ONE_CLICK, timeout=10)
    assert answer.status_code == 200
    (stop,) = office.stops()
    assert (stop["scope"], stop["kind"], stop["origin"]) == ("company", "lei", "link")
    assert (stop["key_version"], stop["subject_hash"]) == (1, office.hash(1))
    assert office.stopped_companies() == [1]
    assert office.events()[-1]["action"] == "suppress"
    assert other not in answer.text
    assert token not in answer.text


def test_a_second_post_changes_nothing_and_answers_alike(
    office: Any, portal: Callable[..., str]
) -> None:
    token = office.send()
    url = portal(office)
    first = requests.post(f"{url}/u/{token}", data=ONE_CLICK, timeout=10)
    stops = office.stops()
    assert told(requests.post(f"{url}/u/{token}", data=ONE_CLICK, timeout=10)) == told(first)
    assert office.stops() == stops
    assert office.stopped_companies() == [1]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_method_stops(sqlite_office: Any, portal: Callable[..., str], method: str) -> None:
    token = sqlite_office.send()
    url = portal(sqlite_office)
    scanner = {"Accept": "*/*", "Purpose": "prefetch", "X-HTTP-Method-Override": "POST"}
    for query in ("", "?_method=POST&List-Unsubscribe=One-Click"):
        answer = requests.request(
            method, f"{url}/u/{token}{query}", headers=scanner, data=ONE_CLICK, timeout=10
        )
        assert answer.status_code == (200 if method in {"GET", "HEAD"} else 405)
    assert sqlite_office.stops() == []
    assert sqlite_office.stopped_companies() == []
    assert sqlite_office.events() == []


BODIES = [
    {},
    {"data": ONE_CLICK},
    {"data": b"\xff\x00 not a form"},
    {"files": {"List-Unsubscribe": (None, "One-Click")}},
    {"data": "&".join("language=da" for _ in range(99))},
    {"data": iter([b"List-Unsubscribe=", b"One-Click"])},
    {"headers": {"Accept": "application/json", "Content-Type": "text/html"}},
    {"headers": {"Cookie": "session=1", "Origin": "https://mail.example"}},
]


@pytest.mark.parametrize("request_parts", BODIES, ids=range(len(BODIES)))
def test_any_body_or_none_stops_without_cookie_or_redirect(
    sqlite_office: Any, portal: Callable[..., str], request_parts: dict[str, Any]
) -> None:
    token = sqlite_office.send()
    url = portal(sqlite_office)
    answer = requests.post(f"{url}/u/{token}", timeout=10, allow_redirects=False, **request_parts)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert sqlite_office.stopped_companies() == [1]


def test_a_huge_body_is_refused_and_stops_nothing(
    sqlite_office: Any, portal: Callable[..., str]
) -> None:
    token = sqlite_office.send()
    url = portal(sqlite_office)
    for body in (b"a" * 70_000, iter([b"a" * 40_000, b"a" * 40_000])):
        assert requests.post(f"{url}/u/{token}", data=body, timeout=10).status_code == 413
    fits = b"a" * 65_536
    assert sqlite_office.stops() == []
    assert requests.post(f"{url}/u/{token}", data=fits, timeout=10).status_code == 200
    assert sqlite_office.stopped_companies() == [1]


def test_letters_of_an_older_key_still_stop(office: Any, portal: Callable[..., str]) -> None:
    old, new = office.send(keys=(b"o" * 32,)), office.send(keys=(b"o" * 32, b"n" * 32))
    lost = office.send(keys=(b"never ours".ljust(32),))
    url = portal(office)
    for token in (old, new, lost):
        assert requests.post(f"{url}/u/{token}", timeout=10).status_code == 200
    assert office.stopped_companies() == [1, 2]


def test_a_link_works_after_the_company_is_deleted(office: Any, portal: Callable[..., str]) -> None:
    token = office.send(page=None)
    url = portal(office)
    assert requests.post(f"{url}/u/{token}", timeout=10).status_code == 200
    (stop,) = office.stops()
    assert stop["subject_hash"] == office.hash(1)
    assert office.stopped_companies() == []


def test_many_at_once_on_one_link_are_one_stop(office: Any, portal: Callable[..., str]) -> None:
    token = office.send()
    url = portal(office)
    with ThreadPoolExecutor(16) as visitors:
        answers = list(
            visitors.map(lambda _: requests.post(f"{url}/u/{token}", timeout=30), range(48))
        )
    assert {told(answer)[:2] for answer in answers} == {(200, answers[0].content)}
    assert len(office.stops()) == 1
    assert office.stopped_companies() == [1]


def test_two_portals_at_once_lose_no_stop(office: Any, portal: Callable[..., str]) -> None:
    """Both write the same stops and the one audit chain: who loses a race tries again."""
    urls = [portal(office), portal(office)]
    tokens = [office.send(page="<p>kort</p>") for _ in range(12)]
    links = [f"{url}/u/{token}" for token in tokens for url in urls * 2]
    with ThreadPoolExecutor(12) as visitors:
        answers = visitors.map(lambda link: requests.post(link, timeout=30).status_code, links)
        assert list(answers) == [200] * 48
    assert len(office.stops()) == 12
    assert office.stopped_companies() == list(range(1, 13))
    with reading(office.engine) as connection:
        assert first_break(connection, schema.audit_event) is None


def test_a_busy_warehouse_is_503_and_never_200(office: Any, portal: Callable[..., str]) -> None:
    token = office.send()
    url = portal(office, patience=0.3)
    with holding(office.engine):
        links = [f"{url}/u/{asked}" for asked in (token, f"{token}A")]
        answers = [requests.post(link, timeout=10) for link in links]
        assert office.stops() == []
        assert requests.get(f"{url}/u/{token}", timeout=10).status_code == 200
    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert "again in a minute" in answer.text
    assert told(answers[0]) == told(answers[1])
    until_free(url, token)
    assert office.stopped_companies() == [1]


def until_free(url: str, token: str) -> None:
    """Post until the writer has ended what it was waiting for."""
    for _ in range(100):
        if requests.post(f"{url}/u/{token}", timeout=10).status_code == 200:
            return
    pytest.fail("the portal never came back")


class holding:  # noqa: N801 (reads as the sentence it stands in)
    """Another process's long write transaction."""

    def __init__(self, engine: Any) -> None:
        self.engine = open_warehouse(engine.url.render_as_string(hide_password=False))
        self.is_free, self.is_held = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.hold)

    def hold(self) -> None:
        with writing(self.engine) as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(sa.text("LOCK TABLE suppression, letter IN EXCLUSIVE MODE"))
            self.is_held.set()
            self.is_free.wait(30)

    def __enter__(self) -> None:
        self.thread.start()
        assert self.is_held.wait(10)

    def __exit__(self, *_: object) -> None:
        self.is_free.set()
        self.thread.join()
        self.engine.dispose()


def test_an_unreachable_warehouse_is_503(tmp_path: Any, portal: Callable[..., str]) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'empty.db'}")  # without any table
    try:
        office = type("Office", (), {"engine": engine})
        url = portal(office)
        for ask in (requests.get, requests.post):
            answer = ask(f"{url}/u/{'A' * 22}.{'B' * 43}", timeout=10)
            assert answer.status_code == 503
            assert "letter" not in answer.text.lower()
    finally:
        engine.dispose()
