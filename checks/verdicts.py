"""A row's verdicts as one number: bit n is set where row rule n does not hold, 0 is a sound row.

Four bytes a row instead of one for each rule, and rows with the same verdicts can be judged as one.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from checks.rules import QUARANTINE, ROW_RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BIT = {rule.name: np.uint32(1 << place) for place, rule in enumerate(ROW_RULES)}


def mask_of(rules: Iterable[str]) -> np.uint32:
    """The bits of these rules together."""
    return np.uint32(reduce(lambda bits, rule: bits | int(BIT[rule]), rules, 0))


QUARANTINED = mask_of(QUARANTINE)


def pack(verdicts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Boolean verdict columns (True holds) as one uint32 a row."""
    rows = len(next(iter(verdicts.values())))
    packed = np.zeros(rows, dtype=np.uint32)
    for rule, holds in verdicts.items():
        if not holds.all():
            packed |= np.where(holds, np.uint32(0), BIT[rule])
    return packed


def broken(packed: int, rules: Iterable[str] = QUARANTINE) -> list[str]:
    """Which of the rules do not hold for one row, in their order."""
    return [rule for rule in rules if int(packed) & int(BIT[rule])]
