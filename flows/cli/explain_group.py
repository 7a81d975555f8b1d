"""The part of `explain` about the group: parents, children, siblings, funds, or why none is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.words import day

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.cli.paper import Paper

Row = dict[str, Any]

_LEADS_TO = {
    "IS_DIRECTLY_CONSOLIDATED_BY": "direct parent",
    "IS_ULTIMATELY_CONSOLIDATED_BY": "ultimate parent",
    "IS_INTERNATIONAL_BRANCH_OF": "head office",
    "IS_FUND-MANAGED_BY": "managed by",
    "IS_SUBFUND_OF": "sub-fund of",
    "IS_FEEDER_TO": "feeder fund to",
}
_LED_TO_BY = {
    "IS_DIRECTLY_CONSOLIDATED_BY": "direct children",
    "IS_ULTIMATELY_CONSOLIDATED_BY": "ultimate children",
    "IS_INTERNATIONAL_BRANCH_OF": "branches abroad",
    "IS_FUND-MANAGED_BY": "funds it manages",
    "IS_SUBFUND_OF": "sub-funds",
    "IS_FEEDER_TO": "feeder funds",
}
_CATEGORIES = {
    "DIRECT_ACCOUNTING_CONSOLIDATION_PARENT": "direct parent",
    "ULTIMATE_ACCOUNTING_CONSOLIDATION_PARENT": "ultimate parent",
}
_REASONS = {
    "NO_LEI": "the parent has no LEI",
    "NATURAL_PERSONS": "it is controlled by natural persons, with no company between",
    "NON_CONSOLIDATING": "no parent is obliged to consolidate it",
    "NO_KNOWN_PERSON": "nobody is known to control it",
    "NON_PUBLIC": "the relationship is not public",
    "BINDING_LEGAL_COMMITMENTS": "binding legal commitments forbid to say",
    "LEGAL_OBSTACLES": "the law or a contract forbids to say",
    "DISCLOSURE_DETRIMENTAL": "saying it would do harm",
    "DISCOLSURE_DETRIMENTAL": "saying it would do harm",
    "DETRIMENT_NOT_EXCLUDED": "saying it might do harm",
    "CONSENT_NOT_OBTAINED": "the parent did not consent",
}
"""GLEIF, Level 2 Reporting Exceptions format 2.1, in words."""


def show_group(
    page: Paper, group: Row, number: Callable[[Row], str], *, is_earlier: bool = False
) -> None:
    """Write the group of one LEI; `number` gives a statement's footnotes.

    `is_earlier`: it is told as of a moment that has been.
    """
    page.heading(
        f"Its group, as its publisher {'stated it then' if is_earlier else 'states it now'}"
    )
    rows = [
        *_parents(group, number),
        *_exceptions(group, number),
        *_led_to_by(group, number),
        *_siblings(group, number),
        *_ended(group, number),
    ]
    if rows:
        page.table(("", "value", "source", "first seen", "last seen"), rows)
    elif group["is_loaded"]:
        page.say("No relationship and no reporting exception names it.", indent=2)
    else:
        then = " by then" if is_earlier else ""
        page.say(
            f"Not known: no relationships were loaded{then}. `sourcenote ingest gleif-rr` and "
            "`sourcenote ingest gleif-repex` fetch them.",
            indent=2,
        )


def _row(name: str, text: str, statement: Row, number: Callable[[Row], str]) -> tuple[str, ...]:
    seen = (day(statement["first_seen_at"]), day(statement["last_seen_at"]))
    return (name, text, number(statement), *seen)


def _named(other: Row) -> str:
    if not other["is_held"]:
        return f"{other['lei']} (no company of that LEI is held here)"
    return f"{other['lei']} {other['name'] or '(a natural person)'}"


def _parents(group: Row, number: Callable[[Row], str]) -> list[tuple[str, ...]]:
    return [
        _row(_LEADS_TO.get(one["relationship_type"], one["relationship_type"]),
             _named(one) + _since(one), one, number)
        for one in group["leads_to"]
    ]  # fmt: skip


def _since(one: Row) -> str:
    start = one["relationship_start_date"]
    return f", since {day(start)}" if start else ""


def _exceptions(group: Row, number: Callable[[Row], str]) -> list[tuple[str, ...]]:
    rows = []
    for one in group["exceptions"]:
        why = "; ".join(f"{_REASONS.get(code, code)} ({code})" for code in one["reasons"])
        reference = f"; see {one['references']}" if one["references"] else ""
        name = _CATEGORIES.get(one["category"], one["category"])
        rows.append(_row(name, f"none reported: {why}{reference}", one, number))
    return rows


def _led_to_by(group: Row, number: Callable[[Row], str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for kind in group["led_to_by"]:
        name = _LED_TO_BY.get(kind["relationship_type"], kind["relationship_type"])
        rows += _several(name, kind, number)
    return rows


def _several(name: str, many: Row, number: Callable[[Row], str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [(name, f"{many['count']:,}", "", "", "")]
    rows += [_row("", f"  {_named(one)}", one, number) for one in many["first"]]
    rest = many["count"] - len(many["first"])
    return [*rows, ("", f"  and {rest:,} more", "", "", "")] if rest > 0 else rows


def _siblings(group: Row, number: Callable[[Row], str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for found in group["siblings"]:
        parent = _LEADS_TO.get(found["relationship_type"], "parent")
        rows += _several(f"siblings, by the same {parent}", found, number)
    return rows


def _ended(group: Row, number: Callable[[Row], str]) -> list[tuple[str, ...]]:
    rows = []
    for one in group["ended"]:
        name = _LEADS_TO.get(one["relationship_type"], one["relationship_type"])
        if one["retracted"]:
            why = f"taken back by its publisher on {one['retracted']}"
        elif one["vanished_at"]:
            why = f"no longer listed since {day(one['vanished_at'])}"
        else:
            why = f"status {one['relationship_status']}"
        rows.append(_row(f"no longer: {name}", f"{_named(one)}, {why}", one, number))
    return rows
