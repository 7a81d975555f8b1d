"""What no single key of a configuration shows: rows that contradict or miss one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows import schedule
from flows.settings_check import ROW_TABLES, Fault, Tables, did_you_mean, identity, rows

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_faults(tables: Tables, source_ids: frozenset[str]) -> list[Fault]:
    """Return what no single key shows: what contradicts or names something that is not there."""
    return [
        *_repeated(tables),
        *_unknown_purposes(tables),
        *_unsound_assessments(tables),
        *_half_accepted(tables),
        *_never_inactive(tables),
        *_unsound_sources(tables, source_ids),
        *_recipient_ignored(tables),
        *_unsound_schedule(tables, source_ids),
    ]


def _repeated(tables: Tables) -> Iterator[Fault]:
    for table in ROW_TABLES.keys() - {"assessment"}:
        seen: set[tuple[Any, ...]] = set()
        for number, row in rows(tables, table):
            parts = identity(table, row)
            if parts in seen:
                yield Fault((table, number), "is there more than once; keep one")
            elif parts is not None:
                seen.add(parts)


def _unknown_purposes(tables: Tables) -> Iterator[Fault]:
    known = {row.get("id") for _, row in rows(tables, "purpose")}
    cure = "names a purpose that no [[purpose]] has; add it or correct the name"
    for number, row in rows(tables, "assessment"):
        if isinstance(row.get("purpose"), str) and row["purpose"] not in known:
            yield Fault(("assessment", number, "purpose"), cure)
    for number, row in rows(tables, "recipient"):
        named = row.get("purposes")
        if isinstance(named, list) and any(isinstance(p, str) and p not in known for p in named):
            yield Fault(("recipient", number, "purposes"), cure)


def _unsound_assessments(tables: Tables) -> Iterator[Fault]:
    for number, row in rows(tables, "assessment"):
        author, approver = row.get("author"), row.get("approver")
        if isinstance(author, str) and isinstance(approver, str) and _same(author, approver):
            yield Fault(("assessment", number, "approver"), "must be another person than author")
        approved, expires = str(row.get("approved_on")), str(row.get("expires_on"))
        if "approved_on" in row and "expires_on" in row and expires <= approved:
            yield Fault(("assessment", number, "expires_on"), "must be later than approved_on")


def _same(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def _half_accepted(tables: Tables) -> Iterator[Fault]:
    for number, row in rows(tables, "channel_rule"):
        if ("accepted_by" in row) != ("accepted_on" in row):
            lacking = "accepted_on" if "accepted_by" in row else "accepted_by"
            yield Fault(("channel_rule", number, lacking), "is missing: who accepts says when")


def _never_inactive(tables: Tables) -> Iterator[Fault]:
    for number, row in rows(tables, "retention"):
        if not any(row.get(key) for key in ("inactive_after", "inactive_when", "cap_from_start")):
            cure = "give inactive_after, inactive_when or cap_from_start: else nothing is deleted"
            yield Fault(("retention", number, "inactive_when"), cure)


def _unsound_sources(tables: Tables, source_ids: frozenset[str]) -> Iterator[Fault]:
    held = tables.get("sources")
    for source_id, row in held.items() if isinstance(held, dict) else ():
        if source_id not in source_ids:
            meant = did_you_mean(source_id, sorted(source_ids))
            yield Fault(("sources", source_id), f"is not a source; remove it{meant}")
        lowest, highest = (_number(row, key) for key in ("min_ratio", "max_ratio"))
        if lowest is not None and highest is not None and lowest > highest:
            yield Fault(("sources", source_id, "max_ratio"), "must not be below min_ratio")


def _unsound_schedule(tables: Tables, source_ids: frozenset[str]) -> Iterator[Fault]:
    held = tables.get("schedule")
    if isinstance(held, dict):
        for name, cure in schedule.faults(held, sorted(source_ids)).items():
            yield Fault(("schedule", name), cure)


def _number(row: object, key: str) -> float | None:
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, int | float) else None


def _recipient_ignored(tables: Tables) -> Iterator[Fault]:
    channel = tables.get("channel")
    chosen = channel.get("strictest_of") if isinstance(channel, dict) else None
    if isinstance(chosen, str | list) and "recipient" not in chosen:
        cure = 'must hold "recipient": its country\'s rules always bind'
        yield Fault(("channel", "strictest_of"), cure)
