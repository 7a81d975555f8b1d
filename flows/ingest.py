"""The ingest flow in Prefect: fetch and load as tasks, counts as an artifact.

Remove the decorators and the code still works: it is `flows.ingest_run`. Only the fetch is tried
again, and only in unattended runs: a person at a terminal gets the session's own five attempts.
Between attempts it holds no lock: others write meanwhile, and the next attempt plans anew.
Parameters are names, dates and paths; frames never pass through Prefect, results are not kept.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import deployment

from flows import ingest_report, ingest_run, ingest_steps, unattended
from flows.door import visiting
from flows.veil import veil, veiled
from sources.kit.errors import SourceUnavailable

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State, TaskRun
    from prefect.tasks import Task

RETRIES = 3
RETRY_SECONDS: list[float] = [600, 1800, 3600]


def _is_unattended(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Try again only what a schedule started and the publisher's side caused."""
    if deployment.id is None:
        return False
    try:
        state.result()
    except SourceUnavailable:
        return True
    except BaseException:  # noqa: BLE001 (any other failure is not the publisher's)
        return False
    return False


fetch = task(
    name="fetch",
    retries=RETRIES,
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=_is_unattended,
    cache_policy=NO_CACHE,
    persist_result=False,
)(veiled(ingest_run.fetch_in_turn))

load = task(name="load", cache_policy=NO_CACHE, persist_result=False)(
    veiled(ingest_steps.load_delivery)
)


@flow(name="ingest", persist_result=False, validate_parameters=False)
def ingest(
    source_id: str,
    full: bool = False,  # noqa: FBT001, FBT002 (Prefect passes parameters by name)
    file: str | None = None,
    kind: Any = None,  # noqa: ANN401 (full or delta)
    published_at: str | None = None,
    base_url: str | None = None,
    confirm_vanished: int | None = None,
) -> dict[str, Any]:
    """Ingest one source end to end; returns the report's counts."""
    request = ingest_report.Request(
        source_id=source_id,
        is_full_wanted=full,
        file=Path(file) if file else None,
        kind=kind,
        published_at=datetime.fromisoformat(published_at) if published_at else None,
        base_url=base_url,
        confirm_vanished=confirm_vanished,
    )
    with veil(), visiting() as visit:
        if unattended.is_overtaken(visit.house, "ingest", source_id):
            return {}
        report = unattended.when_free(
            lambda: ingest_run.run(visit.house, request, visit.tell, halves=(fetch, load))
        )
    create_table_artifact(
        key=f"ingest-{source_id}",
        table=[{"outcome": name, "records": count} for name, count in report.counts.items()],
        description=f"{report.status}: {report.reason}",
    )
    visit.report = report
    return report.counts
