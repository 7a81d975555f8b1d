"""One measurement in a process of its own: `python -m bench.child JOB`, both ends in JSON.

JOB is an object with `what` (bare, product, prepare, key, dlt, pandas) and that function's
arguments; the last line printed is what was measured. A process for each, so that one's memory is
not another's and nothing is warm that a user would find cold.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.machine import cpu_seconds, load_average, peak_mb

Work = Callable[[], dict[str, Any]]


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Do the job; its own figures with processor time, load average and memory around it."""
    work = {
        "bare": _bare,
        "product": _product,
        "prepare": _prepare,
        "key": _key,
        "dlt": _dlt,
        "pandas": _pandas,
    }[job["what"]]
    run = work(job)
    before, imported, busy = load_average(), peak_mb(), cpu_seconds()
    found = run()
    found |= {
        "cpu_seconds": cpu_seconds() - busy,
        "load_before": before,
        "load_after": load_average(),
        "imported_mb": imported,
        "peak_mb": peak_mb(),
    }
    return found


def _bare(job: dict[str, Any]) -> Work:
    from bench import bare

    into = bare.into_sqlite if job["database"] == "sqlite" else bare.into_postgresql
    __import__("adbc_driver_sqlite.dbapi" if job["database"] == "sqlite" else "psycopg")

    def run() -> dict[str, Any]:
        start = time.perf_counter()
        rows = into(Path(job["source"]), job["target"])
        return {"seconds": time.perf_counter() - start, "rows": rows}

    return run


def _product(job: dict[str, Any]) -> Work:
    import great_expectations  # noqa: F401 (its 6 s are measured apart)

    import flows.ingest_run  # noqa: F401 (likewise)
    from bench import product

    return lambda: product.load(
        job["target"],
        Path(job["home"]),
        Path(job["source"]),
        datetime.fromisoformat(job["published_at"]),
        datetime.fromisoformat(job["retrieved_at"]),
        kind=job.get("kind", "full"),
    )


def _prepare(job: dict[str, Any]) -> Work:
    from bench import product

    def run() -> dict[str, Any]:
        product.prepare(job["target"], Path(job["home"]))
        return {}

    return run


def _key(job: dict[str, Any]) -> Work:
    from bench import product

    return lambda: {"key": product.changed_key(job["target"])}


def _dlt(job: dict[str, Any]) -> Work:
    from bench import peer_dlt

    folder = Path(job["home"])
    peer_dlt.prepare(folder)
    return lambda: peer_dlt.load(job["database"], job["target"], Path(job["source"]), folder)


def _pandas(job: dict[str, Any]) -> Work:
    import pandas as pd  # noqa: F401 (imports are measured apart)
    import sqlalchemy as sa  # noqa: F401 (likewise)

    from bench import peer_pandas

    return lambda: peer_pandas.load(job["target"], Path(job["source"]))


def main() -> None:
    """Measure what the command line asks for, and print it as one line."""
    print(json.dumps(measure(json.loads(sys.argv[1]))))


if __name__ == "__main__":
    main()
