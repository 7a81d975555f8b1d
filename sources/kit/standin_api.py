"""A local stand-in for GLEIF's REST API, for the demo and the tests; it can misbehave.

It answers with the records of a level 1 CSV, written as the API writes them: moments in UTC,
address lines as a list, no empty texts. `Api` is the API without a socket, `ApiStandIn` serves it
on 127.0.0.1.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from sources.kit import standin_api_records
from sources.kit.code_words import built_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

ROOT = "/api/v1"
HOST = "https://api.gleif.org"
FAULTS = {
    "bad_request": "HTTP 400 with a JSON:API error",
    "missing": "HTTP 404 with a JSON:API error",
    "rate_limited": "HTTP 429 with Retry-After",
    "rate_limited_bare": "HTTP 429 without Retry-After",
    "server_error": "HTTP 500 without a body",
    "not_json": "HTTP 200 with a web page",
    "not_a_list": "HTTP 200 with a document that lists nothing",
    "errors_200": "HTTP 200 with a JSON:API error",
    "endless": "every page has a next one, each at a new cursor",
    "loop": "the next page is this page",
    "foreign": "the next page is on another host",
    "unfiltered": "the filter is ignored",
    "undated": "the answer states no publication",
    "renamed": "a name that every record had is missing",
}
_REFUSALS = {
    "bad_request": (400, "Invalid filter"),
    "missing": (404, "Not found"),
    "rate_limited": (429, "Too many requests"),
    "rate_limited_bare": (429, "Too many requests"),
    "server_error": (500, ""),
}


@dataclass(frozen=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """The API over what it is given: level 1 rows as published, legal forms, authorities.

    `most_per_page` caps the page size asked for. Legal forms and authorities are the `attributes`
    that the API gives them.
    """

    def __init__(
        self,
        published_at: datetime,
        rows: Iterable[standin_api_records.Row] = (),
        *,
        forms: Iterable[dict[str, Any]] = (),
        authorities: Iterable[dict[str, Any]] = (),
        most_per_page: int = 200,
        retry_after: str = "1",
    ) -> None:
        self.published_at = published_at
        self.rows = {row["LEI"]: row for row in rows}
        self.lists = {
            "entity-legal-forms": list(forms),
            "registration-authorities": list(authorities),
        }
        self.most_per_page = most_per_page
        self.retry_after = retry_after
        self.requests: list[str] = []
        self._faults: list[list[Any]] = []
        self._lock = threading.Lock()

    @classmethod
    def of_csv(cls, content: bytes, published_at: datetime, **options: Any) -> Api:  # noqa: ANN401 (the constructor's)
        """The API over a level 1 CSV."""
        text = io.StringIO(content.decode("utf-8-sig", "replace"), newline="")
        return cls(published_at, csv.DictReader(text), **options)

    @classmethod
    def beside(cls, published_at: datetime, content: bytes | Path) -> Api:
        """The API over the words that ship, and over the level 1 rows where they are at hand."""
        shipped = built_in().codes
        lists: dict[str, Any] = {
            "forms": [standin_api_records.form(one) for one in shipped.forms],
            "authorities": [standin_api_records.authority(one) for one in shipped.authorities],
        }
        if isinstance(content, bytes):
            return cls.of_csv(content, published_at, **lists)
        return cls(published_at, **lists)

    def misbehave(self, fault: str, *, times: int | None = None) -> None:
        """From now on, or for `times` requests, misbehave as `FAULTS` says."""
        if fault not in FAULTS:
            message = f"no fault is called {fault}"
            raise ValueError(message)
        with self._lock:
            self._faults.append([fault, times])

    def behave(self) -> None:
        """Answer as it should again."""
        with self._lock:
            self._faults.clear()

    def answer(self, path: str) -> Reply:
        """The reply to GET `path` (with its query)."""
        with self._lock:
            self.requests.append(path)
            fault = self._fault()
        if fault in _REFUSALS:
            return self._refusal(fault)
        if fault == "not_json":
            return Reply(
                200, b"<html><body>Maintenance</body></html>", {"Content-Type": "text/html"}
            )
        if fault in {"not_a_list", "errors_200"}:
            said: dict[str, Any] = {"errors": [{"title": "Try later"}]} if fault[0] == "e" else {}
            return _json(200, said)
        address = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        name = address.path.removeprefix(f"{ROOT}/")
        if name != "lei-records" and name not in self.lists:
            return _json(404, {"errors": [{"title": "Not found"}]})
        return _json(200, self._page(name, query, fault))

    def _fault(self) -> str | None:
        for slot in self._faults:
            if slot[1] != 0:
                slot[1] = None if slot[1] is None else slot[1] - 1
                return str(slot[0])
        return None

    def _refusal(self, fault: str) -> Reply:
        status, title = _REFUSALS[fault]
        reply = _json(status, {"errors": [{"title": title}]}) if title else Reply(status, b"")
        if fault == "rate_limited":
            return Reply(status, reply.body, {**reply.headers, "Retry-After": self.retry_after})
        return reply

    def _page(self, name: str, query: dict[str, str], fault: str | None) -> dict[str, Any]:
        listed = self._listed(name, query, is_filtered=fault != "unfiltered")
        size = min(int(query.get("page[size]", 15)), self.most_per_page)
        start = int(query["page[cursor]"]) if query.get("page[cursor]", "*") != "*" else 0
        shown, rest = listed[start : start + size], listed[start + size :]
        following = self._next(name, query, start, size, fault) if rest or fault else None
        if fault == "renamed":
            for entry in shown:
                del entry["attributes"]["entity"]["legalForm"]
        meta: dict[str, Any] = {"pagination": {"perPage": size, "total": len(listed)}}
        if fault != "undated":
            meta["goldenCopy"] = {"publishDate": f"{self.published_at:%Y-%m-%dT%H:%M:%SZ}"}
        return {"meta": meta, "links": {"next": following}, "data": shown}

    def _listed(
        self, name: str, query: dict[str, str], *, is_filtered: bool
    ) -> list[dict[str, Any]]:
        if name != "lei-records":
            return [
                {"type": name, "id": item["code"], "attributes": item} for item in self.lists[name]
            ]
        wanted = query.get("filter[lei]", "").split(",") if is_filtered else list(self.rows)
        return [standin_api_records.record(self.rows[lei]) for lei in wanted if lei in self.rows]

    @staticmethod
    def _next(
        name: str, query: dict[str, str], start: int, size: int, fault: str | None
    ) -> str | None:
        """Where the rest is; a fault's link where there is one."""
        if fault not in {None, "endless", "loop", "foreign"}:
            return None
        cursor = query.get("page[cursor]", "*") if fault == "loop" else str(start + size)
        asked = {**query, "page[cursor]": cursor}
        listed = "&".join(f"{quote(key)}={quote(value, safe='*')}" for key, value in asked.items())
        host = "https://elsewhere.example" if fault == "foreign" else HOST
        return f"{host}{ROOT}/{name}?{listed}"


class ApiStandIn:
    """The API on a local port, for use in a `with` block."""

    def __init__(self, api: Api, *, port: int = 0) -> None:
        self.api, self._port = api, port

    def __enter__(self) -> Self:
        """Listen."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self.api.answer))
        serve = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`, what `--base-url` takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"


def _handler(answer: Callable[[str], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the base class's name
            """Say nothing: requests are remembered, not printed."""

        def do_GET(self) -> None:
            """Answer."""
            reply = answer(self.path)
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

    return Handler


def _json(status: int, document: dict[str, Any]) -> Reply:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/vnd.api+json"})
