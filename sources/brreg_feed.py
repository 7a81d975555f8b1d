"""Enhetsregisteret's change feed: read from a place to its end, and what is to be done of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sources.brreg_pages import DELETED, FEED_URL, REMOVED, changes_of, refused, total_of
from sources.brreg_place import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

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
    """What a feed told between two places: its events in the order of their ids, each once."""

    changes: tuple[Change, ...]
    start: Place
    place: Place

    @property
    def removed(self) -> tuple[str, ...]:
        """Numbers that were removed for legal reasons: nothing is told of them after that."""
        return tuple(_removed(self.changes))

    @property
    def to_look_up(self) -> tuple[str, ...]:
        """Numbers to ask for: all that were not removed.

        Of those whose last event stands in the bulk file, only the deleted ones: it has them not.
        """
        removed, in_bulk = {*self.removed}, self.start.in_bulk
        last = {change.number: change for change in self.changes if change.number not in removed}
        return tuple(
            number
            for number, change in last.items()
            if in_bulk is None or change.at >= in_bulk or change.kind == DELETED
        )


def between(seen: Iterable[Change], start: Place, end: Place) -> News:
    """The news of the events from one place on, up to the other."""
    first, last = start.event_id or 0, end.event_id or 0
    found = dict.fromkeys(change for change in seen if first <= change.event_id < last)
    return News(tuple(sorted(found, key=lambda change: change.event_id)), start, end)


def tells_more(document: Any, place: Place, size: int) -> bool:  # noqa: ANN401 - JSON is any of its types
    """Whether the feed's page of `size` events has any that was not read before `place`.

    Pages may begin before the place: one of older events may go on with newer ones, if it is full.
    """
    page = changes_of(document)
    is_new = any(change.event_id >= (place.event_id or 0) for change in page)
    return is_new or len(page) >= size or (total_of(document) or 0) > len(page)


def url_at(place: Place, size: int = PAGE) -> str:
    """The address of the feed's page from a place on."""
    return f"{FEED_URL}?{place.query}&size={size}"


def read(session: PoliteSession, start: Place, answers: Answers) -> News:
    """Every event from `start` on, or the first `MOST_EVENTS`; each page goes into `answers`.

    Pages may overlap and events repeat: the next page begins after the highest id so far, and the
    feed ends with the page that brings nothing new. It ends before an event of a number that it
    says was removed: the removal is loaded first, and the next run reads on. Raises
    `DeliveryRefused` for a page out of order that is not the last one: events could be passed over.
    """
    seen: dict[Change, None] = {}
    at = start
    for _ in range(MOST_PAGES):
        body, document = session.get_answer(url_at(at))
        answers.add("events", (at.query,), 200, body)
        page = changes_of(document)
        _check_order(page, total_of(document))
        new = [change for change in page if change.event_id >= (start.event_id or 0)]
        if not {*new} - {*seen}:
            break
        seen.update(dict.fromkeys(new))
        at = _after(seen, start)
        if len(seen) >= MOST_EVENTS:
            break
    return _up_to_return(between(seen, start, at))


def _check_order(page: Sequence[Change], total: int | None) -> None:
    ids = [change.event_id for change in page]
    is_last = total is not None and total <= len(page)
    if not is_last and ids != sorted(ids):
        raise refused("its change feed is not in the order of its ids: it cannot be read on")


def _after(seen: Collection[Change], start: Place) -> Place:
    """The place after these events; past what a bulk file holds, that file is of no more use."""
    newest = max(start.at, *(change.at for change in seen))
    is_past = start.in_bulk is None or newest >= start.in_bulk
    event_id = max(change.event_id + 1 for change in seen)
    return Place(newest, event_id, None if is_past else start.in_bulk)


def _up_to_return(news: News) -> News:
    """The news before the first event of a number that was removed before it.

    From there on everything is looked up: of what returned, the bulk file is erased with the rest.
    """
    removed = _removed(news.changes)
    for nth, change in enumerate(news.changes):
        if change.kind != REMOVED and removed.get(change.number, nth) < nth:
            before = news.changes[:nth]
            place = Place(_after(before, news.start).at, change.event_id)
            return between(before, news.start, place)
    return news


def _removed(changes: Iterable[Change]) -> dict[str, int]:
    """Each number that was removed, to the place of its first removal among the changes."""
    found: dict[str, int] = {}
    for nth, change in enumerate(changes):
        if change.kind == REMOVED:
            found.setdefault(change.number, nth)
    return found
