"""One export under way: what was asked and decided, and what the gates let through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.departures import Departures
from flows.export_notices import NoticeMaker
from flows.export_request import check_request
from flows.export_terms import terms_of
from flows.protection import fresh_since
from warehouse.engine import reading
from warehouse.export_candidates import candidates
from warehouse.segments import count_dropped

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flows.export_recheck import Recheck
    from flows.export_request import Decided, ExportRequest
    from flows.house import House
    from warehouse.segments import Selection

    Tell = Callable[[str, int, int | None], None]


POST = "post"


@dataclass(frozen=True)
class Job:
    """What one list rests on; `now` is the one moment of everything in it."""

    request: ExportRequest
    selection: Selection
    decided: Decided
    now: datetime
    actor: str


@dataclass
class Judged:
    """The outcome of the gates: who may leave, by company id, and who was held back for what.

    `countries` are the legal and headquarters countries of those who may leave. `by_post` is how
    many letters would reach, where another channel was asked for: a reader who sees that nobody
    may be mailed sees beside it who may be written to. `rechecks` are the registers that were
    asked again before.
    """

    departures: Departures
    company_ids: list[int] = field(default_factory=list)
    countries: set[str] = field(default_factory=set)
    by_post: int | None = None
    rechecks: list[Recheck] = field(default_factory=list)


def job_of(house: House, request: ExportRequest, now: datetime, actor: str) -> Job:
    """The job that a request makes; `Refused`, with every reason, when it may not begin."""
    selection, decided = check_request(house.settings, request, now.date())
    return Job(request, selection, decided, now, actor)


def notice_maker(house: House, job: Job) -> NoticeMaker:
    """Who makes the job's notices."""
    return NoticeMaker(house.settings, job.decided, job.request.channel, job.now.date())


def judge(house: House, job: Job, tell: Tell) -> Judged:
    """Every candidate through the gates, a frame at a time; reads only."""
    judged = _judge(house, job, tell)
    if job.request.channel != POST:
        letters = replace(job, request=replace(job.request, channel=POST))
        judged.by_post = len(_judge(house, letters, tell).company_ids)
    return judged


def would_leave(house: House, job: Job) -> list[int]:
    """Who would leave if every register said again what it said long ago; company ids.

    More than will leave: of companies at one address each is among them.
    """
    return _judge(house, job, lambda *_: None, is_asking=True).company_ids


def _judge(house: House, job: Job, tell: Tell, *, is_asking: bool = False) -> Judged:
    terms = terms_of(house, job, notice_maker(house, job), is_asking=is_asking)
    judged = Judged(Departures(terms))
    departures = judged.departures
    since = None if is_asking else fresh_since(house.settings, job.now)
    with reading(house.engine) as connection:
        dropped = count_dropped(connection, job.selection)
        departures.drop("suppressed", dropped, is_candidate=True)
        for frame in candidates(connection, job.selection, since):
            rest = departures.judge(frame)
            judged.company_ids += rest["company_id"].to_pylist()
            for column in ("legal_country", "headquarters_country"):
                judged.countries.update(filter(None, rest[column].unique().to_pylist()))
            tell("candidates", departures.candidates, None)
    return judged
