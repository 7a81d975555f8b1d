"""The full form's page: its tables, and the limits that are set at the size of the real file."""

from __future__ import annotations

from bench.databases import NAMES
from bench.measured import (
    BARE,
    CHANGED,
    DELTA,
    DLT,
    FIRST,
    PANDAS,
    PEERS,
    SMALL_DELTA,
    SMALL_FIRST,
    Series,
)
from bench.report import Outcome
from bench.tables import (
    Rows,
    Verdict,
    at_least,
    at_most,
    load_rows,
    page,
    phase_rows,
    start_rows,
    table,
    verdict_rows,
)

FULL_ROWS, SMALL_ROWS, DELTA_ROWS = 3_460_000, 300_000, 14_000
"""GLEIF's golden copy in October 2026, the peers' file, and the largest day's delta seen."""
FIRST_BY_BARE, FIRST_MB = 2.0, 700.0
REPEAT_BY_FIRST, REPEAT_MB, REPEAT_BYTES_A_RECORD = 0.8, 500.0, 60
DELTA_SECONDS, DELTA_BY_SMALL = 5.0, 2.0
BY_PEER = {DLT: 1.5, PANDAS: 2.5}
COMMANDS = {
    "explain": 1.0,
    "status": 1.0,
    "segment count renewal-due": 1.0,
    "segment count lapsed": 1.0,
    "segment count all": 5.0,
}
"""Each command that is timed on the full warehouse, and its limit in seconds."""

_FULL, _SMALL = (BARE, FIRST, CHANGED, DELTA), (SMALL_FIRST, *PEERS, SMALL_DELTA)
_OURS = (FIRST, CHANGED, DELTA, SMALL_FIRST, SMALL_DELTA)


def verdicts(outcome: Outcome) -> list[Verdict]:
    """Every limit against what was found; a peer that was not measured has none."""
    series = outcome.series
    found = [one for kind in series.databases() for one in _of_database(series, kind)]
    limits = {f"{command}, {NAMES[kind]}": limit for command, limit in COMMANDS.items()
              for kind in NAMES}  # fmt: skip
    return found + [
        at_most(start.name, start.median, limits[start.name], "s") for start in outcome.starts
    ]


def _of_database(series: Series, kind: str) -> list[Verdict]:
    name = NAMES[kind]
    held = max(one.held for one in series.of(kind, CHANGED))
    repeat_mb = REPEAT_MB + held * REPEAT_BYTES_A_RECORD / 1e6
    by_first, by_small = series.ratio(kind, CHANGED, FIRST), series.ratio(kind, DELTA, SMALL_DELTA)
    found = [
        at_most(f"first load, {name}", series.ratio(kind, FIRST, BARE), FIRST_BY_BARE, "x bare"),
        at_most(f"first load, peak, {name}", series.peak_mb(kind, FIRST), FIRST_MB, "MB"),
        at_most(f"repeat, 1 % changed, {name}", by_first, REPEAT_BY_FIRST, "x first load"),
        at_most(f"repeat, peak, {name}", series.peak_mb(kind, CHANGED), repeat_mb, "MB"),
        at_most(f"delta, {name}", series.seconds(kind, DELTA), DELTA_SECONDS, "s"),
        at_most(f"delta, full to small, {name}", by_small, DELTA_BY_SMALL, "x"),
    ]
    return found + [
        at_least(f"faster than {peer}, {name}", faster, limit, "x")
        for peer, limit in BY_PEER.items()
        if series.of(kind, peer)
        for faster in [series.ratio(kind, peer, SMALL_FIRST)]
    ]


def text(outcome: Outcome) -> str:
    """Everything as Markdown that also reads well in a terminal."""
    series = outcome.series
    small = load_rows(series, _SMALL, against=("ours", SMALL_FIRST), alone=(SMALL_DELTA,))
    parts = [
        table(load_rows(series, _FULL, alone=(DELTA,))),
        table(small),
        table(phase_rows(series, _OURS)),
        table(_disk_rows(series)),
        table(start_rows(outcome.starts)),
        table(verdict_rows(verdicts(outcome))),
        _short_of_the_limits(series),
    ]
    return page(outcome.taken_at, outcome.facts, outcome.skipped, parts)


def _disk_rows(series: Series) -> Rows:
    """What the database takes after each load that was asked for it, last round."""
    rows = [["database on disk after", "MB", "bytes a row"]]
    for kind in series.databases():
        for load in (*_FULL, *_SMALL):
            ones = [one for one in series.of(kind, load) if one.disk_mb]
            if ones:
                size, held = ones[-1].disk_mb, ones[-1].held or ones[-1].rows
                rows.append([f"{NAMES[kind]}: {load}", f"{size:,.0f}", f"{size * 1e6 / held:,.0f}"])
    return rows


def _short_of_the_limits(series: Series) -> str:
    rows = max((one.rows for one in series.measured), default=0)
    short = f"The limits are set for {FULL_ROWS:,} rows; these {rows:,} do not prove them."
    return short if rows < FULL_ROWS else ""
