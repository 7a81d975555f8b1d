"""A company's stop follows it: to its successors, a duplicate's survivor, and the same number.

The suppression clause (docs/privacy.md): a stop on a company follows SuccessorEntity, a DUPLICATE's
surviving LEI, and an equal (authority, normalised number); it is never narrowed by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.numbers import register_key
from warehouse.schema import company_record, company_stop, followed_stop, record
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys

KEY_PURPOSE = "suppression"
LEI_SOURCE = "gleif"
SUCCESSOR, DUPLICATE, SAME_NUMBER = "successor", "duplicate", "same number"
STATED = [
    *("source_key", "lei_status", "registration_authority", "registration_number"),
    *(f"successor_lei_{n}" for n in range(1, 6)),
]
"""What of a stopped company's record a stop follows."""
_BATCH = 500


@dataclass(frozen=True)
class Step:
    """One step from a stopped company: under which stop, how, and from which LEI."""

    suppression_id: int
    path: str
    via: str


@dataclass
class Followed:
    """Where stops lead by what is stated: LEIs, and registers' numbers (`register_key`)."""

    leis: dict[str, Step] = field(default_factory=dict)
    numbers: dict[str, Step] = field(default_factory=dict)


def closure(
    connection: Connection,
    rows: Iterable[Mapping[str, Any]],
    roots: Mapping[str, int],
    own: Callable[[str], bool],
) -> Followed:
    """Everything that stops on these companies lead to, over as many steps as it takes.

    `rows` state `STATED` of stopped companies, `roots` under which stop each LEI is; `own` tells
    LEIs that have a stop of their own: paths start there. Reads the records of who is found,
    because they may have successors of their own; never writes.
    """
    found, seen, under = Followed(), set[str](), dict(roots)
    held = list(rows)
    stopped = {row["source_key"] for row in held if own(row["source_key"])}
    first = [row for row in held if row["source_key"] in stopped]
    others = [row for row in held if row["source_key"] not in stopped]
    for start in (first, others):
        frontier = [row for row in start if row["source_key"] not in seen]
        seen.update(row["source_key"] for row in frontier)
        while frontier:
            reached = []
            for row in frontier:
                reached += _follow(found, row, under[row["source_key"]])
            fresh = [lei for lei in dict.fromkeys(reached) if lei not in seen]
            seen.update(fresh)
            under |= {lei: found.leis[lei].suppression_id for lei in fresh}
            frontier = list(held_rows(connection, fresh))
    for lei in [lei for lei in found.leis if lei in stopped or own(lei)]:
        del found.leis[lei]
    return found


def _follow(found: Followed, row: Mapping[str, Any], suppression_id: int) -> list[str]:
    """Note where one record leads; returns the LEIs."""
    lei = row["source_key"]
    key = register_key(row["registration_authority"], row["registration_number"])
    if key:
        found.numbers.setdefault(key, Step(suppression_id, SAME_NUMBER, lei))
    how = DUPLICATE if row["lei_status"] == "DUPLICATE" else SUCCESSOR
    leis = [row[f"successor_lei_{n}"] for n in range(1, 6)]
    leads_to = [one for one in leis if one and one != lei]
    for one in leads_to:
        found.leis.setdefault(one, Step(suppression_id, how, lei))
    return leads_to


def held_rows(connection: Connection, leis: Sequence[str]) -> Iterable[Mapping[str, Any]]:
    """What the held records on these LEIs state."""
    for start in range(0, len(leis), _BATCH):
        query = sa.select(*(record.c[name] for name in STATED)).where(
            record.c.source_id == LEI_SOURCE, record.c.source_key.in_(leis[start : start + _BATCH])
        )
        yield from map(dict, connection.execute(query).mappings())


def stopped_and_held(connection: Connection) -> tuple[list[Mapping[str, Any]], dict[str, int]]:
    """(what the records of stopped companies now held state, LEI to the oldest stop on it)."""
    roots = stopped_leis(connection)
    return list(held_rows(connection, list(roots))), roots


def stopped_leis(connection: Connection) -> dict[str, int]:
    """Key of each record of a stopped company now held, to the oldest stop on that company.

    In two steps, the few stops first: in one join, SQLite begins with the millions of links.
    """
    stops = company_stop.c
    query = sa.select(stops.company_id, sa.func.min(stops.suppression_id))
    oldest = {row[0]: row[1] for row in connection.execute(query.group_by(stops.company_id))}
    ids, found = list(oldest), dict[str, int]()
    links = sa.select(company_record.c.company_id, company_record.c.source_key)
    for start in range(0, len(ids), _BATCH):
        chosen = company_record.c.company_id.in_(ids[start : start + _BATCH])
        for row in connection.execute(links.where(chosen)):
            found[row.source_key] = oldest[row.company_id]
    return found


def write(connection: Connection, keys: Keys, found: Followed, now: datetime) -> None:
    """Remember where stops lead as keyed hashes, and link the companies now held to their stop."""
    steps = [
        *(("lei", lei, step) for lei, step in found.leis.items()),
        *(("register", key, step) for key, step in found.numbers.items()),
    ]
    rows = []
    for kind, value, step in steps:
        version, digest = keys.mac(KEY_PURPOSE, f"{kind}:{value}")
        rows.append(
            {
                "subject_hash": digest,
                "suppression_id": step.suppression_id,
                "kind": kind,
                "key_version": version,
                "path": step.path,
                "via_hash": keys.mac(KEY_PURPOSE, f"lei:{step.via}")[1],
                "since_at": now,
            }
        )
    upsert(connection, followed_stop, rows, keys=("subject_hash", "suppression_id"), updates=())
    _link(connection, found)


def _link(connection: Connection, found: Followed) -> None:
    leis = list(found.leis)
    pairs = []
    for start in range(0, len(leis), _BATCH):
        query = (
            sa.select(company_record.c.company_id, record.c.source_key)
            .join(record, record.c.record_id == company_record.c.record_id)
            .where(record.c.source_id == LEI_SOURCE)
            .where(record.c.source_key.in_(leis[start : start + _BATCH]))
        )
        pairs += [
            {"company_id": row.company_id, "suppression_id": step.suppression_id}
            for row in connection.execute(query)
            if (step := found.leis[row.source_key])
        ]
    upsert(connection, company_stop, pairs, keys=("company_id", "suppression_id"), updates=())
