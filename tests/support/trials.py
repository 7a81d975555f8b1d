"""Trials of one kind: a prepared warehouse, copied; a flow that dies in it; what must hold then.

What must hold: after the death the previous state or the next one stands, nothing in between; the
next run ends in the state of a clean run, leaves no file of the dead one, and says in the ledger
that its process ended early. Each sentence that does not hold is a violation.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dying
import psycopg
import sqlalchemy as sa
from dying import Flow, Job
from ingesting import MOMENT, company, csv_bytes, lei, opened
from listing import norwegian
from private_postgres import PrivatePostgres
from standing import Standing, asked, files_of_runs, standing

from warehouse.engine import open_warehouse, reading
from warehouse.privacy.chain import first_break
from warehouse.schema import audit_event, deletion_log

FLOWS: tuple[Flow, ...] = ("ingest", "deactivate", "delete", "export")
SCENES = ("first load", "load", "delta", "deactivate", "delete", "export")
LATER = MOMENT + timedelta(days=1100)
"""When everything that has ended is due for deletion, the care-of line too."""
FIRST = "20261101-0800-gleif-goldencopy-lei2-golden-copy.csv"
SECOND = "20261102-0800-gleif-goldencopy-lei2-golden-copy.csv"
DELTA = "20261102-0800-gleif-goldencopy-lei2-last-day.csv"


def first_rows(many: int) -> list[dict[str, str]]:
    """Companies of every kind: ended ones, a sole trader, a care-of line, two bad rows."""
    rows = [norwegian(n) for n in range(1, many)]
    rows += [company(n, lei_status="RETIRED") for n in range(many, many + many // 2)]
    rows += [
        company(9001, legal_name="Zacharias Plantwell", entity_category="SOLE_PROPRIETOR"),
        norwegian(9002, headquarters_mail_routing="c/o Ottilie Kvistgren"),
        company(9003, lei_status="WHAT"),
        company(9004, source_key=lei(9004).lower()),
    ]
    return rows


def second_rows(many: int) -> list[dict[str, str]]:
    """A third of them renamed, one gone, the care-of line changed, a half as many again new."""
    rows = [
        {**row, "Entity.LegalName": row["Entity.LegalName"] + " II"} if n % 3 == 0 else row
        for n, row in enumerate(first_rows(many))
        if n != 1
    ]
    rows = [row for row in rows if row["LEI"] != lei(9002)]
    rows.append(norwegian(9002, headquarters_mail_routing="c/o Roderik Nyplant"))
    return [*rows, *(company(n) for n in range(20_000, 20_000 + many // 2))]


def delta_rows(many: int) -> list[dict[str, str]]:
    """What the second delivery says otherwise than the first, a few rows beside that unchanged."""
    first = {row["LEI"]: row for row in first_rows(many)}
    second = second_rows(many)
    return [row for row in second if first.get(row["LEI"]) != row] + second[3:6]


@dataclass(frozen=True)
class Databases:
    """Where prepared warehouses and their copies are: files in a folder, or on a server."""

    folder: Path
    server: PrivatePostgres | None = None

    @property
    def name(self) -> str:
        """The kind of database."""
        return "PostgreSQL" if self.server else "SQLite"

    def url(self, home: Path) -> str:
        """The warehouse of that home: a file in it, or the database of its name."""
        return self.server.url(home.name) if self.server else f"sqlite:///{home / 'warehouse.db'}"

    def make(self, name: str) -> Path:
        """A home with an empty database and nothing else."""
        home = self.folder / name
        home.mkdir()
        if self.server:
            self._on_server(f'CREATE DATABASE "{name}"')
        return home

    def copy(self, template: Path, name: str) -> Path:
        """A copy of a home and its database; nobody may be connected to the template."""
        home = self.folder / name
        shutil.copytree(template, home)
        if self.server:
            self._on_server(f'CREATE DATABASE "{name}" TEMPLATE "{template.name}"')
        return home

    def drop(self, home: Path) -> None:
        """Take a home and its database away."""
        if self.server:
            self._on_server(f'DROP DATABASE IF EXISTS "{home.name}" WITH (FORCE)')
        shutil.rmtree(home)
        home.with_suffix(".statements").unlink(missing_ok=True)

    def _on_server(self, statement: str) -> None:
        assert self.server
        url = self.server.url("postgres").replace("+psycopg", "")
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute(statement)


class Scene:
    """One prepared warehouse, the flow that dies in copies of it, and how it ends undisturbed."""

    def __init__(self, databases: Databases, name: str, many: int = 9) -> None:
        self.databases, self.name = databases, name
        self._copies = 0
        self._template = databases.make(f"scene_{SCENES.index(name)}")
        self._job = _prepared(databases, self._template, name, many)
        self.before = standing(self._job.url)
        self._runs_before = len(_ends_of_runs(self._job.url))
        clean = self.copy()
        self.statements, self.seconds = dying.undisturbed(clean)
        self.after = standing(clean.url)
        self._selected = _selected(clean)
        self._values = company_values(clean.url)
        self.drop(clean)
        assert self.before != self.after, f"{name} does nothing"

    def copy(self) -> Job:
        """The job over a fresh copy; `drop` it."""
        self._copies += 1
        name = f"copy_{SCENES.index(self.name)}_{self._copies}"
        home = self.databases.copy(self._template, name)
        file = home / self._job.file.name if self._job.file else None
        out = home / "out" if self._job.out else None
        return dying.at(self._job, home=home, url=self.databases.url(home), file=file, out=out)

    def drop(self, job: Job) -> None:
        """Take the copy away."""
        self.databases.drop(job.home)

    def clean_values(self) -> dict[str, Any]:
        """What analysts see of each company after a clean run."""
        return self._values

    def close(self) -> None:
        """Take the prepared warehouse away."""
        self.databases.drop(self._template)

    def trial(self, kill: Callable[[Job], bool]) -> tuple[bool, list[str]]:
        """Kill the job in a copy, look, run it again, look; (whether it died, violations)."""
        job = self.copy()
        try:
            died = kill(job)
            found = self.after_death(job)
            job.run_when_free()
            return died, [*found, *self.after_rerun(job)]
        finally:
            self.drop(job)

    def disturbed(self, disturb: Callable[[Job], bool]) -> tuple[bool, list[str]]:
        """Run the job in a copy, disturbed, look, run it again, look; (was it, violations)."""
        job = self.copy()
        try:
            was_disturbed = disturb(job)
            found = self.after_death(job)
            job.run_when_free()
            return was_disturbed, [*found, *self.after_rerun(job, was_killed=False)]
        finally:
            self.drop(job)

    def after_death(self, job: Job) -> list[str]:
        """What is wrong before anything was repaired."""
        found = unsound(job.url)
        if self.name == "export":
            return [*found, *half_lists(job)]
        held = standing(job.url)
        if self.name != "delete" and held != self.before and self._unlike_clean(held):
            found.append(f"neither the previous state nor the next one: {told_apart(held, self)}")
        if self.name == "delete":
            found += half_deleted(job, self.before)
        return found

    def after_rerun(self, job: Job, *, was_killed: bool = True) -> list[str]:
        """What is wrong once the next run has ended; an error ends its run in other words."""
        found = unsound(job.url)
        found += [f"left behind: {name}" for name in files_of_runs(job.home)]
        if self.name == "export":
            found += half_lists(job)
            if _selected(job) != self._selected:
                found.append("companies are in no list, or in two")
        elif differing := self._unlike_clean(standing(job.url)):
            found.append(f"not the clean state: {differing}")
        ends = _ends_of_runs(job.url)[self._runs_before :]
        if ends not in _ENDS if was_killed else ends[-1] != "done" or "running" in ends:
            found.append(f"the ledger says {ends}")
        return found

    def _unlike_clean(self, held: Standing) -> list[str]:
        """Tables that are not as after a clean run; each `deactivate` that ended is audited."""
        names = set(held) - ({"audit_event"} if self.name == "deactivate" else set())
        return sorted(name for name in names if held[name] != self.after[name])


_ENDS = (["interrupted", "done"], ["done", "done"], ["done"])
"""Of the dead run and the next: it died in between, after it was done, or before it began."""


def _ends_of_runs(url: str) -> list[str]:
    return [row["state"] for row in asked(url, "SELECT state FROM run ORDER BY run_id")]


def _prepared(databases: Databases, home: Path, name: str, many: int) -> Job:
    """Bring the template to where the scene begins."""
    url = databases.url(home)
    (home / FIRST).write_bytes(csv_bytes(first_rows(many)))
    (home / SECOND).write_bytes(csv_bytes(second_rows(many)))
    (home / DELTA).write_bytes(csv_bytes(delta_rows(many)))
    with opened(url, home, sources=dying.ANY_LENGTH) as held:
        if name != "first load":
            held.ingest((home / FIRST).read_bytes(), "full", "2026-11-01")
        if name == "delete":
            held.deactivate()
            held.at(LATER).deactivate()
    jobs = {
        "first load": Job("ingest", url, home, MOMENT, file=home / FIRST),
        "load": Job("ingest", url, home, MOMENT, file=home / SECOND),
        "delta": Job("ingest", url, home, MOMENT, file=home / DELTA),
        "deactivate": Job("deactivate", url, home, LATER),
        "delete": Job("delete", url, home, LATER),
        "export": Job("export", url, home, MOMENT, out=home / "out", segment="lapsed"),
    }
    return jobs[name]


def unsound(url: str) -> list[str]:
    """Pages, foreign keys and chains that are broken, and deliveries that do not add up."""
    found = []
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            if engine.dialect.name == "sqlite":
                for pragma in ("integrity_check", "foreign_key_check"):
                    said = connection.execute(sa.text(f"PRAGMA {pragma}")).all()
                    found += [f"{pragma}: {row}" for row in said if row[0] != "ok"]
            for table in (audit_event, deletion_log):
                broken = first_break(connection, table)
                found += [] if broken is None else [f"{table.name} breaks at {broken}"]
    finally:
        engine.dispose()
    query = """SELECT lei FROM prospects p WHERE NOT EXISTS
        (SELECT 1 FROM origins o WHERE o.company_id = p.company_id AND o.field = 'legal_name')
        AND legal_name IS NOT NULL"""
    return found + [f"without origin: {row['lei']}" for row in asked(url, query)]


def company_values(url: str) -> dict[str, Any]:
    """What analysts see of each company, by its LEI."""
    query = """SELECT lei, legal_name, country, region, city, postal_code, registration_number,
        entity_status, lei_status, next_renewal_date, is_natural_person FROM prospects"""
    return {row["lei"]: row for row in asked(url, query)}


def told_apart(held: Standing, scene: Scene) -> list[str]:
    """Names of tables that are neither as before nor as after."""
    return [name for name in held if held[name] not in (scene.before[name], scene.after[name])]


def half_deleted(job: Job, before: Standing) -> list[str]:
    """Companies of which something is gone and something is left."""
    del before
    query = """SELECT r.record_id FROM record r LEFT JOIN company_record l
        ON l.record_id = r.record_id LEFT JOIN company c ON c.company_id = l.company_id
        WHERE c.company_id IS NULL"""
    return [f"half a company: record {row['record_id']}" for row in asked(job.url, query)]


def visible(job: Job) -> list[Path]:
    """Folders that someone who looks for a list would find."""
    if job.out is None or not job.out.exists():
        return []
    return sorted(path for path in job.out.iterdir() if not path.name.startswith("."))


def half_lists(job: Job) -> list[str]:
    """Lists that are seen and not whole, or not in the warehouse, or the other way round."""
    found = []
    query = "SELECT export_id, state, directory, manifest FROM export"
    recorded = {row["export_id"]: row for row in asked(job.url, query)}
    for folder in visible(job):
        if folder.name not in recorded:
            found.append("a list that the warehouse does not know")
        else:
            found += _unlike(folder, json.loads(recorded[folder.name]["manifest"]))
    seen = {folder.name for folder in visible(job)}
    for export_id, row in recorded.items():
        if row["state"] == "published" and export_id not in seen:
            found.append("a published list that is nowhere")
    counted = """SELECT e.export_id, (SELECT count(*) FROM disclosure d
        WHERE d.export_id = e.export_id) AS told, (SELECT count(*) FROM letter l
        WHERE l.export_id = e.export_id) AS sent FROM export e"""
    for row in asked(job.url, counted):
        selected = json.loads(recorded[row["export_id"]]["manifest"])["selected"]
        if {row["told"], row["sent"]} != {selected}:
            found.append("disclosures or links that are not the list's")
    return found


def _unlike(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Files that are not what the warehouse's manifest says they are."""
    found = []
    with suppress(OSError):
        if json.loads((folder / "manifest.json").read_text("utf-8")) == manifest:
            for file in manifest["files"]:
                content = (folder / file["name"]).read_bytes()
                if hashlib.sha256(content).hexdigest() != file["sha256"]:
                    found.append(f"{file['name']} is not what the manifest says")
            return found
    return ["a manifest that is not the one recorded, or not all of its files"]


def _selected(job: Job) -> list[int]:
    """Companies that were told to have left, once for each list they were in."""
    found = asked(job.url, "SELECT company_id FROM disclosure ORDER BY company_id")
    return [row["company_id"] for row in found]
