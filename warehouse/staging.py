"""Where a delivery's differences wait for the one transaction that merges them.

SQLite: a file of its own, written by ADBC and attached for the merge; ADBC never opens the
warehouse, because closing its own SQLite drops this process's locks on the file. PostgreSQL:
temporary tables on the merging connection, filled by COPY. Staging holds what records hold, so it
is removed whatever happens.
"""

from __future__ import annotations

import queue
import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pyarrow import csv as pa_csv

from warehouse import bulk
from warehouse.engine import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

_AHEAD = 3
_END = None
_FOREIGN_KEY = re.compile(r",\s*CONSTRAINT \w+ FOREIGN KEY\s*\([^)]*\) REFERENCES \w+\s*\([^)]*\)")


class Staging(Protocol):
    """Takes Arrow tables while a delivery streams by, and hands out the merging connection."""

    is_direct: bool
    """New rows go straight into `record`, inside the merging transaction."""

    def write(self, name: str, table: pa.Table) -> None:
        """Append the table's rows to the staging table `name`, in a thread of its own."""

    def merging(self) -> Any:  # noqa: ANN401 (a context manager of Connection)
        """One write transaction in which every staging table can be read by its name."""


@contextmanager
def staging(engine: Engine, empty: dict[str, pa.Table], *, is_first: bool) -> Iterator[Staging]:
    """Staging tables with the schemas of `empty`, and `staged_new` in the shape of `record`.

    Gone at the end, whatever happens. `is_first`: `record` is empty, see `warehouse.bulk`.
    """
    maker = _sqlite_staging if engine.dialect.name == "sqlite" else _postgres_staging
    with maker(engine, empty, is_first=is_first) as stage:
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
    """A thread that writes in order; the first error is raised to the one who waits."""

    def __init__(self, write: Any) -> None:  # noqa: ANN401 (a callable of two arguments)
        self._write = write
        self._waiting: queue.Queue[tuple[str, Any] | None] = queue.Queue(_AHEAD)
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

    def put(self, name: str, rows: Any) -> None:  # noqa: ANN401 (a table, or one encoded)
        if self._error is not None:
            raise self._error
        self._waiting.put((name, rows))

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
    is_direct = False

    def __init__(
        self, engine: Engine, path: Path, empty: dict[str, pa.Table], *, is_first: bool
    ) -> None:
        from adbc_driver_sqlite import dbapi

        self._engine, self._path, self._is_first = engine, path, is_first
        self._adbc = dbapi.connect(str(path), autocommit=True)
        with self._adbc.cursor() as cursor:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
                cursor.execute(f"PRAGMA {pragma}")
                cursor.fetchall()
            cursor.execute("BEGIN")
            for name, table in empty.items():
                cursor.adbc_ingest(name, _as_text(table), mode="create")
            cursor.execute(self._shape_of_record())
        path.chmod(0o600)
        self._writer = _Writer(self._ingest)

    def _shape_of_record(self) -> str:
        """The warehouse's own CREATE TABLE: equal shapes let SQLite copy pages.

        Without its foreign keys, which point to tables that the staging file does not have.
        """
        with reading(self._engine) as connection:
            ddl = connection.scalar(
                sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'record'")
            )
        return _FOREIGN_KEY.sub("", str(ddl)).replace(
            "CREATE TABLE record", "CREATE TABLE staged_new", 1
        )

    def _ingest(self, name: str, table: pa.Table) -> None:
        with self._adbc.cursor() as cursor:
            cursor.adbc_ingest(name, _as_text(table), mode="append")

    def write(self, name: str, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.put(name, table)

    @contextmanager
    def merging(self) -> Iterator[Connection]:
        self._writer.finish()
        with self._adbc.cursor() as cursor:
            cursor.execute("COMMIT")
        self._adbc.close()
        if self._is_first:
            self._engine.dispose()  # the journal mode changes only while nobody else is connected
        with self._engine.connect().execution_options(writes=True) as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("ATTACH DATABASE ? AS staged", (str(self._path),))
            if self._is_first:
                bulk.before_transaction(driver)
            try:
                with connection.begin():
                    if self._is_first:
                        bulk.open_up(connection)
                    yield connection
                    if self._is_first:
                        bulk.close_up(connection)
            finally:
                driver.execute("DETACH DATABASE staged")
                if self._is_first:
                    bulk.after_transaction(driver)

    def abandon(self) -> None:
        self._writer.abandon()
        self._adbc.close()


@contextmanager
def _sqlite_staging(
    engine: Engine, empty: dict[str, pa.Table], *, is_first: bool
) -> Iterator[_SqliteStaging]:
    path = Path(f"{engine.url.database}.staging")
    sweep(engine)
    stage = _SqliteStaging(engine, path, empty, is_first=is_first)
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
    def __init__(
        self, connection: Connection, empty: dict[str, pa.Table], *, is_first: bool
    ) -> None:
        self._connection, self.is_direct, self._names = connection, is_first, tuple(empty)
        if is_first:
            bulk.open_up(connection)
        else:
            connection.execute(sa.text("CREATE TEMP TABLE staged_new (LIKE record) ON COMMIT DROP"))
        for name, table in empty.items():
            listed = ", ".join(f'"{field.name}" {_postgres_type(field)}' for field in table.schema)
            connection.execute(sa.text(f"CREATE TEMP TABLE {name} ({listed}) ON COMMIT DROP"))
        self._writer = _Writer(self._copy)

    def _copy(self, command: str, encoded: pa.Buffer) -> None:
        driver: Any = self._connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(command) as copy:
            copy.write(memoryview(encoded))

    def write(self, name: str, table: pa.Table) -> None:
        if not table.num_rows:
            return
        filled = [name for name in table.column_names if table[name].null_count < table.num_rows]
        table = table.select(filled)  # what no row of the frame has need not be sent
        columns = ", ".join(f'"{column}"' for column in filled)
        target = "record" if name == "staged_new" and self.is_direct else name
        sink = pa.BufferOutputStream()
        options = pa_csv.WriteOptions(include_header=False, batch_size=4096)
        pa_csv.write_csv(_with_hex(table), sink, options)
        self._writer.put(f"COPY {target} ({columns}) FROM STDIN (FORMAT csv)", sink.getvalue())

    @contextmanager
    def merging(self) -> Iterator[Connection]:
        self._writer.finish()
        # A temporary table has no statistics, and the merge joins it with millions of records.
        self._connection.execute(sa.text(f"ANALYZE {', '.join(self._names)}"))
        yield self._connection
        if self.is_direct:
            bulk.close_up(self._connection)
        self._connection.commit()
        if self.is_direct:  # without statistics the next query plans for empty tables
            self._connection.execute(sa.text("ANALYZE record, company, company_record"))
            self._connection.commit()

    def abandon(self) -> None:
        self._writer.abandon()


def _postgres_type(field: pa.Field) -> str:
    return next((name for test, name in _POSTGRES_TYPES if test(field.type)), "text")


def _with_hex(table: pa.Table) -> pa.Table:
    """Binaries as hexadecimal text, in the form COPY reads into bytea."""
    for index, field in enumerate(table.schema):
        if pa.types.is_binary(field.type):
            texts = [f"\\x{value.hex()}" for value in table[index].to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    return table


@contextmanager
def _postgres_staging(
    engine: Engine, empty: dict[str, pa.Table], *, is_first: bool
) -> Iterator[_PostgresStaging]:
    with engine.connect() as connection:
        transaction = connection.begin()
        stage = _PostgresStaging(connection, empty, is_first=is_first)
        try:
            yield stage
        finally:
            stage.abandon()
            if transaction.is_active:
                transaction.rollback()
