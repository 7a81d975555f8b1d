"""Rejected rows for those who work on them: listed with what the rule asks, shown, dropped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from checks.rules import BY_NAME, MISSHAPEN
from sources.kit.errors import Refused
from sources.kit.shapes import CONTACT_POINTS
from warehouse import quarantine, read_company, runs
from warehouse.engine import reading, writing
from warehouse.privacy import audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.house import House

_CONTACTS = frozenset({CONTACT_POINTS, "email", "phone"})
_MISSHAPEN_MEANING = "the row has as many fields as the header names"


def meaning_of(rule: str) -> str:
    """Say what a rule asks of a row."""
    known = BY_NAME.get(rule)
    if known is not None:
        return known.meaning
    return _MISSHAPEN_MEANING if rule == MISSHAPEN else "a rule of an earlier version"


def check_rule(rule: str) -> None:
    """Refuse a name that no rule has."""
    if rule not in BY_NAME and rule != MISSHAPEN:
        known = ", ".join(name for name in BY_NAME if BY_NAME[name].severity == "quarantine")
        raise Refused(f"rule {rule}", "there is none of that name", f"Rules are: {known}")


def listing(
    house: House,
    *,
    rule: str | None = None,
    source_id: str | None = None,
    with_dropped: bool = False,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return entries without their content, alarming ones first, and how many there are."""
    if rule is not None:
        check_rule(rule)
    with reading(house.engine) as connection:
        rows, count = quarantine.listing(
            connection, rule=rule, source_id=source_id, with_dropped=with_dropped, limit=limit
        )
    entries = [{**row, "meaning": meaning_of(row["rule"])} for row in rows]
    return {"count": count, "shown": len(entries), "entries": entries}


def show(house: House, quarantine_id: int) -> dict[str, Any]:
    """Return one entry with its mapped columns after the personal-number filter.

    Its contact points are a list of what `sources.kit.retold_register` told of each. Reading any is
    an event of the audit trail.
    """
    with reading(house.engine) as connection:
        row = quarantine.one(connection, quarantine_id)
        ids = {row["first_delivery_id"], row["last_delivery_id"]}
        deliveries = read_company.deliveries_by_id(connection, ids)
    content = json.loads(row["content"])
    if CONTACT_POINTS in content:
        content[CONTACT_POINTS] = json.loads(content[CONTACT_POINTS])
    if not _CONTACTS.isdisjoint(content):
        with writing(house.engine) as connection:
            audit.record_event(
                connection,
                runs.actor(house.engine),
                "quarantine",
                house.now(),
                detail={"shown": quarantine_id},
            )
    return {
        **row,
        "meaning": meaning_of(row["rule"]),
        "content": content,
        "first_delivery": deliveries[row["first_delivery_id"]],
        "last_delivery": deliveries[row["last_delivery_id"]],
    }


def drop(house: House, ids: Sequence[int]) -> dict[str, Any]:
    """Settle entries, all or none of them, in the name of whoever runs the command."""
    actor = runs.actor(house.engine)
    with writing(house.engine) as connection:
        changed = quarantine.drop(connection, ids, actor=actor, now=house.now())
    return {"dropped": sorted(set(ids)), "were_open": changed}
