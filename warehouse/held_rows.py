"""What is held, read as columns: the database joins rows into long texts, Python sees no row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sources.kit.digest import key_prints, offsets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

UNKNOWN = np.iinfo(np.int64).min
"""A moment that is not stated."""
_AT_ONCE = 20_000
"""Numbers a reading spans: some megabytes of text."""
_ASKED_AT_ONCE = 5_000
_UPDATED = f"COALESCE(last_update_at, {UNKNOWN + 1} - 1)"
_NUMBERS = ("record_id", _UPDATED, "last_delivery_id", "absent_count")
_FROM = "FROM record WHERE source_id = {0} AND"


class Columns(NamedTuple):
    """Some records, column by column: fingerprints of keys and digests (n, 2) uint64, numbers."""

    key: np.ndarray
    digest: np.ndarray
    record_id: np.ndarray
    updated: np.ndarray
    last_delivery_id: np.ndarray
    absent_count: np.ndarray


def held_columns(
    connection: Connection, source_id: str, asked: Sequence[str] | None
) -> Iterator[Columns]:
    """Everything held of the source, or on the keys `asked` for, some ten thousand at a time."""
    read = _sqlite if connection.dialect.name == "sqlite" else _postgres
    yield from read(connection, source_id, asked)


def _sqlite(
    connection: Connection, source_id: str, asked: Sequence[str] | None
) -> Iterator[Columns]:
    """Digests come as hexadecimal digits, numbers with commas between them."""
    numbers = ", ".join(f"group_concat({number})" for number in _NUMBERS)
    query = (
        "SELECT group_concat(source_key, ''), group_concat(length(CAST(source_key AS BLOB))),"
        f" group_concat(hex(digest), ''), {numbers} {_FROM.format('?')}"
    )
    driver: Any = connection.connection.driver_connection
    if asked is None:
        # In the order the rows lie in: SQLite's own number of a row is not ours.
        spans = _spans(driver, "rowid")
        found = (
            driver.execute(f"{query} rowid >= ? AND rowid < ?", (source_id, *s)) for s in spans
        )
    else:
        found = (
            driver.execute(
                f"{query} source_key IN ({', '.join('?' * len(keys))})", (source_id, *keys)
            )
            for keys in _listed(asked)
        )
    for cursor in found:
        key, lengths, digests, *rest = cursor.fetchone()
        if key is not None:
            listed = [np.fromstring(text, dtype=np.int64, sep=",") for text in (lengths, *rest)]
            yield _columns(key, listed[0], bytes.fromhex(digests), *listed[1:])


def _postgres(
    connection: Connection, source_id: str, asked: Sequence[str] | None
) -> Iterator[Columns]:
    """Digests and numbers come as the bytes they are."""
    sent = ", ".join(f"string_agg(int8send(({number})::bigint), '')" for number in _NUMBERS)
    query = (
        "SELECT string_agg(source_key, ''), string_agg(int8send(octet_length(source_key)), ''),"
        f" string_agg(digest, ''), {sent} {_FROM.format('%s')}"
    )
    driver: Any = connection.connection.driver_connection
    found: Iterator[tuple[str, tuple[object, ...]]]
    if asked is None:
        few = f"{query} record_id >= %s AND record_id < %s"
        found = ((few, (source_id, *span)) for span in _spans(driver, "record_id"))
    else:
        few = f"{query} source_key = ANY(%s)"
        found = ((few, (source_id, list(keys))) for keys in _listed(asked))
    with driver.cursor(binary=True) as cursor:
        for statement, values in found:
            key, lengths, digests, *rest = cursor.execute(statement, values).fetchone()
            if key is not None:
                listed = [np.frombuffer(sent, ">i8").astype(np.int64) for sent in (lengths, *rest)]
                yield _columns(key, listed[0], digests, *listed[1:])


def _columns(key: str, lengths: np.ndarray, digests: bytes, *numbers: np.ndarray) -> Columns:
    texts = key.encode()
    return Columns(
        key_prints(texts, offsets_of(lengths)),
        np.frombuffer(digests, dtype=">u8").astype(np.uint64).reshape(-1, 2),
        *numbers,
    )


def _spans(driver: Any, number: str) -> Iterator[tuple[int, int]]:  # noqa: ANN401 (the driver's own)
    first, last = (
        driver.execute(f"SELECT {bound}({number}) FROM record").fetchone()[0]
        for bound in ("min", "max")
    )
    if first is not None:
        for start in range(first, last + 1, _AT_ONCE):
            yield start, start + _AT_ONCE


def _listed(asked: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(asked), _ASKED_AT_ONCE):
        yield asked[start : start + _ASKED_AT_ONCE]
