"""What CVR's event feed names since the last time, looked up and landed as one delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.cvr_answers import Written
from sources.cvr_events import URL, read
from sources.cvr_graphql import MOST_IN_A_LIST, Asker
from sources.cvr_lookup import LookUp
from sources.kit.card import Landed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sources.cvr_events import News
    from sources.kit.card import Plan
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession


def fetch_feed(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the events behind `plan.position`, and what CVR says of the companies they are about.

    With them come those of `plan.keys`. It is of the moment at which it was asked. A company whose
    every row was taken away has no number any more: the next weekly files tell of it by absence.
    """
    now = session.now()
    with landing.partial() as partial:
        written = Written(partial, progress)
        look_up = LookUp(Asker(session, now), written)
        news = None if plan.position is None else read(session, plan.position, written.keep)
        told = look_up.numbers(news.units) if news else []
        numbers = tuple(dict.fromkeys((*told, *plan.keys)))
        found = sum(look_up.companies(some) for some in _batches(numbers))
        path, sha256, byte_count = partial.keep()
    return Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(URL),
        retrieved_at=session.now(),
        published_at=now,
        kind="feed",
        record_count=found,
        member="CVR events",
        is_publisher_host=session.is_publisher_host,
        reason=f"{plan.reason}{_words(news, len(numbers))}",
        asked=numbers,
        position=str(news.last) if news else plan.position,
    )


def _batches(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(numbers), MOST_IN_A_LIST):
        yield numbers[start : start + MOST_IN_A_LIST]


def _words(news: News | None, count: int) -> str:
    if news is None:
        return f": {count:,} companies looked up"
    more = "" if news.is_all else "; there are more, which the next run reads"
    return f": {news.events:,} events of {len(news.units):,} units, {count:,} companies{more}"
