"""What a run nobody waits for does differently: it yields to a newer one, and waits its turn."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from flows.schedule_steps import lines_of
from sources.kit.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flows.house import House

Found = TypeVar("Found")

log = logging.getLogger("sourcenote")

WAIT_SECONDS = 5.0
ATTEMPTS = 1440
"""Two hours in all: a first load of everything takes minutes."""


def scheduled_for() -> datetime | None:
    """When the schedule meant this run to start; None for a run that somebody asked for."""
    from prefect.runtime import deployment, flow_run

    if deployment.id is None:
        return None
    found: datetime | None = flow_run.scheduled_start_time
    return found


def is_overtaken(house: House, flow: str, source_id: str | None = None) -> bool:
    """Whether the flow was due again since: of several runs that are late, only the last is made.

    Prefect makes up for every slot that passed while the machine slept, one after the other.
    """
    meant = scheduled_for()
    if meant is None:
        return False
    for line in lines_of(house):
        if (line.flow, line.source_id) == (flow, source_id):
            is_late = line.cron.due_before(house.now()) > meant
            if is_late:
                log.info("%s was due again since: left to the later run", line.name)
            return is_late
    return False


def when_free(work: Callable[[], Found]) -> Found:
    """Do it; a scheduled run waits while another run writes, a person is told `Busy` at once."""
    patience = 1 if scheduled_for() is None else ATTEMPTS
    for attempt in range(1, patience):
        try:
            return work()
        except Busy:
            if attempt == 1:
                log.info("another run is writing: waiting for it")
            time.sleep(WAIT_SECONDS)
    return work()
