"""What Enhetsregisteret's change feed tells, with everything it makes us look up, landed as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.brreg_answers import Answers
from sources.brreg_api import look_up, rows_in
from sources.brreg_feed import read
from sources.brreg_files import check_not_ahead
from sources.brreg_pages import FEED_URL
from sources.brreg_place import place_of
from sources.kit.card import Landed
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from sources.brreg_feed import News
    from sources.kit.card import Plan
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession


def fetch_feed(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the feed from the planned place on, the entities it names, and those of `plan.keys`.

    `progress` is told (bytes so far, None). Raises `Refused` for a plan without a place,
    `DeliveryRefused` as the feed and the look-ups do, and for events from the future: nothing is
    landed then.
    """
    place = place_of(plan.position)
    if plan.kind != "feed" or place is None:
        raise Refused(
            "Enhetsregisteret", f"there is nothing to fetch: {plan.reason}", "Ask for a full file"
        )
    retrieved_at = session.now()
    with landing.partial() as partial:
        answers = Answers(partial, retrieved_at, progress)
        news = read(session, place, answers)
        check_not_ahead(news.place.at, retrieved_at)
        answers.add("place", (place.text, news.place.text), 200, b"")
        statuses = look_up(session, news.to_look_up, answers)
        more = _beside(plan, news, statuses)
        statuses |= look_up(session, more, answers, may_be_wrong=True)
        path, sha256, byte_count = partial.keep()
    return Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(FEED_URL),
        retrieved_at=retrieved_at,
        # What was looked up is of now, however old the events that told of it.
        published_at=retrieved_at,
        kind="feed",
        record_count=rows_in(statuses),
        member="oppdateringer.json",
        is_publisher_host=session.is_publisher_host,
        reason=plan.reason,
        asked=tuple(dict.fromkeys((*news.removed, *statuses))),
        position=news.place.text,
    )


def _beside(plan: Plan, news: News, statuses: dict[str, int]) -> tuple[str, ...]:
    """Numbers that are asked for beside the feed, and that it has not settled."""
    settled = {*statuses, *news.removed}
    return tuple(key for key in plan.keys if key not in settled)
