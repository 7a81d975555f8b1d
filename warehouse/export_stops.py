"""The do-not-contact list as an export needs it: readable, whole and under our key."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import sqlalchemy as sa

from sources.kit.errors import Refused
from sources.kit.numbers import register_key
from warehouse.privacy.stops import Stops
from warehouse.privacy.suppression import KEY_PURPOSE
from warehouse.schema import (
    company,
    company_record,
    company_stop,
    letter,
    record,
    sequence,
    suppression,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys

_WITNESSES = 20
_BATCH = 500
_LOCK_PATIENCE = "30s"
_RESTORE = "Nothing was exported. Restore {what}, then export again"


def read_stops(connection: Connection, keys: Keys) -> Stops:
    """Every stop in force; `Refused` when the list cannot be trusted to be the whole of it.

    That is: it cannot be read, it holds fewer stops than were ever added (a stop is never
    deleted), or it was hashed under a key that is not ours.
    """
    try:
        stops = Stops.read(connection, keys)
        held, versions = _held(connection)
        witnesses = _witnesses(connection)
    except sa.exc.SQLAlchemyError as error:
        _refuse(f"it cannot be read ({type(error).__name__})", "the warehouse", error)
    lost = _ever_added(connection) - held
    if lost > 0:
        _refuse(f"it has shrunk: {lost} stops that were added are gone", "the warehouse")
    unknown = versions - set(keys.by_version)
    if unknown:
        listed = ", ".join(str(version) for version in sorted(unknown))
        _refuse(f"the key file lacks version {listed}, which it was hashed under", "the key file")
    if witnesses and not any(_is_ours(keys, *witness) for witness in witnesses):
        _refuse("it was hashed under another key than the key file's", "the key file")
    return stops


def hold_still(connection: Connection) -> None:
    """No stop is added from here to the end of the transaction: those being added are waited for.

    SQLite has one writer and needs nothing. On PostgreSQL a stop that has its answer is seen, and
    one that comes later waits and is in force for the next list.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'"))
        connection.execute(sa.text("LOCK TABLE suppression IN SHARE MODE"))


def stopped_by_now(
    connection: Connection, keys: Keys, company_ids: Sequence[int], leis: Sequence[str | None]
) -> set[int]:
    """Which of the companies are stopped, read anew; both sequences run in parallel."""
    linked = set(connection.scalars(sa.select(company_stop.c.company_id)))
    stops = read_stops(connection, keys)
    by_hash = stops.covers(leis)
    pairs = zip(company_ids, by_hash.tolist(), strict=True)
    found = {number for number, is_hit in pairs if is_hit or number in linked}
    return found | _by_register(connection, stops, company_ids)


def _by_register(connection: Connection, stops: Stops, company_ids: Sequence[int]) -> set[int]:
    """Companies with the number of a stopped one in the same register."""
    if not stops.has_registers:
        return set()
    found: set[int] = set()
    for start in range(0, len(company_ids), _BATCH):
        query = (
            sa.select(
                company_record.c.company_id,
                record.c.registration_authority,
                record.c.registration_number,
            )
            .join(record, record.c.record_id == company_record.c.record_id)
            .where(company_record.c.company_id.in_(company_ids[start : start + _BATCH]))
            .where(record.c.registration_number.is_not(None))
        )
        rows = connection.execute(query).all()
        if rows:
            ids, authorities, numbers = zip(*rows, strict=True)
            hits = stops.covers_registers(authorities, numbers)
            found.update(number for number, is_hit in zip(ids, hits, strict=True) if is_hit)
    return found


def _held(connection: Connection) -> tuple[int, set[int]]:
    """(stops held, key versions they were hashed under)."""
    rows = connection.execute(
        sa.select(suppression.c.key_version, sa.func.count()).group_by(suppression.c.key_version)
    ).all()
    return sum(row[1] for row in rows), {row[0] for row in rows}


def _ever_added(connection: Connection) -> int:
    """How many stops were ever numbered; a number is taken in the stop's own transaction."""
    following = connection.scalar(
        sa.select(sequence.c.next_value).where(sequence.c.name == suppression.name)
    )
    return (following or 1) - 1


def _witnesses(connection: Connection) -> list[tuple[str, str | None, int, str]]:
    """(key, register's number, key version, hash) of companies still held, hashed before."""
    names = ("source_key", "registration_authority", "registration_number")
    shown = (
        sa.select(*(record.c[name] for name in names))
        .select_from(company)
        .join(
            record,
            sa.and_(
                record.c.record_id == company.c.lead_record_id,
                record.c.source_key == company.c.lead_source_key,
            ),
        )
        .limit(_WITNESSES)
    )
    of_letters = shown.add_columns(letter.c.key_version, letter.c.subject_hash).join(
        letter, letter.c.company_id == company.c.company_id
    )
    of_stops = (
        shown.add_columns(suppression.c.key_version, suppression.c.subject_hash)
        .join(company_stop, company_stop.c.company_id == company.c.company_id)
        .join(suppression, suppression.c.suppression_id == company_stop.c.suppression_id)
        .where(suppression.c.kind.in_(("lei", "register")))
    )
    found = [*connection.execute(of_letters), *connection.execute(of_stops)]
    return [
        (row[0], register_key(row[1], row[2]), row.key_version, row.subject_hash) for row in found
    ]


def _is_ours(keys: Keys, key: str, register: str | None, version: int, digest: str) -> bool:
    """Whether the hash is that of the company's LEI, or of its number where it had no LEI."""
    texts = (f"lei:{key}", f"register:{register}")
    return any(keys.macs(KEY_PURPOSE, text).get(version) == digest for text in texts)


def _refuse(cause: str, what: str, error: Exception | None = None) -> NoReturn:
    cure = _RESTORE.format(what=what)
    raise Refused("do-not-contact list", cause, cure) from error
