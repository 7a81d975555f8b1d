"""Empty databases to measure on: files of their own, and a private PostgreSQL as it ships."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from private_postgres import PrivatePostgres

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_AS_SHIPPED = (
    # The tests' server does without what makes a commit last; a measured one must not.
    "ALTER SYSTEM SET fsync = on",
    "ALTER SYSTEM SET full_page_writes = on",
    "ALTER SYSTEM SET synchronous_commit = on",
    "ALTER SYSTEM SET shared_buffers = '128MB'",
    "ALTER SYSTEM SET max_wal_size = '1GB'",
)


class Missing(Exception):
    """A database that this machine cannot run, and why."""


class Databases(Protocol):
    """One kind of database; a name is free for the caller to choose."""

    kind: str
    version: str

    def create(self, name: str) -> None:
        """Make an empty database; one of that name is dropped before."""

    def drop(self, name: str) -> None:
        """Remove the database, which need not be there."""

    def url(self, name: str) -> str:
        """Its URL as the product takes it."""

    def target(self, name: str) -> str:
        """Its file or conninfo as a driver takes it."""

    def byte_count(self, name: str) -> int:
        """What it takes on disk, bytes."""

    def settle(self) -> None:
        """Have what earlier measurements left to be written be written."""


class SqliteFiles:
    """SQLite: every name is a file in `folder`."""

    kind, version = "sqlite", sqlite3.sqlite_version

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str) -> None:
        """Make room: the file is made by who opens it."""
        self.drop(name)

    def drop(self, name: str) -> None:
        """Remove the file and what SQLite and the product keep beside it."""
        for path in self._folder.glob(f"{name}.db*"):
            path.unlink()

    def url(self, name: str) -> str:
        """SQLAlchemy's URL."""
        return f"sqlite:///{self.target(name)}"

    def target(self, name: str) -> str:
        """The file."""
        return str(self._folder / f"{name}.db")

    def byte_count(self, name: str) -> int:
        """The file and its write-ahead log."""
        return sum(path.stat().st_size for path in self._folder.glob(f"{name}.db*"))

    def settle(self) -> None:
        """Write what the system still holds in memory."""
        os.sync()


class PostgresDatabases:
    """PostgreSQL: every name is a database of a server of our own, set as the server ships."""

    kind = "postgresql"

    def __init__(self, server: PrivatePostgres) -> None:
        self._server = server
        for statement in _AS_SHIPPED:
            self._run(statement)
        server.restart()
        self.version = str(self._run("SHOW server_version")).split()[0]

    def create(self, name: str) -> None:
        """Make an empty database."""
        self.drop(name)
        self._run(f"CREATE DATABASE {name}")

    def drop(self, name: str) -> None:
        """Drop it, whoever is still connected."""
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """SQLAlchemy's URL."""
        return str(self._server.url(name))

    def target(self, name: str) -> str:
        """The conninfo."""
        return self.url(name).replace("+psycopg", "")

    def byte_count(self, name: str) -> int:
        """Tables and indexes, without the server's own write-ahead log."""
        return int(str(self._run(f"SELECT pg_database_size('{name}')")))

    def settle(self) -> None:
        """Write what the server and the system still hold in memory."""
        self._run("CHECKPOINT")
        os.sync()

    def _run(self, statement: str) -> object:
        import psycopg

        with psycopg.connect(self.target("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement)
            found = cursor.fetchone() if cursor.description else None
        return found[0] if found else None


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Databases]:
    """Databases of the kind, gone at the end; raises `Missing` when the machine has none."""
    if kind == "sqlite":
        with _emptied(folder) as own:
            yield SqliteFiles(own)
        return
    sys.path.append(str(ROOT / "tests" / "support"))  # the tests' own server serves here too
    from machine_parts import postgres_programs
    from private_postgres import PrivatePostgres

    programs = postgres_programs()
    if programs is None:
        message = "no initdb and pg_ctl on this machine"
        raise Missing(message)
    server = PrivatePostgres(programs)
    try:
        server.start()
        yield PostgresDatabases(server)
    finally:
        server.stop()


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
