"""A list leaves the house, as plain functions: select, judge, write, check again, commit, place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flows import export_files as files
from flows.export_commit import notes, place, write_list
from flows.export_job import job_of, judge
from flows.export_manifest import Manifest, counts, exit_code, manifest_of
from flows.export_recheck import ask_again, count
from flows.export_request import ExportRequest
from flows.ledger import ledger_run
from warehouse import exporting, migrate, runs
from warehouse.engine import reading, sole_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.house import House

    Tell = Callable[[str, int, int | None], None]

__all__ = ["ExportRequest", "Recovered", "exit_code", "recover", "run"]


@dataclass(frozen=True)
class Recovered:
    """A list whose run had died.

    It is `published` now, `discarded` (it was never committed), or `missing`: committed, and its
    folder is nowhere. Then its links work and its file is lost.
    """

    export_id: str
    outcome: Literal["published", "discarded", "missing"]


def run(house: House, request: ExportRequest, tell: Tell, *, dry_run: bool = False) -> Manifest:
    """Export one list and return its manifest with `directory`, the folder it is in.

    Whole or not at all, under the one-writer lock, as one run of the ledger. Registers that said
    too long ago that a company is not protected are asked first. `tell` hears of the stages
    protection, candidates, rows, files (nothing is recorded yet), committed (it is a list from
    here on) and published. A dry run counts what the gates would do and whom it would ask, and
    does neither ask nor write; its manifest says `dry_run`. Raises `Refused` with every decision
    that is missing, `Busy` beside another writer.
    """
    migrate.check(house.engine)
    if dry_run:
        return _preview(house, request, tell)
    with sole_writer(house.engine):
        _recover(house)
        with ledger_run(house, "export") as ledger:
            job = job_of(house, request, house.now(), runs.actor(house.engine))
            rechecks = ask_again(house, job, ledger.run_id, tell)
            judged = judge(house, job, tell)
            judged.rechecks = rechecks
            manifest = write_list(house, job, judged, ledger.run_id, tell)
            ledger.counts = counts(manifest)
    return manifest


def recover(house: House) -> list[Recovered]:
    """Finish what runs that died left: place committed lists, take the others' files away.

    Every export does this first; takes the one-writer lock.
    """
    migrate.check(house.engine)
    with sole_writer(house.engine):
        return _recover(house)


def _preview(house: House, request: ExportRequest, tell: Tell) -> Manifest:
    job = job_of(house, request, house.now(), runs.actor(house.engine))
    judged = judge(house, job, tell)
    judged.rechecks = count(house, job)
    manifest = manifest_of(house.settings, job, judged, len(judged.company_ids))
    return {"dry_run": True, "export_id": None, **manifest, "files": []}


def _recover(house: House) -> list[Recovered]:
    """The lock is held: no list of this warehouse is being written."""
    folder_of_notes = notes(house)
    with reading(house.engine) as connection:
        waiting = exporting.unplaced(connection)
        begun = [
            (folder, exporting.state_of(connection, folder.export_id))
            for folder in files.noted(folder_of_notes)
        ]
    found = []
    for folder, state in begun:
        if state is None:
            folder.discard()
            found.append(Recovered(folder.export_id, "discarded"))
        elif state == "published":
            folder.place()  # only its note was left
    for listed in waiting:
        folder = files.placed_at(listed.directory, folder_of_notes)
        if not (folder.partial.exists() or folder.target.exists()):
            found.append(Recovered(listed.export_id, "missing"))
            continue
        place(house, folder)
        found.append(Recovered(listed.export_id, "published"))
    return found
