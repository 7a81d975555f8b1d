"""A register's ingest in a process of its own that is killed, and what must hold afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import dying
from dying import Job
from ingesting import plain_judge, quiet, settings_of
from national import NOW, REGISTERS
from pydantic import SecretStr
from standing import Standing, asked, files_of_runs, standing
from trials import unsound

from flows import ingest_run, ingest_steps
from flows.house import Clock, House
from flows.ingest_report import Request
from sources.kit.policy import SourceSettings
from sources.kit.standin_registers import API_KEY

OWN = {name: SourceSettings(max_vanished=10_000, rate=1000) for name in REGISTERS}


@dataclass(frozen=True)
class RegisterJob(Job):
    """One ingest of a register from a stand-in that is served by the test."""

    source_id: str = ""
    base_url: str = ""

    def run(self, tell: Any = quiet) -> Any:
        """Do it here and now; the suite's seven seconds of import are left out."""
        keys = {"cvr": SecretStr(API_KEY)}
        settings = settings_of(self.url, self.home, sources=OWN, api_keys=keys)
        house = House(settings, Clock(self.now))
        try:
            with mock.patch.object(ingest_steps, "judge", plain_judge):
                return ingest_run.run(house, Request(self.source_id, base_url=self.base_url), tell)
        finally:
            house.close()


@dataclass
class RegisterTrials:
    """A prepared house, copied for each trial; what clean runs make of it is the measure.

    A run after a file reads on in the change feed, so the end is where two runs lead.
    """

    template: Path
    folder: Path
    job: RegisterJob
    copies: int = 0

    def __post_init__(self) -> None:
        clean = self.copy()
        before = standing(clean.url)
        _, self.seconds = dying.undisturbed(clean)
        self.steps = [before, standing(clean.url)]
        clean.run()
        self.after = standing(clean.url)
        self.steps.append(self.after)
        self.landed = _landed(clean.home)
        assert before != self.after

    def copy(self) -> RegisterJob:
        """The job over a fresh copy."""
        self.copies += 1
        home = self.folder / f"{self.template.name}_{self.job.source_id}_{self.copies}"
        shutil.copytree(self.template, home)
        return replace(self.job, home=home, url=f"sqlite:///{home / 'warehouse.db'}")

    def trial(self, kill: Callable[[Job], bool]) -> tuple[bool, list[str]]:
        """Kill the job in a copy, look, run it again, look; (whether it died, violations)."""
        job = self.copy()
        died = kill(job)
        found = unsound(job.url)
        held = standing(job.url)
        if not any(_told(held) == _told(step) for step in self.steps):
            found.append("neither the previous state nor the next one")
        job.run_when_free()
        found += unsound(job.url)
        job.run()
        ended = standing(job.url)
        found += [
            f"not the clean state: {name}" for name in ended if ended[name] != self.after[name]
        ]
        found += [f"left behind: {name}" for name in files_of_runs(job.home)]
        found += [f"received, and kept: {name}" for name in _landed(job.home) - self.landed]
        ends = [row["state"] for row in asked(job.url, "SELECT state FROM run ORDER BY run_id")]
        found += [] if ends[-1] == "done" and "running" not in ends else [f"the ledger says {ends}"]
        shutil.rmtree(job.home)
        return died, found


def _told(held: Standing) -> Standing:
    """Without the audit trail: that bytes were cleaned is told after the commit."""
    return {name: rows for name, rows in held.items() if name != "audit_event"}


def _landed(home: Path) -> set[str]:
    return {path.name for path in (home / "landing").rglob("*") if path.is_file()}


def job_of(source_id: str, base_url: str) -> RegisterJob:
    """The ingest of that register, not yet over any home."""
    return RegisterJob("ingest", "", Path(), NOW, source_id=source_id, base_url=base_url)
