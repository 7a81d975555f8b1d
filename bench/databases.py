"""Empty databases to measure on: files of their own, and a private PostgreSQL as it ships."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

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


class Missing(Exception):  # noqa: N818 (a part that is not there is no error)
    """A database that this machine cannot run, and why."""


class Databases(Protocol):
    """One kind of database."""

    kind: str
    version: str

    def bare_target(self, name: str) -> str:
        """Where the bare load writes: a new file, or the conninfo of an empty database."""

    def url(self, name: str) -> str:
        """A warehouse's URL in a new, empty database."""

    def drop(self, name: str) -> None:
        """Remove what `name` stands for."""

    def settle(self) -> None:
        """Let what earlier measurements left to be written be written."""


class SqliteFiles:
    """SQLite: every name is a file in `folder`."""

    kind, version = "sqlite", sqlite3.sqlite_version

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bare_target(self, name: str) -> str:
        return str(self._folder / f"{name}.db")

    def url(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.db"

    def drop(self, name: str) -> None:
        for path in self._folder.glob(f"{name}.db*"):
            path.unlink()

    def settle(self) -> None:
        os.sync()


class PostgresDatabases:
    """PostgreSQL: every name is a database of a server of our own."""

    kind = "postgresql"

    def __init__(self, server: PrivatePostgres) -> None:
        self._server = server
        for statement in _AS_SHIPPED:
            self._run(statement)
        server.restart()
        self.version = str(self._run("SHOW server_version")).split()[0]

    def bare_target(self, name: str) -> str:
        self._run(f"CREATE DATABASE {name}")
        return self._server.url(name).replace("+psycopg", "")

    def url(self, name: str) -> str:
        self._run(f"CREATE DATABASE {name}")
        return self._server.url(name)

    def drop(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def settle(self) -> None:
        self._run("CHECKPOINT")
        os.sync()

    def _run(self, statement: str) -> Any:
        import psycopg

        conninfo = self._server.url("postgres").replace("+psycopg", "")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Databases]:
    """Databases of the kind, gone at the end; raises `Missing` when the machine has none."""
    if kind == "sqlite":
        with _emptied(folder) as own:
            yield SqliteFiles(own)
        return
    sys.path.append(str(ROOT / "tests" / "support"))
    from private_postgres import PrivatePostgres

    programs = _postgres_programs()
    if programs is None:
        message = "no initdb and pg_ctl on this machine"
        raise Missing(message)
    server = PrivatePostgres(programs)
    try:
        server.start()
        yield PostgresDatabases(server)
    finally:
        server.stop()


def _postgres_programs() -> Path | None:
    """The folder of initdb and pg_ctl; Debian keeps the newest out of the PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
