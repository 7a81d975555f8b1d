r"""Rows as lines of PostgreSQL's COPY text format: unambiguous, and sent to the server as is.

Fields are parted by a tab, an absent one is `\N`, and backslash, tab and line ends inside a value
are written with a backslash before them (PostgreSQL documentation, COPY, Text Format).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Sequence

BETWEEN, ABSENT = "\t", "\\N"
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_LAST_LINE_SIGN = ord("\r")


def joined(columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    """Each row's values as one line without its end; columns are text or cast to it."""
    return flat(
        pc.binary_join_element_wise(
            *(written(column) for column in columns),
            BETWEEN,
            null_handling="replace",
            null_replacement=ABSENT,
        )
    )


def written(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as the format writes its values; absent ones stay null."""
    single = flat(column)
    if pa.types.is_binary(single.type):
        return pc.binary_join_element_wise("\\\\x", _hexadecimal(single), "")
    if not pa.types.is_string(single.type):
        return single.cast(pa.string())
    if _needs_no_escape(single):
        return single
    for plain, escaped in _ESCAPES:
        single = pc.replace_substring(single, plain, escaped)
    return single


def bytes_of(texts: pa.Array) -> np.ndarray:
    """The texts' bytes one after the other (uint8), without a copy."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, dtype=np.int32)
    start, end = int(ends[texts.offset]), int(ends[texts.offset + len(texts)])
    return np.frombuffer(data, dtype=np.uint8, count=end - start, offset=start)


def _needs_no_escape(texts: pa.Array) -> bool:
    raw = bytes_of(texts)
    return not (raw <= _LAST_LINE_SIGN).any() and not (raw == ord("\\")).any()


def _hexadecimal(binaries: pa.Array) -> pa.Array:
    """Two signs a byte; the offsets double, so it is one conversion for all rows."""
    validity, offsets, _ = binaries.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[: binaries.offset + len(binaries) + 1]
    first = int(ends[binaries.offset])
    texts = pa.py_buffer(bytes_of(binaries).tobytes().hex().encode())
    return pa.StringArray.from_buffers(
        len(binaries),
        pa.py_buffer(((ends - first) * 2).astype(np.int32).tobytes()),
        texts,
        validity,
        binaries.null_count,
        binaries.offset,
    )
