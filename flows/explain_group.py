"""A company's place in its group as `explain` tells it: every statement with its origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.explain_values import as_corrected
from warehouse import read_group
from warehouse.group_history import ACTIVE
from warehouse.read_group import DIRECT, ULTIMATE

if TYPE_CHECKING:
    from datetime import datetime

    Connection = Any  # only the warehouse names SQLAlchemy

Row = dict[str, Any]


def of_lei(connection: Connection, lei: str, moment: datetime | None = None) -> Row:
    """Parents, exceptions, children, siblings, funds and branches of one LEI, as stated now.

    With a `moment` as they were stated then, to the knowledge of this warehouse.
    `is_loaded` is False while no relationship of anybody was ever loaded: then nothing is known.
    """
    said = read_group.said_of(connection, lei, moment)
    relations = [row for row in said if row["relationship_type"]]
    current = [row for row in relations if _is_in_force(row)]
    counts = read_group.leading_to(connection, lei, moment)
    found = {
        "lei": lei,
        "is_loaded": bool(said) or read_group.is_loaded(connection, moment),
        "leads_to": [_relation(row, row["end_lei"]) for row in current],
        "exceptions": [
            _exception(row) for row in said if row["exception_category"] and _is_said(row)
        ],
        "led_to_by": [_incoming(connection, lei, row, moment) for row in counts],
        "siblings": _siblings(connection, lei, current, moment),
        "ended": [_relation(row, row["end_lei"]) for row in relations if not _is_in_force(row)],
    }
    _put_names(connection, found, moment)
    return found


def _is_said(row: Row) -> bool:
    return row["retracted_published"] is None and row["vanished_at"] is None


def _is_in_force(row: Row) -> bool:
    return row["relationship_status"] == ACTIVE and _is_said(row)


def _incoming(connection: Connection, lei: str, row: Row, moment: datetime | None) -> Row:
    kind = row["relationship_type"]
    first = read_group.first_leading_to(connection, lei, kind, moment)
    return {
        "relationship_type": kind,
        "count": row["count"],
        "first": [_relation(one, one["start_lei"]) for one in first],
    }


def _siblings(
    connection: Connection, lei: str, current: list[Row], moment: datetime | None
) -> list[Row]:
    """Companies with the same direct parent, and those with the same ultimate one.

    Those by the ultimate parent are left out where they are as many children of the same parent.
    """
    parents = {row["relationship_type"]: row["end_lei"] for row in current}
    found = [
        _sharing(connection, lei, kind, parents[kind], moment)
        for kind in (DIRECT, ULTIMATE)
        if parents.get(kind) not in {None, lei}
    ]
    return found[:1] if len({(one["shared_parent"], one["count"]) for one in found}) == 1 else found


def _sharing(
    connection: Connection, lei: str, kind: str, parent: str, moment: datetime | None
) -> Row:
    counts = {
        row["relationship_type"]: row["count"]
        for row in read_group.leading_to(connection, parent, moment)
    }
    first = read_group.first_leading_to(connection, parent, kind, moment, but=lei)
    return {
        "shared_parent": parent,
        "relationship_type": kind,
        "count": counts[kind] - 1,  # this company is one of them
        "first": [_relation(one, one["start_lei"]) for one in first],
    }


def _relation(row: Row, other: str) -> Row:
    names = (
        *("relationship_type", "relationship_status", "relationship_start_date"),
        *("relationship_end_date", "relationship_periods", "registration_status"),
        *("vanished_at",),
    )
    told = {name: row[name] for name in names}
    return {"lei": other, **told, "retracted": row["retracted_published"], **_origin(row)}


def _exception(row: Row) -> Row:
    return {
        "category": row["exception_category"],
        "reasons": (row["exception_reasons"] or "").split("; "),
        "references": row["exception_references"],
        **_origin(row),
    }


def _origin(row: Row) -> Row:
    first_seen: datetime = row["delivery_retrieved_at"]
    last_full: datetime | None = row["last_seen_at"]
    is_there = row["absent_count"] == 0 and _is_said(row) and last_full is not None
    origin = {
        **{
            name: row[name]
            for name in (
                *("source_id", "publisher", "database_name", "is_public_database", "licence"),
            )
        },
        "record_url": str(row["record_url_template"]).replace("{key}", row["start_lei"]),
        "delivery_id": row["delivery_delivery_id"],
        **{name: row[name] for name in ("delivery_kind", "delivery_url", "delivery_sha256")},
        "published_at": row["delivery_published_at"],
        "retrieved_at": first_seen,
    }
    if row["correction"]:
        origin |= as_corrected(row["correction"])
        is_there = False
    last_seen = max(first_seen, last_full) if is_there and last_full else first_seen
    return {"origins": [origin], "first_seen_at": first_seen, "last_seen_at": last_seen}


def _put_names(connection: Connection, found: Row, moment: datetime | None) -> None:
    """Give every other company its name, and say whether we hold it."""
    others = [*found["leads_to"], *found["ended"]]
    for group in (*found["led_to_by"], *found["siblings"]):
        others += group["first"]
    leis = [other["lei"] for other in others if other["lei"]]
    known = read_group.names(connection, leis, moment)
    for other in others:
        other["name"], other["is_held"] = known.get(other["lei"]), other["lei"] in known
