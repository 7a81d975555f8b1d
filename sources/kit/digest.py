"""One fingerprint a record: xxh3-128 over a canonical text of what is kept, null unlike empty."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Sequence

_BETWEEN = "\t"
_ABSENT = "\r"
"""No published field holds either: LEI-CDF forbids both."""


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


def canonical_texts(table: pa.Table, names: Sequence[str]) -> pa.Array:
    """Each row's `names` as one text, in their order; an absent value is unlike an empty one."""
    joined = pc.binary_join_element_wise(
        *(table[name] for name in names),
        _BETWEEN,
        null_handling="replace",
        null_replacement=_ABSENT,
    )
    return flat(joined)


def row_digests(
    texts: pa.Array, table: pa.Table, personal: pa.Table, touched: np.ndarray, names: Sequence[str]
) -> np.ndarray:
    """(n, 2) uint64 digests of what is kept of each row.

    `texts` are the canonical texts before minimisation; rows in `touched` (bool) are taken again
    from the minimised `table` and the values of theirs that live apart (`personal`), so that a
    changed care-of line is a change and what is not kept is not fingerprinted. The mapping version
    is not part of it: see `columns.MAPPING_VERSION`.
    """
    digests = hash128(texts)
    if touched.any():
        rows = np.flatnonzero(touched)
        kept = canonical_texts(table.take(pa.array(rows)), names)
        apart = _apart(rows, personal)
        digests[rows] = hash128(pc.binary_join_element_wise(kept, apart, _BETWEEN))
    return digests


def _apart(rows: np.ndarray, personal: pa.Table) -> pa.Array:
    joined = dict.fromkeys(rows.tolist(), "")
    ordered = personal.sort_by([("ordinal", "ascending"), ("field", "ascending")])
    for ordinal, field, value in zip(
        *(ordered[name].to_pylist() for name in ("ordinal", "field", "value")), strict=True
    ):
        joined[ordinal] += f"{field}={value}{_BETWEEN}"
    return pa.array(list(joined.values()), pa.string())


def as_bytes(digests: np.ndarray) -> pa.Array:
    """(n, 2) uint64 digests as 16-byte binaries, for the database."""
    packed = digests.astype(">u8").tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digests), [None, pa.py_buffer(packed)]
    ).cast(pa.binary())
