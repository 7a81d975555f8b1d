"""The bare load limit: unzip, parse the kept columns, insert in bulk, commit, and nothing else.

No key, no index, no check, no digest, no origin: what a load costs when the rows are only moved.
The bytes come through the product's own unpacking thread and the parser is the product's, Arrow's,
so the ratio of the two is the price of everything else.
"""

from __future__ import annotations

from io import BufferedIOBase
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from sources.gleif_columns import MAPPED
from sources.kit.archive import open_member

BLOCK_BYTES = 1 << 21
"""The quickest of the sizes tried for a streaming read; larger ones only hold more memory."""


def into_sqlite(source: Path, target: Path) -> int:
    """Load the file into one table of a new SQLite file by ADBC; returns its rows."""
    from adbc_driver_sqlite import dbapi

    with (
        open_member(source) as (_, stream),
        dbapi.connect(str(target)) as connection,
        connection.cursor() as cursor,
    ):
        rows = cursor.adbc_ingest("bare", kept_batches(stream), mode="create")
        connection.commit()
    return int(rows)


def into_postgresql(source: Path, conninfo: str) -> int:
    """Load the file into one new table of text columns by COPY; returns its rows."""
    import psycopg

    listed = ", ".join(f'"{name}" text' for name in MAPPED)
    options = csv.WriteOptions(include_header=False, batch_size=4096)
    with (
        open_member(source) as (_, stream),
        psycopg.connect(conninfo) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"CREATE TABLE bare ({listed})")
        with cursor.copy("COPY bare FROM STDIN (FORMAT csv)") as copy:
            for batch in kept_batches(stream):
                sink = pa.BufferOutputStream()
                csv.write_csv(batch, sink, options)
                copy.write(memoryview(sink.getvalue()))
        rows = cursor.rowcount
        connection.commit()
    return rows


def kept_batches(stream: BufferedIOBase) -> csv.CSVStreamingReader:
    """The kept columns as text, block by block."""
    return csv.open_csv(
        stream,
        read_options=csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            include_columns=list(MAPPED),
            column_types=dict.fromkeys(MAPPED, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
