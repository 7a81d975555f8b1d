"""What a delivery looked like: counts and fill rates, never a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Profile:
    """One delivery in counts.

    `rows` could be read; `filled` says how many of them had each field; `counts` are its outcomes
    by their names in the ledger, and `records_in`.
    """

    kind: str
    rows: int
    filled: Mapping[str, int]
    counts: Mapping[str, int]
