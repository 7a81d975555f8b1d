"""`refresh`: LEIs asked for at their register, batch by batch, each answer loaded like a file.

An answer is a delivery of kind `api`: the same checks, minimisation, stops, sorter and merge. It
says nothing of what is not in it, so nothing vanishes by it and the source's cursor stays.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from checks.rules import MISSHAPEN
from checks.verdicts import broken
from flows import ingest_steps, refresh_registers
from flows.deliver import facts_of, record_refusal
from flows.explain_steps import lei_fault
from flows.ledger import ledger_run
from flows.publisher import check_example, session_with
from flows.refresh_report import (
    NOT_ASKED,
    NOT_FOUND,
    Answer,
    Report,
    Request,
    differences,
    outcome_named,
)
from sources.kit.catalogue import source
from sources.kit.errors import DeliveryRefused, Refused, SourcenoteError
from sources.kit.landing import Landing
from warehouse import comparing, migrate
from warehouse.engine import reading, sole_writer
from warehouse.sorting import CHANGED, QUARANTINED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flows.house import House
    from sources.kit.card import Landed
    from sources.kit.frames import Frame

    Tell = Callable[[str, int, int | None], None]
    Take = Callable[[Landed, list[Frame]], int | None]

_SHOWN = 5


def request_for(
    texts: Sequence[str],
    *,
    base_url: str | None = None,
    register_urls: Mapping[str, str] | None = None,
) -> Request:
    """The request for these LEIs, as typed; `Refused`, naming them, for any that cannot be one."""
    leis = tuple(dict.fromkeys(text.strip().upper() for text in texts))
    faults = [(place, lei, fault) for place, lei in enumerate(leis, 1) if (fault := lei_fault(lei))]
    if faults:
        # What is typed in an LEI's place may be anything, an e-mail address too.
        told = "; ".join(
            f"{lei if lei.isascii() and lei.isalnum() else f'number {place}'}: {fault}"
            for place, lei, fault in faults[:_SHOWN]
        )
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise Refused(
            f"{len(faults)} of {len(leis)} LEIs", told + more, "Correct them: nothing was asked yet"
        )
    return Request("gleif", leis, base_url, dict(register_urls or {}))


def run(house: House, request: Request, tell: Tell, *, dry_run: bool = False) -> Report:
    """Ask for every LEI and its registers, load what came, and tell what it changed.

    In a dry run write nothing.

    Each batch is a delivery of its own, loaded whole or not at all. When a later one fails, those
    before it stay, and the report says so in `error`; when the first one fails, it raises.
    """
    migrate.check(house.engine)
    check_example(house, request.source_id, request.base_url)
    report = Report(request.source_id, is_dry_run=dry_run)
    try:
        if dry_run:
            with tempfile.TemporaryDirectory(prefix="sourcenote-") as folder:
                _ask(house, request, Landing(Path(folder)), report, tell, lambda *_: None)
        else:
            _for_real(house, request, report, tell)
    except SourcenoteError as error:
        if not report.answers:
            raise
        report.error = {"thing": error.thing, "cause": error.cause, "cure": error.cure}
        asked = {answer.lei for answer in report.answers}
        report.answers += [Answer(lei, NOT_ASKED) for lei in request.leis if lei not in asked]
    report.registers = refresh_registers.ask(house, request, tell, dry_run=dry_run)
    return report


def _for_real(house: House, request: Request, report: Report, tell: Tell) -> None:
    with (
        sole_writer(house.engine),
        ledger_run(house, "refresh", request.source_id) as ledger,
    ):
        house.landing.sweep_partials(house.now())

        def take(landed: Landed, frames: list[Frame]) -> int | None:
            facts = facts_of(house, ledger.run_id, landed, request.source_id)
            return ingest_steps.load_frames(house, facts, landed, frames, tell).delivery_id

        try:
            with _refusals_recorded(house, ledger.run_id, request.source_id):
                _ask(house, request, house.landing, report, tell, take)
        finally:
            ledger.counts = report.counts


@contextmanager
def _refusals_recorded(house: House, run_id: int, source_id: str) -> Iterator[None]:
    """An answer that came whole is a delivery, also when it is refused."""
    try:
        yield
    except DeliveryRefused as refusal:
        if refusal.landed is not None:
            facts = facts_of(house, run_id, refusal.landed, source_id)
            record_refusal(house, facts, refusal.landed, refusal)
        raise


def _ask(
    house: House, request: Request, landing: Landing, report: Report, tell: Tell, take: Take
) -> None:
    """Every batch: fetched, compared, taken (or not), told."""
    module = source(request.source_id)
    with session_with(house, request.source_id, request.base_url) as session:
        for start in range(0, len(request.leis), module.KEYS_AT_ONCE):
            leis = request.leis[start : start + module.KEYS_AT_ONCE]
            landed: Landed | None = module.fetch_keys(session, leis, landing)
            if landed is None:
                report.answers += [Answer(lei, NOT_FOUND) for lei in leis]
            else:
                try:
                    _take(house, module, landed, report, take)
                except DeliveryRefused as refusal:
                    refusal.landed = landed
                    raise
            tell("LEIs", len(report.answers), len(request.leis))


def _take(house: House, module: Any, landed: Landed, report: Report, take: Take) -> None:  # noqa: ANN401 (a source module)
    asked = landed.asked or ()
    with reading(house.engine) as connection:
        held = comparing.held_records(connection, report.source_id, asked)
    with module.rows_of(landed.path, lambda frame: module.as_held(frame, held)) as rows:
        frames: list[Frame] = list(rows.frames)
        report.unknown_names = sorted({*report.unknown_names, *rows.unknown})
    found = _answers(house, landed, frames, held, report.source_id)
    delivery_id = take(landed, frames)
    report.add_delivery(delivery_id, landed.url, landed.published_at)
    for answer in found.values():
        answer.delivery_id = delivery_id
    report.answers += [found.get(lei) or Answer(lei, NOT_FOUND) for lei in asked]


def _answers(
    house: House,
    landed: Landed,
    frames: list[Frame],
    held: dict[str, dict[str, Any]],
    source_id: str,
) -> dict[str, Answer]:
    """By LEI what its row becomes; of a LEI that stands twice the row that is taken."""
    prepared = [ingest_steps.prepare(house, frame) for frame in frames]
    facts = facts_of(house, 0, landed, source_id)
    codes = comparing.outcomes(
        house.engine, facts, house.keys, [one.arrived for one in prepared]
    ).tolist()
    rules = np.concatenate([one.verdicts for one in prepared]).tolist()
    rows = [row for one in prepared for row in one.arrived.table.to_pylist()]
    found: dict[str, Answer] = {}
    for row, code, bits in zip(rows, codes, rules, strict=True):
        lei = row["source_key"]
        answer = Answer(lei, outcome_named(code))
        if code == QUARANTINED:
            answer.rules = broken(bits) or ["key_is_unique"]
        if code == CHANGED:
            answer.changes = differences(held.get(lei), row)
            answer.has_kept_apart = not answer.changes
        if lei not in found or found[lei].outcome == "superseded":
            found[lei] = answer
    for frame in frames:
        for lei in getattr(frame.origin, "unreadable", ()):
            found[lei or ""] = Answer(lei or "", "quarantined", rules=[MISSHAPEN])
    return found
