"""Loads one delivery: streams its differences into staging, then merges them in one transaction."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import columns
from sources.kit.digest import as_bytes
from sources.kit.flat import truths
from sources.kit.shapes import ENTITY, SHAPES
from warehouse import merge
from warehouse.gathered import Gathered
from warehouse.held import UNKNOWN
from warehouse.load_known import Known, read_known
from warehouse.load_shapes import (
    QUARANTINE_SCHEMA,
    RETRACTED_SCHEMA,
    DeliveryFacts,
    changed_schema,
    first_filling,
    new_schema,
    own_companies,
    shaped,
    staged,
)
from warehouse.load_stage import (
    Placed,
    stage_contacts,
    stage_numbers,
    stage_personal,
    stage_suppressed,
)
from warehouse.privacy import following
from warehouse.sorting import (
    CHANGED,
    NAMES,
    NEW,
    QUARANTINED,
    RETRACTED,
    SUPERSEDED,
    SUPPRESSED,
    UNCHANGED,
    Arrived,
    Sorter,
)
from warehouse.staging import Staging, staging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Engine

    from sources.kit.keys import Keys
    from warehouse.merge import Approval
    from warehouse.privacy.erasing import Erasure


class Loading:
    """One delivery on its way in; `add` its frames, then `commit`. Nothing shows before that."""

    def __init__(self, stage: Staging, facts: DeliveryFacts, known: Known) -> None:
        self.facts, self._stage = facts, stage
        self._held, self._stops, self._numbers = known.held, known.stops, known.numbers
        self._not_retaken, self._full_published_at = known.not_retaken, known.full_published_at
        published, self._shape = facts.published_at, SHAPES[facts.card.shape]
        self._sorter = Sorter(
            held=known.held,
            published=UNKNOWN if published is None else int(published.timestamp()),
            is_stopped=known.stops.covers,
            subjects=self._shape.subjects,
            stopped=known.stopped,
            is_register_stopped=known.stops.register_check(),
            is_again=facts.is_again,
        )
        self._next_record, self._is_first = known.numbers.record, known.is_first
        self._rows = self._contacts = 0
        self._natural = Gathered(bool)
        self._on_stopped: list[dict[str, Any]] = []
        self._erased: Erasure | None = None
        self._filled: Counter[str] = Counter()
        self.misshapen = self.retracted = 0

    @property
    def held_count(self) -> int:
        """Records of this source held before the delivery."""
        return len(self._held)

    def add(self, frame: Arrived, personal: pa.Table) -> np.ndarray:
        """Sort one frame and stage its differences; returns each row's outcome code."""
        outcome, place = self._sorter.sort(frame)
        start, self._rows = self._rows, self._rows + len(outcome)
        ids = np.zeros(len(outcome), dtype=np.int64)
        is_new, is_changed = outcome == NEW, outcome == CHANGED
        ids[is_new] = np.arange(self._next_record, self._next_record + is_new.sum())
        self._next_record += int(is_new.sum())
        is_retracted = (outcome == RETRACTED) & (place >= 0)
        self.retracted += int(is_retracted.sum())
        was_held = is_changed | is_retracted
        ids[was_held] = self._held.record_id[place[was_held]]
        self._stage_new(frame, is_new, ids)
        schema = changed_schema(self._shape)
        self._stage_held("staged_changed", schema, frame, is_changed, ids, start)
        self._stage_held("staged_retracted", RETRACTED_SCHEMA, frame, is_retracted, ids, start)
        self._stage_beside(frame, personal, Placed(outcome, ids, start))
        is_dropped = (outcome == SUPPRESSED) & (place < 0)
        if is_dropped.any() and self._shape is ENTITY:
            stage_suppressed(self._stage, frame.table.filter(pa.array(is_dropped)), self._stops)
        self._note_stopped(frame, outcome, place)
        self._filled.update(frame.filled)
        self._natural.append(truths(pc.equal(frame.table["person_kind"], "natural")))
        return outcome

    def _stage_beside(self, frame: Arrived, personal: pa.Table, placed: Placed) -> None:
        own, away = self.facts.card.source_id, self._not_retaken
        stage_personal(self._stage, personal, placed, away, own)
        if frame.numbers is not None:
            stage_numbers(self._stage, frame.numbers, placed)
        if frame.contacts is not None:
            found, start = frame.contacts, self._contacts
            self._contacts = stage_contacts(self._stage, found, placed, away, own, start)

    def quarantine(self, rows: pa.Table) -> None:
        """Stage rejected rows (`QUARANTINE_SCHEMA`)."""
        self._stage.write("staged_quarantine", rows.cast(QUARANTINE_SCHEMA))

    def erase(self, erasure: Erasure) -> None:
        """Records that the register has removed for good go in the same transaction."""
        self._erased = erasure

    def conflicts(self) -> np.ndarray:
        """Ordinals of rows whose key stands again with other content.

        Their texts go to `quarantine` before `commit`.
        """
        self._superseded, self._conflicts = self._sorter.repeated(
            conflict_is_fatal=self.facts.kind == "full"
        )
        return self._conflicts

    def counts(self) -> dict[str, int]:
        """Rows in and every outcome; valid once `conflicts` was asked."""
        outcome = self._sorter.outcomes.whole().copy()
        outcome[self._superseded] = SUPERSEDED
        outcome[self._conflicts] = QUARANTINED
        tally = np.bincount(outcome, minlength=max(NAMES) + 1)
        counts = {name: int(tally[code]) for code, name in NAMES.items()}
        counts["records_quarantined"] += self.misshapen
        counts["records_vanished"] = 0
        erased = len(self._erased.keys) if self._erased else 0
        counts["records_retracted"] += erased
        counts["records_in"] = len(outcome) + self.misshapen + erased
        held = np.isin(outcome, (NEW, CHANGED, UNCHANGED))
        counts["records_minimised"] = int(self._natural.whole()[held].sum())
        return counts

    def commit(
        self, approve: Callable[[], Approval], shared_domains: Sequence[str] | None = None
    ) -> merge.Merged:
        """Merge everything in one transaction with the cursor and the delivery's status.

        `approve` is asked after the merge and before the commit: when it raises, nothing happened.
        `shared_domains` are the mail domains that a full file of a register showed to be shared.
        """
        absent, returned = self._absences()
        for name, ids in (("staged_absent", absent), ("staged_returned", returned)):
            self._stage.write(name, pa.table({"record_id": pa.array(ids, pa.int64())}))
        dropped = np.concatenate((self._superseded, self._conflicts))
        is_answer = self.facts.kind in {"api", "feed"}
        answered = self._held.record_id[self._held.seen] if is_answer else ()
        held, self._held = self.held_count, self._held.none()
        self._sorter.forget()  # the merge has room for itself
        with self._stage.merging() as connection:
            merged = merge.merge(
                connection,
                self.facts,
                merge.Sorted(
                    counts=self.counts(),
                    held=held,
                    dropped_ordinals=dropped,
                    dropped_records=self._record_ids(dropped),
                    numbers=self._numbers,
                    new_rows=self._next_record - self._numbers.record,
                    is_direct=self._stage.is_direct,
                    is_first=self._is_first,
                    retracted=self.retracted,
                    erased=self._erased,
                    shared_domains=shared_domains,
                    rows=self._rows,
                    filled=self._filled,
                    answered=answered,
                ),
                approve,
            )
            if self._stops.roots and self._shape is ENTITY:
                self._stops.follow(connection, self._on_stopped, self.facts.retrieved_at)
            return merged

    def _note_stopped(self, frame: Arrived, outcome: np.ndarray, place: np.ndarray) -> None:
        """Rows on stopped companies say where their stops lead, taken or not."""
        if not self._stops.roots or self._shape is not ENTITY:
            return
        is_stopped = self._sorter.on_stopped(outcome, place)
        if is_stopped.any():
            rows = frame.table.select(following.STATED).filter(pa.array(is_stopped))
            self._on_stopped += rows.to_pylist()

    def _record_ids(self, ordinals: np.ndarray) -> np.ndarray:
        """Numbers that new rows among the ordinals were staged under."""
        if not len(ordinals):
            return np.empty(0, np.int64)
        is_new = self._sorter.outcomes.whole() == NEW
        number = self._numbers.record + np.cumsum(is_new) - 1
        found: np.ndarray = number[ordinals[is_new[ordinals]]]
        return found

    def _counts_absence(self) -> bool:
        """Only a dated full file that is newer than the last one can tell what is missing."""
        published, last = self.facts.published_at, self._full_published_at
        is_newer = published is not None and (last is None or published > last)
        return self.facts.kind == "full" and is_newer and not self.facts.is_repeat

    def _is_before_full(self) -> bool:
        """Whether it was published before the newest full file."""
        published, last = self.facts.published_at, self._full_published_at
        return published is not None and last is not None and published < last

    def _tells_of_return(self) -> bool:
        """Whether a record in it is listed again: not by what is undated, or older."""
        return self.facts.published_at is not None and not self._is_before_full()

    def _absences(self) -> tuple[np.ndarray, np.ndarray]:
        """(records older than this full file and not in it, records in it absent before)."""
        held = self._held
        returned = held.record_id[held.seen & held.is_absent & self._tells_of_return()]
        if not self._counts_absence():
            return np.empty(0, np.int64), returned
        older = held.published() < self._sorter.published
        return held.record_id[~held.seen & older], returned

    def _stage_new(self, frame: Arrived, chosen: np.ndarray, ids: np.ndarray) -> None:
        if not chosen.any():
            return
        table = frame.table if chosen.all() else frame.table.filter(pa.array(chosen))
        rows = table.num_rows
        given = {
            "record_id": pa.array(ids[chosen]),
            "source_id": pa.repeat(self.facts.card.source_id, rows),
            "digest": as_bytes(frame.digest[chosen]),
            "mapping_version": pa.repeat(columns.MAPPING_VERSION, rows),
            "first_delivery_id": pa.repeat(self._numbers.delivery, rows),
            "last_delivery_id": pa.repeat(self._numbers.delivery, rows),
            # The newest full file did not bring it: that one was the first to be without it.
            "absent_count": pa.repeat(int(self._is_before_full()), rows),
        }
        schema = new_schema(self._shape)
        texts = frame.texts if chosen.all() else frame.texts.filter(pa.array(chosen))
        known = texts if self._shape is ENTITY else None  # staging knows the entity's texts
        self._stage.write("staged_new", shaped(table, given, schema), known)
        if self._stage.is_direct and self._shape.makes_companies:
            at = self.facts.retrieved_at
            made = own_companies(given["record_id"], table["source_key"], self._numbers, at)
            for name, companies in made.items():
                self._stage.write(name, companies)

    def _stage_held(
        self,
        name: str,
        schema: pa.Schema,
        frame: Arrived,
        chosen: np.ndarray,
        ids: np.ndarray,
        start: int,
    ) -> None:
        if not chosen.any():
            return
        given = {
            "ordinal": pa.array(np.flatnonzero(chosen) + start),
            "record_id": pa.array(ids[chosen]),
            "digest": as_bytes(frame.digest[chosen]),
        }
        table = frame.table.filter(pa.array(chosen))
        self._stage.write(name, shaped(table, given, schema))


@contextmanager
def loading(engine: Engine, facts: DeliveryFacts, keys: Keys) -> Iterator[Loading]:
    """A delivery being loaded; leaving without `commit` leaves no trace. Hold the writer lock."""
    known = read_known(engine, facts.card.source_id, keys, facts.asked)
    shape = SHAPES[facts.card.shape]
    filling = first_filling(shape, facts, known.numbers.delivery) if known.is_first else None
    with staging(engine, staged(shape), filling) as stage:
        load = Loading(stage, facts, known)
        del known  # what is held is the load's to let go of
        yield load
