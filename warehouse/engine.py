"""Opens the warehouse: SQLite or PostgreSQL from the same code, and one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from sources.kit.errors import Busy, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, ExceptionContext

__all__ = ["Connection", "Engine", "open_warehouse", "reading", "sole_writer", "writing"]

BUSY_SECONDS = 30
# Compiling a plan over partitions costs more than it saves on rows that go by in bulk. A list is
# shown once its commit was answered, so a server that otherwise answers early must not do so here.
_OPTIONS = {"lock_timeout": f"{BUSY_SECONDS}s", "jit": "off", "synchronous_commit": "on"}
_POSTGRES = {
    "connect_timeout": 10,
    "options": " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items()),
}
_LOCK_NUMBER = 0x736E_6F74
"""PostgreSQL advisory lock of this product ('snot' in ASCII); one warehouse a database."""
_NOTICED_SECONDS = 2.0
"""A killed run holds its lock until the server has noticed; who starts again at once waits."""


def open_warehouse(url: str) -> Engine:
    """An engine for the warehouse at `url`; `warehouse.migrate.upgrade` makes file and tables.

    SQLite runs in WAL mode with foreign keys and `secure_delete`, its file readable by its owner
    only. Errors do not quote a statement's values. Dispose of the engine when done.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    return sa.create_engine(
        parsed, pool_pre_ping=True, connect_args=_POSTGRES, hide_parameters=True
    )


def _parse(url: str) -> URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise _bad_url() from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise _bad_url()
    return parsed


def _bad_url() -> Refused:
    return Refused(
        "warehouse URL",
        "it is neither sqlite:///FILE nor postgresql://…",
        "Set [warehouse] url, SOURCENOTE_WAREHOUSE_URL or --warehouse",
    )


def _sqlite(url: URL) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _keep_interrupted)
    return engine


def _keep_interrupted(context: ExceptionContext) -> None:
    """After Ctrl-C in a statement its connection is as good as before: it is rolled back.

    SQLAlchemy would close it, as an answer may still be under way on a server's. Closed with a
    statement open, SQLite's goes on holding the write lock, and recording the run's end waits.
    """
    if not isinstance(context.original_exception, sqlite3.Error):
        context.is_disconnect = False


def is_there(engine: Engine) -> bool:
    """Whether there is anything to connect to: SQLite would make a missing file."""
    return engine.dialect.name != "sqlite" or Path(str(engine.url.database)).exists()


def make_file(engine: Engine) -> None:
    """A missing SQLite file and its folder, readable by their owner only before anything is in."""
    if not is_there(engine):
        path = Path(str(engine.url.database))
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 (the driver's own)
    connection.isolation_level = None  # SQLAlchemy's BEGIN below is the only one
    for pragma in (
        "foreign_keys = ON",
        "secure_delete = ON",
        "synchronous = FULL",
        "cache_size = -65536",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    with suppress(sqlite3.OperationalError):  # a first load holds it in another mode, and ends that
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent read; nothing is written."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@contextmanager
def sole_writer(engine: Engine) -> Iterator[None]:
    """Hold the one-writer lock; it dies with the process. Raises `Busy` when another has it."""
    holder = _file_lock if engine.dialect.name == "sqlite" else _advisory_lock
    with holder(engine):
        yield


@contextmanager
def _file_lock(engine: Engine) -> Iterator[None]:
    path = Path(f"{engine.url.database}.lock")
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise _busy() from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock(engine: Engine) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until = time.monotonic() + _NOTICED_SECONDS
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK_NUMBER))):
            if time.monotonic() > until:
                raise _busy()
            time.sleep(0.05)
        try:
            yield
        finally:
            with suppress(sa.exc.DBAPIError):  # a connection that broke has let go of it already
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK_NUMBER)))


def _busy() -> Busy:
    return Busy(
        "warehouse",
        "another sourcenote run is writing to it",
        "Wait for it to end and run the command again; the lock dies with its process",
    )
