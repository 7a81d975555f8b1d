"""How a register's records are joined to what is held already: by looking up, not through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from entries import any_length, bulk, entry, norwegian
from ingesting import opened


def looked_up(engine: sa.Engine) -> list[str]:
    """How SQLite, from here on, looks up what is staged for every row of something else."""
    found: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def explain(_: object, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        if "staged_" not in statement or not statement.startswith(("UPDATE", "INSERT", "DELETE")):
            return
        plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        correlated = {row[0] for row in plan if row[3].startswith("CORRELATED")}
        found.extend(f"{row[3]} in {statement}" for row in plan if row[1] in correlated)

    return found


def test_what_is_to_be_joined_is_looked_up(sqlite_url: str, tmp_path: Path) -> None:
    """A hundred thousand companies a hundred thousand times is not done in a day."""
    with opened(sqlite_url, tmp_path) as place, any_length(place):
        plans = looked_up(place.house.engine)
        place.full([norwegian(1), norwegian(2)], "2026-11-01")
        bulk(place, [entry(1), entry(3)], "2026-11-02")
        place.full([norwegian(1), norwegian(3), norwegian(2)], "2026-11-03")
        bulk(place, [entry(1), entry(2), entry(3)], "2026-11-04")
    assert plans
    assert [line for line in plans if line.startswith("SCAN")] == []
