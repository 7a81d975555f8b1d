"""The page of `quarantine retry`: what was let in, what stays and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.words import counted, listed

if TYPE_CHECKING:
    from flows.cli.paper import Paper

_OUTCOMES = ("new", "changed", "unchanged", "stale", "out_of_scope", "suppressed")


def show_retry(page: Paper, found: dict[str, Any]) -> None:
    """Write how many rows passed, which deliveries they became, and which rows stay."""
    counts = found["counts"]
    if found["dry_run"]:
        page.title("Quarantine retry, if this were no dry run: nothing was changed")
    else:
        page.title("Quarantine retry")
    page.facts(
        [
            ("rows tried", f"{counts['rows']:,}"),
            ("pass the rules now", f"{counts['passed']:,}"),
            ("still break a rule, and stay", f"{counts['failed']:,}"),
            ("cannot be tried again", f"{counts['not_retried']:,}"),
        ]
    )
    if counts["entries_left"]:
        page.say(f"{counted(counts['entries_left'], 'entry', 'entries')} left: run it again.")
    for delivery in found["deliveries"]:
        told = [
            f"{delivery['counts'][f'records_{name}']:,} {name.replace('_', ' ')}"
            for name in _OUTCOMES
            if delivery["counts"].get(f"records_{name}")
        ]
        page.say(f"Delivery {delivery['delivery_id']} of {delivery['source_id']}: {listed(told)}.")
    _show_stayed(page, [row for row in found["rows"] if row["outcome"] != "passed"])


def _show_stayed(page: Paper, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    page.heading("What stays")
    page.table(
        ("entries", "source", "key", "why"),
        [
            (
                listed([str(number) for number in row["entries"]]),
                row["source_id"],
                row["source_key"] or "(none)",
                row["why"] or listed([f"{rule}: {asks}" for rule, asks in row["rules"].items()]),
            )
            for row in rows
        ],
        whole=("entries", "key"),
    )
