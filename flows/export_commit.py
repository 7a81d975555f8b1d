"""A list from its files to the commit that makes it one, and to the place where it is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flows import export_files as files
from flows.export_job import notice_maker
from flows.export_manifest import Manifest, completed, counts, manifest_of
from flows.export_rows import ListWriter
from sources.kit.errors import Refused
from warehouse import exporting
from warehouse.engine import reading, writing
from warehouse.export_stops import hold_still, stopped_by_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flows.export_files import ListFolder
    from flows.export_job import Job, Judged
    from flows.house import House

    Tell = Callable[[str, int, int | None], None]

_ID_BYTES = 6


def write_list(house: House, job: Job, judged: Judged, run_id: int, tell: Tell) -> Manifest:
    """Write, check again, commit and place the list; returns its manifest with `directory`.

    Until the commit nothing is visible and any failure leaves nothing; after it the list is placed
    now or, when this process dies, by the next run.
    """
    out = _out(job)
    export_id = f"{job.now:%Y%m%d}-{house.random(_ID_BYTES).hex()}"
    folder = files.begin(out, export_id, notes(house))
    try:
        with files.as_refusal(out):
            writer = ListWriter(house, job, notice_maker(house, job), folder)
            writer.write(judged.company_ids, tell)
            judged.departures.drop("incomplete_notice", writer.incomplete)
            tell("files", len(writer.rows), len(writer.rows))
            manifest = _commit(writer, judged, run_id)
    except BaseException:
        undo(house, folder)
        raise
    tell("committed", manifest["selected"], manifest["selected"])
    place(house, folder)
    tell("published", manifest["selected"], manifest["selected"])
    return {**manifest, "directory": str(folder.target)}


def notes(house: House) -> Path:
    """Where this warehouse's lists being written are noted."""
    return files.notes_folder(house.settings.home, house.settings.warehouse.url)


def place(house: House, folder: ListFolder) -> None:
    """Put a committed list where it belongs; `Refused` when it cannot be, and it stays safe."""
    try:
        folder.place()
    except OSError as error:
        raise Refused(
            f"export {folder.export_id}",
            f"it is recorded, but its folder cannot be placed ({error.strerror})",
            f"Make {folder.target.parent} writable; the next export places it",
        ) from error
    with writing(house.engine) as connection:
        exporting.mark_published(connection, folder.export_id)


def undo(house: House, folder: ListFolder) -> None:
    """Take a list's files away unless it was committed: a lost answer to a commit is no failure."""
    with reading(house.engine) as connection:
        state = exporting.state_of(connection, folder.export_id)
    if state is None:
        folder.discard()


def _out(job: Job) -> Path:
    if job.request.out is None:
        raise Refused("--out", "no folder is named", "Name the folder the list is placed in")
    return job.request.out


def _commit(writer: ListWriter, judged: Judged, run_id: int) -> Manifest:
    """Record the list and check the stops once more, in one transaction.

    What takes long comes before the stops are held still, so that a stop hardly waits.
    """
    keys, heading = writer.house.keys, _heading(writer, run_id)
    with writing(writer.house.engine) as connection:
        exporting.write_rows(connection, keys, heading, writer.rows, writer.notices())
        hold_still(connection)
        ids = [row.company_id for row in writer.rows]
        late = stopped_by_now(connection, keys, ids, [row.lei for row in writer.rows])
        dropped = writer.drop(late)
        judged.departures.drop("suppressed", len(dropped))
        exporting.take_back(connection, heading.export_id, dropped)
        manifest = _finish_files(writer, judged)
        text = json.dumps(manifest, ensure_ascii=False, sort_keys=True)
        exporting.write_manifest(connection, heading.export_id, text)
        exporting.record_departure(connection, heading, counts(manifest), writer.job.now)
    return manifest


def _heading(writer: ListWriter, run_id: int) -> exporting.Heading:
    job = writer.job
    return exporting.Heading(
        export_id=writer.folder.export_id,
        directory=str(writer.folder.target),
        segment=job.request.segment,
        channel=job.request.channel,
        purpose=job.request.purpose,
        recipient=job.request.recipient,
        recipient_name=job.decided.recipient.name,
        policy_version=job.decided.policy.version,
        created_at=job.now,
        actor=job.actor,
        run_id=run_id,
    )


def _finish_files(writer: ListWriter, judged: Judged) -> Manifest:
    """Write what depends on the last check: the notices' wording and the manifest."""
    folder = writer.folder
    languages = [row.language for row in writer.rows]
    listed = [files.facts(folder.partial / files.ROWS, folder.partial, len(writer.rows))]
    for language in sorted(set(languages)):
        specimen = writer.maker.specimen(writer.specimens[language], folder.export_id)
        for ending, text in (("html", specimen.full_html), ("txt", specimen.full_text)):
            path = folder.partial / files.NOTICES / f"{language}.{ending}"
            with files.create(path) as stream:
                stream.write(text)
            listed.append(files.facts(path, folder.partial))
    basis = manifest_of(writer.house.settings, writer.job, judged, len(writer.rows))
    manifest = completed(basis, folder.export_id, languages, listed)
    with files.create(folder.partial / files.MANIFEST) as stream:
        stream.write(f"{json.dumps(manifest, ensure_ascii=False, indent=2)}\n")
    files.sync(folder)
    return manifest
