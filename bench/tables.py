"""The parts of a page of figures: tables that read well in a terminal too, and verdicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bench.databases import NAMES
from bench.measured import BARE, Series
from bench.startup import Start

Rows = list[list[str]]


@dataclass(frozen=True)
class Verdict:
    """One limit: what is asked, what was found, and whether it holds."""

    what: str
    limit: str
    found: str
    holds: bool


def at_most(what: str, found: float, limit: float, unit: str) -> Verdict:
    """The verdict on a figure that must not be larger."""
    digits = 0 if unit == "MB" else 2
    asked = f"{limit:.0f}" if unit == "MB" else f"{limit:g}"
    return Verdict(
        what, f"at most {asked} {unit}", f"{found:.{digits}f} {unit}", holds=found <= limit
    )


def at_least(what: str, found: float, limit: float, unit: str) -> Verdict:
    """The verdict on a figure that must not be smaller."""
    return Verdict(what, f"at least {limit:g} {unit}", f"{found:.2f} {unit}", holds=found >= limit)


def load_rows(
    series: Series,
    loads: Sequence[str],
    *,
    against: tuple[str, str] = ("bare", BARE),
    alone: Collection[str] = (),
) -> Rows:
    """Time, memory and company of each load, and its time as a multiple of the load `against`.

    `against` is that load's short name and its name; the loads `alone` are not compared with it.
    """
    label, other = against
    rows = [["load", "s", "each round", f"x {label}", "rows/s", "CPU s", "peak MB", "load average"]]
    for kind in series.databases():
        for load in loads:
            ones = series.of(kind, load)
            if not ones:
                continue
            seconds = series.seconds(kind, load)
            rows.append(
                [
                    f"{NAMES[kind]}: {load}",
                    f"{seconds:.2f}",
                    " ".join(f"{one.seconds:.2f}" for one in ones),
                    "" if load in alone else f"{series.ratio(kind, load, other):.2f}",
                    f"{ones[0].rows / seconds:,.0f}",
                    " ".join(f"{one.cpu_seconds:.1f}" for one in ones),
                    f"{series.peak_mb(kind, load):.0f}",
                    " ".join(f"{one.load_before:.1f}" for one in ones),
                ]
            )
    return rows


def phase_rows(series: Series, loads: Sequence[str]) -> Rows:
    """Of the round with the median time: where time and memory went."""
    rows: Rows = []
    for kind in series.databases():
        for load in loads:
            ones = sorted(series.of(kind, load), key=lambda one: one.seconds)
            if not ones:
                continue
            one = ones[(len(ones) - 1) // 2]
            row = [f"{NAMES[kind]}: {load}", f"{one.imported_mb:.0f}"]
            head = ["load", "MB before"]
            for phase, seconds in one.phases.items():
                head += [f"{phase}, s", "MB so far"]
                row += [f"{seconds:.2f}", f"{one.peaks_mb[phase]:.0f}"]
            rows += [row] if rows else [head, row]
    return rows


def start_rows(starts: tuple[Start, ...]) -> Rows:
    """How long each command took until it had answered."""
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


def verdict_rows(found: list[Verdict]) -> Rows:
    """Every limit, and PASS or FAIL."""
    rows = [["limit", "asked", "found", "verdict"]]
    return rows + [
        [one.what, one.limit, one.found, "PASS" if one.holds else "FAIL"] for one in found
    ]


def page(taken_at: str, facts: dict[str, str], skipped: dict[str, str], parts: list[str]) -> str:
    """The dated page: facts, what was skipped and why, then the parts that are not empty."""
    head = [
        f"Measured {taken_at} UTC.",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        "\n".join(f"- SKIPPED {name}: {why}" for name, why in skipped.items()),
    ]
    return "\n\n".join(part for part in (*head, *parts) if part) + "\n"


def table(rows: Rows) -> str:
    """The rows as Markdown, every column as wide as its widest cell; nothing for a head alone."""
    if len(rows) <= 1:
        return ""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
