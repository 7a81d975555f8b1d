"""What to fetch of CVR now: nothing, what the event feed names, or the weekly files.

The rule stands in docs/sources/cvr.md, "What is fetched".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources import cvr_listing
from sources.cvr_events import URL as EVENTS_URL
from sources.cvr_events import has_news
from sources.cvr_names import BY_NAME
from sources.kit.card import Plan

if TYPE_CHECKING:
    from sources.cvr_listing import Generation
    from sources.kit.card import Held
    from sources.kit.session import PoliteSession

SOURCE = "cvr"


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Plan what to fetch now, from the listing and, between two weeks' files, one event.

    Files older than what is applied are never planned: they would bring back what has changed
    since. Raises `DeliveryRefused` for a listing that cannot be used.
    """
    newest = cvr_listing.newest(session)
    if held is None or held.published_at is None:
        why = "a full file was asked for" if is_full_wanted else "nothing is held yet"
        return _full(newest, held, why)
    if newest.as_of > held.published_at:
        return _full(newest, held, "a newer generation is listed")
    if is_full_wanted and newest.as_of == held.published_at:
        return _full(newest, held, "a full file was asked for")
    before = ""
    if is_full_wanted:
        before = (
            f"a full file was asked for, but the newest is of {newest.as_of:%Y-%m-%d %H:%M} UTC, "
            "older than what is applied, and loading it would go back; "
        )
    return _between(session, newest, held, before)


def _full(newest: Generation, held: Held | None, why: str) -> Plan:
    return Plan(
        source_id=SOURCE,
        kind="full",
        url=cvr_listing.LISTING_URL,
        published_at=newest.as_of,
        size=newest.size,
        record_count=None,
        window=f"generation {newest.number}",
        reason=f"{why}: generation {newest.number}{_without(newest)}",
        held_at=held.published_at if held else None,
        passed_over=newest.passed_over,
        position=held.position if held else None,
    )


def _without(newest: Generation) -> str:
    """What the reader must know of files that are not listed."""
    told = [
        f"{name} is not listed" + (f": {BY_NAME[name].lacking}" if BY_NAME[name].lacking else "")
        for name in newest.lacking
    ]
    return f"; {'; '.join(told)}" if told else ""


def _between(session: PoliteSession, newest: Generation, held: Held, before: str) -> Plan:
    """Between two weeks' files: the event feed, from its place on, and numbers never looked up."""
    keys = tuple(dict.fromkeys(held.missing))
    if held.position is None:
        news, told = False, "no place in the event feed is known, the next generation sets one"
    else:
        news = has_news(session, held.position)
        told = f"the event feed tells {'of changes' if news else 'nothing'} after {held.position}"
    more = f"; {len(keys):,} more numbers are asked for" if keys else ""
    return Plan(
        source_id=SOURCE,
        kind="feed" if news or keys else "up_to_date",
        url=EVENTS_URL,
        published_at=newest.as_of if not (news or keys) else None,
        size=None,
        record_count=None,
        window=None,
        reason=f"{before}no generation after {newest.number} is listed; {told}{more}",
        held_at=held.published_at,
        passed_over=newest.passed_over,
        position=held.position,
        keys=keys,
    )
