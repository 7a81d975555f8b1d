"""Loads one delivery: streams its differences into staging, then merges them in one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import columns
from sources.kit.digest import as_bytes
from warehouse import merge
from warehouse.engine import reading
from warehouse.held import UNKNOWN, Held, read_held
from warehouse.privacy.suppression import Stops
from warehouse.sorting import (
    CHANGED,
    NAMES,
    NEW,
    QUARANTINED,
    SUPERSEDED,
    SUPPRESSED,
    Arrived,
    Sorter,
)
from warehouse.staging import Staging, staging

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from sqlalchemy.engine import Engine

    from sources.kit.card import Card
    from sources.kit.keys import Keys

_ARROW = {"text": pa.string(), "date": pa.date32(), "utc": pa.timestamp("s", "UTC")}
ROW_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("record_id", pa.int64()),
        ("company_id", pa.int64()),
        ("source_key", pa.string()),
        ("digest", pa.binary()),
        ("person_kind", pa.string()),
        ("person_rule", pa.string()),
        *((field.name, _ARROW[field.kind]) for field in columns.FIELDS),
    ]
)
PERSONAL_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("is_new", pa.bool_()),
        ("record_id", pa.int64()),
        ("source_key", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [
        ("source_key", pa.string()),
        ("rule", pa.string()),
        ("content_digest", pa.binary()),
        ("content", pa.string()),
        ("byte_offset", pa.int64()),
        ("is_alarming", pa.bool_()),
    ]
)
SUPPRESSED_SCHEMA = pa.schema(
    [
        ("subject_hash", pa.string()),
        ("country", pa.string()),
        ("lei_status", pa.string()),
        ("next_renewal_date", pa.date32()),
    ]
)
STAGED = {
    "staged_new": ROW_SCHEMA.empty_table(),
    "staged_changed": ROW_SCHEMA.empty_table(),
    "staged_personal": PERSONAL_SCHEMA.empty_table(),
    "staged_quarantine": QUARANTINE_SCHEMA.empty_table(),
    "staged_suppressed": SUPPRESSED_SCHEMA.empty_table(),
    "staged_absent": pa.schema([("record_id", pa.int64())]).empty_table(),
    "staged_returned": pa.schema([("record_id", pa.int64())]).empty_table(),
}


@dataclass(frozen=True)
class DeliveryFacts:
    """What is known of the bytes before their rows are counted."""

    card: Card
    run_id: int
    kind: str
    url: str
    published_at: datetime | None
    retrieved_at: datetime
    byte_count: int
    sha256: str
    personal_inactive_after: date
    """Day from which a personal value this delivery brings is inactive (policy `person_public`)."""
    personal_delete_after: date
    is_repeat: bool
    """These bytes were loaded before: they change nothing and count no absence."""


class Loading:
    """One delivery on its way in; `add` its frames, then `commit`. Nothing shows before that."""

    def __init__(self, stage: Staging, held: Held, facts: DeliveryFacts, stops: Stops) -> None:
        self.facts, self._stage, self._held, self._stops = facts, stage, held, stops
        published = facts.published_at
        self._sorter = Sorter(
            held=held,
            published=UNKNOWN if published is None else int(published.timestamp()),
            counts_absence=facts.kind == "full",
            is_stopped=stops.covers,
        )
        self._next_record = merge.FIRST_STAGED_ID
        self.misshapen = 0
        self.minimised = 0
        self.conflict_rows = 0

    @property
    def held_count(self) -> int:
        """Records of this source held before the delivery."""
        return len(self._held)

    def add(self, frame: Arrived, personal: pa.Table) -> np.ndarray:
        """Sort one frame and stage its differences; returns each row's outcome code."""
        outcome, place = self._sorter.sort(frame)
        ids = np.zeros(len(outcome), dtype=np.int64)
        is_new, is_changed = outcome == NEW, outcome == CHANGED
        ids[is_new] = np.arange(self._next_record, self._next_record + is_new.sum())
        self._next_record += int(is_new.sum())
        ids[is_changed] = self._held.record_id[place[is_changed]]
        self._stage_rows("staged_new", frame, is_new, ids)
        self._stage_rows("staged_changed", frame, is_changed, ids)
        self._stage_personal(frame, personal, ids, outcome)
        self._stage_suppressed(frame, (outcome == SUPPRESSED) & (place < 0))
        natural = pc.equal(frame.table["person_kind"], "natural").combine_chunks()
        self.minimised += int((natural.to_numpy(zero_copy_only=False) & (outcome <= 3)).sum())  # noqa: PLR2004 (new, changed, unchanged)
        return outcome

    def quarantine(self, rows: pa.Table) -> None:
        """Stage rejected rows (`QUARANTINE_SCHEMA`)."""
        self._stage.write("staged_quarantine", rows.cast(QUARANTINE_SCHEMA))

    def conflicts(self) -> np.ndarray:
        """Ordinals of rows whose key stands again with other content; their texts go to
        `quarantine` before `commit`.
        """
        self._superseded, self._conflicts = self._sorter.repeated(
            conflict_is_fatal=self.facts.kind == "full"
        )
        return self._conflicts

    def counts(self) -> dict[str, int]:
        """Rows in and every outcome; valid once `conflicts` was asked."""
        outcome = (
            np.concatenate(self._sorter.outcomes).copy()
            if self._sorter.outcomes
            else np.empty(0, np.uint8)
        )
        outcome[self._superseded] = SUPERSEDED
        outcome[self._conflicts] = QUARANTINED
        tally = np.bincount(outcome, minlength=max(NAMES) + 1)
        counts = {name: int(tally[code]) for code, name in NAMES.items()}
        counts["records_quarantined"] += self.misshapen
        counts["records_retracted"] = 0
        counts["records_in"] = len(outcome) + self.misshapen
        counts["records_minimised"] = self.minimised
        return counts

    def commit(self, *, notes: dict[str, int], unknown_columns: list[str]) -> merge.Merged:
        """Merge everything in one transaction with the cursor and the delivery's status."""
        absent, returned = self._absences()
        for name, ids in (("staged_absent", absent), ("staged_returned", returned)):
            self._stage.write(name, pa.table({"record_id": pa.array(ids, pa.int64())}))
        with self._stage.merging() as connection:
            return merge.merge(
                connection,
                self.facts,
                merge.Sorted(
                    counts=self.counts(),
                    notes=notes,
                    unknown_columns=unknown_columns,
                    dropped=np.concatenate((self._superseded, self._conflicts)),
                    staged_ids=self._next_record - merge.FIRST_STAGED_ID,
                    held_count=self.held_count,
                    counts_absence=self._counts_absence(),
                ),
            )

    def _counts_absence(self) -> bool:
        return (
            self.facts.kind == "full"
            and self.facts.published_at is not None
            and not self.facts.is_repeat
        )

    def _absences(self) -> tuple[np.ndarray, np.ndarray]:
        """(records not in this full file, records in it that were absent before)."""
        held = self._held
        returned = held.record_id[held.seen & held.is_absent]
        if not self._counts_absence():
            return np.empty(0, np.int64), returned
        return held.record_id[~held.seen], returned

    def _stage_rows(self, name: str, frame: Arrived, chosen: np.ndarray, ids: np.ndarray) -> None:
        if not chosen.any():
            return
        mask = pa.array(chosen)
        table = frame.table.filter(mask)
        company = ids[chosen] if name == "staged_new" else np.zeros(table.num_rows, np.int64)
        table = (
            table.append_column("record_id", pa.array(ids[chosen]))
            .append_column("company_id", pa.array(company))
            .append_column("digest", as_bytes(frame.digest[chosen]))
        )
        self._stage.write(name, table.select(ROW_SCHEMA.names).cast(ROW_SCHEMA))

    def _stage_personal(
        self, frame: Arrived, personal: pa.Table, ids: np.ndarray, outcome: np.ndarray
    ) -> None:
        if not personal.num_rows:
            return
        first = frame.table["ordinal"][0].as_py()
        row = personal["ordinal"].combine_chunks().to_numpy() - first
        kept = np.isin(outcome[row], (NEW, CHANGED))
        self._stage.write(
            "staged_personal",
            personal.filter(pa.array(kept))
            .append_column("record_id", pa.array(ids[row[kept]]))
            .append_column("is_new", pa.array(outcome[row[kept]] == NEW))
            .select(PERSONAL_SCHEMA.names)
            .cast(PERSONAL_SCHEMA),
        )

    def _stage_suppressed(self, frame: Arrived, chosen: np.ndarray) -> None:
        if not chosen.any():
            return
        rows = frame.table.filter(pa.array(chosen))
        self._stage.write(
            "staged_suppressed",
            pa.table(
                {
                    "subject_hash": self._stops.hashes(rows["source_key"].to_pylist()),
                    "country": rows["legal_country"],
                    "lei_status": rows["lei_status"],
                    "next_renewal_date": rows["next_renewal_date"],
                },
                schema=SUPPRESSED_SCHEMA,
            ),
        )


@contextmanager
def loading(engine: Engine, facts: DeliveryFacts, keys: Keys) -> Iterator[Loading]:
    """A delivery being loaded; leaving without `commit` leaves no trace. Hold the writer lock."""
    with reading(engine) as connection:
        held = read_held(connection, facts.card.source_id)
        stops = Stops.read(connection, keys)
    with staging(engine, STAGED) as stage:
        yield Loading(stage, held, facts, stops)
