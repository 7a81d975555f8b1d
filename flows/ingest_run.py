"""One ingest as one act, without Prefect: lock, ledger, plan, fetch, load.

`flows.ingest` wraps the two halves in Prefect tasks; taken away, this still works. Each attempt to
fetch takes the one-writer lock and opens a run in the ledger; a failed one gives both back, so that
whoever waits for the publisher to come back keeps nobody from writing.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from flows import ingest_report, ingest_steps
from flows.afterwards import finish_dead
from flows.deliver import facts_of, record_refusal
from flows.known_registers import registers
from flows.ledger import ledger_run
from flows.publisher import check_example, session_with
from flows.registers import missing_of
from sources.kit.card import Held
from sources.kit.catalogue import catalogue, source
from sources.kit.errors import DeliveryRefused, NotThere, Refused
from warehouse import deliveries, migrate
from warehouse.engine import sole_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.house import House
    from flows.ingest_report import Report, Request
    from flows.ledger import LedgerRun
    from sources.kit.card import Landed, Plan

    Tell = Callable[[str, int, int | None], None]
    Halves = tuple[
        Callable[[ExitStack, House, Request, Tell], tuple[LedgerRun, Landed | Report]],
        Callable[[House, int, str, Landed, Tell, int | None], Report],
    ]


def run(
    house: House,
    request: Request,
    tell: Tell,
    *,
    dry_run: bool = False,
    halves: Halves | None = None,
) -> Report:
    """Ingest one source; raises `SourcenoteError` with nothing half-done.

    One run writes at a time; the run ledger has every one, whatever its end.
    """
    migrate.check(house.engine)
    if request.file is None:
        check_example(house, request.source_id, request.base_url)
    if dry_run:
        planned = None if request.file else plan(house, request)
        return ingest_report.dry_run(request, planned)
    fetch, load = halves or (fetch_in_turn, ingest_steps.load_delivery)
    with ExitStack() as turn:
        ledger, found = fetch(turn, house, request, tell)
        if not isinstance(found, ingest_report.Report):
            found = load(
                house, ledger.run_id, request.source_id, found, tell, request.confirm_vanished
            )
        ledger.counts = found.counts
        return found


def fetch_in_turn(
    turn: ExitStack, house: House, request: Request, tell: Tell
) -> tuple[LedgerRun, Landed | Report]:
    """One attempt to plan and fetch; lock and ledger run stay open in `turn` if it succeeds.

    Raises `Busy` when another run holds the lock. It may be called again after any failure.
    """
    with ExitStack() as attempt:
        attempt.enter_context(sole_writer(house.engine))
        ledger = attempt.enter_context(ledger_run(house, "ingest", request.source_id))
        try:
            found = plan_and_fetch(house, request, tell)
        except (DeliveryRefused, NotThere) as refusal:
            _record(house, ledger.run_id, request, refusal)
            raise
        turn.push(attempt.pop_all())
        return ledger, found


def _record(
    house: House, run_id: int, request: Request, refusal: DeliveryRefused | NotThere
) -> None:
    """Bytes that came whole are a delivery, even when they are not what was asked for.

    So is a listed delta of which no usable byte came: the next plan takes another file.
    """
    landed: Landed | None = refusal.landed
    if landed is not None:
        facts = facts_of(house, run_id, landed, request.source_id)
        record_refusal(house, facts, landed, refusal)


def plan_and_fetch(house: House, request: Request, tell: Tell) -> Landed | Report:
    """The delivery's bytes in the landing, or a report that there is nothing newer."""
    house.landing.sweep_partials(house.now())
    finish_dead(house, request.source_id)
    module = source(request.source_id)
    if request.file is not None:
        if not request.file.is_file():
            raise Refused(
                f"file {request.file.name}", "it is not there", "Give the path of a local file"
            )
        landed: Landed = module.adopt(
            request.file,
            house.landing,
            house.now(),
            kind=request.kind,
            published_at=request.published_at,
        )
        _check_day(house, landed, request)
        return landed
    with session_with(house, request.source_id, request.base_url) as session:
        planned = _plan(house, request, module, session)
        if planned.kind == "up_to_date":
            return ingest_report.nothing_newer(request, planned)
        fetched: Landed = module.fetch(
            session, planned, house.landing, progress=lambda done, of: tell("bytes", done, of)
        )
        return fetched


def _check_day(house: House, landed: Landed, request: Request) -> None:
    """Refuse a file older than what is applied, where that would bring back what was removed."""
    held = deliveries.position(house.engine, request.source_id)
    published, applied = landed.published_at, held.published_at if held else None
    removes = source(request.source_id).CARD.tells_removals
    if not removes or published is None or applied is None or published >= applied:
        return
    landed.path.unlink(missing_ok=True)
    raise Refused(
        f"file {landed.name}",
        f"it is of {published:%Y-%m-%d %H:%M} UTC, older than what is applied "
        f"({applied:%Y-%m-%d %H:%M} UTC): it would bring back what the register has removed since",
        f"Run `sourcenote ingest {request.source_id}` without a file",
    )


def plan(house: House, request: Request) -> Plan:
    """What would be fetched now, and why."""
    with session_with(house, request.source_id, request.base_url) as session:
        return _plan(house, request, source(request.source_id), session)


def _plan(house: House, request: Request, module: Any, session: Any) -> Plan:  # noqa: ANN401 (a source module and its session)
    held = deliveries.position(house.engine, request.source_id)
    known = None
    if held is not None:
        ahead = deliveries.outlook(house.engine, request.source_id)
        known = Held(
            held.published_at,
            held.full_record_count,
            ahead.expected_min,
            ahead.expected_max,
            ahead.refused,
            position=held.feed_position,
            full_published_at=held.full_published_at,
            missing=missing_of(house, request.source_id),
        )
    found: Plan = module.plan(session, known, is_full_wanted=request.is_full_wanted)
    return found


def ids(source_id: str) -> list[str]:
    """The sources a command line names: one, or all, registers after what their rows join."""
    if source_id != "all":
        return [source_id]
    known = registers()
    return sorted(catalogue(), key=lambda one: (one in known, one))
