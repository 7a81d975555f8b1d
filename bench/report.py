"""The small form's page: what was measured, on what, and whether it holds the limits set for it."""

from __future__ import annotations

from dataclasses import dataclass

from bench.databases import NAMES
from bench.measured import BARE, FIRST, LOADS, UNCHANGED, Series
from bench.startup import HELP, STATUS, Start
from bench.tables import (
    Verdict,
    at_most,
    load_rows,
    page,
    phase_rows,
    start_rows,
    table,
    verdict_rows,
)

LIMIT_ROWS = 300_000
"""The limits are set for a file of this length; a shorter one is mostly the suite's 0.4 s."""
FIRST_BY_BARE, REPEAT_BY_FIRST, PEAK_MB, START_SECONDS = 2.5, 1.0, 800.0, 1.0


@dataclass(frozen=True)
class Outcome:
    """One run: when (UTC, to the minute), on what, with what, and all that was measured."""

    taken_at: str
    facts: dict[str, str]
    series: Series
    starts: tuple[Start, ...]
    skipped: dict[str, str]


def verdicts(outcome: Outcome) -> list[Verdict]:
    """Every limit against what was found."""
    series, found = outcome.series, []
    for kind in series.databases():
        name = NAMES[kind]
        by_bare = series.ratio(kind, FIRST, BARE)
        repeat = series.ratio(kind, UNCHANGED, FIRST)
        peak = max(series.peak_mb(kind, load) for load in LOADS)
        found += [
            at_most(f"first load, {name}", by_bare, FIRST_BY_BARE, "x bare"),
            at_most(f"unchanged repeat, {name}", repeat, REPEAT_BY_FIRST, "x first load"),
            at_most(f"peak memory, {name}", peak, PEAK_MB, "MB"),
        ]
    found += [
        at_most(start.name, start.median, START_SECONDS, "s")
        for start in outcome.starts
        if start.name.startswith((HELP, STATUS))
    ]
    return found


def text(outcome: Outcome) -> str:
    """Everything as Markdown that also reads well in a terminal."""
    series = outcome.series
    parts = [
        table(load_rows(series, (BARE, *LOADS))),
        table(phase_rows(series, LOADS)),
        table(start_rows(outcome.starts)),
        table(verdict_rows(verdicts(outcome))),
        _short_of_the_limits(series),
    ]
    return page(outcome.taken_at, outcome.facts, outcome.skipped, parts)


def _short_of_the_limits(series: Series) -> str:
    rows = max((one.rows for one in series.measured), default=0)
    short = f"The limits are set for {LIMIT_ROWS:,} rows; these {rows:,} do not prove them."
    return short if rows < LIMIT_ROWS else ""
