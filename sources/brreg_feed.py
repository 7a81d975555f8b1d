"""Enhetsregisteret's change feed: read from a place to its end, and what is to be done of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sources.brreg_pages import DELETED, FEED_URL, REMOVED, changes_of, refused, total_of
from sources.brreg_place import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sources.brreg_answers import Answers
    from sources.brreg_pages import Change
    from sources.kit.session import PoliteSession

PAGE = 10_000
"""Events on a page at most; the API pages no further than that, so each page begins anew."""
MOST_PAGES = 1_000
MOST_EVENTS = 200_000
"""One delivery reads no more than this (two months of changes); the next one reads on from there.
So a feed that never ends ends a run all the same."""


@dataclass(frozen=True)
class News:
    """What a feed told: its events in the order of their ids, and the place after them."""

    changes: tuple[Change, ...]
    place: Place

    @property
    def removed(self) -> tuple[str, ...]:
        """Numbers that were removed for legal reasons, whatever happened to them after."""
        return removed_in(self.changes)

    def to_look_up(self, in_bulk: datetime | None) -> tuple[str, ...]:
        """Numbers to ask for: all whose last event is no removal.

        Of those whose last event is before `in_bulk`, only what the bulk file cannot tell: that
        they were deleted, or are there again after a removal.
        """
        removed, last = {*self.removed}, {change.number: change for change in self.changes}
        return tuple(
            number
            for number, change in last.items()
            if change.kind != REMOVED
            and (
                in_bulk is None
                or change.at >= in_bulk
                or change.kind == DELETED
                or number in removed
            )
        )


def tells_more(page: Sequence[Change], place: Place, size: int) -> bool:
    """Whether a page of at most `size` events has any that was not read before `place`.

    Pages may begin before the place: one that is full of older events may go on with newer ones.
    """
    is_new = any(change.event_id >= (place.event_id or 0) for change in page)
    return is_new or len(page) >= size


def removed_in(changes: Iterable[Change]) -> tuple[str, ...]:
    """The numbers that a feed says were removed, each once, in their order."""
    return tuple(dict.fromkeys(change.number for change in changes if change.kind == REMOVED))


def url_at(place: Place, size: int = PAGE) -> str:
    """The address of the feed's page from a place on."""
    return f"{FEED_URL}?{place.query}&size={size}"


def read(session: PoliteSession, place: Place, answers: Answers) -> News:
    """Every event from `place` on, or the first `MOST_EVENTS`; each page goes into `answers`.

    Pages may overlap and events repeat: the next page begins after the highest id so far, and the
    feed ends with the page that brings nothing new. Raises `DeliveryRefused` for a page out of
    order that is not the last one: events could be passed over.
    """
    seen: dict[Change, None] = {}
    at = place
    for _ in range(MOST_PAGES):
        body, document = session.get_answer(url_at(at))
        answers.add("events", (at.query,), 200, body)
        page = changes_of(document)
        if not {*page} - {*seen}:
            break
        _check_order(page, total_of(document))
        seen.update(dict.fromkeys(page))
        at = _after(seen, place)
        if len(seen) >= MOST_EVENTS:
            break
    changes = sorted(seen, key=lambda change: change.event_id)
    return News(tuple(changes), at)


def _check_order(page: Sequence[Change], total: int | None) -> None:
    ids = [change.event_id for change in page]
    is_last = total is not None and total <= len(page)
    if not is_last and ids != sorted(ids):
        raise refused("its change feed is not in the order of its ids: it cannot be read on")


def _after(seen: Collection[Change], start: Place) -> Place:
    """The place after these events; past what a bulk file holds, that file is of no more use."""
    newest = max(start.at, *(change.at for change in seen))
    is_past = start.in_bulk is None or newest >= start.in_bulk
    # Pages may begin before the place that was asked for: it never goes back by that.
    event_id = max(start.event_id or 0, *(change.event_id + 1 for change in seen))
    return Place(newest, event_id, None if is_past else start.in_bulk)
