"""Days as registers publish them, as calendar days and as seconds, whole columns at once."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.tidy import EARLIEST, LATEST

_DOTTED = r"^\s*(\d{2})\.(\d{2})\.(\d{4})\s*$"
_LENGTH, _NINE = 10, 9
_DIGITS = [0, 1, 3, 4, 6, 7, 8, 9]
_TURNED = [6, 7, 8, 9, 2, 3, 4, 5, 0, 1]
"""Where the signs of `2023-06-05` stand in `05.06.2023`."""
_DAY_SECONDS = 86_400


def iso(dotted: pa.Array) -> pa.Array:
    """`05.06.2023` as `2023-06-05`; any other text as it is."""
    signs = _dotted_signs(dotted)
    if signs is None:
        return pc.replace_substring_regex(dotted, _DOTTED, r"\3-\2-\1")
    turned = signs[:, _TURNED]
    turned[:, [4, 7]] = ord("-")
    known = pc.is_valid(dotted).to_numpy(zero_copy_only=False)
    ends = np.concatenate(([0], np.cumsum(known) * _LENGTH)).astype(np.int32)
    validity = np.packbits(known, bitorder="little").tobytes()
    return pa.StringArray.from_buffers(
        len(dotted),
        *(pa.py_buffer(part) for part in (ends.tobytes(), turned.tobytes(), validity)),
        dotted.null_count,
    )


def _dotted_signs(texts: pa.Array) -> np.ndarray | None:
    """The bytes of the texts that are there, ten each, where every one is written so, else None.

    A pattern takes ten times as long, and a company has a day in each of its annual reports.
    """
    _, offsets, data = texts.buffers()
    known = len(texts) - texts.null_count
    if data is None or not known:
        return None
    ends = np.frombuffer(offsets, dtype=np.int32)[texts.offset :][: len(texts) + 1]
    lengths = np.diff(ends)
    if int(np.count_nonzero(lengths == _LENGTH)) != known or ends[-1] - ends[0] != known * _LENGTH:
        return None
    signs = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]].reshape(-1, _LENGTH)
    digits = signs[:, _DIGITS] - np.uint8(ord("0"))  # what is below goes round, and is too large
    is_dotted = (signs[:, [2, 5]] == ord(".")).all() and (digits <= _NINE).all()
    return signs if is_dotted else None


def days(published: pa.Array) -> pa.Array:
    """The calendar day (date32) that an ISO date or moment begins with; null where it is none."""
    heads = pc.utf8_slice_codeunits(published, 0, 10)
    try:
        return pc.cast(heads, pa.date32())
    except pa.ArrowInvalid:
        return pa.array([_day(text) for text in heads.to_pylist()], pa.date32())


def seconds(found: pa.Array) -> pa.Array:
    """The days' midnights as UTC seconds since 1970 (int64), null outside a company's years."""
    moments = pc.multiply(pc.cast(pc.cast(found, pa.int32()), pa.int64()), _DAY_SECONDS)
    possible = pc.and_(pc.greater_equal(moments, EARLIEST), pc.less(moments, LATEST))
    return pc.if_else(possible, moments, pa.scalar(None, pa.int64()))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and text[4:5] == "-" else None
    except ValueError:
        return None
