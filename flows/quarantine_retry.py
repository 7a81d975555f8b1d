"""Rejected rows, run again through the present rules: what passes is loaded as a delivery."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import quarantine_correction
from flows.ledger import ledger_run
from flows.quarantine_steps import check_rule, meaning_of
from sources.kit.catalogue import source
from sources.kit.errors import Refused
from warehouse import migrate, quarantine, runs
from warehouse.engine import reading, sole_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import numpy as np

    from flows.house import House
    from flows.quarantine_correction import Correction
    from sources.kit.frames import Frame
    from sources.kit.register_frame import RegisterFrame
    from sources.kit.shapes import Shape

    Tell = Callable[[str, int, int | None], None]

AT_ONCE = 100_000
"""Entries one retry takes: a frame's worth of rows; the rest is counted as left."""
_SHOWN = 1000
_LONGEST_URL = 200
_WITHHELD = {
    # Of entries that an earlier version set aside.
    "contacts": "its contact points are not kept here: the next full file of its register has them",
    "shape": "it had another number of fields than its header, so nothing of it was kept",
    "person": "of a natural person only the skeleton was kept",
    "source": "it comes whole every time: ingest the code list, or import your list, again",
    "text": "what is shaped like a personal number was taken out, or its key was cut",
}


@dataclass(frozen=True)
class Choice:
    """Which entries: by number, by rule, or every open one; and a correction of one row."""

    ids: tuple[int, ...] = ()
    rule: str | None = None
    is_all: bool = False
    correction: Correction | None = None


@dataclass
class _Row:
    """One rejected row, with all entries it has, and what became of it."""

    entries: tuple[int, ...]
    source_id: str
    source_key: str
    published_at: datetime | None
    texts: dict[str, str]
    withheld: str | None
    broken: list[str] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        return not self.withheld and not self.broken


def retry(house: House, choice: Choice, tell: Tell, *, dry_run: bool = False) -> dict[str, Any]:
    """Judge the chosen rows by the present rules and load those that pass; the others stay.

    Each group of one source and publication is a delivery of kind `file`, compared as any delta;
    entries, corrections and the audit event are in its transaction. Raises `Refused` for a number
    that has no entry, and for a correction of more than one row.
    """
    migrate.check(house.engine)
    _check(choice)
    if dry_run:
        rows, left = _judged(house, choice)
        return _report(rows, left, [], is_dry_run=True)
    with sole_writer(house.engine):
        rows, left = _judged(house, choice)
        sources = {row.source_id for row in rows}
        of_one = sources.pop() if len(sources) == 1 else None
        with ledger_run(house, "quarantine retry", of_one) as ledger:
            loaded = [
                _load(house, ledger.run_id, group, choice.correction, tell)
                for group in _groups(rows)
            ]
            report = _report(rows, left, loaded, is_dry_run=False)
            ledger.counts = report["counts"]
    return report


def _check(choice: Choice) -> None:
    if (bool(choice.ids) + (choice.rule is not None) + choice.is_all) != 1:
        raise Refused(
            "quarantine retry",
            "it must be told which rows, in one way",
            "Give numbers, or --rule NAME, or --all",
        )
    if choice.rule is not None:
        check_rule(choice.rule)
    if choice.correction and len(choice.ids) != 1:
        raise Refused(
            "--set", "a correction is of one row only", "Give the number of one entry with it"
        )


def _judged(house: House, choice: Choice) -> tuple[list[_Row], int]:
    """(the chosen rows, each with the rules it breaks now; how many entries are left over)."""
    with reading(house.engine) as connection:
        found, left = quarantine.chosen(connection, ids=choice.ids, rule=choice.rule, limit=AT_ONCE)
    rows = [_row(entries) for entries in found]
    whole = [row for row in rows if not row.withheld]
    if choice.correction:
        for row in whole:
            quarantine_correction.check_fields(choice.correction, row.source_id)
            row.texts = quarantine_correction.apply(choice.correction, row.texts)
    for source_id in {row.source_id for row in whole}:
        _judge(house, source_id, [row for row in whole if row.source_id == source_id])
    _part_twins(rows)
    return rows, left


def _row(entries: Sequence[dict[str, Any]]) -> _Row:
    first = min(entries, key=lambda entry: entry["first_delivery_id"])
    return _Row(
        entries=tuple(entry["quarantine_id"] for entry in entries),
        source_id=first["source_id"],
        source_key=first["source_key"],
        published_at=first["published_at"],
        texts={**json.loads(first["content"]), "source_key": first["source_key"]},
        withheld=first["withheld"] or (None if _shape(first["source_id"]) else "source"),
    )


def _shape(source_id: str) -> Shape | None:
    """The shape of the source's records; None for what is kept in tables of its own."""
    from sources.kit.own_lists import is_own_list
    from sources.kit.shapes import SHAPES

    if is_own_list(source_id):
        return None
    return SHAPES.get(source(source_id).CARD.shape)


def _frame(source_id: str, rows: Sequence[_Row]) -> Frame:
    """The rows as a frame: a source that reads more than columns tells them again itself."""
    from sources.kit.retold import retold

    found: Frame = getattr(source(source_id), "retold", retold)([row.texts for row in rows])
    return found


def _entries(source_id: str, rows: Sequence[_Row]) -> RegisterFrame:
    """The same of a national register's entries, with their contact points."""
    from sources.kit.retold_register import retold

    return retold([row.texts for row in rows], source(source_id).CARD.home)


def _judge(house: House, source_id: str, rows: Sequence[_Row]) -> None:
    """Note the rules each row breaks; a rule on the whole delivery is not among them."""
    from checks.verdicts import broken

    shape = _shape(source_id)
    if shape is None:
        return
    for row, packed in zip(rows, _verdicts(house, source_id, shape, rows).tolist(), strict=True):
        row.broken = broken(packed)


def _verdicts(house: House, source_id: str, shape: Shape, rows: Sequence[_Row]) -> np.ndarray:
    from checks.arrivals_group import JUDGES
    from checks.verdicts import pack
    from flows.deliver import card_of
    from flows.register_steps import judged
    from flows.registers import joins_of
    from sources.kit.digest import canonical_texts

    if shape.joins_companies:
        joins = joins_of(house, card_of(house, source_id))
        return judged(_entries(source_id, rows), joins).verdicts
    frame = _frame(source_id, rows)
    return pack(JUDGES[shape.name](frame.table, canonical_texts(frame.table, shape.published)))


def _part_twins(rows: Sequence[_Row]) -> None:
    """Rows of one key and publication contradict each other: a person must name the right one."""
    seen: dict[tuple[object, ...], list[_Row]] = {}
    for row in rows:
        if row.passes:
            seen.setdefault((row.source_id, row.source_key, row.published_at), []).append(row)
    for twins in seen.values():
        if len(twins) > 1:
            for row in twins:
                row.broken = ["key_is_unique"]


def _groups(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Rows that pass, by source and publication, the oldest publication first."""

    def order(row: _Row) -> tuple[str, bool, str]:
        stated = row.published_at
        return row.source_id, stated is not None, stated.isoformat() if stated else ""

    passing = sorted((row for row in rows if row.passes), key=order)
    return [list(group) for _, group in groupby(passing, key=order)]


def _load(
    house: House, run_id: int, rows: list[_Row], correction: Correction | None, tell: Tell
) -> dict[str, Any]:
    """Load one group as a delivery of its own."""
    from flows import ingest_steps
    from flows.deliver import facts_of
    from sources.kit.card import Landed
    from warehouse.load_shapes import Retry

    entries = tuple(sorted(number for row in rows for number in row.entries))
    content = "\n".join(json.dumps(row.texts, sort_keys=True, ensure_ascii=False) for row in rows)
    landed = Landed(
        path=Path("quarantine"),  # what was read of its publisher is in the landing already
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        byte_count=len(content.encode()),
        url=_url(entries, correction),
        retrieved_at=house.now(),
        published_at=rows[0].published_at,
        kind="file",
        record_count=len(rows),
        member=None,
        is_publisher_host=False,
    )
    told = Retry(entries, runs.actor(house.engine))
    if correction:
        told = replace(
            told,
            fields=correction.fields,
            corrected_by=quarantine_correction.corrected_by(house),
            reason=correction.reason,
        )
    facts = replace(facts_of(house, run_id, landed, rows[0].source_id), retry=told)
    shape = _shape(rows[0].source_id)
    told_again = _entries if shape and shape.joins_companies else _frame
    frame = told_again(rows[0].source_id, rows)
    return ingest_steps.load_frames(house, facts, landed, [frame], tell).as_json()


def _url(entries: Sequence[int], correction: Correction | None) -> str:
    if correction:
        return f"correction:{entries[0]}"
    url = f"quarantine:{quarantine.ranges(entries)}"
    if len(url) <= _LONGEST_URL:
        return url
    return f"quarantine:{entries[0]}-{entries[-1]} ({len(entries)} entries)"


def _report(
    rows: Sequence[_Row], left: int, loaded: list[dict[str, Any]], *, is_dry_run: bool
) -> dict[str, Any]:
    outcomes = [_outcome(row) for row in rows]
    said = [outcome["outcome"] for outcome in outcomes]
    counts = {
        "rows": len(rows),
        "passed": said.count("passed"),
        "failed": said.count("failed"),
        "not_retried": said.count("not_retried"),
        "entries_left": left,
    }
    return {
        "dry_run": is_dry_run,
        "counts": counts,
        "deliveries": loaded,
        "rows": sorted(outcomes, key=lambda outcome: outcome["outcome"] == "passed")[:_SHOWN],
    }


def _outcome(row: _Row) -> dict[str, Any]:
    """What became of the row, without what it says."""
    outcome = "passed" if row.passes else "not_retried" if row.withheld else "failed"
    return {
        "entries": list(row.entries),
        "source_id": row.source_id,
        "source_key": row.source_key,
        "outcome": outcome,
        "rules": {rule: meaning_of(rule) for rule in row.broken},
        "why": _WITHHELD[row.withheld] if row.withheld else None,
    }
