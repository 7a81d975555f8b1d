"""Check digits of registers' and of personal numbers: which rows of digits hold to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sources.kit.copy_text import bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    Digits = NDArray[np.int64]
    Truths = NDArray[np.bool_]

_TEN, _ELEVEN = 10, 11
_SECOND_FROM = 3
"""Where the second pass of the Baltic check digit begins to count."""


def digits_of(texts: pa.Array) -> Digits:
    """Texts of one length, ASCII digits only and none null, as an (n, length) array of digits."""
    raw = bytes_of(texts).reshape(max(len(texts), 1), -1)[: len(texts)]
    return (raw - ord("0")).astype(np.int64)


def hold(digits: Digits, rule: Mapping[str, Any]) -> Truths:
    """Which rows of `digits` hold to the rule: its `kind`, and what that kind needs.

    - `weighted`: each of `weights` (a list of lists), times the digits, leaves `remainder`
      (0 unless stated) modulo `modulus`; a list may be shorter than the row.
    - `luhn`: ISO/IEC 7812-1 annex B, over the last `length` digits.
    - `two_pass`: the last digit is the sum of the others, times 1, 2, … 9, 1, …, modulo 11; where
      that is 10, times 3, 4, … instead; where that is 10 again, it is 0 (Estonia, Lithuania).
    - `folded`: the last digit is (`start` + `sign` * sum of `weights` times the others) modulo 11
      modulo 10.
    """
    return _KINDS[rule["kind"]](digits, rule)


def _weighted(digits: Digits, rule: Mapping[str, Any]) -> Truths:
    held = np.ones(len(digits), dtype=bool)
    for weights in rule["weights"]:
        total = digits[:, : len(weights)] @ np.array(weights)
        held &= total % rule["modulus"] == rule.get("remainder", 0)
    return held


def _luhn(digits: Digits, rule: Mapping[str, Any]) -> Truths:
    used = digits[:, -rule["length"] :].copy()
    doubled = used[:, -2::-2] * 2
    used[:, -2::-2] = doubled // _TEN + doubled % _TEN
    return np.asarray(used.sum(axis=1) % _TEN == 0)


def _two_pass(digits: Digits, _: Mapping[str, Any]) -> Truths:
    body, last = digits[:, :-1], digits[:, -1]
    places = np.arange(body.shape[1])
    first = body @ (places % 9 + 1) % _ELEVEN
    second = body @ ((places + _SECOND_FROM - 1) % 9 + 1) % _ELEVEN
    return np.asarray(np.where(first < _TEN, first, second % _TEN) == last)


def _folded(digits: Digits, rule: Mapping[str, Any]) -> Truths:
    total = rule["start"] + rule["sign"] * (digits[:, :-1] @ np.array(rule["weights"]))
    return np.asarray(total % _ELEVEN % _TEN == digits[:, -1])


_KINDS: dict[str, Callable[[Digits, Mapping[str, Any]], Truths]] = {
    "weighted": _weighted,
    "luhn": _luhn,
    "two_pass": _two_pass,
    "folded": _folded,
}
