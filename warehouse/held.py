"""What is already held of a source, as sorted arrays: 44 bytes a record, no key as text.

Incoming frames are compared with it in memory, so unchanged rows never touch the database.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from warehouse.gathered import Gathered
from warehouse.held_rows import UNKNOWN, held_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

_MOMENT = {
    "sqlite": "CAST(strftime('%s', substr({0}, 1, 19)) AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM {0}) AS bigint)",
}

__all__ = ["UNKNOWN", "Held", "read_held"]

_EVERY = slice(None)
_OF_ALL = {"applied", "publications"}
"""What `Held` has of all records together."""


@dataclass(frozen=True)
class Held:
    """Sorted by `key` (n, 2); the other arrays run beside it, numbers as narrow as they are small.

    `dated` is the record's own LastUpdateDate, its type's least number where not stated; `written`
    the place in `publications` of the one that wrote its content. `applied` is the publication up
    to which the source is applied (all UTC seconds, `UNKNOWN` where not stated). `seen` is filled
    while a delivery streams by.
    """

    key: np.ndarray
    digest: np.ndarray
    record_id: np.ndarray
    dated: np.ndarray
    written: np.ndarray
    publications: np.ndarray
    is_absent: np.ndarray
    is_stopped: np.ndarray
    seen: np.ndarray
    applied: int = UNKNOWN

    def __len__(self) -> int:
        """Records held."""
        return len(self.record_id)

    def none(self) -> Held:
        """As if nothing were held."""
        names = [field.name for field in fields(self) if field.name not in _OF_ALL]
        return replace(self, **{name: getattr(self, name)[:0].copy() for name in names})

    def updated(self, at: np.ndarray | slice = _EVERY) -> np.ndarray:
        """The own dates of the records at these places (int64)."""
        dated = self.dated[at]
        is_unknown = dated == np.iinfo(dated.dtype).min
        updated: np.ndarray = np.where(is_unknown, UNKNOWN, dated.astype(np.int64))
        return updated

    def published(self, at: np.ndarray | slice = _EVERY) -> np.ndarray:
        """The publications that wrote the records at these places (int64)."""
        found: np.ndarray = self.publications[self.written[at]]
        return found

    def confirmed(self, at: np.ndarray) -> np.ndarray:
        """The publication that last confirmed each record at these places (int64).

        Deltas move `applied` only where they leave no gap: what they do not hold has not changed.
        Without a date of its own, or absent from the newest full file, nothing confirms a record.
        """
        published = self.published(at)
        unconfirmed = self.is_absent[at] | (published == UNKNOWN)
        confirmed: np.ndarray = np.where(
            unconfirmed, published, np.maximum(published, self.applied)
        )
        return confirmed

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Where each key (n, 2) stands, or -1 (int64)."""
        if not len(self):
            return np.full(len(keys), -1, dtype=np.int64)
        place = np.searchsorted(self.key[:, 0], keys[:, 0])
        found = np.full(len(keys), -1, dtype=np.int64)
        open_rows = np.arange(len(keys))
        while len(open_rows):
            at = place[open_rows]
            inside = at < len(self)
            open_rows, at = open_rows[inside], at[inside]
            same_half = self.key[at, 0] == keys[open_rows, 0]
            open_rows, at = open_rows[same_half], at[same_half]
            same = self.key[at, 1] == keys[open_rows, 1]
            found[open_rows[same]] = at[same]
            open_rows = open_rows[~same]
            place[open_rows] += 1
        return found


def read_held(connection: Connection, source_id: str, asked: Sequence[str] | None = None) -> Held:
    """Everything held of the source, or on the keys `asked` for; streams the table once.

    Array by array they are put in order, and the others' memory let go: at millions of records a
    second copy of them all would be the largest thing in memory.
    """
    gathered = [Gathered(np.uint64, width=2) for _ in range(2)]
    gathered += [Gathered(dtype) for dtype in (np.int64, np.int64, np.int32, np.uint16)]
    for some in held_columns(connection, source_id, asked):
        for column, part in zip(gathered, some, strict=True):
            column.append(part)
    if connection.dialect.name == "sqlite":  # the pages it has read are not asked for again
        connection.exec_driver_sql("PRAGMA shrink_memory")
    arrays = []
    order: np.ndarray | None = None
    while gathered:
        array = gathered.pop(0).whole()
        order = np.argsort(array[:, 0], kind="stable") if order is None else order
        arrays.append(_narrow(array[order]))
        del array
    key, digest, record_id, dated, delivery_id, absent = arrays
    stopped = np.array(_stopped_records(connection), dtype=np.int64)
    ids, publications = _publications(connection)
    written = np.searchsorted(ids, delivery_id).astype(np.min_scalar_type(len(ids)))
    return Held(
        key=key,
        digest=digest,
        record_id=record_id,
        dated=dated,
        written=written,
        publications=publications,
        is_absent=absent > 0,
        is_stopped=np.isin(record_id, stopped),
        seen=np.zeros(len(record_id), dtype=bool),
        applied=_applied(connection, source_id),
    )


def _narrow(numbers: np.ndarray) -> np.ndarray:
    """The same whole numbers in half the bytes where they fit, `UNKNOWN` as the least of them."""
    if numbers.dtype != np.int64 or not len(numbers):
        return numbers
    small = np.iinfo(np.int32)
    is_unknown = numbers == UNKNOWN
    least, most = numbers.min(initial=0, where=~is_unknown), numbers.max()
    if least <= small.min or most > small.max:
        return numbers
    narrow = numbers.astype(np.int32)
    narrow[is_unknown] = small.min
    return narrow


def _publications(connection: Connection) -> tuple[np.ndarray, np.ndarray]:
    """(numbers of every delivery, in order; when each was published), int64."""
    moment = _MOMENT[connection.dialect.name]
    written = connection.exec_driver_sql(
        f"SELECT delivery_id, {moment.format('published_at')} FROM delivery ORDER BY delivery_id"
    ).all()
    ids = np.array([row[0] for row in written], dtype=np.int64)
    moments = [UNKNOWN if row[1] is None else row[1] for row in written]
    return ids, np.array(moments, dtype=np.int64)


def _applied(connection: Connection, source_id: str) -> int:
    """Publication up to which everything of the source is applied."""
    moment = _MOMENT[connection.dialect.name]
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    applied = connection.exec_driver_sql(
        f"SELECT {moment.format('published_at')} FROM source_cursor WHERE source_id = {mark}",
        (source_id,),
    ).scalar()
    return UNKNOWN if applied is None else int(applied)


def _stopped_records(connection: Connection) -> list[int]:
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT record_id FROM company_record"
        " WHERE company_id IN (SELECT company_id FROM company_stop)"
    )
    return [row[0] for row in rows]
