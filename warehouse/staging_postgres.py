"""Staging for PostgreSQL: temporary tables on the merging connection, filled by COPY."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from sources.kit import columns, copy_text
from warehouse import bulk
from warehouse.staging_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

_ANALYZED = (
    "record (record_id, source_key, source_id, lei_status, next_renewal_date, legal_country),"
    " company (company_id, lead_record_id, lead_source_key, state),"
    " company_record (company_id, record_id, source_key)"
)
"""What plans are made from; the server's own vacuum looks at the rest later."""
_JOINED_BY = ("ordinal", "record_id", "source_key", "person_kind")
"""Columns of staged rows that plans are made from: looking at all fifty takes half a second."""
_POSTGRES_TYPES = (
    (pa.types.is_timestamp, "timestamptz"),
    (pa.types.is_date, "date"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "bigint"),
    (pa.types.is_binary, "bytea"),
)


class PostgresStaging:
    """See `warehouse.staging.Staging`."""

    def __init__(
        self, connection: Connection, empty: dict[str, pa.Table], filling: bulk.Filling | None
    ) -> None:
        self._connection, self._filling = connection, filling
        self.is_direct = filling is not None
        self._analyzed = [
            f"{name} ({', '.join(found)})"
            for name, table in empty.items()
            if (found := [column for column in _JOINED_BY if column in table.column_names])
        ]
        self._is_committed = False
        if filling is not None:
            bulk.open_up(connection, filling)
        else:
            connection.execute(sa.text("CREATE TEMP TABLE staged_new (LIKE record) ON COMMIT DROP"))
        for name, table in empty.items():
            listed = ", ".join(f'"{field.name}" {_postgres_type(field)}' for field in table.schema)
            connection.execute(sa.text(f"CREATE TEMP TABLE {name} ({listed}) ON COMMIT DROP"))
        self._writer = Writer(self._copy)

    def _copy(self, name: str, rows: tuple[pa.Table, pa.Array | None]) -> None:
        table, texts = rows
        target = "record" if name == "staged_new" and self.is_direct else name
        known = self._filling.same.get(target, ()) if self._filling is not None else ()
        columns, lines = _lines(table.drop_columns(list(known)), texts)
        listed = ", ".join(f'"{column}"' for column in columns)
        driver: Any = self._connection.connection.driver_connection
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {target} ({listed}) FROM STDIN (FORMAT text)") as copy,
        ):
            copy.write(copy_text.bytes_of(lines).data)

    def write(self, name: str, table: pa.Table, texts: pa.Array | None = None) -> None:
        """Queue the rows for COPY."""
        if table.num_rows:
            self._writer.put(name, (table, texts))

    @contextmanager
    def merging(self) -> Iterator[Connection]:
        """The connection whose transaction holds the staged rows; committed at the end."""
        self._writer.finish()
        # A foreign key to a table of partitions is looked up row by row, and the server would plan
        # that anew each time: it takes the general plan for dearer than one that knows the values.
        self._connection.execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
        # A temporary table has no statistics, and the merge joins it with millions of records.
        self._connection.execute(sa.text(f"ANALYZE {', '.join(self._analyzed)}"))
        yield self._connection
        if self._filling is not None:
            bulk.close_up(self._connection, self._filling)
        self._connection.commit()
        self._is_committed = True

    def settle(self) -> None:
        """After the commit: prove what a first load left unproved, and look what it brought."""
        if not self._is_committed:
            return
        if self.is_direct:  # without statistics the next query plans for empty tables
            self._connection.execute(sa.text("SET LOCAL default_statistics_target = 10"))
            self._connection.execute(sa.text(f"ANALYZE {_ANALYZED}"))
            self._connection.commit()
        bulk.prove_keys(self._connection)

    def abandon(self) -> None:
        """Stop writing."""
        self._writer.abandon()


def _postgres_type(field: pa.Field) -> str:
    return next((name for test, name in _POSTGRES_TYPES if test(field.type)), "text")


def _lines(table: pa.Table, texts: pa.Array | None) -> tuple[list[str], pa.Array]:
    """(column names, the rows as lines of COPY text) of a table.

    `texts` stand for the published columns, which then need not be written again. What no row of
    the frame has need not be sent.
    """
    given = columns.PUBLISHED if texts is not None else ()
    names = [
        name
        for name in table.column_names
        if name not in given and table[name].null_count < table.num_rows
    ]
    parts = [table[name] for name in names]
    rows = copy_text.joined(parts)
    if texts is not None:
        rows = pc.binary_join_element_wise(rows, texts, copy_text.BETWEEN)
    return [*names, *given], pc.binary_join_element_wise(rows, "", "\n")


@contextmanager
def postgres_staging(
    engine: Engine, empty: dict[str, pa.Table], filling: bulk.Filling | None
) -> Iterator[PostgresStaging]:
    """Temporary tables in one transaction, rolled back unless it was committed."""
    with engine.connect() as connection:
        transaction = connection.begin()
        stage = PostgresStaging(connection, empty, filling)
        try:
            yield stage
            stage.settle()
        finally:
            stage.abandon()
            if transaction.is_active:
                transaction.rollback()
