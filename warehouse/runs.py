"""Our own run ledger: every run, its counts and its end, whoever started it."""

from __future__ import annotations

import json
import os
import pwd
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.engine import reading, writing
from warehouse.numbering import take_numbers
from warehouse.schema import run

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine


def actor(engine: Engine) -> str:
    """The login on PostgreSQL, the operating-system user on SQLite."""
    if engine.dialect.name == "sqlite":
        return pwd.getpwuid(os.getuid()).pw_name
    with engine.connect() as connection:
        return str(connection.scalar(sa.text("SELECT current_user")))


def start(engine: Engine, flow: str, now: datetime, source_id: str | None = None) -> int:
    """Open a run; runs left open by a process that died are marked interrupted and swept up after.

    Call it holding the one-writer lock, which is what proves that no other run is alive.
    """
    who = actor(engine)
    with writing(engine) as connection:
        died = connection.execute(
            run.update()
            .where(run.c.state == "running")
            .values(state="interrupted", ended_at=now, message="its process ended early")
        ).rowcount
        run_id = take_numbers(connection, "run", 1)
        connection.execute(
            run.insert().values(
                run_id=run_id,
                flow=flow,
                source_id=source_id,
                state="running",
                actor=who,
                started_at=now,
            )
        )
    if died:
        from warehouse.staging import sweep  # it brings Arrow along, which no other run needs here

        sweep(engine)
    return run_id


def finish(
    engine: Engine,
    run_id: int,
    state: str,
    now: datetime,
    *,
    counts: dict[str, Any] | None = None,
    message: str | None = None,
) -> None:
    """Close a run as done, refused or failed; `counts` are numbers, never values."""
    with writing(engine) as connection:
        connection.execute(
            run.update()
            .where(run.c.run_id == run_id)
            .values(
                state=state,
                ended_at=now,
                counts=None if counts is None else json.dumps(counts, sort_keys=True),
                message=message,
            )
        )


def last_runs(connection: Connection) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The newest run of each (flow, source): `started_at`, `state`.

    Interrupted ones are left out: what died half-way has not been done.
    """
    newest = (
        sa.select(sa.func.max(run.c.run_id))
        .where(run.c.state != "interrupted")
        .group_by(run.c.flow, run.c.source_id)
    )
    query = sa.select(run.c.flow, run.c.source_id, run.c.started_at, run.c.state).where(
        run.c.run_id.in_(newest)
    )
    return {
        (row["flow"], row["source_id"]): {name: row[name] for name in ("started_at", "state")}
        for row in connection.execute(query).mappings()
    }


def last_done(connection: Connection, flow: str) -> dict[str, datetime]:
    """When the newest run of the flow that came to its end began, by source id."""
    query = (
        sa.select(run.c.source_id, sa.func.max(run.c.started_at).label("started_at"))
        .where(run.c.flow == flow, run.c.state == "done", run.c.source_id.is_not(None))
        .group_by(run.c.source_id)
    )
    return {row.source_id: row.started_at for row in connection.execute(query)}


def ended_well(engine: Engine, flow: str, before: int) -> bool:
    """Whether the flow's last run before this one came to its end; refused ones began nothing."""
    query = (
        sa.select(run.c.state)
        .where(run.c.flow == flow, run.c.run_id < before, run.c.state != "refused")
        .order_by(run.c.run_id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        return connection.scalar(query) in {None, "done"}
