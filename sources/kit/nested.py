"""Lists inside Arrow structs laid open: every member with its row, and the one that counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_BLANK, _LATIN_LETTER = 0x20, 0xC3
_OPENS_SPACE, _CLOSES_SPACE = np.zeros(256, dtype=bool), np.zeros(256, dtype=bool)
_OPENS_SPACE[[*range(_BLANK + 1), 0xC2, 0xE1, 0xE2, 0xE3]] = True
_CLOSES_SPACE[[*range(_BLANK + 1), *range(0x80, 0x8B), 0x9F, 0xA0, 0xA8, 0xA9, 0xAF]] = True
"""First and last bytes of every white space of Unicode in UTF-8, and of other signs too."""


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
    if _are_filled(texts):
        return texts
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _are_filled(texts: pa.Array) -> bool:
    """Whether plainly no text is empty or begins or ends with white space; most columns are so.

    Told by their first and last bytes (UTF-8), without making a text of any of them.
    """
    if texts.null_count == len(texts) or texts.type != pa.string():
        return bool(texts.type == pa.string())
    _, places, data = texts.buffers()
    ends = np.frombuffer(places, dtype=np.int32)[texts.offset :][: len(texts) + 1]
    has_bytes = ends[1:] > ends[:-1]
    if int(np.count_nonzero(has_bytes)) != len(texts) - texts.null_count:
        return False
    raw = np.frombuffer(data, dtype=np.uint8)
    first, last = raw[ends[:-1][has_bytes]], raw[ends[1:][has_bytes] - 1]
    doubtful = _CLOSES_SPACE[last]
    if doubtful.any():  # a Latin letter such as é ends with the same byte as some white space
        before = raw[np.maximum(ends[1:][has_bytes][doubtful] - 2, 0)]
        doubtful = (before != _LATIN_LETTER) | (last[doubtful] <= _BLANK)
    return not (_OPENS_SPACE[first].any() or doubtful.any())


def words(*parts: pa.Array, between: str = " ") -> pa.Array:
    """The parts that are there joined in each row; null where none is."""
    joined, *rest = parts
    for part in rest:
        # Not all at once: told to skip nulls, Arrow 26 makes an empty column of one without texts.
        both = pc.binary_join_element_wise(joined, part, between)
        joined = pc.coalesce(both, joined, part)
    return joined
