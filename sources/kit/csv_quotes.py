"""CSV fields whose inner quotes are not doubled: the reader takes them, and not as meant."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.copy_text import bytes_of
from sources.kit.flat import flat, truths

REPLACEMENT = "�"
COUNTED_AT_ONCE = 256 * 1024
"""Bytes that stay in the processor's cache with what is found of them."""
_QUOTE, _NEWLINE = ord('"'), ord("\n")


def mark_stray_quotes(table: pa.Table, data: bytes | memoryview) -> pa.Table:
    """Append U+FFFD to values read from fields whose inner quotes were not doubled.

    `table` holds the rows of the CSV `data`, all columns text. A well-formed value with a quote
    stands in the bytes as RFC 4180 writes it: in its own line, where a line is a row; else a
    column's values stand there in their order.
    """
    holding = [name for name in table.column_names if (bytes_of(flat(table[name])) == _QUOTE).any()]
    lines = _lines(data, table.num_rows) if holding else None
    for name in holding:
        column = flat(table[name])
        quoted = pc.fill_null(pc.match_substring(column, '"'), False)  # noqa: FBT003 (pyarrow's signature)
        values = column.filter(quoted).to_pylist()
        if lines is not None and _stand_in(values, data, lines, np.flatnonzero(truths(quoted))):
            continue
        marked = _marked(values, bytes(data))
        if marked != values:
            column = pc.replace_with_mask(column, quoted, pa.array(marked, pa.string()))
            table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _lines(data: bytes | memoryview, rows: int) -> np.ndarray | None:
    """Where each line starts and the last one ends (int64), or None where lines are not rows."""
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = [
        np.flatnonzero(raw[at : at + COUNTED_AT_ONCE] == _NEWLINE) + at
        for at in range(0, len(raw), COUNTED_AT_ONCE)
    ]
    starts = np.concatenate(([0], *ends)) + 1
    starts[0] = 0
    return starts if len(starts) == rows + 1 else None


def _stand_in(
    values: list[str], data: bytes | memoryview, lines: np.ndarray, rows: np.ndarray
) -> bool:
    """Whether each value stands in its row's line as RFC 4180 writes it."""
    places = zip(values, lines[rows].tolist(), lines[rows + 1].tolist(), strict=True)
    return all(_as_written(value) in bytes(data[start:end]) for value, start, end in places)


def _as_written(value: str) -> bytes:
    return b'"%b"' % value.replace('"', '""').encode()


def _marked(values: list[str], data: bytes) -> list[str]:
    at, marked = 0, []
    for value in values:
        written = _as_written(value)
        found = data.find(written, at)
        at = at if found < 0 else found + len(written)
        marked.append(value if found >= 0 else value + REPLACEMENT)
    return marked
