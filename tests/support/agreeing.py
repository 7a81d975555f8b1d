"""Whether a warehouse is what the law of loading says of its deliveries, table by table."""

from __future__ import annotations

from typing import Any

from counted import counted, told
from ingesting import OUTCOMES, Ingesting, lei
from loading_law import ROUTING, VANISHED, Law, kept, kept_apart
from publishing import FIRST, SLOT, Line

from sources.kit.columns import PUBLISHED

NUMBERS = {
    *("record_id", "company_id", "lead_record_id", "delivery_id", "first_delivery_id"),
    *("last_delivery_id", "confirmed_delivery_id", "absent_count", "vanished_at"),
    *("first_seen_at", "last_seen_at", "last_changed_at", "since_at", "obtained_at"),
    *("inactive_after", "delete_after"),
}
"""What tells when something came, not what it is."""


def disagreements(place: Ingesting, law: Law) -> list[str]:
    """What is not as the law says; empty when all is."""
    asked = {
        "records": (_records(place), _lawful_records(law)),
        "care-of lines": (_apart(place), _lawful_apart(law)),
        "changes": (_changes(place), sorted((c.row() for c in law.changes), key=repr)),
        "origins": (_origins(place), sorted((*key, n) for key, n in law.origins().items())),
        "cursor": (_cursor(place), (_moment(law.applied), _moment(law.newest_full))),
        "companies": (_companies(place), sorted(lei(number) for number in law.held)),
        "sums": ([], _sums(place)),
        "holdings": (told(place), counted(place)),
    }
    return [
        f"{what}: {_only(found, lawful)} instead of {_only(lawful, found)}"
        for what, (found, lawful) in asked.items()
        if found != lawful
    ]


def _only(some: Any, other: Any) -> Any:
    if not isinstance(some, list):
        return some
    return [row for row in some if row not in other]


def _records(place: Ingesting) -> list[tuple[Any, ...]]:
    return sorted(
        (
            row["source_key"],
            tuple(row[name] for name in PUBLISHED),
            row["person_kind"] == "natural",
            row["absent_count"],
            row["vanished_at"] is not None,
        )
        for row in place.tables("record")["record"]
    )


def _lawful_records(law: Law) -> list[tuple[Any, ...]]:
    return sorted(
        (
            lei(number),
            tuple(kept(held.line)[name] for name in PUBLISHED),
            held.line.is_person,
            held.absent,
            held.is_vanished,
        )
        for number, held in law.held.items()
    )


def _apart(place: Ingesting) -> list[tuple[Any, ...]]:
    names = ("source_key", "field", "value", "delivery_id")
    rows = place.tables("personal_value")["personal_value"]
    return sorted(tuple(row[name] for name in names) for row in rows)


def _lawful_apart(law: Law) -> list[tuple[Any, ...]]:
    return sorted(
        (lei(number), f"{ROUTING}_care_of", kept_apart(held.line), held.care_of_from)
        for number, held in law.held.items()
        if kept_apart(held.line)
    )


def _changes(place: Ingesting) -> list[tuple[Any, ...]]:
    found = []
    for row in place.tables("change")["change"]:
        old, new = row["old_value"], row["new_value"]
        if row["field"] == VANISHED:
            old, new = (value and "then" for value in (old, new))
        delivery, is_current = row["delivery_id"], bool(row["is_current"])
        found.append((row["source_key"], row["field"], old, new, delivery, is_current))
    return sorted(found, key=repr)


def _origins(place: Ingesting) -> list[tuple[Any, ...]]:
    rows = place.ask(
        "SELECT p.lei, o.field, o.delivery_id FROM origins o"
        " JOIN prospects p ON p.company_id = o.company_id"
    )
    return sorted(tuple(row.values()) for row in rows)


def _moment(slot: int | None) -> Any:
    return None if slot is None else FIRST + slot * SLOT


def _cursor(place: Ingesting) -> Any:
    rows = place.tables("source_cursor")["source_cursor"]
    return next((row["published_at"], row["full_published_at"]) for row in rows)


def _companies(place: Ingesting) -> list[str]:
    """One company, one link and one line in `prospects` for each record."""
    counts = ("company", "company_record", "prospects")
    many = {place.one(f"SELECT count(*) FROM {name}") for name in counts}
    rows = place.ask("SELECT lei FROM prospects")
    return sorted(row["lei"] for row in rows) if many == {len(rows)} else [f"{many}"]


def _sums(place: Ingesting) -> list[int]:
    """Deliveries whose rows have not one outcome each."""
    return [
        row["delivery_id"]
        for row in place.ask("SELECT * FROM deliveries")
        if row["records_in"] != sum(row[f"records_{name}"] for name in OUTCOMES)
    ]


def held_of(place: Ingesting, lines: list[Line]) -> dict[str, Any]:
    """All that is held of these companies, digests too, whatever numbers it was given and when."""
    keys = {lei(line.number) for line in lines}
    tables = place.tables("record", "personal_value")
    found: dict[str, Any] = {
        name: [
            {column: value for column, value in row.items() if column not in NUMBERS}
            for row in rows
            if row["source_key"] in keys
        ]
        for name, rows in tables.items()
    }
    found["prospects"] = [
        {column: _plain(value) for column, value in row.items() if column not in NUMBERS}
        for row in place.ask("SELECT * FROM prospects")
        if row["lei"] in keys
    ]
    for rows in found.values():
        rows.sort(key=repr)
    return found


def _plain(value: Any) -> str | None:
    """The same on both kinds of database, which tell truth and days apart in their own ways."""
    return None if value is None else str(int(value) if isinstance(value, bool) else value)
