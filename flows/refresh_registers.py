"""`refresh`: a company's national registers asked too, each answer a delivery of its own.

A register that does not answer takes nothing away from what the others said.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import ingest_steps
from flows.deliver import card_of, facts_of
from flows.known_registers import registers
from flows.ledger import ledger_run
from flows.publisher import check_example, session_with
from flows.refresh_report import (
    NOT_ASKED,
    NOT_FOUND,
    RegisterAnswer,
    RegisterReport,
    Request,
    outcome_named,
)
from flows.register_steps import prepare_entries
from flows.registers import joins_of
from sources.kit.catalogue import source
from sources.kit.columns import NATURAL, change_name
from sources.kit.errors import Refused, SettingsInvalid, SourcenoteError
from sources.kit.landing import Landing
from sources.kit.shapes import REGISTER
from warehouse import comparing
from warehouse.engine import reading, sole_writer
from warehouse.sorting import CHANGED

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.house import House
    from flows.prepared import Prepared
    from sources.kit.card import Landed

    Tell = Callable[[str, int, int | None], None]

ERASED = "erased"
"""The register has removed it for good: what it brought goes."""


def can_be_asked() -> list[str]:
    """The registers that can be asked for single companies, by source id."""
    return [one for one in sorted(registers()) if hasattr(source(one), "fetch_keys")]


def ask(
    house: House, request: Request, tell: Tell, *, dry_run: bool = False
) -> list[RegisterReport]:
    """Ask every register that keeps a number of these companies and can be asked for single ones.

    What it says is loaded, but for a dry run. An error ends that register's part and no other; the
    numbers it leaves are `not_asked`.
    """
    with reading(house.engine) as connection:
        stated = comparing.numbers_of(connection, request.leis)
    found = []
    for source_id in can_be_asked():
        space = registers()[source_id]
        leis_by_number = {number: lei for own, number, lei in stated if own == space}
        if leis_by_number:
            report = RegisterReport(source_id, base_url=request.register_urls.get(source_id))
            _ask_one(house, report, leis_by_number, tell, dry_run=dry_run)
            found.append(report)
    return found


def _ask_one(
    house: House, report: RegisterReport, leis: dict[str, str], tell: Tell, *, dry_run: bool
) -> None:
    try:
        check_example(house, report.source_id, report.base_url)
        if dry_run:
            with tempfile.TemporaryDirectory(prefix="sourcenote-") as folder:
                _fetch(house, report, leis, Landing(Path(folder)), None)
            return
        with sole_writer(house.engine), ledger_run(house, "refresh", report.source_id) as ledger:
            _fetch(house, report, leis, house.landing, (ledger.run_id, tell))
            ledger.counts = report.counts
    except SourcenoteError as error:
        is_not_begun = isinstance(error, Refused | SettingsInvalid)
        report.is_set_up = report.base_url is not None or not is_not_begun
        report.error = {"thing": error.thing, "cause": error.cause, "cure": error.cure}
        told = {answer.source_key for answer in report.answers}
        report.answers += [
            RegisterAnswer(number, NOT_ASKED, lei)
            for number, lei in sorted(leis.items())
            if number not in told
        ]


def _fetch(
    house: House,
    report: RegisterReport,
    leis: dict[str, str],
    landing: Landing,
    loading: tuple[int, Tell] | None,
) -> None:
    """Every batch: fetched, compared, and loaded where there is a run to load it in."""
    module, numbers = source(report.source_id), sorted(leis)
    with session_with(house, report.source_id, report.base_url) as session:
        for start in range(0, len(numbers), module.KEYS_AT_ONCE):
            batch = numbers[start : start + module.KEYS_AT_ONCE]
            landed: Landed | None = module.fetch_keys(session, batch, landing)
            said = {} if landed is None else _compared(house, report.source_id, landed)
            if landed is not None and loading is not None:
                run_id, tell = loading
                loaded = ingest_steps.load_delivery(house, run_id, report.source_id, landed, tell)
                report.deliveries.append(loaded.delivery_id)
            for number in batch:
                answer = said.get(number) or RegisterAnswer(number, NOT_FOUND)
                answer.lei = leis[number]
                report.answers.append(answer)


def _compared(house: House, source_id: str, landed: Landed) -> dict[str, RegisterAnswer]:
    """By number what the register's answer changes; nothing is written."""
    module, asked = source(source_id), landed.asked or ()
    with reading(house.engine) as connection:
        held = comparing.held_records(connection, source_id, asked)
        points = comparing.held_contacts(connection, source_id, asked)
    joins = joins_of(house, card_of(house, source_id))
    with module.rows_of(
        landed.path, lambda frame: prepare_entries(house, module.as_held(frame, held), joins)
    ) as rows:
        prepared: list[Prepared] = list(rows.frames)
        erased = rows.erased
    facts = facts_of(house, 0, landed, source_id)
    arrived = [one.arrived for one in prepared]
    codes = comparing.outcomes(house.engine, facts, house.keys, arrived).tolist()
    found = {number: RegisterAnswer(number, ERASED) for number in erased}
    for one in prepared:
        brought = _points_of(one)
        for place, row in enumerate(one.arrived.table.to_pylist()):
            number, code = row["source_key"], codes.pop(0)
            answer = found[number] = RegisterAnswer(number, outcome_named(code))
            if code == CHANGED and number in held:
                answer.changes = _changes(held[number], row)
                answer.contacts = _contacts(points.get(number, set()), brought.get(place, set()))
    return found


def _points_of(one: Prepared) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = {}
    contacts = one.arrived.contacts
    for row in [] if contacts is None else contacts.to_pylist():
        found.setdefault(row["ordinal"], set()).add((row["kind"], row["value"]))
    return found


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, str | None]]:
    """Published fields that differ; of natural persons none is told."""
    if NATURAL in {before["person_kind"], after["person_kind"]}:
        return []
    return [
        {"field": change_name(name), "before": before[name], "after": after[name]}
        for name in REGISTER.published
        if before[name] != after[name]
    ]


def _contacts(
    before: set[tuple[str, str]], after: set[tuple[str, str]]
) -> dict[str, dict[str, int]]:
    """By kind how many contact points came and went; their values are shown by `explain` alone."""
    came, went = (Counter(kind for kind, _ in some) for some in (after - before, before - after))
    return {kind: {"came": came[kind], "went": went[kind]} for kind in sorted({*came, *went})}
