"""CVR's event feed: which units changed, in the order of the events' numbers.

Source: `CVR_Events(where: {eventid: {gt: n}}, first: …)` as recorded. An event names an entity,
what happened to a row of it (`i`, `d`), and the unit; what it is now has to be looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sources.cvr_graphql import PAGE, URL, Answer, connection, data_of
from sources.cvr_names import BY_NAME
from sources.kit.errors import DeliveryRefused, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sources.kit.session import PoliteSession

__all__ = ["MARGIN", "URL", "News", "has_news", "place_before", "read"]

MARGIN = timedelta(days=1)
"""The feed is read from so long before the files' moment: Datafordeler writes the events' moments
in Danish time as if it were UTC, and a change looked up twice is no harm."""
MOST_EVENTS = 2_000_000
"""Ten days' events: the feed is left there, and the next run goes on."""
_ROOT = "CVR_Events"
_QUERY = (
    "query EventsSince($first: Int!, $after: String, $where: CVR_EventsFilterInput) "
    f"{{ {_ROOT}(first: $first, after: $after, where: $where) "
    "{ pageInfo { hasNextPage endCursor } nodes { eventid entityname eventaction object_id "
    "datafordelerOpdateringstid } } }"
)
_STATUS_ROOT = "DAF_RegisterImportStatus"
_STATUS = f"{{ {_STATUS_ROOT} {{ lastEventId }} }}"
_LARGEST_NUMBER = 2**62


@dataclass(frozen=True)
class News:
    """What the feed told: the units whose rows changed, and the last event's number."""

    units: tuple[str, ...]
    last: int
    events: int
    is_all: bool


def has_news(session: PoliteSession, position: str) -> bool:
    """Whether there is any event after a position."""
    return bool(_after(session, _number(position), 1).nodes)


def read(session: PoliteSession, position: str, keep: Callable[[Answer], None]) -> News:
    """Read the feed from behind a position to its end; `keep` is given each answer.

    Raises `DeliveryRefused` for events that do not go on from there: the feed is then not one.
    """
    last, events, units = _number(position), 0, dict[str, None]()
    while events < MOST_EVENTS:
        answer = _after(session, last, PAGE)
        keep(answer)
        if not answer.nodes:
            return News(tuple(units), last, events, is_all=True)
        numbers = [_event_number(node) for node in answer.nodes]
        if min(numbers) <= last:
            raise _unusable("it repeats events from before the place it was asked from")
        for node in answer.nodes:
            if node.get("entityname") in BY_NAME and isinstance(node.get("object_id"), str):
                units[node["object_id"]] = None
        last, events = max(numbers), events + len(numbers)
    return News(tuple(units), last, events, is_all=False)


def place_before(session: PoliteSession, as_of: datetime) -> str:
    """The position from which nothing is missed that files as of that moment do not hold.

    It is the number of the last event more than `MARGIN` before it, found by halving: the feed is
    in the order of its numbers, and can be asked for the first event after one.
    """
    before = as_of - MARGIN
    low, high = 0, _newest(session)
    while low < high:
        middle = (low + high) // 2
        nodes = _after(session, middle, 1).nodes
        if nodes and _moment(nodes[0]) < before:
            low = _event_number(nodes[0])
        else:
            high = middle
    return str(low)


def _newest(session: PoliteSession) -> int:
    """A number that no event is above: as the register tells, else found by doubling."""
    try:
        _, found = data_of(session, _STATUS_ROOT, _STATUS)
    except (DeliveryRefused, SourceUnavailable):
        found = None
    last = found.get("lastEventId") if isinstance(found, dict) else None
    if type(last) is int and last >= 0:
        return last
    top = 1
    while top < _LARGEST_NUMBER and _after(session, top, 1).nodes:
        top *= 2
    return top


def _after(session: PoliteSession, number: int, first: int) -> Answer:
    where = {"eventid": {"gt": number}}
    return connection(session, _ROOT, _QUERY, {"first": first, "after": None, "where": where})


def _number(position: str) -> int:
    if not position.isdecimal():
        raise _unusable("the place kept of it is not an event's number")
    return int(position)


def _event_number(node: dict[str, Any]) -> int:
    number = node.get("eventid")
    if type(number) is not int:
        raise _unusable("an event has no number")
    return number


def _moment(node: dict[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(node["datafordelerOpdateringstid"])
    except (KeyError, TypeError, ValueError):
        raise _unusable("an event has no moment") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _unusable(cause: str) -> DeliveryRefused:
    return DeliveryRefused(
        "CVR's event feed", cause, "Nothing was loaded. Run again, or fetch the files with --full"
    )
