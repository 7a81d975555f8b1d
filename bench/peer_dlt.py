"""The peer dlt: Arrow tables of the kept columns, merged on the LEI, in the quickest way it has.

It reads through the same unpacking and the same parser as the bare load limit. Runs in the
environment of `bench.peers`, where nothing of ours is installed.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.bare import kept_batches
from sources.kit.archive import open_member

TABLE_ROWS = 100_000
"""Rows of a table: fewer and larger ones are quicker for dlt than the parser's blocks."""
_UPSERTING = {"sqlite": "delete-insert", "postgresql": "upsert"}
"""The quicker merge of those dlt has for the database; parquet takes its bulk way by ADBC."""


def prepare(folder: Path) -> None:
    """Have dlt keep its files in `folder`, tell nobody, and be imported."""
    shutil.rmtree(folder, ignore_errors=True)
    os.environ["DLT_DATA_DIR"] = str(folder)
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    __import__("dlt.destinations")


def load(database: str, url: str, source: Path, folder: Path) -> dict[str, Any]:
    """Load the file into an empty database; seconds and the rows that are then in its table."""
    import dlt  # type: ignore[import-not-found]  # of another environment

    if database == "sqlite":
        destination, dataset = dlt.destinations.sqlalchemy(credentials=url), "main"
    else:
        destination, dataset = dlt.destinations.postgres(credentials=_with_password(url)), "peer"
    start = time.perf_counter()
    pipeline = dlt.pipeline(
        "peer", destination=destination, dataset_name=dataset, pipelines_dir=str(folder)
    )
    companies = dlt.resource(
        _tables(source),
        name="companies",
        primary_key="LEI",
        write_disposition={"disposition": "merge", "strategy": _UPSERTING[database]},
    )
    pipeline.run(companies, loader_file_format="parquet").raise_on_failed_jobs()
    seconds = time.perf_counter() - start
    with pipeline.sql_client() as client:
        ((rows,),) = client.execute_sql("SELECT count(*) FROM companies")
    return {"seconds": seconds, "rows": rows}


def _tables(source: Path) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    with open_member(source) as (_, stream):
        for batch in kept_batches(stream):
            held.append(batch)
            if sum(one.num_rows for one in held) >= TABLE_ROWS:
                yield pa.Table.from_batches(held)
                held = []
    if held:
        yield pa.Table.from_batches(held)


def _with_password(url: str) -> str:
    """The private server asks for none, but dlt does not connect without one."""
    head, _, tail = url.rpartition("@")
    return f"{head}:none@{tail}"
