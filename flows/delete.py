"""The delete flow in Prefect: inactive → gone, within the cap, counts as artifact."""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows import lifecycle, unattended
from flows.door import visiting
from flows.veil import veil, veiled

act = task(name="delete", cache_policy=NO_CACHE, persist_result=False)(veiled(lifecycle.delete))


@flow(name="delete", persist_result=False)
def delete(as_of: str | None = None, *, confirm: bool = False) -> dict[str, Any]:
    """Delete what is inactive and past its date; returns the counts."""
    with veil(), visiting() as visit:
        if unattended.is_overtaken(visit.house, "delete"):
            return {}
        day = date.fromisoformat(as_of) if as_of else None
        visit.report = unattended.when_free(
            lambda: act(visit.house, day, confirm=confirm, tell=visit.tell)
        )
    counts: dict[str, Any] = visit.report["counts"]
    create_table_artifact(key="delete", table=[counts])
    return counts
