"""What to fetch of a level now: nothing, the smallest delta that closes the gap, or all of it.

The rule stands in docs/sources/gleif.md, "Which file is fetched".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sources.gleif_files import FULL, REACHES, check_not_ahead, named
from sources.gleif_listing import ListedFile, latest_url, newest_by_head, newest_listed
from sources.kit.card import Plan

if TYPE_CHECKING:
    from datetime import datetime

    from sources.gleif_files import Level
    from sources.gleif_listing import Listed
    from sources.kit.card import Card, Held
    from sources.kit.session import PoliteSession

MARGIN = timedelta(hours=1)
"""A delta must reach back this much further than the gap: publications are not on the minute."""
_SOME_DAYS = timedelta(hours=48)

PassedOver = tuple[tuple[str, str], ...]


def plan(
    session: PoliteSession,
    held: Held | None,
    *,
    card: Card,
    level: Level,
    only_grows: bool,
    is_full_wanted: bool = False,
) -> Plan:
    """Plan what to fetch now, from headers where they suffice, else from GLEIF's listing.

    `only_grows`: records of this level are never deleted, so the listed number of records must
    fit what is held. Raises `DeliveryRefused` when the listing lacks what a download must be
    held to, or dates its publication in the future.
    """
    held_at = held.published_at if held else None
    if held is None or held_at is None:
        why = "a full file was asked for" if is_full_wanted else "nothing is held yet"
        return _full(card, _listed(session, card, level), None, why)
    if not is_full_wanted:
        newest = newest_by_head(session, card.base_url, level)
        if newest is not None and newest <= held_at:
            return _up_to_date(card, latest_url(card.base_url, level), newest, held_at)
    listed = _listed(session, card, level)
    if is_full_wanted:
        return _full(card, listed, held_at, "a full file was asked for")
    if listed.published_at <= held_at:
        found = _up_to_date(card, listed.full.url, listed.published_at, held_at)
        return replace(found, size=listed.full.size, record_count=listed.full.record_count)
    return _newer(card, listed, held, held_at, level, only_grows=only_grows)


def _listed(session: PoliteSession, card: Card, level: Level) -> Listed:
    found = newest_listed(session, card.base_url, level)
    check_not_ahead(found.published_at, session.now())
    return found


def _newer(
    card: Card, listed: Listed, held: Held, held_at: datetime, level: Level, *, only_grows: bool
) -> Plan:
    """Plan for a publication newer than what is held."""
    gap = listed.published_at - held_at
    refused = _refused_before(held, listed.published_at, level)
    passed: dict[str, str] = {}
    for window, reach in REACHES.items():
        file = listed.deltas[window]
        if reach < gap + MARGIN:
            passed[window] = f"it reaches back {span(reach)}"
        elif isinstance(file, str):
            passed[window] = file
        elif refused & {window, _name(file.url)}:
            passed[window] = "it was fetched before and refused"
        else:
            misfit = _misfit(listed, held, file) if only_grows else None
            if misfit is None:
                why = f"a newer publication is listed, and {window} closes the gap of {span(gap)}"
                found = _planned(card, listed, file, held_at, why)
                return replace(
                    found, kind="delta", window=window, reach=reach, passed_over=(*passed.items(),)
                )
            return _full(card, listed, held_at, f"counts do not fit: {misfit}", passed, window)
    why = (
        f"a newer publication is listed, and no delta closes the gap of {span(gap)} "
        f"with a margin of {span(MARGIN)}"
    )
    return _full(card, listed, held_at, why, passed)


def _refused_before(held: Held, published_at: datetime, level: Level) -> set[str]:
    """Files of this publication that were fetched before and refused: their names and windows."""
    names = {_name(url) for at, url in held.refused if at == published_at}
    return names | {said.window for said in (named(name, level) for name in names) if said}


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _misfit(listed: Listed, held: Held, delta: ListedFile) -> str | None:
    """Why the listed number of records cannot be what is held and this delta together."""
    if held.expected_min is None or held.expected_max is None:
        return "no full file was applied yet, so there is nothing to count from"
    most = held.expected_max + delta.record_count
    if held.expected_min <= listed.full.record_count <= most:
        return None
    return (
        f"the full file lists {listed.full.record_count:,} records, and what is held with this "
        f"delta makes {held.expected_min:,} to {most:,}"
    )


def _planned(
    card: Card, listed: Listed, file: ListedFile, held_at: datetime | None, why: str
) -> Plan:
    return Plan(
        source_id=card.source_id,
        kind="full",
        url=file.url,
        published_at=listed.published_at,
        size=file.size,
        record_count=file.record_count,
        window=FULL,
        reason=why,
        held_at=held_at,
    )


def _full(
    card: Card,
    listed: Listed,
    held_at: datetime | None,
    why: str,
    passed: dict[str, str] | None = None,
    misfit: str | None = None,
) -> Plan:
    """The full file; from window `misfit` on, counts do not fit."""
    over = dict(passed or {})
    if misfit is not None:
        windows = list(REACHES)
        over |= dict.fromkeys(windows[windows.index(misfit) :], "counts do not fit")
    return replace(_planned(card, listed, listed.full, held_at, why), passed_over=(*over.items(),))


def _up_to_date(card: Card, url: str, newest: datetime, held_at: datetime) -> Plan:
    is_same = held_at == newest
    return Plan(
        source_id=card.source_id,
        kind="up_to_date",
        url=url,
        published_at=newest,
        size=None,
        record_count=None,
        window=None,
        reason="the newest publication is already held"
        if is_same
        else "what is held is newer than the newest publication listed",
        held_at=held_at,
    )


def span(time: timedelta) -> str:
    """Write a length of time as a reader would: `8 h`, `30 min`, `7 days`."""
    hours = time.total_seconds() / 3600
    if time < timedelta(hours=1):
        return f"{hours * 60:.0f} min"
    return f"{hours / 24:.3g} days" if time > _SOME_DAYS else f"{hours:.3g} h"
