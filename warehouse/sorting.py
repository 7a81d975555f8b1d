"""Sorts a delivery's rows into their outcomes, frame by frame: exactly one each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.flat import flat, truths
from warehouse.gathered import Gathered
from warehouse.held import UNKNOWN, Held

if TYPE_CHECKING:
    from collections.abc import Callable

NEW, CHANGED, UNCHANGED, STALE, SUPERSEDED, OUT_OF_SCOPE, QUARANTINED, SUPPRESSED = range(1, 9)
RETRACTED = 9
NAMES = {
    NEW: "records_new",
    CHANGED: "records_changed",
    UNCHANGED: "records_unchanged",
    STALE: "records_stale",
    SUPERSEDED: "records_superseded",
    OUT_OF_SCOPE: "records_out_of_scope",
    QUARANTINED: "records_quarantined",
    SUPPRESSED: "records_suppressed",
    RETRACTED: "records_retracted",
}


_REGISTER = ["registration_authority", "registration_number"]


@dataclass(frozen=True)
class Arrived:
    """One judged frame.

    `table` holds record fields, `ordinal`, `source_key`, `person_kind`, `person_rule`; `texts`
    its published fields as one text a row (`sources.kit.digest.canonical_texts`);
    `key` and `digest` are (n, 2) fingerprints of the source key and the content; `is_sound` is
    False for rows a quarantine rule stopped; `in_scope` is False for rows not to be taken;
    `has_ended` is True for rows whose status ends the company by the retention policy: those are
    applied even to a stopped company, because its deletion waits for them. `is_retraction` is
    True for rows that take a record back (`DeletedAt`); None where a source knows no such rows.
    `filled`: how many rows had each published field, as sent. `numbers` are registers' numbers that
    rows with an LEI state (`ordinal`, `source_key`, `number_space`, `number`); `contacts` the
    contact points of a register's rows (`warehouse.load_shapes.CONTACT_SCHEMA`, but for what only
    the load knows).
    """

    table: pa.Table
    texts: pa.Array
    key: np.ndarray
    digest: np.ndarray
    is_sound: np.ndarray
    in_scope: np.ndarray
    has_ended: np.ndarray
    is_retraction: np.ndarray | None = None
    filled: dict[str, int] = field(default_factory=dict)
    numbers: pa.Table | None = None
    contacts: pa.Table | None = None

    def updated(self) -> np.ndarray:
        """LastUpdateDate as UTC seconds, `UNKNOWN` where not stated; of a retraction, its own."""
        if "last_update_at" not in self.table.column_names:
            return self._retracted(np.full(len(self.key), UNKNOWN, dtype=np.int64))
        seconds = flat(self.table["last_update_at"].fill_null(UNKNOWN))
        updated: np.ndarray = seconds.to_numpy(zero_copy_only=False)
        return self._retracted(updated)

    def _retracted(self, updated: np.ndarray) -> np.ndarray:
        if self.is_retraction is None or not self.is_retraction.any():
            return updated
        taken_back = flat(self.table["retracted_at"].fill_null(UNKNOWN)).to_numpy()
        return np.where(self.is_retraction, taken_back, updated)


@dataclass
class Sorter:
    """Remembers 29 bytes a row to find keys that stand twice, 5 of one that is held unchanged.

    See `repeated`.

    `subjects` are the columns whose LEIs a stop is looked up under, `stopped` LEIs that are
    stopped and known: rows on them are found without hashing. `is_register_stopped` is asked about
    registers and numbers of rows that state them. `is_again`: these rows were compared before, as
    of that publication.
    """

    held: Held
    published: int
    is_stopped: Callable[[list[str]], np.ndarray]
    subjects: tuple[str, ...] = ("source_key",)
    stopped: pa.Array | None = None
    is_register_stopped: Callable[[list[str | None], list[str | None]], np.ndarray] | None = None
    is_again: bool = False
    outcomes: Gathered = field(default_factory=partial(Gathered, np.uint8))
    places: Gathered = field(default_factory=partial(Gathered, np.int32))
    keys: Gathered = field(default_factory=partial(Gathered, np.uint64))
    digests: Gathered = field(default_factory=partial(Gathered, np.uint64))
    updates: Gathered = field(default_factory=partial(Gathered, np.int64))

    def sort(self, frame: Arrived) -> tuple[np.ndarray, np.ndarray]:
        """(outcome code, place in `held` or -1) of every row of the frame."""
        place = self.held.find(frame.key)
        updated = frame.updated()
        is_held = place >= 0
        outcome = np.full(len(place), NEW, dtype=np.uint8)
        outcome[~is_held & ~frame.in_scope] = OUT_OF_SCOPE
        if is_held.any():
            at = place[is_held]
            outcome[is_held] = self._beside_held(frame.digest[is_held], updated[is_held], at)
            self.held.seen[at] = True
        self._retract(outcome, frame, place)
        outcome[~frame.is_sound] = QUARANTINED
        self._stop(outcome, frame, is_held, place)
        self.outcomes.append(outcome)
        self.places.append(place)
        other = outcome != UNCHANGED
        self.keys.append(frame.key[other, 0])
        self.digests.append(frame.digest[other, 0])
        self.updates.append(updated[other])
        return outcome, place

    def _beside_held(self, digest: np.ndarray, updated: np.ndarray, at: np.ndarray) -> np.ndarray:
        """HOUSE rule of staleness: older record date and older publication; ties by publication.

        What was compared before lost to what is held, or was replaced by it: its date is no news.
        """
        same = (digest == self.held.digest[at]).all(axis=1)
        held_updated, held_published = self.held.updated(at), self.held.confirmed(at)
        earlier_date = (updated < held_updated) | self.is_again
        undated = (held_published == UNKNOWN) | (self.published == UNKNOWN)
        no_later_date = (updated <= held_updated) | self.is_again
        earlier_publication = ~undated & (self.published < held_published)
        stale = np.where(undated, earlier_date, earlier_publication & no_later_date)
        return np.where(same, UNCHANGED, np.where(stale, STALE, CHANGED)).astype(np.uint8)

    def _retract(self, outcome: np.ndarray, frame: Arrived, place: np.ndarray) -> None:
        """Rows that take a record back: unless what is held was published later, or is the same.

        Of a record we do not hold nothing is left to take back; it is counted all the same.
        """
        if frame.is_retraction is None or not frame.is_retraction.any():
            return
        outcome[frame.is_retraction & ((place < 0) | (outcome == CHANGED))] = RETRACTED
        at = place[frame.is_retraction & (place >= 0)]
        self.held.seen[at] = False
        if self.published != UNKNOWN:
            later = np.zeros(len(place), dtype=bool)
            later[place >= 0] = self.held.confirmed(place[place >= 0]) > self.published
            outcome[later & (outcome == RETRACTED)] = STALE

    def _stop(
        self, outcome: np.ndarray, frame: Arrived, is_held: np.ndarray, place: np.ndarray
    ) -> None:
        if len(self.held):
            outcome[is_held & self.held.is_stopped[place] & ~frame.has_ended] = SUPPRESSED
        # A stop that came by the link of a letter to a company since deleted names no number we
        # hold, so changes are asked for by their key as well.
        if self.stopped is not None and len(self.stopped):
            for name in self.subjects:
                known = truths(pc.is_in(frame.table[name], value_set=self.stopped))
                outcome[known & ~(is_held & frame.has_ended)] = SUPPRESSED
        is_news = (outcome == CHANGED) & ~frame.has_ended
        asked = np.flatnonzero(np.where(is_held, is_news, outcome != OUT_OF_SCOPE))
        if len(asked):
            for name in self.subjects:
                keys = frame.table[name].take(pa.array(asked)).to_pylist()
                outcome[asked[self.is_stopped([key or "" for key in keys])]] = SUPPRESSED
            if self.is_register_stopped and "registration_number" in frame.table.column_names:
                few = frame.table.select(_REGISTER).take(pa.array(asked))
                found = self.is_register_stopped(*(few[name].to_pylist() for name in _REGISTER))
                outcome[asked[found]] = SUPPRESSED

    def on_stopped(self, outcome: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Which sound rows are on a stopped company, taken or not (bool)."""
        found: np.ndarray = outcome == SUPPRESSED
        if len(self.held):
            found |= (place >= 0) & self.held.is_stopped[place] & (outcome != QUARANTINED)
        return found

    def repeated(self, *, conflict_is_fatal: bool) -> tuple[np.ndarray, np.ndarray]:
        """(ordinals superseded, ordinals in conflict) among keys that stand more than once.

        Rows with the same content supersede each other. Different content is a conflict in a full
        file (`conflict_is_fatal`), also with a row that breaks another rule; in a delta the latest
        LastUpdateDate wins, and only rows that no date tells apart are in conflict.
        """
        keys, outcome = self._told_apart(self.keys, self.held.key[:, 0]), self.outcomes.whole()
        ranked = np.sort(keys)
        rows = np.flatnonzero(np.isin(keys, ranked[1:][ranked[1:] == ranked[:-1]]))
        rows = rows[np.argsort(keys[rows], kind="stable")]
        rows = rows[outcome[rows] != SUPPRESSED]
        if not conflict_is_fatal:
            rows = rows[outcome[rows] != QUARANTINED]
        if not len(rows):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        digests = self._told_apart(self.digests, self.held.digest[:, 0])
        updates = self._told_apart(self.updates, self.held.updated())
        superseded: list[int] = []
        conflicts: list[int] = []
        for group in np.split(rows, np.flatnonzero(np.diff(keys[rows].astype(np.uint64))) + 1):
            if (outcome[group] == QUARANTINED).all():
                continue
            lost, fought = _resolve(group, digests, updates, fatal=conflict_is_fatal)
            superseded += lost
            conflicts += fought
        return np.array(superseded, np.int64), np.array(conflicts, np.int64)

    def forget(self) -> None:
        """Let go of what rows were compared with and by; their outcomes stay."""
        self.held = self.held.none()
        self.keys, self.digests = Gathered(np.uint64), Gathered(np.uint64)
        self.updates, self.places = Gathered(np.int64), Gathered(np.int32)

    def _told_apart(self, own: Gathered, held: np.ndarray) -> np.ndarray:
        """Of every row its own number, which for an unchanged one is that of the record held."""
        is_unchanged = self.outcomes.whole() == UNCHANGED
        if not is_unchanged.any():
            return own.whole()
        numbers = np.empty(len(is_unchanged), held.dtype)
        numbers[is_unchanged] = held[self.places.whole()[is_unchanged]]
        numbers[~is_unchanged] = own.whole()
        return numbers


def _resolve(
    group: np.ndarray, digests: np.ndarray, updates: np.ndarray, *, fatal: bool
) -> tuple[list[int], list[int]]:
    """Which rows of one repeated key are superseded, and which are in conflict."""
    if len(set(digests[group].tolist())) == 1:
        return group[1:].tolist(), []
    newest = group[updates[group] == updates[group].max()]
    if fatal or len(set(digests[newest].tolist())) > 1:
        return [], group.tolist()
    winner = newest[-1]
    return [row for row in group.tolist() if row != winner], []
