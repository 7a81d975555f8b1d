"""Whether a delivery looks like its source's earlier ones, in fill rates and outcomes: a note."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import sqrt
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from sources.kit.profile import Profile

OUTCOMES_JUDGED = (
    "records_quarantined",
    "records_out_of_scope",
    "records_suppressed",
    "records_minimised",
)
"""How much is new, changed or stale depends on when we last fetched, so it is not judged."""


@dataclass(frozen=True)
class Drift:
    """One figure that lies outside what is usual.

    `what`: `filled` (share of rows that have the field `name`), `share` (of rows with the outcome
    `name`), or `rows` (of a full file). `low` and `high` bound what would have been usual.
    """

    what: str
    name: str
    found: float
    usual: float
    low: float
    high: float
    deliveries: int


def filled(table: pa.Table, names: Sequence[str]) -> dict[str, int]:
    """How many rows of the frame have each of these columns; Arrow counts, no value is read."""
    return {name: table.num_rows - table[name].null_count for name in names}


@cache
def bounds() -> dict[str, Any]:
    """The bounds of `checks/drift.toml`, each with its reason."""
    text = resources.files("checks").joinpath("drift.toml").read_text("utf-8")
    return tomllib.loads(text)


def drifts(now: Profile, earlier: Sequence[Profile]) -> list[Drift]:
    """What of `now` lies outside its source's own history; nothing while there is too little."""
    usable = [profile for profile in earlier if profile.rows]
    if not now.rows or len(usable) < bounds()["history"]["at_least"]:
        return []
    return [found for found in _judged(now, usable) if not found.low <= found.found <= found.high]


def _judged(now: Profile, earlier: Sequence[Profile]) -> Iterator[Drift]:
    if now.kind == "full":
        yield _rows(now, earlier)
    for name in OUTCOMES_JUDGED:
        past = [_share(profile.counts[name], profile.counts["records_in"]) for profile in earlier]
        found = _share(now.counts[name], now.counts["records_in"])
        yield _against("share", name, found, past, now.rows)
    for name, count in now.filled.items():
        past = [p.filled[name] / p.rows for p in earlier if name in p.filled]
        if len(past) >= bounds()["history"]["at_least"]:
            yield _against("filled", name, count / now.rows, past, now.rows)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _rows(now: Profile, earlier: Sequence[Profile]) -> Drift:
    usual = median(profile.rows for profile in earlier)
    allowed = max(bounds()["rows"]["part"] * usual, bounds()["sampling"]["rows"])
    low, high = usual - allowed, usual + allowed
    return Drift("rows", "rows", now.rows, usual, low, high, len(earlier))


def _against(what: str, name: str, found: float, past: Sequence[float], rows: int) -> Drift:
    share, sampling, usual = bounds()["share"], bounds()["sampling"], median(past)
    own = share["part"] * min(usual, 1 - usual)
    allowed = max(
        share["at_least"],
        min(share["at_most"], own),
        share["spread"] * max(abs(one - usual) for one in past),
        sampling["errors"] * sqrt(usual * (1 - usual) / rows),
        sampling["rows"] / rows,
    )
    low, high = max(0.0, usual - allowed), min(1.0, usual + allowed)
    return Drift(what, name, found, usual, low, high, len(past))
