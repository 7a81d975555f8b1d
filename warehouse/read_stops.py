"""The do-not-contact list as people ask it: since when a value is on it, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.numbers import register_key
from warehouse.privacy.following import LEI_SOURCE
from warehouse.privacy.stops import Stops
from warehouse.privacy.suppression import KEY_PURPOSE, Kind, canonical
from warehouse.schema import (
    company_record,
    company_stop,
    contact_point,
    followed_stop,
    letter,
    record,
    suppression,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys

Row = dict[str, Any]
_BATCH = 500
_SHOWN = ("suppression_id", "scope", "kind", "reason", "origin", "added_at")


def hashes_of(keys: Keys, kind: Kind, value: str) -> list[str]:
    """The value's keyed hashes under every key version; `Refused` when it is not of its kind."""
    return list(keys.macs(KEY_PURPOSE, f"{kind}:{canonical(kind, value)}").values())


def stop_on(connection: Connection, keys: Keys, kind: Kind, value: str) -> Row | None:
    """The stop that covers the value, the oldest first: its own, or an address's domain's.

    Of an LEI also one that leads to it, or to the number its company has in its register.
    """
    hashes = hashes_of(keys, kind, value)
    if kind == "email":
        hashes += hashes_of(keys, "domain", canonical(kind, value).rpartition("@")[2])
    found = _stop(connection, suppression.c.subject_hash.in_(hashes))
    if found is None and kind == "lei":
        lei = canonical(kind, value)
        return led_to(connection, keys, lei, registers_of(connection, [lei]).get(lei))
    return found


def registers_of(connection: Connection, leis: Iterable[str]) -> dict[str, str]:
    """LEI to the `register_key` that its record states, of those held that state one."""
    wanted = sorted(set(leis))
    names = ("source_key", "registration_authority", "registration_number")
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _BATCH):
        query = sa.select(*(record.c[name] for name in names)).where(
            record.c.source_id == LEI_SOURCE,
            record.c.source_key.in_(wanted[start : start + _BATCH]),
        )
        for lei, authority, number in connection.execute(query):
            if key := register_key(authority, number):
                found[lei] = key
    return found


def hashes_of_number(keys: Keys, register: str) -> list[str]:
    """The keyed hashes of a register's number (`register_key`) under every key version."""
    return list(keys.macs(KEY_PURPOSE, f"register:{register}").values())


def stop_on_number(connection: Connection, keys: Keys, register: str) -> Row | None:
    """The stop on a register's number: of a company without an LEI, or led to by another's stop."""
    found = _stop(connection, suppression.c.subject_hash.in_(hashes_of_number(keys, register)))
    if found is not None:
        return found
    root = Stops.read(connection, keys).root("register", register)
    return None if root is None else _stop(connection, suppression.c.suppression_id == root)


def led_to(connection: Connection, keys: Keys, lei: str, register: str | None = None) -> Row | None:
    """The stop on another company that leads to this one, with its `path` (`Stops.path`).

    None when no stop leads here, or the LEI has a stop of its own. `register` is the company's
    `register_key`. Who is not held is not named: `from` is then None.
    """
    if _stop(connection, suppression.c.subject_hash.in_(hashes_of(keys, "lei", lei))) is not None:
        return None
    stops = Stops.read(connection, keys)
    root = stops.root("lei", lei) or (stops.root("register", register) if register else None)
    if root is None:
        return None
    path = stops.path(lei, register) or _path_by_hash(connection, keys, lei, register)
    found = _stop(connection, suppression.c.suppression_id == root)
    return None if found is None else {**found, "path": path}


def led_to_company(connection: Connection, keys: Keys, company_id: int) -> Row | None:
    """The same for a company now held, by what its records state."""
    names = ("source_key", "registration_authority", "registration_number")
    query = (
        sa.select(*(record.c[name] for name in names))
        .join(company_record, company_record.c.record_id == record.c.record_id)
        .where(company_record.c.company_id == company_id, record.c.source_id == LEI_SOURCE)
    )
    for row in connection.execute(query):
        register = register_key(row.registration_authority, row.registration_number)
        found = led_to(connection, keys, row.source_key, register)
        if found is not None:
            return found
    return None


def _path_by_hash(connection: Connection, keys: Keys, lei: str, register: str | None) -> list[Row]:
    digests = hashes_of(keys, "lei", lei)
    if register:
        digests += keys.macs(KEY_PURPOSE, f"register:{register}").values()
    query = sa.select(followed_stop.c.path).where(followed_stop.c.subject_hash.in_(digests))
    return [{"how": how, "from": None} for how in connection.scalars(query.limit(1))]


def stop_on_company(connection: Connection, company_id: int) -> Row | None:
    """The oldest stop that covers a company now held."""
    covering = sa.select(company_stop.c.suppression_id).where(
        company_stop.c.company_id == company_id
    )
    return _stop(connection, suppression.c.suppression_id.in_(covering))


def stop_by_token(connection: Connection, token_digest: str) -> Row | None:
    """The stop on the company that a letter went to, by the digest of its link's secret."""
    sent = sa.select(letter.c.subject_hash).where(letter.c.token_digest == token_digest)
    return _stop(connection, suppression.c.subject_hash.in_(sent))


def companies_covered(connection: Connection, suppression_id: int) -> int:
    """How many companies now held a stop covers."""
    query = sa.select(sa.func.count()).where(company_stop.c.suppression_id == suppression_id)
    return connection.scalar(query) or 0


def contacts_of_stopped(connection: Connection, kind: Kind, values: Iterable[str]) -> set[str]:
    """Which of these contact values (in their one form) belong to a stopped company."""
    wanted = sorted(set(values))
    found: set[str] = set()
    for start in range(0, len(wanted), _BATCH):
        query = (
            sa.select(contact_point.c.value)
            .join(company_record, company_record.c.record_id == contact_point.c.record_id)
            .join(company_stop, company_stop.c.company_id == company_record.c.company_id)
            .where(contact_point.c.kind == kind)
            .where(contact_point.c.value.in_(wanted[start : start + _BATCH]))
        )
        found.update(connection.scalars(query))
    return found


def _stop(connection: Connection, condition: Any) -> Row | None:  # noqa: ANN401 (an SQL condition)
    query = (
        sa.select(*(suppression.c[name] for name in _SHOWN))
        .where(condition)
        .order_by(suppression.c.added_at, suppression.c.suppression_id)
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def first_covering(connection: Connection, ids: Sequence[int]) -> Row | None:
    """The oldest stop that covers any of these companies."""
    rows = [stop for stop in (stop_on_company(connection, number) for number in ids) if stop]
    return min(rows, key=lambda row: row["added_at"], default=None)
