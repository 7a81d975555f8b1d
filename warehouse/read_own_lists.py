"""The owner's own lists as read: what is held and due in counts, and what is held on somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.own_lists import own_lists
from warehouse.privacy.suppression import KEY_PURPOSE
from warehouse.schema import METADATA, delivery, own_change, source_cursor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys


def held(connection: Connection) -> dict[str, dict[str, int]]:
    """Rows of each list by state: `active` and `inactive`."""
    found = {code: {"active": 0, "inactive": 0} for code in own_lists()}
    for code, table in _tables():
        query = sa.select(table.c.state, sa.func.count()).group_by(table.c.state)
        found[code].update({row[0]: int(row[1]) for row in connection.execute(query)})
    return found


def to_deactivate(connection: Connection, as_of: date) -> int:
    """Active rows of all lists whose day has come, by the dates written on them."""
    return _count(connection, "active", "inactive_after", as_of)


def to_delete(connection: Connection, as_of: date) -> int:
    """Rows of all lists whose day of deletion has come, whatever their state."""
    return sum(_count(connection, state, "delete_after", as_of) for state in ("active", "inactive"))


def _count(connection: Connection, state: str, column: str, as_of: date) -> int:
    queries = (
        sa.select(sa.func.count()).where(table.c.state == state, table.c[column] <= as_of)
        for _, table in _tables()
    )
    return sum(connection.scalar(query) or 0 for query in queries)


def _tables() -> Iterator[tuple[str, sa.Table]]:
    for code, own in own_lists().items():
        yield code, METADATA.tables[own.table]


def rows_on(
    connection: Connection, keys: Keys, asked: Mapping[str, Sequence[str]], until: datetime
) -> list[dict[str, Any]]:
    """Rows of customers, enquiries and consents on a contact or an LEI, each value with its origin.

    `asked`: values by kind (`lei`, `email`, `phone`, normalised). Consents are found by the keyed
    hash of a contact. Visits are on nobody. Rows received after `until` are left out.
    """
    found = []
    for code, table in _tables():
        conditions = [
            table.c[kind].in_(values)
            for kind, values in asked.items()
            if values and kind in table.c
        ]
        if "contact_hash" in table.c:
            hashes = [
                digest
                for kind in ("email", "phone")
                for value in asked.get(kind, ())
                for digest in keys.macs(KEY_PURPOSE, f"{kind}:{value}").values()
            ]
            conditions.append(table.c.contact_hash.in_(hashes))
        if not conditions:
            continue
        query = sa.select(table).where(sa.or_(*conditions), table.c.obtained_at <= until)
        found += [
            _told(connection, code, table, row) for row in connection.execute(query).mappings()
        ]
    return found


_TOLD = ("state", "inactive_reason", "inactive_after", "delete_after", "obtained_at")
_HIDDEN = (*_TOLD, "digest", "key_version", "first_delivery_id", "last_delivery_id", "source_kind")


def _told(connection: Connection, code: str, table: sa.Table, row: sa.RowMapping) -> dict[str, Any]:
    """One row: its dates, and of each value the delivery of the owner's that brought it."""
    (key,) = table.primary_key.columns
    changes = connection.execute(
        sa.select(own_change.c.field, sa.func.max(own_change.c.delivery_id))
        .where(own_change.c.list_code == code, own_change.c.own_id == row[key.name])
        .group_by(own_change.c.field)
    )
    origin = {change[0]: change[1] for change in changes}
    files = connection.execute(
        sa.select(delivery.c.delivery_id, delivery.c.url, delivery.c.sha256, source_cursor)
        .join(source_cursor, source_cursor.c.source_id == delivery.c.source_id)
        .where(delivery.c.delivery_id.in_({row["first_delivery_id"], *origin.values()}))
    ).mappings()
    names = ("url", "sha256", "publisher", "database_name", "is_public_database")
    return {
        "list": code,
        "own_id": row[key.name],
        "source_kind": row["source_kind"],
        **{name: row[name] for name in _TOLD},
        "values": [
            {
                "field": name,
                "value": value,
                "delivery_id": origin.get(name, row["first_delivery_id"]),
            }
            for name, value in row.items()
            if value is not None and name not in {*_HIDDEN, key.name}
        ],
        "deliveries": {held["delivery_id"]: {name: held[name] for name in names} for held in files},
    }
