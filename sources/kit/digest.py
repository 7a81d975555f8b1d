"""One fingerprint a record: xxh3-128 over a canonical text of what is kept, null unlike empty."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from sources.kit import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

_BETWEEN = "\x1f"
_ABSENT = "\x00"


def hash128(texts: pa.Array) -> np.ndarray:
    """xxh3-128 of each text: an (n, 2) array of uint64, big-endian halves. `texts` has no null."""
    if not len(texts):
        return np.empty((0, 2), dtype=np.uint64)
    texts = pc.cast(texts, pa.large_string())
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    view = memoryview(data) if data is not None else memoryview(b"")
    fingerprint = xxhash.xxh3_128_digest
    packed = b"".join([fingerprint(view[start:end]) for start, end in pairwise(ends.tolist())])
    return np.frombuffer(packed, dtype=">u8").astype(np.uint64).reshape(-1, 2)


def row_digests(table: pa.Table, personal: pa.Table, names: Sequence[str]) -> np.ndarray:
    """(n, 2) uint64 digests of the table's `names` and of the rows' values that live apart.

    `personal` is `Minimised.personal`; its values count, so that a changed care-of line is a
    change. The mapping version is not part of it: see `columns.MAPPING_VERSION`.
    """
    parts = [table[name] for name in names] + [_apart(table, personal)]
    text = pc.binary_join_element_wise(
        *parts, _BETWEEN, null_handling="replace", null_replacement=_ABSENT
    )
    return hash128(text.combine_chunks())


def _apart(table: pa.Table, personal: pa.Table) -> pa.Array:
    if not personal.num_rows:
        return pa.nulls(table.num_rows, pa.string())
    ordered = personal.sort_by([("ordinal", "ascending"), ("field", "ascending")])
    joined: dict[int, str] = {}
    for ordinal, field, value in zip(
        *(ordered[name].to_pylist() for name in ("ordinal", "field", "value")), strict=True
    ):
        joined[ordinal] = f"{joined.get(ordinal, '')}{field}={value}{_BETWEEN}"
    return pa.array([joined.get(n) for n in table["ordinal"].to_pylist()], pa.string())


def as_bytes(digests: np.ndarray) -> pa.Array:
    """(n, 2) uint64 digests as 16-byte binaries, for the database."""
    packed = digests.astype(">u8").tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digests), [None, pa.py_buffer(packed)]
    ).cast(pa.binary())


PUBLISHED = columns.PUBLISHED
"""The fields a level 1 digest covers, in their fixed order."""
