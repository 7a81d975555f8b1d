"""A first load into an empty warehouse: constraints and indexes are built once, at its end.

Everything happens inside the load's own transaction: a load that fails leaves them as they were.
On PostgreSQL other sessions wait for the empty tables meanwhile, and foreign keys are in force from
the commit on, but proved on the loaded rows only after it (`prove_keys`), while others read. On
SQLite the rollback journal, which copies nothing when pages are new, takes the place of the
write-ahead log for this one load.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, DropConstraint
from sqlalchemy.sql import visitors

from sources.kit.errors import DeliveryRefused
from warehouse.schema import (
    METADATA,
    company,
    company_record,
    contact_change,
    contact_point,
    personal_value,
    record,
    record_number,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sqlalchemy.engine import Connection

_TABLES = (
    *(record, company, company_record, personal_value),
    *(record_number, contact_point, contact_change),
)
_SORTING_THREADS = 2
"""SQLite: beside the one that reads; an index of 3.5 million records in 5.4 s, so far 8.4 s."""
_SORTING_CACHE = -16384
"""SQLite, KiB: each sorting thread takes as much again."""
_SORT_MEMORY = "256MB"
"""PostgreSQL: for building indexes and checking foreign keys, in this transaction only."""


def before_transaction(driver: Any) -> None:  # noqa: ANN401 (the driver's own)
    """SQLite only: what can be set outside a transaction alone."""
    driver.execute("PRAGMA foreign_keys = OFF")
    driver.execute(f"PRAGMA threads = {_SORTING_THREADS}")
    with suppress(sqlite3.OperationalError):  # somebody else is connected: the log stays
        driver.execute("PRAGMA journal_mode = DELETE")


def after_transaction(driver: Any) -> None:  # noqa: ANN401 (the driver's own)
    """SQLite only: the connection as every other one."""
    driver.execute("PRAGMA foreign_keys = ON")
    driver.execute("PRAGMA threads = 0")
    with suppress(sqlite3.OperationalError):  # somebody reads just now: the next to open it does it
        driver.execute("PRAGMA journal_mode = WAL")


@dataclass(frozen=True)
class Filling:
    """What a first load writes.

    `fields` are the columns of `record` that it fills: an index of rows that have another one
    stays, since nothing will come into it. `same`: by table, columns that hold the same value in
    every row; PostgreSQL is told it once, as a default of this transaction.
    """

    fields: Collection[str]
    same: Mapping[str, Mapping[str, object]]


def open_up(connection: Connection, filling: Filling) -> None:
    """Drop secondary indexes, and on PostgreSQL every key of these tables, until `close_up`."""
    for table in _TABLES:
        for index in _indexes(table, filling):
            index.drop(connection)
    if connection.dialect.name == "postgresql":
        _open_up_postgres(connection, filling)


def _open_up_postgres(connection: Connection, filling: Filling) -> None:
    connection.execute(sa.text(f"SET LOCAL maintenance_work_mem = '{_SORT_MEMORY}'"))
    for key in _foreign_keys():
        connection.execute(DropConstraint(key, isolate_from_table=False))
    for table in _TABLES:
        connection.execute(DropConstraint(table.primary_key, isolate_from_table=False))
    for name, column, value in _same(filling):
        text = sa.literal(value).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        _alter(connection, name, column, f"SET DEFAULT {text}")


def close_up(connection: Connection, filling: Filling) -> None:
    """Build again what `open_up` dropped: every row is checked at once.

    Raises `DeliveryRefused` when one does not hold.
    """
    is_postgres = connection.dialect.name == "postgresql"
    if not is_postgres:
        connection.exec_driver_sql(f"PRAGMA cache_size = {_SORTING_CACHE}")
    for table in _TABLES:
        if is_postgres:
            connection.execute(AddConstraint(table.primary_key, isolate_from_table=False))
        for index in _indexes(table, filling):
            index.create(connection)
    if is_postgres:
        for name, column, _ in _same(filling):
            _alter(connection, name, column, "DROP DEFAULT")
        for key in _foreign_keys():
            _enforce(connection, key)
    else:
        _check_foreign_keys(connection)


def _same(filling: Filling) -> Iterator[tuple[str, str, object]]:
    """(table, column, the value that all its rows hold)."""
    for table, values in filling.same.items():
        for column, value in values.items():
            yield table, column, value


def _alter(connection: Connection, table: str, column: str, how: str) -> None:
    connection.execute(sa.text(f"ALTER TABLE {table} ALTER COLUMN {column} {how}"))


def _enforce(connection: Connection, key: sa.ForeignKeyConstraint) -> None:
    """In force for every row from now on; of a partitioned table all rows are looked at at once."""
    adding = AddConstraint(key, isolate_from_table=False)
    if key.table.dialect_options["postgresql"]["partition_by"]:
        connection.execute(adding)
    else:
        connection.execute(sa.text(f"{adding.compile(dialect=connection.dialect)} NOT VALID"))


def prove_keys(connection: Connection) -> None:
    """PostgreSQL: check the rows of every foreign key that was added unproved, and commit.

    Of a load that was killed before this, the next one does it. Readers and writers go on.
    """
    unproved = connection.execute(
        sa.text(
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint"
            " WHERE contype = 'f' AND NOT convalidated AND conparentid = 0"
            " AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
        )
    ).all()
    for table, key in unproved:
        try:
            connection.execute(sa.text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {key}"))
        except sa.exc.IntegrityError:
            raise _broken(table) from None
    connection.commit()


def _check_foreign_keys(connection: Connection) -> None:
    """SQLite cannot drop them: they were off, and every row is checked now."""
    for table in _TABLES:
        broken = connection.execute(sa.text(f"PRAGMA foreign_key_check({table.name})")).first()
        if broken is not None:
            raise _broken(table.name)


def _broken(table: str) -> DeliveryRefused:
    return DeliveryRefused(
        f"table {table}",
        "a row refers to one that is not there",
        "This is a fault of sourcenote: report it, and restore the warehouse of before this load",
    )


def staying(filling: Filling) -> list[str]:
    """Names of the indexes of `record` that stay while it is filled, because they stay empty."""
    return [str(index.name) for index in _sorted(record) if _stays(index, filling)]


def _indexes(table: sa.Table, filling: Filling) -> list[sa.Index]:
    return [index for index in _sorted(table) if not _stays(index, filling)]


def _sorted(table: sa.Table) -> list[sa.Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def _stays(index: sa.Index, filling: Filling) -> bool:
    """Whether it is an index of only those records that have a value which none of these has."""
    where = index.dialect_options["sqlite"]["where"]
    if index.table is not record or where is None:
        return False
    named = {part.name for part in visitors.iterate(where) if isinstance(part, sa.Column)}
    return named.isdisjoint(filling.fields)


def _foreign_keys() -> list[sa.ForeignKeyConstraint]:
    """Every foreign key that one of these tables has, or that points to one of them."""
    return [
        key
        for table in METADATA.sorted_tables
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
        if table in _TABLES or key.referred_table in _TABLES
    ]
