"""What to fetch of Enhetsregisteret now: nothing, what its change feed tells, or the bulk file.

The rule stands in docs/sources/brreg.md, "What is fetched".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sources.brreg_feed import tells_more, url_at
from sources.brreg_files import BULK_URL, moment_stated
from sources.brreg_pages import FEED_URL, is_number, total_of
from sources.brreg_place import before_bulk, place_of
from sources.kit.card import Plan
from sources.kit.errors import DeliveryRefused, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sources.brreg_place import Place
    from sources.kit.card import Held, PlanKind
    from sources.kit.session import PoliteSession

LONGEST_GAP = timedelta(days=30)
"""The register tells some 3,000 changes a day. A month of them is a hundred thousand look-ups,
those of deleted entities one by one, at five a second: the bulk file is the shorter way."""
MOST_NEWS = 100_000
"""As many events as such a month has, however short the gap."""
LONGEST_SILENCE = timedelta(days=7)
"""A register of a million entities changes daily: a feed that tells nothing while bulk files are
built does not know our place."""
_REFUSALS = (400, 404, 410)
_GLANCE = 100
"""Events that are asked for to see whether there are new ones."""


@dataclass(frozen=True)
class _Standing:
    """What is held, and which bulk file is published: `built` then (UTC), `size` bytes long."""

    source_id: str
    place: Place | None
    held_at: datetime | None
    keys: tuple[str, ...]
    built: datetime | None
    size: int | None
    was_refused: bool

    @property
    def ahead(self) -> timedelta:
        """How much later than what is applied the bulk file was built; zero where not known.

        Zero too of a file that was fetched before and refused: the feed may well go on.
        """
        if self.built is None or self.place is None or self.was_refused:
            return timedelta(0)
        return self.built - self.place.applied_to

    @property
    def is_behind(self) -> bool:
        """Whether the bulk file is older than what is applied."""
        return self.ahead < timedelta(0)

    def astray(self) -> _Standing:
        """The same where the feed does not know our place: it is read by date instead, if it may.

        A date that it does not take either is given up.
        """
        if self.place is None or self.place.event_id is None:
            return replace(self, place=None)
        return replace(self, place=replace(self.place, event_id=None))

    def plan(self, kind: PlanKind, reason: str) -> Plan:
        """The plan of that kind."""
        is_full = kind == "full"
        return Plan(
            source_id=self.source_id,
            kind=kind,
            url=BULK_URL if is_full else FEED_URL,
            published_at=self.built if is_full else None,
            size=self.size if is_full else None,
            record_count=None,
            window=None,
            reason=reason,
            held_at=self.held_at,
            position=self.place.text if self.place else None,
            keys=self.keys if kind == "feed" else (),
        )


def plan(
    session: PoliteSession, source_id: str, held: Held | None, *, is_full_wanted: bool = False
) -> Plan:
    """Plan what to fetch now, from the bulk file's headers and the feed's first events.

    A bulk file older than what is applied is never planned: it would bring back what has changed
    or was removed since. Raises `SourceUnavailable` when the feed does not take our place, and no
    newer bulk file is there.
    """
    found = _standing(session, source_id, held)
    if found.place is None:
        why = "a full file was asked for" if is_full_wanted else "nothing is held yet"
        return found.plan("full", why)
    if is_full_wanted and not found.is_behind:
        return found.plan("full", "a full file was asked for")
    if found.ahead > LONGEST_GAP and not found.place.in_bulk:
        why = f"the bulk file is {found.ahead.days} days newer than what is applied"
        return found.plan("full", f"{why}: it is the shorter way")
    return _by_feed(session, found, found.place, is_full_wanted=is_full_wanted)


def _standing(session: PoliteSession, source_id: str, held: Held | None) -> _Standing:
    headers = _headers(session)
    length, built = headers.get("Content-Length", ""), moment_stated(headers.get("Last-Modified"))
    path = urlsplit(BULK_URL).path
    return _Standing(
        source_id=source_id,
        place=_place(held),
        held_at=held.published_at if held else None,
        keys=tuple(key for key in dict.fromkeys(held.missing if held else ()) if is_number(key)),
        built=built,
        size=int(length) if length.isascii() and length.isdigit() else None,
        was_refused=any(
            at == built and url.endswith(path) for at, url in (held.refused if held else ())
        ),
    )


def _headers(session: PoliteSession) -> Mapping[str, str]:
    """The bulk file's headers; none where it does not answer, because a feed needs none."""
    try:
        return session.head(BULK_URL, is_glance=True)
    except (SourceUnavailable, DeliveryRefused):
        return {}


def _place(held: Held | None) -> Place | None:
    """Where the feed is read on: as kept, else before the newest bulk file, if one was loaded."""
    if held is None:
        return None
    known = place_of(held.position)
    if known is None and held.full_published_at is not None:
        return before_bulk(held.full_published_at)
    return known


def _by_feed(
    session: PoliteSession, found: _Standing, place: Place, *, is_full_wanted: bool
) -> Plan:
    """Plan by what the feed tells from our place on; its first events say whether there is any."""
    status, _, document = session.ask(url_at(place, _GLANCE), also=_REFUSALS)
    if status in _REFUSALS:
        return _without_feed(found, status)
    news = tells_more(document, place, _GLANCE)
    count = max(total_of(document) or 0, 1) if news else 0
    is_newer = found.ahead > timedelta(0) and not place.in_bulk
    if count > MOST_NEWS and is_newer:
        return found.plan("full", f"the feed tells {count:,} changes: the bulk file is shorter")
    if not news and found.ahead > LONGEST_SILENCE and not found.keys:
        why = f"the feed tells nothing, and the bulk file is {found.ahead.days} days newer"
        return found.astray().plan("full", why)
    before = _behind(found) if is_full_wanted else ""
    if not news and not found.keys:
        return found.plan("up_to_date", f"{before}the change feed tells nothing new")
    return found.plan("feed", before + _words(count, len(found.keys)))


def _without_feed(found: _Standing, status: int) -> Plan:
    """The feed refused our place: only a bulk file newer than that place can stand in for it."""
    why = f"the change feed does not take our place (HTTP {status})"
    if found.ahead > timedelta(0):
        return found.astray().plan("full", f"{why}: the bulk file has what it would tell")
    raise SourceUnavailable(
        "Enhetsregisteret's change feed",
        f"{why[len('the change feed ') :]}, and no newer bulk file is there",
        "Run again after the next night, when a new one is built",
    )


def _behind(found: _Standing) -> str:
    return (
        f"a full file was asked for, but the newest is of {found.built:%Y-%m-%d %H:%M} UTC, older "
        "than what is applied, and loading it would go back; "
    )


def _words(news: int, keys: int) -> str:
    told = f"the change feed tells {news:,} new events" if news else "the feed tells nothing new"
    return f"{told}, {keys:,} more numbers are asked for" if keys else told
