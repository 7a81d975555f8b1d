"""Personal identity numbers taken out of a register's columns, before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.flat import truths
from sources.kit.identity_numbers import MAYBE, holds_personal_number, without_personal_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def without_numbers(
    columns: Mapping[str, pa.Array], country: str
) -> tuple[dict[str, pa.Array], int]:
    """The text columns with such numbers replaced, and how many values held one.

    `country` (ISO 3166-1) is the register's. One pass over the rows' joined values finds the few
    rows whose values are then looked at singly.
    """
    lines = pc.binary_join_element_wise(
        *columns.values(), "\n", null_handling="replace", null_replacement=""
    )
    rows = np.flatnonzero(truths(pc.match_substring_regex(lines, MAYBE)))
    cleaned, count = dict(columns), 0
    for name, column in columns.items() if len(rows) else ():
        some = column.take(pa.array(rows))
        few = truths(pc.match_substring_regex(some, MAYBE).fill_null(False))  # noqa: FBT003
        held = some.filter(pa.array(few)).to_pylist()
        rest = [without_personal_numbers(text, country) for text in held]
        changed = [place for place, text in enumerate(rest) if text != held[place]]
        if changed:
            mask = np.zeros(len(column), dtype=bool)
            mask[rows[few][changed]] = True
            given = pa.array([rest[place] for place in changed], pa.string())
            cleaned[name] = pc.replace_with_mask(column, pa.array(mask), given)
            count += len(changed)
    return cleaned, count


def held_in(texts: Sequence[pa.Array], countries: pa.Array) -> np.ndarray:
    """Which rows hold such a number in any of their `texts` (bool); columns without nulls.

    `countries` are the rows' own (ISO 3166-1, null unknown).
    """
    found = np.zeros(len(countries), dtype=bool)
    for column in texts:
        rows = np.flatnonzero(truths(pc.match_substring_regex(column, MAYBE)))
        taken = pa.array(rows)
        pairs = zip(column.take(taken).to_pylist(), countries.take(taken).to_pylist(), strict=True)
        found[rows] |= np.array([holds_personal_number(*pair) for pair in pairs], dtype=bool)
    return found


def holds_number(values: pa.Array, country: str) -> np.ndarray:
    """Which values (no nulls) hold such a number (bool), bare digits in a phone's place too.

    A phone written with a plus and its country code is never taken for one.
    """
    found = truths(pc.match_substring_regex(values, MAYBE))
    for place in np.flatnonzero(found):
        found[place] = holds_personal_number(values[int(place)].as_py(), country)
    return found
