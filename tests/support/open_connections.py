"""A test that leaves a database connection open is told so, by name, when it ends.

Left to the garbage collector, a connection can kill the whole run on CPython before 3.11.8, in
whatever test the compiler runs next ("AST constructor recursion depth mismatch"), and on any
version it ends as a warning far from its cause.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool


@contextmanager
def none_left() -> Iterator[None]:
    """Fail, after closing them, when connections made inside are still open at the end."""
    still_open: dict[int, Any] = {}

    def opened(connection: Any, record: Any) -> None:
        if isinstance(connection, sqlite3.Connection | psycopg.Connection):
            still_open[id(connection)] = record

    def closed(connection: Any, *_record: Any) -> None:
        still_open.pop(id(connection), None)

    listeners = (("connect", opened), ("close", closed), ("close_detached", closed))
    for name, listener in listeners:
        event.listen(Pool, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            event.remove(Pool, name, listener)
    left = list(still_open.values())
    for record in left:
        with suppress(Exception):  # closing is a courtesy; the failure below is the point
            record.invalidate()  # a plain close would trouble the pool when it is collected
    if left:
        pytest.fail(f"{len(left)} database connection(s) left open: dispose of the engine")
