"""The peer pandas: `read_csv` in chunks of the kept columns, `to_sql` into a new table.

It reads through the same unpacking as the product, and takes pandas' own parser and writer.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sources.gleif_columns import MAPPED
from sources.kit.archive import open_member

CHUNK_ROWS = 50_000


def load(url: str, source: Path) -> dict[str, Any]:
    """Load the file into an empty database in one transaction; seconds and rows written."""
    import pandas as pd
    from sqlalchemy import create_engine

    start, rows = time.perf_counter(), 0
    engine = create_engine(url)
    with open_member(source) as (_, stream), engine.begin() as connection:
        chunks = pd.read_csv(
            stream,
            usecols=list(MAPPED),
            dtype="str",
            keep_default_na=False,
            na_values=[""],
            chunksize=CHUNK_ROWS,
        )
        for chunk in chunks:
            named = chunk.rename(columns=MAPPED)
            named.to_sql("companies", connection, if_exists="append", index=False)
            rows += len(chunk)
    seconds = time.perf_counter() - start
    engine.dispose()
    return {"seconds": seconds, "rows": rows}
