"""The stand-in's side of the wire: routes, ranges, and the faults of transport."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from sources.kit import standin_api, standin_faults

if TYPE_CHECKING:
    from sources.kit.standin import StandIn
    from sources.kit.standin_faults import Target
    from sources.kit.standin_publish import Held

_API = "/api/v2/golden-copies/publishes"
_LEVELS = ("lei2", "rr", "repex")
_LISTINGS = {_API, f"{_API}/latest", *(f"{_API}/{level}/latest" for level in _LEVELS)}
_FILE_LINK = re.compile(rf"{_API}/(lei2|rr|repex)/(latest|\d{{8}}-\d{{4}})\.csv")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_CHUNK = 64 * 1024
_PER_PAGE = 15
"""Publishes a listing holds when no number is asked for."""
_STATUS = {
    "rate_limited": 429,
    "rate_limited_bare": 429,
    "server_error": 500,
    "unavailable": 503,
    "missing": 404,
}
_FOREIGN = "/foreign"


@dataclass(frozen=True)
class Request:
    """A request as received: `path` with its query, `headers` by lower-case name."""

    method: str
    path: str
    headers: Mapping[str, str]


class Handler(BaseHTTPRequestHandler):
    """One connection; `standin` is set by `handler`."""

    standin: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the base class's name
        """Say nothing: requests are remembered, not printed."""

    def do_HEAD(self) -> None:
        """Answer the head of what GET would answer."""
        self._answer()

    def do_GET(self) -> None:
        """Answer a request, or misbehave."""
        self._answer()

    def _answer(self) -> None:
        self.standin.received(_request(self))
        address = urlsplit(self.path)
        if self.standin.api and address.path.startswith(f"{standin_api.ROOT}/"):
            reply = self.standin.api.answer(self.path)
            self._send(reply.status, reply.body, dict(reply.headers))
            return
        path = address.path.removeprefix(_FOREIGN)
        fault = self.standin.take(self._target(path))
        try:
            if fault in standin_faults.TRANSPORT and self._refuse(fault):
                return
            self._route(path, parse_qs(address.query), fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _target(self, path: str) -> Target:
        if self.command == "HEAD":
            return "head"
        if path in _LISTINGS:
            return "listing"
        return "redirect" if path.startswith(_API) else "file"

    def _refuse(self, fault: str) -> bool:
        """Faults that need no body; returns whether the request is done with."""
        if fault in _STATUS:
            after = self.standin.pace.retry_after if fault == "rate_limited" else None
            self._send(_STATUS[fault], b"", {"Retry-After": after} if after else {})
        elif fault.startswith("redirect_"):
            foreign = f"http://localhost:{self.standin.port}{_FOREIGN}{self.path}"
            to = {"redirect_foreign": foreign, "redirect_scheme": f"ftp://127.0.0.1{self.path}"}
            self._send(302, b"", {"Location": to.get(fault, self.path)})
        elif fault == "no_answer":
            self.standin.closing.wait(self.standin.pace.stall_seconds)
            self.close_connection = True
        else:
            return False
        return True

    def _route(self, path: str, query: dict[str, list[str]], fault: str | None) -> None:
        link = _FILE_LINK.fullmatch(path)
        if path in _LISTINGS:
            self._listing(path, query, fault)
        elif link:
            stamp = None if link[2] == "latest" else link[2]
            self._link(self.standin.find(link[1], stamp, query.get("delta", [None])[0]))
        else:
            self._file(self.standin.at(path), fault)

    def _listing(self, path: str, query: dict[str, list[str]], fault: str | None) -> None:
        if fault == "listing_not_json":
            self._send(200, standin_faults.HTML, {"Content-Type": "text/html"})
            return
        asked = query.get("per_page", [""])[0]
        listed = self.standin.listing(fault, int(asked) if asked.isdecimal() else _PER_PAGE)
        newest = listed[0] if listed else {}
        shown: dict[str, Any] = {_API: listed, f"{_API}/latest": newest}
        shown |= {f"{_API}/{level}/latest": newest.get(level) for level in _LEVELS}
        body = json.dumps({"data": shown[path]}).encode()
        self._send(200, body, {"Content-Type": "application/json"}, fault)

    def _link(self, held: Held | None) -> None:
        if held is None:
            self._send(404, b"")
        else:
            # Relative, so that a client without a rewritten host stays here as well.
            self._send(302, b"", {"Location": held.url_path, **_dated(held)})

    def _file(self, held: Held | None, fault: str | None) -> None:
        if held is None:
            self._send(404, b"")
            return
        kind = "text/html" if fault == "html_200" else "application/zip"
        sent = {"Content-Type": kind, **_dated(held)}
        if fault in standin_faults.CONTENT:
            body = standin_faults.spoiled(fault, held.path.read_bytes(), held.member)
            self._send_part(io.BytesIO(body), len(body), sent, fault)
            return
        with held.path.open("rb") as stream:
            self._send_part(stream, held.size, sent, fault)

    def _send_part(
        self, stream: IO[bytes], total: int, headers: dict[str, str], fault: str | None
    ) -> None:
        """Send all of `stream`, or the range that was asked for (RFC 9110, 14.2)."""
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None or not self.standin.honours_range:
            self._send_body(200, stream, total, headers, fault)
            return
        start, stop = int(asked[1]), min(int(asked[2] or total), total - 1)
        if start >= total:
            self._send(416, b"", {"Content-Range": f"bytes */{total}"})
            return
        stream.seek(start)
        sent = {**headers, "Content-Range": f"bytes {start}-{stop}/{total}"}
        self._send_body(206, stream, stop - start + 1, sent, fault)

    def _send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        fault: str | None = None,
    ) -> None:
        self._send_body(status, io.BytesIO(body), len(body), headers or {}, fault)

    def _send_body(
        self,
        status: int,
        stream: IO[bytes],
        length: int,
        headers: Mapping[str, str],
        fault: str | None,
    ) -> None:
        """Send `length` bytes of `stream`, whole or as the transport fault has it."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        pace = self.standin.pace
        is_broken = fault in {"stall", "reset", "cut"}
        left = length // 2 if is_broken else length
        size = pace.trickle_bytes if fault == "trickle" else _CHUNK
        while left > 0 and (chunk := stream.read(min(size, left))):
            self.wfile.write(chunk)
            left -= len(chunk)
            if fault == "trickle":
                self.standin.closing.wait(pace.trickle_pause)
        if is_broken:
            self._break_off(fault)

    def _break_off(self, fault: str | None) -> None:
        self.close_connection = True
        if fault == "stall":
            self.standin.closing.wait(self.standin.pace.stall_seconds)
        elif fault == "reset":
            # Let the half arrive, then close without lingering: the peer gets RST, not FIN.
            self.standin.closing.wait(0.05)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())


def _dated(held: Held) -> dict[str, str]:
    return {"x-gleif-publish-date": held.published_at.isoformat(timespec="seconds")}


def _request(handler: Handler) -> Request:
    headers = {name.lower(): value for name, value in handler.headers.items()}
    return Request(handler.command, handler.path, headers)


def handler(standin: StandIn) -> type[Handler]:
    """A handler class bound to one stand-in."""
    return type("BoundHandler", (Handler,), {"standin": standin})
