"""JSON:API lists: fetched page by page to the last, landed as received, read again from there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sources.kit.api_errors import titles
from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

_BETWEEN = b"\n"


@dataclass(frozen=True)
class Page:
    """One answer: its bytes (`offset` bytes into what was landed) and the document they hold."""

    body: bytes
    document: dict[str, Any]
    offset: int = 0

    @property
    def data(self) -> list[Any]:
        """The things listed on this page."""
        found: list[Any] = self.document["data"]
        return found

    def offsets(self) -> list[int]:
        """Byte offset in what was landed of each thing's id, or of what came before it."""
        found, after = [], 0
        for entry in self.data:
            key = json.dumps(entry.get("id") if isinstance(entry, dict) else None)
            place = re.compile(rb'"id"\s*:\s*' + re.escape(key.encode()))
            match = place.search(self.body, after)
            after = match.start() if match else after
            found.append(self.offset + after)
        return found

    @property
    def published_at(self) -> datetime | None:
        """GLEIF's `meta.goldenCopy.publishDate` in UTC, None where the answer states none."""
        meta = self.document.get("meta")
        copy = meta.get("goldenCopy") if isinstance(meta, dict) else None
        stated = copy.get("publishDate") if isinstance(copy, dict) else None
        if stated is None:
            return None
        try:
            moment = datetime.fromisoformat(stated)
        except (TypeError, ValueError):
            raise _unusable("its publishDate is not a date") from None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def pages(session: PoliteSession, url: str, *, most: int) -> Iterator[Page]:
    """Every page from `url` on, by `links.next` until there is none.

    Raises `DeliveryRefused` when a link leads to another host or to a page had before, when there
    is more after `most` pages, or when an answer is no list; `SourceUnavailable` as a session does.
    """
    had: set[str] = set()
    following: str | None = url
    count = 0
    while following is not None:
        address = session.address(following)
        if address in had:
            raise _unusable("its next page is one that came before: the list would never end")
        if count == most:
            raise _unusable(f"it goes on after {most} pages: the list may never end")
        had.add(address)
        count += 1
        body, document = session.get_answer(following)
        page = Page(body, _listed(document))
        yield page
        link = _next(page.document)
        following = None if link is None else session.follow(following, link)


def land(landing: Landing, found: Iterable[Page]) -> tuple[Path, str, int]:
    """Keep the answers' bytes, one after the other, a line break between."""
    with landing.partial() as partial:
        for page in found:
            partial.write(page.body + _BETWEEN)
        return partial.keep()


def landed_pages(path: Path) -> list[Page]:
    """What `land` kept, as pages; `DeliveryRefused` for anything else."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise _unusable("it is not UTF-8 text") from None
    decoder, found, at, offset = json.JSONDecoder(), [], 0, 0
    while at < len(text):
        if text[at].isspace():
            at, offset = at + 1, offset + 1
            continue
        try:
            document, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise _unusable("it is not valid JSON") from None
        body = text[at:end].encode()
        found.append(Page(body, _listed(document), offset))
        at, offset = end, offset + len(body)
    return found


def publication(found: Iterable[Page]) -> datetime | None:
    """The oldest publication that any page was taken from, None where none is stated.

    A new one can appear between two pages; what is older must not pass for newer.
    """
    return min((page.published_at for page in found if page.published_at), default=None)


def _listed(document: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is any of its types
    if not isinstance(document, dict):
        raise _unusable("it is not a JSON:API document")
    if said := titles(document):
        raise _unusable(f"it says “{said}”")
    if not isinstance(document.get("data"), list):
        raise _unusable("it has no list 'data'")
    return document


def _next(document: dict[str, Any]) -> str | None:
    links = document.get("links") or {}
    link = links.get("next") if isinstance(links, dict) else links
    if link is None or isinstance(link, str):
        return link
    raise _unusable("its link to the next page is not text")


def _unusable(cause: str) -> DeliveryRefused:
    return DeliveryRefused(
        "the API's answer", cause, "Nothing of it was loaded. Try again later, or tell GLEIF"
    )
