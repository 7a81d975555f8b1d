"""Staging for SQLite: a file of its own, written by ADBC and attached for the merge.

ADBC never opens the warehouse, because closing its own SQLite drops this process's locks on the
file.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.errors import DiskFull
from warehouse import bulk
from warehouse.engine import reading
from warehouse.staging_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection, Engine

_OF_THE_MOMENT = ("journal_mode = OFF", "synchronous = OFF")
"""Settings of a file that nobody reads after a crash."""
STAGED = "staged"
"""What the staging file is called while its rows are merged."""
_FOREIGN_KEY = re.compile(r",\s*CONSTRAINT \w+ FOREIGN KEY\s*\([^)]*\) REFERENCES \w+\s*\([^)]*\)")


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


class SqliteStaging:
    """See `warehouse.staging.Staging`."""

    is_direct = False

    def __init__(
        self,
        engine: Engine,
        path: Path,
        empty: dict[str, pa.Table],
        filling: bulk.Filling | None,
    ) -> None:
        from adbc_driver_sqlite import dbapi

        self._engine, self._path, self._filling = engine, path, filling
        self._adbc = dbapi.connect(str(path), autocommit=True)
        _apart(self._begin, empty)
        path.chmod(0o600)
        self._writer = Writer(self._ingest)

    def _begin(self, empty: dict[str, pa.Table]) -> None:
        with self._adbc.cursor() as cursor:
            for pragma in (*_OF_THE_MOMENT, "locking_mode = EXCLUSIVE"):
                cursor.execute(f"PRAGMA {pragma}")
                cursor.fetchall()
            cursor.execute("BEGIN")
            for name, table in empty.items():
                cursor.adbc_ingest(name, _as_text(table), mode="create")
            for statement in self._shape_of_record():
                cursor.execute(statement)

    def _end(self) -> None:
        with _disk_faults(self._path), self._adbc.cursor() as cursor:
            cursor.execute("COMMIT")
        self._adbc.close()

    def _shape_of_record(self) -> Iterator[str]:
        """The warehouse's own CREATE statements: equal shapes let SQLite copy pages.

        Without its foreign keys, which point to tables that the staging file does not have, and
        with those indexes alone that stay while a first load fills it.
        """
        kept = ["record", *([] if self._filling is None else bulk.staying(self._filling))]
        with reading(self._engine) as connection:
            query = "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'record'"
            written = {name: str(sql) for name, sql in connection.exec_driver_sql(query)}
        for name in kept:
            plain = _FOREIGN_KEY.sub("", written[name])
            yield re.sub(r"\b(TABLE|ON) record\b", r"\1 staged_new", plain, count=1)

    def _ingest(self, name: str, table: pa.Table) -> None:
        filled = [name for name in table.column_names if table[name].null_count < table.num_rows]
        with _disk_faults(self._path), self._adbc.cursor() as cursor:
            cursor.adbc_ingest(name, _as_text(table.select(filled)), mode="append")

    def write(self, name: str, table: pa.Table, texts: pa.Array | None = None) -> None:  # noqa: ARG002 (PostgreSQL's)
        """Queue the rows for ADBC."""
        if table.num_rows:
            self._writer.put(name, table)

    @contextmanager
    def merging(self) -> Iterator[Connection]:
        """The warehouse's connection with the staging file attached, in one write transaction."""
        self._writer.finish()
        _apart(self._end)
        if self._filling is not None:
            self._engine.dispose()  # the journal mode changes only while nobody else is connected
        with self._engine.connect().execution_options(writes=True) as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"ATTACH DATABASE ? AS {STAGED}", (str(self._path),))
            for pragma in _OF_THE_MOMENT:
                driver.execute(f"PRAGMA {STAGED}.{pragma}")
            driver.execute("PRAGMA temp_store = FILE")  # an UPDATE sets a copy of its rows aside
            if self._filling is not None:
                bulk.before_transaction(driver)
            try:
                with connection.begin():
                    if self._filling is not None:
                        bulk.open_up(connection, self._filling)
                    yield connection
                    if self._filling is not None:
                        bulk.close_up(connection, self._filling)
            finally:
                driver.execute(f"DETACH DATABASE {STAGED}")
                driver.execute("PRAGMA temp_store = MEMORY")
                if self._filling is not None:
                    bulk.after_transaction(driver)

    def abandon(self) -> None:
        """Let go of the file."""
        self._writer.abandon()
        self._adbc.close()


def _apart(work: Callable[..., None], *arguments: object) -> None:
    """Do it in a thread and wait for it: ADBC takes Ctrl-C for itself where Python would hear it.

    From the main thread it asks its driver to cancel, which SQLite's cannot, and Ctrl-C is an
    error of another name, or lost.
    """
    with ThreadPoolExecutor(1, "staging") as threads:
        threads.submit(work, *arguments).result()


@contextmanager
def _disk_faults(path: Path) -> Iterator[None]:
    """What ADBC says of a file that takes no more, without the values it says it of."""
    from adbc_driver_manager import Error

    try:
        yield
    except Error:
        raise DiskFull(
            f"staging file {path.name}",
            "it cannot be written any further",
            "Nothing was loaded. Free twice the size of the warehouse on its disk, and run again",
        ) from None


@contextmanager
def sqlite_staging(
    engine: Engine, empty: dict[str, pa.Table], filling: bulk.Filling | None
) -> Iterator[SqliteStaging]:
    """A staging file beside the warehouse, gone at the end."""
    path = Path(f"{engine.url.database}.staging")
    sweep(engine)
    stage = SqliteStaging(engine, path, empty, filling)
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
