"""Published text made comparable: moments as UTC and calendar days, whole columns at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

EARLIEST, LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1000, 2101))
"""Between these a company can have been founded or wound up; outside is a typing error."""
_UNDATED_NULL = ("creation", "expiration")
_ZONED = r"[T ].*(Z|[+-]\d{2}(:?\d{2})?)$"


def utc(published: pa.ChunkedArray) -> pa.ChunkedArray:
    """Timestamps as published (ISO 8601 with offset) as whole UTC seconds since 1970 (int64).

    `2024-05-04T00:00:00+02:00`, `…T13:30:05.042Z` and `…Z` come mixed in one column. A value
    without an offset is read as UTC; an unreadable one is null. What one value is read as never
    depends on the others.
    """
    try:
        return _seconds(published)
    except pa.ArrowInvalid:
        stated = _with_zone(published)
    try:
        return _seconds(stated)
    except pa.ArrowInvalid:
        one_by_one = [_one(text) for text in stated.to_pylist()]
        return pa.chunked_array([pa.array(one_by_one, pa.int64())])


def _seconds(texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    moments = pc.cast(texts, pa.timestamp("us", "UTC"))
    return pc.cast(pc.cast(moments, pa.timestamp("s", "UTC"), safe=False), pa.int64())


def _with_zone(published: pa.ChunkedArray) -> pa.ChunkedArray:
    """UTC where no offset is stated, microseconds where finer; other texts stay as they are."""
    published = pc.replace_substring_regex(published, r"(\.\d{6})\d+", r"\1")
    timed = pc.match_substring_regex(published, r"[T ]")
    timed_text = pc.binary_join_element_wise(published, "Z", "")
    dated_text = pc.binary_join_element_wise(published, "T00:00:00Z", "")
    zoned = pc.match_substring_regex(published, _ZONED)
    return pc.if_else(zoned, published, pc.if_else(timed, timed_text, dated_text))


def _one(text: str | None) -> int | None:
    try:
        seconds: int | None = _seconds(pa.array([text], pa.string()))[0].as_py()
    except pa.ArrowInvalid:
        return None
    return seconds


def calendar_day(published: pa.ChunkedArray, readable: pa.ChunkedArray) -> pa.ChunkedArray:
    """The calendar day as the publisher wrote it (date32); a local midnight keeps its day."""
    days = pc.if_else(readable, pc.utf8_slice_codeunits(published, 0, 10), None)
    return pc.cast(days, pa.date32())


def with_moments(table: pa.Table, fields: Sequence[columns.Field] = columns.FIELDS) -> pa.Table:
    """The table with every `*_at` and `*_date` column its `*_published` columns give.

    Of these `fields`; a column that the table has already stays as it is.

    A creation or expiry whose year cannot be is recorded as null (the text stays as published).
    """
    for field in fields:
        if field.name in table.column_names:
            continue
        if field.kind == "utc":
            stem = field.name.removesuffix("_at")
            moments = utc(table[f"{stem}_published"])
            if stem in _UNDATED_NULL:
                moments = _within_years(moments)
            table = table.append_column(field.name, moments)
        elif field.kind == "date":
            stem = field.name.removesuffix("_date")
            readable = pc.is_valid(table[f"{stem}_at"])
            table = table.append_column(
                field.name, calendar_day(table[f"{stem}_published"], readable)
            )
    return table


def _within_years(seconds: pa.ChunkedArray) -> pa.ChunkedArray:
    possible = pc.and_(pc.greater_equal(seconds, EARLIEST), pc.less(seconds, LATEST))
    return pc.if_else(possible, seconds, pa.scalar(None, pa.int64()))
