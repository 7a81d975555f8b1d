"""One source end to end, as plain functions: plan, fetch, parse, check, load, report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks import quarantine
from checks.arrivals_group import JUDGES
from checks.drift import filled
from checks.rules import MISSHAPEN
from checks.runner import Judgement, judge
from checks.verdicts import BIT, broken, pack
from checks.verdicts import QUARANTINED as QUARANTINE_BITS
from flows.afterwards import clean_up
from flows.codes_steps import load_codes
from flows.deliver import (
    bounds,
    cure_of,
    facts_of,
    has_ended,
    record_refusal,
    relationship_scope,
    scope_mask,
)
from flows.drift_steps import drift_of
from flows.ingest_report import Report, reason_of
from flows.prepared import Prepared, Tally
from flows.register_steps import as_rejected, prepare_entries
from flows.registers import erasure_of, joins_of, shared_domains_of, stated_numbers
from sources.kit.catalogue import source
from sources.kit.code_words import SHAPE as CODES
from sources.kit.digest import canonical_texts, hash128, kept_texts, key_print, row_digests
from sources.kit.errors import DeliveryRefused
from sources.kit.flat import flat, truths
from sources.kit.frames import Frame, Rows
from sources.kit.identity import NOTHING_PERSONAL, minimise
from sources.kit.memory import be_frugal
from sources.kit.shapes import ENTITY, SHAPES
from warehouse.load import Loading, loading
from warehouse.load_shapes import DeliveryFacts
from warehouse.merge import Approval, Merged
from warehouse.sorting import QUARANTINED, Arrived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flows.house import House
    from sources.kit.card import Card, Landed
    from sources.kit.register_frame import RegisterFrame
    from sources.kit.shapes import Shape

    Tell = Callable[[str, int, int | None], None]


def load_delivery(
    house: House,
    run_id: int,
    source_id: str,
    landed: Landed,
    tell: Tell,
    confirm_vanished: int | None = None,
) -> Report:
    """Parse, check and load one landed delivery; all of it or nothing.

    Raises `DeliveryRefused` after recording the refusal. The one-writer lock must be held.
    """
    if source(source_id).CARD.shape == CODES:
        return load_codes(house, run_id, source_id, landed)
    facts = replace(facts_of(house, run_id, landed, source_id), confirmed_vanished=confirm_vanished)
    tally = Tally()
    as_prepared = preparing(house, facts.card)
    try:
        if facts.kind != "full" and facts.asked is None:
            facts = replace(facts, asked=_keys_of(source_id, landed))
        with source(source_id).rows_of(landed.path, as_prepared) as rows:
            report = _load(house, facts, landed, rows, tally, tell)
        clean_up(house, source_id, landed)
        return replace(
            report, reason=reason_of(facts, landed), drift=drift_of(house, report.delivery_id)
        )
    except DeliveryRefused as refusal:
        record_refusal(house, facts, landed, refusal)
        raise


def _keys_of(source_id: str, landed: Landed) -> tuple[str, ...]:
    """What a delta is about: of the millions held only these records need be read."""
    with source(source_id).rows_of(landed.path, lambda frame: frame.table["source_key"]) as rows:
        keys = pa.chunked_array([flat(column) for column in rows.frames], pa.string())
    return tuple(pc.unique(keys).drop_null().to_pylist())


def load_frames(
    house: House,
    facts: DeliveryFacts,
    landed: Landed,
    frames: Iterable[Frame | RegisterFrame],
    tell: Tell,
) -> Report:
    """Check and load frames that are at hand; all of it or nothing. Hold the one-writer lock."""
    prepared = map(preparing(house, facts.card), frames)
    return _load(house, facts, landed, Rows("", [], prepared), Tally(), tell)


def _load(
    house: House,
    facts: DeliveryFacts,
    landed: Landed,
    rows: Rows[Prepared],
    tally: Tally,
    tell: Tell,
) -> Report:
    be_frugal()
    with loading(house.engine, facts, house.keys) as load:
        for prepared in rows.frames:
            _take(load, prepared, tally)
            tell("rows", tally.rows, landed.record_count)
        if rows.erased:
            load.erase(erasure_of(house, rows.erased))
        conflicts = load.conflicts()
        verdicts = tally.verdicts.whole()
        verdicts[conflicts] |= BIT["key_is_unique"]  # which only the whole delivery can tell
        _quarantine_conflicts(load, landed, conflicts, tally)
        tell("merge", 0, None)
        with ThreadPoolExecutor(1, thread_name_prefix="suite") as pool:
            held_to = bounds(house, facts, landed, tally.rows, verdicts)
            judging = pool.submit(judge, verdicts, held_to)
            if not all(held_to.values()):
                _approve(judging.result(), verdicts, landed, tally.rows, facts)

            def approve() -> Approval:
                found = _approve(judging.result(), verdicts, landed, tally.rows, facts)
                tell("merge", 0, None)  # the last moment at which somebody may change his mind
                return Approval(found.notes, rows.unknown)

            merged = load.commit(approve, shared_domains_of(facts, tally))
        judgement = judging.result()
        tell("settle", 0, None)
    return _report(facts, merged, judgement, tally, rows.unknown)


def _report(
    facts: DeliveryFacts, merged: Merged, judgement: Judgement, tally: Tally, unknown: list[str]
) -> Report:
    return Report(
        source_id=facts.card.source_id,
        status=merged.status,
        kind=facts.kind,
        reason="the same bytes were loaded before" if facts.is_repeat else "loaded",
        delivery_id=merged.delivery_id,
        published_at=facts.published_at,
        sha256=facts.sha256,
        counts=merged.counts,
        quarantined_by_rule=tally.by_rule,
        notes=judgement.notes,
        unknown_columns=unknown,
        care_of_lines=tally.care_of,
        told=dict(sorted(tally.told.items())),
        recalls=[asdict(recall) for recall in merged.erased.recalls] if merged.erased else [],
    )


def preparing(house: House, card: Card) -> Callable[[Any], Prepared]:
    """What makes a frame of the source ready to be loaded; called in worker threads."""
    shape = SHAPES[card.shape]
    if shape.joins_companies:
        return partial(prepare_entries, house, joins=joins_of(house, card))
    return partial(prepare, house, shape=shape)


def prepare(house: House, frame: Frame, shape: Shape = ENTITY) -> Prepared:
    """Judge, minimise and fingerprint one frame."""
    table = frame.table
    texts = canonical_texts(table, shape.published)
    verdicts = pack(JUDGES[shape.name](table, texts))
    if not shape.makes_companies:
        return _prepared(house, frame, shape, texts, verdicts)
    least = minimise(table, keep_natural=house.settings.scope.natural_persons == "full")
    kept = kept_texts(texts, least.table, least.touched, shape.published)
    ended = has_ended(house, table)
    arrived = Arrived(
        table=least.table,
        texts=kept,
        key=key_print(flat(table["source_key"].fill_null(""))),
        digest=row_digests(kept, least.personal),
        is_sound=(verdicts & QUARANTINE_BITS) == 0,
        in_scope=scope_mask(house, least.table, ended),
        has_ended=ended,
        filled=filled(table, shape.published),
        numbers=stated_numbers(least.table),
    )
    return Prepared(frame, arrived, least.personal, verdicts, least.care_of_count)


def _prepared(
    house: House, frame: Frame, shape: Shape, texts: pa.Array, verdicts: np.ndarray
) -> Prepared:
    """A frame of level 2: its rows name no person, and a retraction is taken whoever is stopped."""
    is_retraction = truths(pc.is_valid(frame.table["retracted_published"]))
    arrived = Arrived(
        table=frame.table,
        texts=texts,
        key=key_print(flat(frame.table["source_key"].fill_null(""))),
        digest=hash128(texts),
        is_sound=(verdicts & QUARANTINE_BITS) == 0,
        in_scope=relationship_scope(house, frame.table, shape) | is_retraction,
        has_ended=is_retraction,
        is_retraction=is_retraction,
        filled=filled(frame.table, shape.published),
    )
    return Prepared(frame, arrived, NOTHING_PERSONAL, verdicts)


def _take(load: Loading, prepared: Prepared, tally: Tally) -> None:
    """Sort and stage one frame, in the delivery's order."""
    outcome = load.add(prepared.arrived, prepared.personal)
    rejected = np.flatnonzero(outcome == QUARANTINED)
    if len(rejected):
        rules = [broken(bits) for bits in prepared.verdicts[rejected]]
        origin = prepared.frame.origin.row_offsets()
        load.quarantine(quarantine.rejected(prepared.frame.table, rejected.tolist(), rules, origin))
        for rule in chain.from_iterable(rules):
            tally.count(rule)
    _take_misshapen(load, prepared.frame, tally)
    tally.take(prepared)


def _take_misshapen(load: Loading, frame: Frame | RegisterFrame, tally: Tally) -> None:
    if not (found := frame.origin.misshapen):
        return
    offsets = frame.origin.misshapen_offsets().tolist()
    load.quarantine(quarantine.misshapen([fields for _, fields in found], offsets))
    load.misshapen += len(found)
    tally.count(MISSHAPEN, len(found))


def _approve(
    judgement: Judgement, verdicts: np.ndarray, landed: Landed, rows: int, facts: DeliveryFacts
) -> Judgement:
    """The suite must have judged every row, named just the rows set aside, and stopped nothing."""
    if judgement.stops:
        raise _refusal(judgement, landed, rows, facts)
    named = [np.zeros(0, dtype=np.int64), *judgement.quarantined.values()]
    aside = np.flatnonzero(verdicts & QUARANTINE_BITS)
    if judgement.checked != len(verdicts) or not np.array_equal(
        np.unique(np.concatenate(named)), aside
    ):
        raise DeliveryRefused(
            "arrival checks",
            f"the suite judged {judgement.checked} of {len(verdicts)} rows, or named other rows "
            f"than the {len(aside)} that were set aside",
            "This is a fault of sourcenote: report it with the delivery's digest",
        )
    return judgement


def _refusal(
    judgement: Judgement, landed: Landed, rows: int, facts: DeliveryFacts
) -> DeliveryRefused:
    listed = f"; the publisher listed {landed.record_count}" if landed.record_count else ""
    broken = "; ".join(f"{rule.name} does not hold ({rule.meaning})" for rule in judgement.stops)
    return DeliveryRefused(
        f"delivery {facts.sha256[:12]} of {facts.card.source_id}",
        f"{broken}: it holds {rows} rows{listed}",
        f"Nothing was loaded. {cure_of(judgement.stops, facts)}",
    )


def _quarantine_conflicts(
    load: Loading, landed: Landed, conflicts: np.ndarray, tally: Tally
) -> None:
    """Read the file once more for the texts of rows whose key stands twice; they are few."""
    if not len(conflicts):
        return
    start = 0
    with source(load.facts.card.source_id).rows_of(landed.path, lambda frame: frame) as rows:
        for frame in rows.frames:
            count = frame.table.num_rows
            chosen = conflicts[(conflicts >= start) & (conflicts < start + count)] - start
            start += count
            if len(chosen):
                rules = [["key_is_unique"]] * len(chosen)
                offsets = frame.origin.row_offsets()
                table = _whole(frame, chosen.tolist()).table
                load.quarantine(quarantine.rejected(table, chosen.tolist(), rules, offsets))
    tally.count("key_is_unique", len(conflicts))


def _whole(frame: Frame | RegisterFrame, rows: Sequence[int]) -> Frame | RegisterFrame:
    """The frame with all that is kept of its `rows` when they are rejected."""
    return frame if isinstance(frame, Frame) else as_rejected(frame, rows=rows)
