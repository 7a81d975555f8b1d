"""Rows of several large files put into drawers on disk, so that a join needs one drawer at a time.

Which drawer a row lies in follows from its unit alone: all that is said of a unit lies together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from sources.cvr_entities import UNIT
from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DRAWERS = 32
"""For CVR's 2.3 million companies some 70,000 a drawer."""


def put_away(tables: Iterable[pa.Table], folder: Path, name: str) -> None:
    """Spread the tables' rows over the drawers; they hold persons' data until they are removed."""
    writers: dict[int, ipc.RecordBatchStreamWriter] = {}
    try:
        for table in tables:
            drawers = _drawers_of(flat(table[UNIT]))
            order = np.argsort(drawers, kind="stable")
            sorted_rows = table.take(pa.array(order))
            bounds = np.searchsorted(drawers[order], np.arange(DRAWERS + 1))
            for drawer in np.flatnonzero(np.diff(bounds)).tolist():
                if drawer not in writers:
                    path = _path(folder, name, drawer)
                    writers[drawer] = ipc.new_stream(str(path), table.schema)
                start, end = int(bounds[drawer]), int(bounds[drawer + 1])
                writers[drawer].write_table(sorted_rows.slice(start, end - start))
    finally:
        for writer in writers.values():
            writer.close()


def take_out(folder: Path, name: str, drawer: int) -> pa.Table | None:
    """What was put into a drawer under the name, in its order; None when nothing was."""
    path = _path(folder, name, drawer)
    if not path.exists():
        return None
    with pa.memory_map(str(path)) as file, ipc.open_stream(file) as stream:
        return stream.read_all().combine_chunks()


def _path(folder: Path, name: str, drawer: int) -> Path:
    return folder / f"{name}-{drawer}.arrow"


def _drawers_of(units: pa.Array) -> np.ndarray:
    """A drawer for each unit (no nulls), made of its last two bytes."""
    _, offsets, data = units.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[units.offset : units.offset + len(units) + 1]
    raw = np.frombuffer(data or b"", dtype=np.uint8)
    lengths = np.diff(ends)
    last = np.where(lengths > 0, raw[ends[1:] - 1], 0) if len(raw) else np.zeros(len(units))
    second = np.where(lengths > 1, raw[ends[1:] - 2], 0) if len(raw) else np.zeros(len(units))
    return ((second.astype(np.int64) % 16) * 10 + last.astype(np.int64) % 16) % DRAWERS
