"""A local stand-in for Finland's PRH YTJ open data, version 3: pages, bulk zip, a shared limit."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sources.kit import sample_prh
from sources.kit.sample_firm import Firm
from sources.kit.standin_api import Reply
from sources.kit.standin_register import Asked, file_reply, in_json, morning

ROOT = "/opendata-ytj-api/v3"
PER_PAGE = 100
PER_MINUTE = 300
"""Requests a minute, of all users together."""
_NUMBER = re.compile(r"\d{7}-\d")


class Prh:
    """The register: companies, the bulk file as it was built, and what is left of the minute.

    No clock runs here: `others_took` uses up the minute's requests, `minute_passes` renews them.
    Without `is_dated` the bulk file has neither Last-Modified nor ETag.
    """

    paths: tuple[str, ...] = (f"{ROOT}/",)

    def __init__(self, firms: Iterable[Firm], as_of: date) -> None:
        self.left = PER_MINUTE
        self.retry_after: str | None = None
        self.is_dated = True
        self.firms = {firm.number: firm for firm in firms}
        self.modified = dict.fromkeys(self.firms, as_of)
        self._lock = threading.RLock()
        self.publish(morning(as_of))

    def publish(self, built: datetime, *, share: float = 1.0) -> None:
        """Build the bulk file of what is held now; `share` below 1 leaves the last ones out."""
        with self._lock:
            listed = self._companies()
            self.archive = sample_prh.archive(listed[: round(len(listed) * share)], built.date())
            self.built = built

    def change(self, number: str, day: date, **fields: Any) -> None:  # noqa: ANN401 (fields of a Firm)
        """Change an entry; its `lastModified` is that day."""
        with self._lock:
            self.firms[number] = replace(self.firms[number], **fields)
            self.modified[number] = day

    def drop(self, *numbers: str) -> None:
        """Take entries out of the register; nothing tells of it."""
        with self._lock:
            for number in numbers:
                del self.firms[number]

    def others_took(self, requests: int = PER_MINUTE) -> None:
        """Other users' requests in this minute."""
        with self._lock:
            self.left = max(self.left - requests, 0)

    def minute_passes(self) -> None:
        """A new minute: everybody's requests are there again."""
        with self._lock:
            self.left = PER_MINUTE

    def _companies(self) -> list[dict[str, Any]]:
        return [
            sample_prh.company(firm, self.modified[number]) for number, firm in self.firms.items()
        ]

    def answer(self, asked: Asked) -> Reply:
        """The reply to a GET or HEAD."""
        with self._lock:
            if not self.left:
                after = {"Retry-After": self.retry_after} if self.retry_after else {}
                refused = _error(429, "Too many requests")
                return Reply(429, refused.body, {**refused.headers, **after})
            self.left -= 1
            if asked.path == f"{ROOT}/all_companies":
                return self._bulk(asked)
            return self._page(asked) if asked.path == f"{ROOT}/companies" else Reply(404, b"")

    def _bulk(self, asked: Asked) -> Reply:
        if self.is_dated:
            return file_reply(asked, self.archive, self.built, "application/zip")
        return Reply(200, self.archive, {"Content-Type": "application/zip"})

    def error_200(self) -> Reply:
        """Status 200 with the form that an error has."""
        return in_json(200, _said(500, "Internal server error"))

    def _page(self, asked: Asked) -> Reply:
        number, page = asked.query.get("businessid"), asked.number("page", 1)
        if number and not _NUMBER.fullmatch(number):
            return _error(400, "Invalid businessId")
        if not page:
            return _error(400, "Invalid page")
        start = asked.query.get("registrationdatestart", "")
        end = asked.query.get("registrationdateend") or "9999"
        found = [
            company
            for company in self._companies()
            if number in (None, "", company["businessId"]["value"])
            and start <= company["registrationDate"] <= end
        ]
        shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        return in_json(200, sample_prh.page(shown, len(found)))


def _said(code: int, message: str) -> dict[str, Any]:
    return {"timestamp": "2026-11-02T04:00:00.000Z", "message": message, "errorcode": code}


def _error(status: int, message: str) -> Reply:
    return in_json(status, _said(status, message))
