"""Prefect's runner with our schedule: deployments, runs that were missed, and then the clock."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from concurrent.futures import wait
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from flows import schedule_steps
from flows.house import house
from flows.settings import load
from sources.kit.errors import SourceUnavailable

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State

    from flows.schedule import Line

TAG = "sourcenote"
"""What our deployments are known by, among any others of the server."""
CAUGHT_UP = "caught up"
"""Tag of a run that stands for all that was missed of its line."""
_SERVER_SECONDS = 120.0
_BETWEEN_LOOKS = 0.2
_SECONDS_TO_END = 10.0
_PAGE = 200
_UNFINISHED = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED)
_IN_PROGRESS = (StateType.PENDING, StateType.RUNNING, StateType.PAUSED)


class Serving:
    """The schedule being served: `prepare`, then `run` in a thread until `stop`.

    One ingest at a time, and beside it one flow of another kind: who waits for a publisher that is
    down keeps nothing from being deleted in time, and `delete` never comes before `deactivate`.
    """

    def __init__(self) -> None:
        self._ingests = Runner(name=f"{TAG}-ingests", pause_on_shutdown=False, limit=1)
        self._others = Runner(name=TAG, pause_on_shutdown=False, limit=1)
        self._loop = asyncio.new_event_loop()

    def prepare(self) -> dict[str, Any]:
        """Register every line and make up for what was missed; says which lines both are.

        What Prefect still had to run from before is taken back first: it would make up for every
        slot that passed, one by one.
        """
        with house(load(None)) as opened:
            lines = schedule_steps.lines_of(opened)
            missed = schedule_steps.missed(opened)
        with get_client(sync_client=True) as client:
            _await_server(client)
            _take_back(client)
            numbers = {line.name: _deploy(self._runner_of(line), line) for line in lines}
            _forget_others(client, set(numbers.values()))
            for line in missed:
                client.create_flow_run_from_deployment(
                    numbers[line.name], name=f"{line.name}, caught up", tags=[TAG, CAUGHT_UP]
                )
        return {
            "lines": [line.name for line in lines],
            "caught_up": [line.name for line in missed],
        }

    def run(self) -> None:
        """Start flows when they are due."""
        self._loop.run_until_complete(self._both("start"))

    def stop(self) -> None:
        """Start none any more, and end the one that runs: its transaction is rolled back."""
        asked = asyncio.run_coroutine_threadsafe(self._both("astop"), self._loop)
        wait([asked], _SECONDS_TO_END)  # Prefect tells the flow why before it ends it
        until = time.monotonic() + _SECONDS_TO_END
        while running := multiprocessing.active_children():
            for flow_run in running:
                # One that has just been started does not listen yet, so it is told again.
                (flow_run.terminate if time.monotonic() < until else flow_run.kill)()
            time.sleep(_BETWEEN_LOOKS)

    def _runner_of(self, line: Line) -> Runner:
        return self._ingests if line.flow == "ingest" else self._others

    async def _both(self, verb: str) -> None:
        await asyncio.gather(*(getattr(one, verb)() for one in (self._ingests, self._others)))


def _await_server(client: SyncPrefectClient) -> None:
    until = time.monotonic() + _SERVER_SECONDS
    while client.api_healthcheck() is not None:
        if time.monotonic() > until:
            raise SourceUnavailable(
                "Prefect server",
                f"it did not answer within {_SERVER_SECONDS:.0f} s",
                "Run it again; if it stays, look at the `prefect` folder in the state folder",
            )
        time.sleep(_BETWEEN_LOOKS)


def _take_back(client: SyncPrefectClient) -> None:
    """Take back what is overdue, and call what a dead process left running by its name."""
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_UNFINISHED)))
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    offset = 0
    found = []
    while page := client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=states),
        deployment_filter=ours,
        limit=_PAGE,
        offset=offset,
    ):
        found += page
        offset += _PAGE
    for left in found:
        if left.state_type in _IN_PROGRESS:
            died: State[None] = Crashed(message="its process ended early")
            client.set_flow_run_state(left.id, died, force=True)
        else:
            client.delete_flow_run(left.id)


def _deploy(runner: Runner, line: Line) -> UUID:
    """Register the line with the server; its flow is found by module, never by file."""
    flow = getattr(import_module(f"flows.{line.flow}"), line.flow)
    number: Any = runner.add_flow(
        flow,
        name=line.name,
        schedule=Cron(line.cron.text, timezone="UTC"),
        parameters=line.parameters,
        description=line.reason,
        tags=[TAG],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    found: UUID = number
    return found


def _forget_others(client: SyncPrefectClient, kept: set[UUID]) -> None:
    """Remove deployments of lines that are no more, or are switched off."""
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    for found in client.read_deployments(deployment_filter=ours, limit=_PAGE):
        if found.id not in kept:
            client.delete_deployment(found.id)
