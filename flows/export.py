"""The export flow in Prefect: a list leaves the house, whole or not at all, counts as artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows import export_steps
from flows.door import visiting
from flows.veil import veil, veiled

act = task(name="export", cache_policy=NO_CACHE, persist_result=False)(veiled(export_steps.run))


@flow(name="export", persist_result=False)
def export(  # noqa: PLR0913, PLR0917 (the command line's own options)
    segment: str,
    days: int,
    channel: str,
    purpose: str,
    recipient: str,
    countries: list[str],
    format: str,  # noqa: A002 (the option's name)
    out: str | None,
) -> dict[str, Any]:
    """Export one segment; returns the counts of the manifest."""
    request = export_steps.ExportRequest(
        segment=segment,
        days=days,
        channel=channel,
        purpose=purpose,
        recipient=recipient,
        countries=tuple(countries),
        format=format,
        out=Path(out) if out else None,
    )
    with veil(), visiting() as visit:
        visit.report = act(visit.house, request, visit.tell)
    excluded = visit.report["excluded"]
    outcomes = {"selected": visit.report["selected"], **excluded}
    create_table_artifact(
        key="export",
        table=[{"outcome": name, "candidates": count} for name, count in outcomes.items()],
    )
    return {"selected": visit.report["selected"], "excluded": excluded}
