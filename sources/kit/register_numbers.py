"""Registers' numbers in the one form in which two publishers' records of a company can be joined.

How each register writes its numbers, and which registers share one number space, is data
(`register_numbers.toml`). A number that cannot be one of its register's has no key and joins
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.check_digits import digits_of, hold
from sources.kit.flat import flat
from sources.kit.number_spaces import NOT_A_REGISTER, spaces

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNLISTED = -1
"""A register we have no rule for: its numbers are compared by capitals and digits."""


@dataclass(frozen=True)
class RegisterKeys:
    """One row a pair as given: the pair two records must share to be of one company.

    `authorities` (the code that stands for the number space) and `numbers` are null together where
    nothing can be joined. `are_checked` (bool): whether the number holds to its register's check
    digits; null without a key, or where no check is known. A failed check leaves the key: it is a
    typing error at most, and can then meet no number that the register gave.
    """

    authorities: pa.Array
    numbers: pa.Array
    are_checked: pa.Array = field(repr=False)


def keys_of(
    authorities: pa.Array | pa.ChunkedArray, numbers: pa.Array | pa.ChunkedArray
) -> RegisterKeys:
    """The pairs of registers' codes (GLEIF's RA codes) and numbers as typed, column-wise."""
    codes, texts = flat(authorities), pc.utf8_upper(pc.utf8_normalize(flat(numbers), form="NFKC"))
    places = _places(codes)
    order = np.argsort(places, kind="stable")
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    formed, checked = [], []
    for place in np.unique(places).tolist():
        few = texts.take(pa.array(np.flatnonzero(places == place)))
        rule = spaces()[place] if place != _UNLISTED else _UNLISTED_RULE
        formed.append(_formed(few, rule))
        checked.append(_checked(formed[-1], rule))
    taken = pa.array(back)
    found = pa.concat_arrays([*formed, _NO_TEXT]).take(taken)
    own = _space_codes(codes, places)
    found = pc.if_else(pc.is_valid(own), found, pa.scalar(None, pa.string()))
    own = pc.if_else(pc.is_valid(found), own, pa.scalar(None, pa.string()))
    holds = pa.concat_arrays([*checked, _NO_TRUTH]).take(taken)
    return RegisterKeys(own, found, holds)


_UNLISTED_RULE: Mapping[str, Any] = {"drop": r"[^\pL\pN]", "shape": r"[\pL\pN]+"}
_NO_TEXT, _NO_TRUTH = pa.array([], pa.string()), pa.array([], pa.bool_())


@cache
def _listed() -> tuple[pa.Array, np.ndarray, pa.Array]:
    """(every listed code, the place of its space, every space's own code)."""
    codes = [code for space in spaces() for code in space["authorities"]]
    places = [place for place, space in enumerate(spaces()) for _ in space["authorities"]]
    own = [space["authorities"][0] for space in spaces()]
    return pa.array(codes), np.array(places), pa.array(own)


def _places(codes: pa.Array) -> np.ndarray:
    """Which space each code is of, `_UNLISTED` where of none."""
    listed, places, _ = _listed()
    index = pc.fill_null(pc.index_in(codes, value_set=listed), _UNLISTED)
    found = np.asarray(index.to_numpy(zero_copy_only=False))
    return np.where(found == _UNLISTED, _UNLISTED, places[found])


def _space_codes(codes: pa.Array, places: np.ndarray) -> pa.Array:
    """The code that stands for each row's space; an unlisted register stands for itself."""
    own = _listed()[2].take(pa.array(places, mask=places == _UNLISTED))
    named = pc.coalesce(own, codes)
    joins_nothing = pc.is_in(named, value_set=pa.array([*NOT_A_REGISTER, ""]))
    return pc.if_else(joins_nothing, pa.scalar(None, pa.string()), named)


def _formed(texts: pa.Array, rule: Mapping[str, Any]) -> pa.Array:
    """The numbers in their one form; null where they do not have the register's shape."""
    plain = pc.replace_substring_regex(texts, rule["drop"], "")
    is_nothing = pc.match_substring_regex(plain, "^0*$")
    if "pad" in rule:
        plain = pc.utf8_lpad(plain, rule["pad"], "0")
    for pattern, replacement in rule.get("rewrite", ()):
        plain = pc.replace_substring_regex(plain, pattern, replacement)
    fits = pc.match_substring_regex(plain, f"^(?:{rule['shape']})$")
    kept = pc.and_(fits, pc.invert(is_nothing))
    return pc.if_else(kept, plain, pa.scalar(None, pa.string()))


def _checked(formed: pa.Array, rule: Mapping[str, Any]) -> pa.Array:
    """Whether each number holds to the rule's check digits; null where nobody can say."""
    if "check" not in rule or formed.null_count == len(formed):
        return pa.nulls(len(formed), pa.bool_())
    known = pc.is_valid(formed)
    digits = digits_of(pc.replace_substring_regex(formed.filter(known), "[^0-9]", ""))
    held = pa.array(hold(digits, rule["check"]))
    return pc.replace_with_mask(pa.nulls(len(formed), pa.bool_()), known, held)
