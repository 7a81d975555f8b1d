"""What the demo prints: short, in words a newcomer knows."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flows.ingest_report import Report

_WIDTH = 96


def waiting() -> None:
    """While the server starts."""
    print("Starting a Prefect server and a stand-in for GLEIF on this machine ...", flush=True)


def chapter(title: str) -> None:
    """A heading."""
    print(f"\n{title}\n{'=' * len(title)}", flush=True)


def report(found: Report) -> None:
    """What the ingest did: every row in, and its one outcome."""
    counts = found.counts
    print(f"Delivery {found.delivery_id} ({found.kind}), published {found.published_at:%d %B %Y}:")
    for name, count in counts.items():
        if count and name != "records_in":
            print(f"  {name.removeprefix('records_').replace('_', ' '):<14}{count:>6}")
    print(f"  {'rows in':<14}{counts['records_in']:>6}   each has exactly one outcome")
    print(f"  {found.care_of_lines} care-of lines were set apart. Rows set aside, by rule:")
    for rule, count in sorted(found.quarantined_by_rule.items()):
        print(f"    {rule:<36}{count:>4}")


def manifest(found: dict[str, Any]) -> None:
    """Every candidate's one outcome."""
    print(f"{found['candidates']} candidates, {found['selected']} selected; excluded:")
    for reason, count in found["excluded"].items():
        print(f"  {reason:<24}{count:>5}")


def row(line: dict[str, str]) -> None:
    """One exported row, as its recipient reads it."""
    print("\nOne row of the list:")
    for name, value in line.items():
        if value and name not in {"full_notice", "source_notice"}:
            print(f"  {name:<22}{value}")
    print("\n  source_notice")
    print(textwrap.fill(line["source_notice"], _WIDTH, initial_indent="    ",
                        subsequent_indent="    "))  # fmt: skip
    print("\n  full_notice (printed with the letter)")
    print(textwrap.indent(line["full_notice"], "    "))


def registers(reports: Sequence[Report]) -> None:
    """What became of each register's rows."""
    print(f"  {'register':<14}{'rows in':>9}{'joined':>9}{'not taken':>11}{'set aside':>11}")
    for found in reports:
        counts = found.counts
        taken = counts["records_new"] + counts["records_changed"]
        print(
            f"  {found.source_id:<14}{counts['records_in']:>9}{taken:>9}"
            f"{counts['records_out_of_scope']:>11}{counts['records_quarantined']:>11}"
        )


def contact_points(held: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]) -> None:
    """How many there are, and one company of each register with all of its own."""
    print("\nContact points held, each with an origin of its own:")
    for row in held:
        points = f"{row['points']:>4} of {row['companies']} companies"
        print(f"  {row['source_id']:<14}{row['kind']:<9}{points}")
    print("\nOne company of each register (all of them invented):")
    before = None
    for row in lines:
        if row["legal_name"] != before:
            before = row["legal_name"]
            print(f"\n  {before} ({row['country']}){_PROTECTED[row['ad_protected']]}")
        whose = f" ({row['mailbox_class']})" if row["mailbox_class"] else ""
        print(f"    {row['kind']:<9}{row['value']}{whose}")
        print(f"    {'':<9}from {row['database_name']}, {row['record_url']}")


_PROTECTED = {
    None: "",
    True: ", protected from marketing",
    False: ", not protected from marketing",
}


def stopped(status: int) -> None:
    """The portal's answer."""
    print(f"POST to the link: {status}. The stop is in force.")


def excluded(found: dict[str, Any], is_gone: bool) -> None:  # noqa: FBT001 (one fact)
    """The next list leaves the company out."""
    print(
        f"The next list (segment {found['segment']}): {found['selected']} selected, "
        f"{found['excluded'].get('suppressed', 0)} excluded as suppressed; "
        f"the company is {'not on it' if is_gone else 'STILL ON IT'}."
    )


def moves(found: dict[str, Any]) -> None:
    """What went inactive."""
    print(f"Made inactive: {found['counts']['deactivated']} companies (LEI retired, annulled …).")


def deleted(found: dict[str, Any]) -> None:
    """What was deleted two and a half years later."""
    rows = ", ".join(f"{name} {count}" for name, count in found["rows_deleted"].items() if count)
    print(f"900 days later: {found['counts']['companies']} companies deleted ({rows}).")


def places(home: Path, url: str, directory: Path) -> None:
    """Where everything is."""
    chapter("Where to look")
    print(f"  warehouse    {url}")
    print(f"  the list     {directory}/rows.csv, manifest.json, notices/")
    print(f"  settings     {home}/sourcenote.toml")
    print(
        f"  go on with   SOURCENOTE_HOME={home} .venv/bin/sourcenote "
        f"--config {home}/sourcenote.toml status"
    )
