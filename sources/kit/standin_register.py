"""What the registers' stand-ins share: the request they are asked, and answers with conditions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime
from typing import Protocol, Self
from urllib.parse import parse_qs, urlsplit

from sources.kit.standin_api import Reply


@dataclass(frozen=True)
class Asked:
    """A request as a register sees it: query names in lower case, the last value of each."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, path: str, headers: Mapping[str, str], body: bytes) -> Self:
        """From a request line's path with its query, and headers by lower-case name."""
        address = urlsplit(path)
        found = parse_qs(address.query, keep_blank_values=True)
        query = {name.lower(): values[-1] for name, values in found.items()}
        return cls(address.path, query, headers, body)

    def number(self, name: str, usual: int) -> int | None:
        """A whole number of the query; None where it is none."""
        text = self.query.get(name, str(usual))
        return int(text) if text.isdecimal() else None


class Register(Protocol):
    """A register without a socket."""

    paths: tuple[str, ...]
    """How the paths that it answers begin."""

    def answer(self, asked: Asked) -> Reply:
        """The reply to a request, the register being as it is now."""

    def error_200(self) -> Reply:
        """Status 200 with an error inside."""


def morning(day: date, hour: int = 4) -> datetime:
    """A moment of a day, UTC: when registers build what they publish."""
    return datetime.combine(day, time(hour), UTC)


def in_json(status: int, document: object, kind: str = "application/json") -> Reply:
    """A JSON answer, in UTF-8."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": kind})


def file_reply(asked: Asked, body: bytes, built: datetime, kind: str, **extra: str) -> Reply:
    """A published file with ETag and Last-Modified; 304 without a body for who holds it already.

    If-None-Match decides where it is sent, else If-Modified-Since (RFC 9110, 13.2.2).
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    dates = {"ETag": etag, "Last-Modified": format_datetime(built.replace(microsecond=0), True)}  # noqa: FBT003, usegmt
    if _is_held(asked, etag, built):
        return Reply(304, b"", dates)
    return Reply(200, body, {"Content-Type": kind, **dates, **extra})


def _is_held(asked: Asked, etag: str, built: datetime) -> bool:
    tags = asked.headers.get("if-none-match")
    if tags is not None:
        return etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    since = asked.headers.get("if-modified-since")
    return since is not None and parsedate_to_datetime(since) >= built.replace(microsecond=0)
