"""INSERT … ON CONFLICT, written once for SQLite and PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection


def upsert(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    *,
    keys: tuple[str, ...],
    updates: tuple[str, ...],
) -> None:
    """Insert the rows; where `keys` stand already, set only `updates` (none: leave the row)."""
    if not rows:
        return
    insert: Any = (
        sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    )
    if updates:
        query = insert.on_conflict_do_update(
            index_elements=list(keys), set_={name: insert.excluded[name] for name in updates}
        )
    else:
        query = insert.on_conflict_do_nothing(index_elements=list(keys))
    connection.execute(query, list(rows))
