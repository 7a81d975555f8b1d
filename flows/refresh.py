"""The refresh flow in Prefect: which LEIs are asked for waits in the open house, never with it.

An LEI can be a natural person's, and Prefect keeps its parameters; so it is told their number.
"""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows import refresh_steps
from flows.door import visiting
from flows.veil import veil


@flow(name="refresh", persist_result=False)
def refresh(lei_count: int) -> dict[str, int]:
    """Refresh what the visit's request names; returns the counts of outcomes."""
    with veil(), visiting() as visit:
        visit.report = refresh_steps.run(visit.house, visit.request, visit.tell)
    counts: dict[str, int] = visit.report.counts
    create_table_artifact(
        key="refresh",
        table=[{"outcome": name, "leis": count} for name, count in counts.items()],
        description=f"{lei_count} LEIs were asked for",
    )
    return counts
