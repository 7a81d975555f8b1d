"""The deactivate flow in Prefect: active → inactive by the retention policy, counts as artifact."""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows import lifecycle, unattended
from flows.door import visiting
from flows.veil import veil, veiled

act = task(name="deactivate", cache_policy=NO_CACHE, persist_result=False)(
    veiled(lifecycle.deactivate)
)


@flow(name="deactivate", persist_result=False)
def deactivate(as_of: str | None = None) -> dict[str, Any]:
    """Make inactive what its policy row says; returns the counts."""
    with veil(), visiting() as visit:
        if unattended.is_overtaken(visit.house, "deactivate"):
            return {}
        day = date.fromisoformat(as_of) if as_of else None
        visit.report = unattended.when_free(lambda: act(visit.house, day))
    counts: dict[str, Any] = visit.report["counts"]
    create_table_artifact(key="deactivate", table=[counts])
    return counts
