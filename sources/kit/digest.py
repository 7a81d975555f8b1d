"""One fingerprint a record: xxh3-128 over a canonical text of what is kept, null unlike empty."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from sources.kit.copy_text import BETWEEN, joined

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    """Each row's `names` as one text, in their order; an absent value is unlike an empty one.

    In the form of `sources.kit.copy_text`, so that no value can be taken for another's.
    """
    return joined([table[name] for name in names])


def kept_texts(
    texts: pa.Array, table: pa.Table, touched: np.ndarray, names: Sequence[str]
) -> pa.Array:
    """The canonical texts after minimisation.

    `texts` are those before it; rows in `touched` (bool) are taken again from the minimised
    `table`, so that what is not kept is neither stored nor fingerprinted.
    """
    if not touched.any():
        return texts
    again = canonical_texts(table.take(pa.array(np.flatnonzero(touched))), names)
    return pc.replace_with_mask(texts, pa.array(touched), again)


def row_digests(texts: pa.Array, personal: pa.Table) -> np.ndarray:
    """(n, 2) uint64 digests of what is kept of each row: its text, and its values that live apart.

    `personal` has those values (`ordinal`, `field`, `value`): a changed care-of line is a change.
    The mapping version is not part of it: see `columns.MAPPING_VERSION`.
    """
    digests = hash128(texts)
    if personal.num_rows:
        rows, apart = _apart(personal)
        kept = texts.take(pa.array(rows))
        digests[rows] = hash128(pc.binary_join_element_wise(kept, apart, BETWEEN))
    return digests


def _apart(personal: pa.Table) -> tuple[list[int], pa.Array]:
    """(rows that have values apart, each one's fields and values as one text)."""
    ordered = personal.sort_by([("ordinal", "ascending"), ("field", "ascending")])
    texts: dict[int, str] = {}
    for ordinal, field, value in zip(
        *(ordered[name].to_pylist() for name in ("ordinal", "field", "value")), strict=True
    ):
        texts[ordinal] = f"{texts.get(ordinal, '')}{field}={value}{BETWEEN}"
    return list(texts), pa.array(list(texts.values()), pa.string())


def as_bytes(digests: np.ndarray) -> pa.Array:
    """(n, 2) uint64 digests as 16-byte binaries, for the database."""
    packed = digests.astype(">u8").tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digests), [None, pa.py_buffer(packed)]
    ).cast(pa.binary())
