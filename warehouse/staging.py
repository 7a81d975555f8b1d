"""Where a delivery's differences wait for the one transaction that merges them.

Staging holds what records hold, so it is removed whatever happens.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

from warehouse.staging_postgres import postgres_staging
from warehouse.staging_sqlite import STAGED, sqlite_staging, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from sqlalchemy.engine import Connection, Engine

    from warehouse.bulk import Filling

__all__ = ["STAGED", "Staging", "set_apart", "staging", "sweep"]


class Staging(Protocol):
    """Takes Arrow tables while a delivery streams by, and hands out the merging connection."""

    is_direct: bool
    """New rows go straight into `record`, inside the merging transaction."""

    def write(self, name: str, table: pa.Table, texts: pa.Array | None = None) -> None:
        """Append the table's rows to the staging table `name`, in a thread of its own.

        `texts` are the rows' published fields as one text each, where the caller has them.
        """

    def merging(self) -> Any:  # noqa: ANN401 (a context manager of Connection)
        """One write transaction in which every staging table can be read by its name."""


@contextmanager
def staging(
    engine: Engine, empty: dict[str, pa.Table], filling: Filling | None
) -> Iterator[Staging]:
    """Staging tables with the schemas of `empty`, and `staged_new` in the shape of `record`.

    Gone at the end, whatever happens. `filling`: what a first load is about to
    write; None where records are held already.
    """
    maker = sqlite_staging if engine.dialect.name == "sqlite" else postgres_staging
    with maker(engine, empty, filling) as stage:
        yield stage


def set_apart(connection: Connection, name: str) -> str:
    """How the opening of a statement makes one more staging table while staged rows are merged.

    On SQLite in the staging file, where it takes no memory.
    """
    if connection.dialect.name == "sqlite":
        return f"CREATE TABLE {STAGED}.{name}"
    return f"CREATE TEMP TABLE {name} ON COMMIT DROP"


def index_apart(connection: Connection, name: str, columns: str) -> None:
    """Find a staging table's rows by `columns`: without, SQLite reads it whole for every row."""
    if connection.dialect.name == "sqlite":
        made = f"CREATE INDEX {STAGED}.ix_{name} ON {name} ({columns})"
        connection.execute(sa.text(made))
    else:
        connection.execute(sa.text(f"ANALYZE {name}"))
