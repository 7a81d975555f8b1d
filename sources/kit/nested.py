"""Lists inside Arrow structs laid open: every member with its row, and the one that counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def child(rows: pa.StructArray, *path: str) -> pa.Array:
    """The field below `rows` by its path; null where anything above it is."""
    return pc.struct_field(rows, list(path)) if path else rows


def members(lists: pa.ListArray) -> tuple[np.ndarray, pa.Array]:
    """(row of each member (int64), all members in order) of a list column; null lists have none."""
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    return rows, pc.list_flatten(lists)


def first_of(count: int, rows: np.ndarray, wanted: pa.Array | np.ndarray) -> pa.Array:
    """For each of `count` rows the place of its first wanted member, null without one (int64)."""
    chosen = np.flatnonzero(np.asarray(wanted, dtype=bool))
    places = np.full(count, -1, dtype=np.int64)
    # Written backwards, so that the first one of a row is the one that stays.
    places[rows[chosen[::-1]]] = chosen[::-1]
    return pa.array(places, mask=places < 0)


def nth(lists: pa.ListArray, most: int) -> list[pa.Array]:
    """The first `most` members of each list as that many columns; what is not there is null."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    starts = np.cumsum(lengths) - lengths
    values = pc.list_flatten(lists)
    return [
        values.take(pa.array(starts + place, mask=lengths <= place, type=pa.int64()))
        for place in range(most)
    ]


def is_true(column: pa.Array) -> np.ndarray:
    """A boolean column as a NumPy array, null being false."""
    return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False), dtype=bool)  # noqa: FBT003 (pyarrow's signature)


def filled(texts: pa.Array) -> pa.Array:
    """Texts without the white space around them; what is empty then is null."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def words(*parts: pa.Array, between: str = " ") -> pa.Array:
    """The parts that are there joined in each row; null where none is."""
    joined, *rest = parts
    for part in rest:
        # Not all at once: told to skip nulls, Arrow 26 makes an empty column of one without texts.
        both = pc.binary_join_element_wise(joined, part, between)
        joined = pc.coalesce(both, joined, part)
    return joined
