"""Whole columns of contact fields read once each: clean ones by Arrow, the rest one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import contact_email, contact_phone, contact_website

if TYPE_CHECKING:
    from collections.abc import Callable

    from sources.kit.contact_rules import Reading

    Clean = Callable[[pa.Array, pa.Array], tuple[pa.Array, pa.Array]]


class _Reader(NamedTuple):
    fast: tuple[tuple[Clean, str | None], ...]
    """Vectorised ways, and the repair each counts as."""
    slow: Callable[[str, str | None], Reading]


KINDS = {
    contact_email.KIND: _Reader(((contact_email.clean, None),), contact_email.read),
    contact_phone.KIND: _Reader(((contact_phone.clean, None),), contact_phone.read),
    contact_website.KIND: _Reader(
        (
            (contact_website.clean, None),
            (contact_website.bare, contact_website.SCHEME_ADDED),
        ),
        contact_website.read,
    ),
}


@dataclass(frozen=True)
class Parts:
    """What a column of fields says, one row a contact point.

    `rows` (int64) are places in the column; `values` are normalised, null where `rules` says what
    kept them out. `repairs` counts fields by the repair that changed them; `slow_count` tells how
    many distinct fields went through the slow libraries.
    """

    rows: np.ndarray = field(repr=False)
    values: pa.Array = field(repr=False)
    rules: pa.Array = field(repr=False)
    repairs: Counter[str]
    slow_count: int


def read_column(kind: str, originals: pa.Array, countries: pa.Array) -> Parts:
    """Read fields of one kind (`email`, `phone`, `website`); each distinct one is read once.

    `originals` as published (null is empty), `countries` ISO 3166-1 (null unknown).
    """
    texts, lands, inverse = _distinct(pc.fill_null(originals, ""), countries)
    fast, how = _fast(kind, texts, lands)
    slow = np.flatnonzero(how < 0)
    places = pa.array(slow)
    read = KINDS[kind].slow
    asked = zip(texts.take(places).to_pylist(), lands.take(places).to_pylist(), strict=True)
    readings = [read(text, land) for text, land in asked]
    repairs = _counted(kind, readings, slow, how, np.bincount(inverse, minlength=len(texts)))
    return _spread(fast, readings, slow, inverse, repairs)


def _distinct(texts: pa.Array, lands: pa.Array) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """(distinct texts, their countries, which of them each row is)."""
    text_codes, land_codes = texts.dictionary_encode(), lands.dictionary_encode("encode")
    width = max(len(land_codes.dictionary), 1)
    pairs = text_codes.indices.to_numpy(zero_copy_only=False).astype(np.int64) * width
    pairs += land_codes.indices.to_numpy(zero_copy_only=False)
    found, inverse = np.unique(pairs, return_inverse=True)
    return (
        text_codes.dictionary.take(pa.array(found // width)),
        land_codes.dictionary.take(pa.array(found % width)),
        inverse,
    )


def _fast(kind: str, texts: pa.Array, lands: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """(values where a fast way is certain, the number of that way or -1)."""
    values = pa.nulls(len(texts), pa.string())
    how = np.full(len(texts), -1)
    for number, (clean, _) in enumerate(KINDS[kind].fast):
        found, certain = clean(texts, lands)
        is_new = np.asarray(certain.to_numpy(zero_copy_only=False), dtype=bool) & (how < 0)
        values = pc.if_else(pa.array(is_new), found, values)
        how[is_new] = number
    return values, how


def _counted(
    kind: str,
    readings: list[Reading],
    slow: np.ndarray,
    how: np.ndarray,
    weights: np.ndarray,
) -> Counter[str]:
    """Fields by repair, where a field that came n times counts n."""
    counts: Counter[str] = Counter()
    for reading, weight in zip(readings, weights[slow].tolist(), strict=True):
        for name in reading.repairs:
            counts[name] += weight
    for number, (_, repair) in enumerate(KINDS[kind].fast):
        if repair is not None:
            counts[repair] += int(weights[how == number].sum())
    return +counts


def _spread(
    fast: pa.Array,
    readings: list[Reading],
    slow: np.ndarray,
    inverse: np.ndarray,
    repairs: Counter[str],
) -> Parts:
    """The distinct fields' parts, back on every row that has the field."""
    slow_parts = [part for reading in readings for part in reading.parts]
    values = pa.concat_arrays([fast, pa.array([part.value for part in slow_parts], pa.string())])
    slow_rules = pa.array([part.rule for part in slow_parts], pa.string())
    rules = pa.concat_arrays([pa.nulls(len(fast), pa.string()), slow_rules])
    lengths = np.ones(len(fast), dtype=np.int64)
    lengths[slow] = [len(reading.parts) for reading in readings]
    starts = np.arange(len(fast))
    starts[slow] = len(fast) + np.cumsum(lengths[slow]) - lengths[slow]
    counts = lengths[inverse]
    rows = np.repeat(np.arange(len(inverse)), counts)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    taken = pa.array(starts[inverse][rows] + nth)
    return Parts(rows, values.take(taken), rules.take(taken), repairs, len(slow))
