"""One flow in a process of its own that is killed: at a place, at its n-th statement, or by us.

The processes are forked from a server that has imported everything once, so that a trial costs a
tenth of a second. SIGKILL leaves no Python of theirs running: no `finally`, no exit handler.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import sqlalchemy as sa
from ingesting import plain_judge, quiet, settings_of

from flows import export_steps, ingest_run, ingest_steps, ledger, lifecycle
from flows.house import Clock, House
from flows.ingest_report import Request
from sources.kit.errors import Busy
from sources.kit.policy import SourceSettings
from warehouse import load, merge
from warehouse.privacy import deletion, erased_bytes, retention

Flow = Literal["ingest", "deactivate", "delete", "export"]

PRELOADED = ("dying", "psycopg", "adbc_driver_sqlite.dbapi", "alembic.command")
ANY_LENGTH = {"gleif": SourceSettings(min_ratio=0.0, max_ratio=100.0)}
BATCH = 4
"""Companies a transaction of `delete` takes in trials; enough for several batches of few."""
_PATIENCE = 150.0


@dataclass(frozen=True)
class Job:
    """One flow over one warehouse; `home` is the folder its keys and landing are in.

    `file` is what an ingest loads, of its name's kind and date; `out` is where a list goes.
    """

    flow: Flow
    url: str
    home: Path
    now: datetime
    file: Path | None = None
    out: Path | None = None
    segment: str = "all"

    def run(self, tell: Any = quiet) -> Any:
        """Do it here and now; the suite's seven seconds of import are left out."""
        house = House(settings_of(self.url, self.home, sources=ANY_LENGTH), Clock(self.now))
        try:
            with (
                mock.patch.object(ingest_steps, "judge", plain_judge),
                mock.patch.object(deletion, "BATCH", BATCH),
            ):
                return self._run(house, tell)
        finally:
            house.close()

    def run_when_free(self) -> Any:
        """Do it once a dead process's lock is gone; the server may take a moment to notice."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self.run()
            except Busy:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def _run(self, house: House, tell: Any) -> Any:
        if self.flow == "ingest":
            return ingest_run.run(house, Request("gleif", file=self.file), tell)
        if self.flow == "deactivate":
            return lifecycle.deactivate(house)
        if self.flow == "delete":
            return lifecycle.delete(house, confirm=True, tell=tell)
        request = export_steps.ExportRequest(
            segment=self.segment,
            channel="post",
            purpose="direct_marketing",
            recipient="own",
            out=self.out,
        )
        return export_steps.run(house, request, tell)


def die() -> None:
    """End this process as the kernel would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _wait(job: Job) -> None:
    """Say that the place is reached, and stay there until it is said to go on."""
    there = _there(job)
    there.touch()
    until = time.monotonic() + _PATIENCE
    while there.exists() and time.monotonic() < until:
        time.sleep(0.01)


def _after(target: Any, name: str) -> Any:
    original = getattr(target, name)

    def dies_after(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        die()
        return result

    return mock.patch.object(target, name, dies_after)


def _before(target: Any, name: str) -> Any:
    original = getattr(target, name)

    def dies_before(*arguments: Any, **named: Any) -> Any:
        die()
        return original(*arguments, **named)

    return mock.patch.object(target, name, dies_before)


PLACES: dict[str, Callable[[], Any]] = {
    "landed": lambda: _after(ingest_run, "plan_and_fetch"),
    "merged": lambda: _after(merge, "merge"),
    "loaded": lambda: _after(load.Loading, "commit"),
    "unledgered": lambda: _before(ledger.runs, "finish"),
    "cleaning": lambda: _before(erased_bytes, "clean_up_bytes"),
    "cleaned": lambda: _after(erased_bytes, "clean_up_bytes"),
    "planned": lambda: _after(retention, "plan_moves"),
    "moved": lambda: _after(retention, "apply_moves"),
}
"""Places that no stage is told of: the last moment before a commit, the first one after."""


@dataclass(frozen=True)
class Death:
    """Where a process ends: `place`, the `nth` time a `stage` is told, or its `nth` statement."""

    place: str = ""
    stage: str = ""
    nth: int = 1

    def __str__(self) -> str:
        """What a failing trial is named by."""
        return self.place or f"{self.stage or 'statement'} {self.nth}"


class _Fate:
    """Counts what the process does, and ends it when its time has come."""

    def __init__(self, death: Death | None) -> None:
        self.death = death or Death(nth=0)
        self.statements = self.told = 0

    def tell(self, stage: str, _done: int, _total: int | None) -> None:
        if stage == self.death.stage:
            self.told += 1
            if self.told == self.death.nth:
                die()

    def statement(self, *_: Any) -> None:
        self.statements += 1
        is_by_number = not (self.death.stage or self.death.place)
        if is_by_number and self.statements == self.death.nth:
            die()


def _work(job: Job, death: Death | None, *, may_fail: bool = False, waits: bool = False) -> None:
    """What the process does; never returns when it dies."""
    if waits:
        globals()["die"] = partial(_wait, job)
    os.environ["TMPDIR"] = str(job.home)
    tempfile.tempdir = None
    if may_fail:  # as it is meant to: what libraries say of it would only worry the reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    fate = _Fate(death)
    sa.event.listen(sa.Engine, "before_cursor_execute", fate.statement)
    try:
        with PLACES[fate.death.place]() if fate.death.place else nullcontext():
            job.run(fate.tell)
    except Exception:
        if not may_fail:
            raise
        os._exit(1)
    _count_of(job).write_text(str(fate.statements))


_FORKS = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Start the server that processes are forked from, if it is not there yet."""
    _FORKS.set_forkserver_preload(list(PRELOADED))
    # Before 3.12 the server does not hear of sys.path until it forks.
    with mock.patch.dict(os.environ, {"PYTHONPATH": os.pathsep.join(sys.path)}):
        forkserver.ensure_running()


def killed(job: Job, death: Death) -> bool:
    """Run the job until its death; False when it came to its end before."""
    return _ended(_started(job, death)) == -signal.SIGKILL


def killed_after(job: Job, seconds: float) -> bool:
    """Run the job and kill it from outside; False when it was done before."""
    process = _started(job, None)
    process.join(seconds)
    process.kill()
    return _ended(process) == -signal.SIGKILL


def beside(job: Job, work: Callable[[], None], seconds: float) -> None:
    """Run the job, and after that many seconds `work` beside it; the job may fail of it."""
    process = _started(job, None, may_fail=True)
    process.join(seconds)
    try:
        work()
    finally:
        _ended(process)


def held(job: Job, death: Death, work: Callable[[], None]) -> bool:
    """Run the job to that place, then `work` while it waits there, then the job to whatever end.

    False when it came to its end before.
    """
    process = _started(job, death, may_fail=True, waits=True)
    there = _there(job)
    try:
        while process.is_alive() and not there.exists():
            process.join(0.01)
        is_there = there.exists()
        if is_there:
            work()
    finally:
        there.unlink(missing_ok=True)
        _ended(process)
    return is_there


def undisturbed(job: Job) -> tuple[int, float]:
    """Run the job to its end in a process of its own: statements and seconds it took."""
    started = time.monotonic()
    code = _ended(_started(job, None))
    if code:
        message = f"{job.flow} failed undisturbed ({code})"
        raise RuntimeError(message)
    return int(_count_of(job).read_text()), time.monotonic() - started


def _count_of(job: Job) -> Path:
    return job.home.with_suffix(".statements")


def _there(job: Job) -> Path:
    return job.home.with_suffix(".there")


def _started(job: Job, death: Death | None, *, may_fail: bool = False, waits: bool = False) -> Any:
    warm_up()
    process = _FORKS.Process(
        target=_work, args=(job, death), kwargs={"may_fail": may_fail, "waits": waits}, daemon=True
    )
    process.start()
    return process


def _ended(process: Any) -> int:
    process.join(_PATIENCE)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    process.close()
    if code is None:
        message = "a process hung"
        raise RuntimeError(message)
    return int(code)


def at(job: Job, **changes: Any) -> Job:
    """The job with some of it changed."""
    return replace(job, **changes)
