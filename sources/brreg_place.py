"""A place in Enhetsregisteret's change feed, and the text that is kept of it between two runs.

`dato:2026-11-01T04:00:00.000Z` is read on from that moment, `id:20000004 at:2026-11-02T…` from that
event; the newest one read is of the moment after `at:`. With ` bulk:…` a bulk file was loaded that
holds every change before that moment: of older events only what no bulk file tells is looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

BULK_MARGIN = timedelta(days=1)
"""The feed is read from so long before a bulk file's Last-Modified: when a night's file was begun
is not published, and a change read twice is no harm."""

_TEXT = re.compile(r"(?:id:(?P<id>[0-9]{1,18}) at|dato):(?P<at>\S+)(?: bulk:(?P<bulk>\S+))?")


@dataclass(frozen=True)
class Place:
    """Where the feed is read on: from event `event_id` on, or from `at` on where none is known.

    Every event before `at` was read. Changes before `in_bulk` stand in a bulk file that was loaded
    since (None: in none). Moments are UTC, by the register's clock.
    """

    at: datetime
    event_id: int | None = None
    in_bulk: datetime | None = None

    @property
    def text(self) -> str:
        """The place as it is kept; `place_of` reads it again."""
        named = "dato" if self.event_id is None else f"id:{self.event_id} at"
        bulk = "" if self.in_bulk is None else f" bulk:{_iso(self.in_bulk)}"
        return f"{named}:{_iso(self.at)}{bulk}"

    @property
    def query(self) -> str:
        """The feed's parameter for it."""
        if self.event_id is None:
            return f"dato={_iso(self.at)}"
        return f"oppdateringsid={self.event_id}"

    @property
    def applied_to(self) -> datetime:
        """Up to when what is held is as the register was: to the newest event, or bulk file."""
        if self.in_bulk is not None:
            return self.in_bulk + BULK_MARGIN
        return self.at if self.event_id is not None else self.at + BULK_MARGIN


def place_of(text: str | None) -> Place | None:
    """The place that a text says; None for none, and for what is no place."""
    found = _TEXT.fullmatch(text or "")
    if found is None:
        return None
    try:
        bulk = moment_of(found["bulk"]) if found["bulk"] else None
        return Place(moment_of(found["at"]), int(found["id"]) if found["id"] else None, bulk)
    except ValueError:
        return None


def before_bulk(built: datetime) -> Place:
    """Where the feed is read from when all that is held is the bulk file built at that moment."""
    return Place(built - BULK_MARGIN)


def after_bulk(place: Place | None, built: datetime) -> Place:
    """Where the feed is read from after a bulk file was loaded: never later than it was read to.

    What was removed for legal reasons is told by the feed alone, so no event may be passed over.
    """
    start = before_bulk(built)
    if place is None or place.at >= start.at:
        return start
    return replace(place, in_bulk=start.at)


def moment_of(text: str) -> datetime:
    """A published moment in UTC; without an offset it is taken as UTC. ValueError for none."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    """A moment as the feed writes and takes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
