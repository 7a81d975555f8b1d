"""Rows of several large files put into drawers on disk, so that a join needs one drawer at a time.

Which drawer a row lies in follows from its unit alone: all that is said of a unit lies together.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from sources.cvr_names import UNIT
from sources.kit.flat import flat
from sources.kit.partial import disk_faults

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DRAWERS = 64
"""For CVR's 2.3 million companies some 36,000 a drawer, and what is said of them fits in memory."""


@dataclass
class _Kept:
    """One name's rows: where in `file` each drawer's pieces are, as (offset, length)."""

    file: IO[bytes]
    schema: pa.Schema
    pieces: list[list[tuple[int, int]]] = field(
        default_factory=lambda: [[] for _ in range(DRAWERS)]
    )


class Drawers:
    """Drawers in files under `workspace` that have no name, for use in a `with` block.

    They hold persons' data: the system frees them with the last handle, however this process ends.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._kept: dict[str, _Kept] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Use them."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of everything in them."""
        self._open.close()

    def put_away(self, tables: Iterable[pa.Table], name: str) -> None:
        """Spread the tables' rows over the drawers; `DiskFull` when the disk does not take them."""
        for table in tables:
            drawers = _drawers_of(flat(table[UNIT]))
            order = np.argsort(drawers, kind="stable")
            sorted_rows = table.take(pa.array(order)).combine_chunks()
            bounds = np.searchsorted(drawers[order], np.arange(DRAWERS + 1))
            kept = self._of(name, table.schema)
            for drawer in np.flatnonzero(np.diff(bounds)).tolist():
                start, end = int(bounds[drawer]), int(bounds[drawer + 1])
                self._write(kept, drawer, sorted_rows.slice(start, end - start))

    def _of(self, name: str, schema: pa.Schema) -> _Kept:
        if name not in self._kept:
            with disk_faults(self._workspace):
                file = TemporaryFile(dir=self._workspace)  # noqa: SIM115, closed with the drawers
            self._open.callback(file.close)
            self._kept[name] = _Kept(file, schema)
        return self._kept[name]

    def _write(self, kept: _Kept, drawer: int, rows: pa.Table) -> None:
        for batch in rows.to_batches():
            with disk_faults(self._workspace):
                kept.pieces[drawer].append((kept.file.tell(), kept.file.write(batch.serialize())))

    def take_out(self, name: str, drawer: int) -> pa.Table | None:
        """What was put into a drawer under the name, in its order; None when nothing was."""
        kept = self._kept.get(name)
        if kept is None or not kept.pieces[drawer]:
            return None
        batches = []
        with disk_faults(self._workspace):
            for offset, length in kept.pieces[drawer]:
                kept.file.seek(offset)
                batches.append(ipc.read_record_batch(kept.file.read(length), kept.schema))
        return pa.Table.from_batches(batches).combine_chunks()


def _drawers_of(units: pa.Array) -> np.ndarray:
    """A drawer for each unit (no nulls), made of its last three characters."""
    _, offsets, data = units.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[units.offset : units.offset + len(units) + 1]
    raw = np.frombuffer(data or b"", dtype=np.uint8)
    lengths = np.diff(ends)
    number = np.zeros(len(units), dtype=np.int64)
    for back in (1, 2, 3) if len(raw) else ():
        character = raw[np.maximum(ends[1:] - back, 0)].astype(np.int64)
        number += np.where(lengths >= back, character % 16, 0) * 10 ** (back - 1)
    return number % DRAWERS
