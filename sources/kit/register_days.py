"""Days as registers publish them, as calendar days and as seconds, whole columns at once."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.tidy import EARLIEST, LATEST

_DOTTED = r"^\s*(\d{2})\.(\d{2})\.(\d{4})\s*$"
_DAY_SECONDS = 86_400


def iso(dotted: pa.Array) -> pa.Array:
    """`05.06.2023` as `2023-06-05`; any other text as it is."""
    return pc.replace_substring_regex(dotted, _DOTTED, r"\3-\2-\1")


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
