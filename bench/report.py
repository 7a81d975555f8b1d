"""The table: what was measured, on what, and whether it holds the limits that were set."""

from __future__ import annotations

from dataclasses import dataclass

from bench.databases import NAMES
from bench.measured import BARE, FIRST, LOADS, UNCHANGED, Series
from bench.startup import HELP, STATUS, Start

LIMIT_ROWS = 300_000
"""The limits are set for a file of this length; a shorter one is mostly the suite's 0.4 s."""
FIRST_BY_BARE, REPEAT_BY_FIRST, PEAK_MB, START_SECONDS = 2.5, 1.0, 800.0, 1.0


@dataclass(frozen=True)
class Verdict:
    """One limit: what is asked, what was found, and whether it holds."""

    what: str
    limit: str
    found: str
    holds: bool


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
            _verdict(f"first load, {name}", by_bare, FIRST_BY_BARE, "x bare"),
            _verdict(f"unchanged repeat, {name}", repeat, REPEAT_BY_FIRST, "x first load"),
            _verdict(f"peak memory, {name}", peak, PEAK_MB, "MB"),
        ]
    found += [
        _verdict(start.name, start.median, START_SECONDS, "s")
        for start in outcome.starts
        if start.name.startswith((HELP, STATUS))
    ]
    return found


def _verdict(what: str, found: float, limit: float, unit: str) -> Verdict:
    digits = 0 if unit == "MB" else 2
    return Verdict(
        what, f"at most {limit:g} {unit}", f"{found:.{digits}f} {unit}", holds=found <= limit
    )


def text(outcome: Outcome) -> str:
    """Everything as Markdown that also reads well in a terminal."""
    facts = "\n".join(f"- {name}: {value}" for name, value in outcome.facts.items())
    skipped = "\n".join(f"- SKIPPED {name}: {why}" for name, why in outcome.skipped.items())
    parts = [
        f"Measured {outcome.taken_at} UTC.",
        facts,
        skipped,
        *(
            _table(rows)
            for rows in (
                _load_rows(outcome.series),
                _phase_rows(outcome.series),
                _start_rows(outcome.starts),
                _verdict_rows(verdicts(outcome)),
            )
            if rows
        ),
        _short_of_the_limits(outcome.series),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _load_rows(series: Series) -> list[list[str]]:
    rows = [["load", "s", "each round", "x bare", "rows/s", "CPU s", "peak MB", "load average"]]
    for kind in series.databases():
        for load in (BARE, *LOADS):
            ones = series.of(kind, load)
            seconds = series.seconds(kind, load)
            rows.append(
                [
                    f"{NAMES[kind]}: {load}",
                    f"{seconds:.2f}",
                    " ".join(f"{one.seconds:.2f}" for one in ones),
                    f"{series.ratio(kind, load, BARE):.2f}",
                    f"{ones[0].rows / seconds:,.0f}",
                    " ".join(f"{one.cpu_seconds:.1f}" for one in ones),
                    f"{series.peak_mb(kind, load):.0f}",
                    " ".join(f"{one.load_before:.1f}" for one in ones),
                ]
            )
    return rows


def _phase_rows(series: Series) -> list[list[str]]:
    """Of the round with the median time: where time and memory went."""
    rows: list[list[str]] = []
    for kind in series.databases():
        for load in LOADS:
            ones = sorted(series.of(kind, load), key=lambda one: one.seconds)
            one = ones[(len(ones) - 1) // 2]
            row = [f"{NAMES[kind]}: {load}", f"{one.imported_mb:.0f}"]
            head = ["load", "MB before"]
            for phase, seconds in one.phases.items():
                head += [f"{phase}, s", "MB so far"]
                row += [f"{seconds:.2f}", f"{one.peaks_mb[phase]:.0f}"]
            rows += [row] if rows else [head, row]
    return rows


def _start_rows(starts: tuple[Start, ...]) -> list[list[str]]:
    rows = [["start", "s", "each time", "peak MB", "load average"]]
    rows += [
        [
            start.name,
            f"{start.median:.2f}",
            " ".join(f"{one:.2f}" for one in start.seconds),
            f"{start.peak_mb:.0f}" if start.peak_mb else "",
            f"{start.load_average:.1f}",
        ]
        for start in starts
    ]
    return rows


def _verdict_rows(found: list[Verdict]) -> list[list[str]]:
    rows = [["limit", "asked", "found", "verdict"]]
    return rows + [
        [one.what, one.limit, one.found, "PASS" if one.holds else "FAIL"] for one in found
    ]


def _short_of_the_limits(series: Series) -> str:
    rows = max((one.rows for one in series.measured), default=0)
    short = f"The limits are set for {LIMIT_ROWS:,} rows; these {rows:,} do not prove them."
    return short if rows < LIMIT_ROWS else ""


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
