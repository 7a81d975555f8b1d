"""One fingerprint a record: xxh3-128 over a canonical text of what is kept, null unlike empty."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from sources.kit.copy_text import BETWEEN, joined
from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Sequence


def hash128(texts: pa.Array) -> np.ndarray:
    """xxh3-128 of each text: an (n, 2) array of uint64, big-endian halves. `texts` has no null."""
    return _hash128(*_laid_out(texts))


def key_print(keys: pa.Array) -> np.ndarray:
    """A fingerprint of each source key, (n, 2) uint64: see `key_prints`. `keys` has no null."""
    return key_prints(*_laid_out(keys))


def key_prints(data: bytes | memoryview, ends: np.ndarray) -> np.ndarray:
    """A fingerprint of each key that lies in `data` from one of `ends` to the next.

    Twenty capital letters and digits, as every LEI is, take six bits each: no two have the same.
    Other keys have their xxh3-128. Only compared in memory, never stored.
    """
    starts = ends[:-1]
    is_short = np.diff(ends) == _LEI
    if not is_short.any():
        return _hash128(data, ends)
    letters = np.frombuffer(data, dtype=np.uint8)
    if is_short.all():
        letters = letters[ends[0] : ends[-1]].reshape(-1, _LEI)
    else:
        letters = letters[starts[is_short, None] + np.arange(_LEI)]
    letters = letters - np.uint8(ord("0"))  # what is below goes round, and is too large
    prints = np.empty((len(starts), 2), dtype=np.uint64)
    prints[is_short] = _packed(letters)
    is_other = ~is_short
    is_other[is_short] = (letters >= _LETTERS).any(axis=1)
    for row in np.flatnonzero(is_other).tolist():
        prints[row] = _hash128(data, ends[row : row + 2])[0]
    return prints


_LEI, _LETTERS = 20, 64
"""Letters of an LEI, and how many different ones six bits tell apart, from "0" on."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: it spreads the first letters, which many LEIs share, over all bits."""


def _packed(letters: np.ndarray) -> np.ndarray:
    """Two halves of ten letters; the one that is looked up by, the last ten, moved by the other."""
    half = _LEI // 2
    first, last = _in_six_bits(letters[:, :half]), _in_six_bits(letters[:, half:])
    return np.column_stack((last + first * _SPREAD, first))


def _in_six_bits(letters: np.ndarray) -> np.ndarray:
    packed = np.zeros(len(letters), dtype=np.uint64)
    for place in range(letters.shape[1]):
        packed <<= np.uint64(6)
        packed |= letters[:, place]
    return packed


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Where texts of these lengths begin, and the last one ends, when they lie side by side."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)))


def _laid_out(texts: pa.Array) -> tuple[memoryview, np.ndarray]:
    """(the bytes of all texts, where each begins and the last one ends)."""
    texts = pc.cast(texts, pa.large_string())
    _, offsets, data = texts.buffers()
    if not len(texts):
        return memoryview(b""), np.zeros(1, np.int64)
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data) if data is not None else memoryview(b""), ends


def _hash128(data: bytes | memoryview, ends: np.ndarray) -> np.ndarray:
    fingerprint, view = xxhash.xxh3_128_digest, memoryview(data)
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
    if not personal.num_rows:
        return hash128(texts)
    rows, apart = _apart(personal)
    is_alone = np.ones(len(texts), dtype=bool)
    is_alone[rows] = False
    digests = np.empty((len(texts), 2), dtype=np.uint64)
    digests[is_alone] = hash128(texts.filter(pa.array(is_alone)))
    kept = texts.take(pa.array(rows))
    digests[rows] = hash128(pc.binary_join_element_wise(kept, apart, BETWEEN))
    return digests


def _apart(personal: pa.Table) -> tuple[np.ndarray, pa.Array]:
    """(rows that have values apart (int64), each one's fields and values as one text)."""
    ordered = personal.sort_by([("ordinal", "ascending"), ("field", "ascending")])
    ordinals = flat(ordered["ordinal"]).to_numpy()
    starts = np.flatnonzero(np.diff(ordinals, prepend=ordinals[0] - 1))
    told = pc.binary_join_element_wise(flat(ordered["field"]), flat(ordered["value"]), "=")
    ends = pa.array(np.append(starts, len(ordinals)), pa.int32())
    texts = pc.binary_join(pa.ListArray.from_arrays(ends, told), BETWEEN)
    return ordinals[starts], pc.binary_join_element_wise(texts, "", BETWEEN)


def as_bytes(digests: np.ndarray) -> pa.Array:
    """(n, 2) uint64 digests as 16-byte binaries, for the database."""
    packed = digests.astype(">u8").tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digests), [None, pa.py_buffer(packed)]
    ).cast(pa.binary())
