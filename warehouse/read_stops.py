"""The do-not-contact list as people ask it: since when a value is on it, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.privacy.suppression import KEY_PURPOSE, Kind, canonical
from warehouse.schema import company_record, company_stop, contact_point, letter, suppression

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
    """The stop that covers the value, the oldest first: its own, or an address's domain's."""
    hashes = hashes_of(keys, kind, value)
    if kind == "email":
        hashes += hashes_of(keys, "domain", canonical(kind, value).rpartition("@")[2])
    return _stop(connection, suppression.c.subject_hash.in_(hashes))


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
