"""Where a delivery's differences wait for the one transaction that merges them.

SQLite: a file of its own, written by ADBC and attached for the merge; ADBC never opens the
warehouse, because closing its own SQLite drops this process's locks on the file. PostgreSQL:
temporary tables on the merging connection, filled by COPY. Staging holds what records hold, so it
is removed whatever happens.
"""

from __future__ import annotations

import io
import queue
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pyarrow import csv as pa_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

_AHEAD = 3
_END = None


class Staging(Protocol):
    """Takes Arrow tables while a delivery streams by, and hands out the merging connection."""

    def write(self, name: str, table: pa.Table) -> None:
        """Append the table's rows to the staging table `name`, in a thread of its own."""

    def merging(self) -> Any:  # noqa: ANN401 (a context manager of Connection)
        """One write transaction in which every staging table can be read by its name."""


@contextmanager
def staging(engine: Engine, empty: dict[str, pa.Table]) -> Iterator[Staging]:
    """Staging tables with the schemas of `empty`; gone at the end, whatever happens."""
    maker = _sqlite_staging if engine.dialect.name == "sqlite" else _postgres_staging
    with maker(engine, empty) as stage:
        yield stage


def sweep(engine: Engine) -> int:
    """Remove staging files that a killed run left; the one-writer lock must be held."""
    if engine.dialect.name != "sqlite":
        return 0
    left = list(_staging_files(engine))
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _staging_files(engine: Engine) -> Iterator[Path]:
    path = Path(str(engine.url.database))
    yield from path.parent.glob(f"{path.name}.staging*")


class _Writer:
    """A thread that writes tables in order; the first error is raised to the one who waits."""

    def __init__(self, write: Any) -> None:  # noqa: ANN401 (a callable of two arguments)
        self._write = write
        self._waiting: queue.Queue[tuple[str, pa.Table] | None] = queue.Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="staging", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not _END:
            if self._error is None:
                try:
                    self._write(*item)
                except BaseException as error:  # noqa: BLE001 (handed to the waiting thread)
                    self._error = error

    def put(self, name: str, table: pa.Table) -> None:
        if self._error is not None:
            raise self._error
        if table.num_rows:
            self._waiting.put((name, table))

    def finish(self) -> None:
        if self._thread.is_alive():
            self._waiting.put(_END)
            self._thread.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        if self._thread.is_alive():
            self._waiting.put(_END)
            self._thread.join()


class _SqliteStaging:
    def __init__(self, engine: Engine, path: Path, empty: dict[str, pa.Table]) -> None:
        from adbc_driver_sqlite import dbapi  # noqa: PLC0415 (only while loading)

        self._engine, self._path = engine, path
        self._adbc = dbapi.connect(str(path), autocommit=True)
        with self._adbc.cursor() as cursor:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
                cursor.execute(f"PRAGMA {pragma}")
                cursor.fetchall()
            for name, table in empty.items():
                cursor.adbc_ingest(name, _as_text(table), mode="create")
        path.chmod(0o600)
        self._writer = _Writer(self._ingest)

    def _ingest(self, name: str, table: pa.Table) -> None:
        with self._adbc.cursor() as cursor:
            cursor.adbc_ingest(name, _as_text(table), mode="append")

    def write(self, name: str, table: pa.Table) -> None:
        self._writer.put(name, table)

    @contextmanager
    def merging(self) -> Iterator[Connection]:
        self._writer.finish()
        self._adbc.close()
        with self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("ATTACH DATABASE ? AS staged", (str(self._path),))
            try:
                connection = connection.execution_options(writes=True)
                with connection.begin():
                    yield connection
            finally:
                driver.execute("DETACH DATABASE staged")

    def abandon(self) -> None:
        self._writer.abandon()
        self._adbc.close()


@contextmanager
def _sqlite_staging(engine: Engine, empty: dict[str, pa.Table]) -> Iterator[_SqliteStaging]:
    path = Path(f"{engine.url.database}.staging")
    sweep(engine)
    stage = _SqliteStaging(engine, path, empty)
    try:
        yield stage
    finally:
        stage.abandon()
        sweep(engine)


def _as_text(table: pa.Table) -> pa.Table:
    """Moments and days as SQLite keeps them: `YYYY-MM-DD HH:MM:SSZ` and `YYYY-MM-DD`."""
    for index, field in enumerate(table.schema):
        if pa.types.is_temporal(field.type):
            table = table.set_column(index, field.name, pc.cast(table[index], pa.string()))
    return table


_POSTGRES_TYPES = (
    (pa.types.is_timestamp, "timestamptz"),
    (pa.types.is_date, "date"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "bigint"),
    (pa.types.is_binary, "bytea"),
)


class _PostgresStaging:
    def __init__(self, connection: Connection, empty: dict[str, pa.Table]) -> None:
        self._connection = connection
        for name, table in empty.items():
            listed = ", ".join(f'"{field.name}" {_postgres_type(field)}' for field in table.schema)
            connection.execute(sa.text(f"CREATE TEMP TABLE {name} ({listed}) ON COMMIT DROP"))
        self._writer = _Writer(self._copy)

    def _copy(self, name: str, table: pa.Table) -> None:
        driver: Any = self._connection.connection.driver_connection
        buffer = io.BytesIO()
        pa_csv.write_csv(
            _with_hex(table), buffer, pa_csv.WriteOptions(include_header=False, batch_size=4096)
        )
        columns = ", ".join(f'"{column}"' for column in table.column_names)
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {name} ({columns}) FROM STDIN (FORMAT csv)") as copy,
        ):
            copy.write(buffer.getbuffer())

    def write(self, name: str, table: pa.Table) -> None:
        self._writer.put(name, table)

    @contextmanager
    def merging(self) -> Iterator[Connection]:
        self._writer.finish()
        yield self._connection
        transaction = self._connection.get_transaction()
        assert transaction is not None
        transaction.commit()

    def abandon(self) -> None:
        self._writer.abandon()


def _postgres_type(field: pa.Field) -> str:
    return next((name for test, name in _POSTGRES_TYPES if test(field.type)), "text")


def _with_hex(table: pa.Table) -> pa.Table:
    """Binaries as `\\x…`, the text form COPY reads into bytea."""
    for index, field in enumerate(table.schema):
        if pa.types.is_binary(field.type):
            texts = [None if value is None else f"\\x{value.hex()}" for value in table[index].to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    return table


@contextmanager
def _postgres_staging(engine: Engine, empty: dict[str, pa.Table]) -> Iterator[_PostgresStaging]:
    with engine.connect() as connection:
        transaction = connection.begin()
        stage = _PostgresStaging(connection, empty)
        try:
            yield stage
        finally:
            stage.abandon()
            if transaction.is_active:
                transaction.rollback()
