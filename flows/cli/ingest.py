"""`ingest`: one source's newest publication, or a file of it, into the warehouse."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flows.cli.call import DONE, REFUSED, WITH_EXCLUSIONS, call_of, epilog
from flows.cli.reading import moment_option

if TYPE_CHECKING:
    from flows.house import House
    from flows.ingest_report import Request

ALL = "all"

Full = Annotated[
    bool, typer.Option("--full", help="Fetch the full file even when it is held already.")
]
File = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Load this .zip, .csv or .csv.gz instead of fetching."),
]
Kind = Annotated[
    Literal["full", "delta"] | None,
    typer.Option(help="What the file is, where its name does not say."),
]
PublishedAt = Annotated[
    datetime | None,
    typer.Option(
        metavar="ISO",
        parser=moment_option,
        help="When the file was published, where its name does not say.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Scheme, host and port to ask instead of the publisher."),
]
ConfirmVanished = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Let exactly so many records vanish, where a refusal named that number.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be fetched, and load nothing.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("ingest gleif"))(ingest)


def ingest(  # noqa: PLR0917 (the contract sets the options)
    context: typer.Context,
    source_id: Annotated[
        str, typer.Argument(metavar="ID", help="A source of `sources list`, or all.")
    ],
    full: Full = False,
    file: File = None,
    kind: Kind = None,
    published_at: PublishedAt = None,
    base_url: BaseUrl = None,
    confirm_vanished: ConfirmVanished = None,
    dry_run: DryRun = False,
) -> None:
    """Fetch, check and load one source, or all of them.

    A delivery is loaded whole or not at all, and every row in it is counted once. Exit code 3: it
    is loaded, and rows were set aside that nobody has seen before.
    """
    from flows.ingest_report import Request

    _check_options(context, source_id, file, kind, published_at, confirm_vanished)
    call = call_of(context)
    with call.ready_house() as house:
        requests = [
            Request(one, full, file, kind, published_at, base_url, confirm_vanished)
            for one in _ids(source_id)
        ]
        if source_id != ALL:
            found = _one(house, requests[0], dry_run=dry_run)
            document: Any = found
            code = _exit_code(found)
        else:
            found_all = [_one_of_many(house, request, dry_run=dry_run) for request in requests]
            document = {"ingests": found_all}
            code = _worst([_exit_code(item) for item in found_all])

    from flows.cli.ingest_page import show

    call.answer(document, lambda page: show(page, document), exit_code=code)


def _check_options(
    context: typer.Context,
    source_id: str,
    file: Path | None,
    kind: str | None,
    published_at: datetime | None,
    confirm_vanished: int | None,
) -> None:
    if file is None and (kind or published_at):
        context.fail("--kind and --published-at say what a --file is: give one")
    if file is not None and source_id == ALL:
        context.fail("--file is one source's: name the source instead of all")
    if confirm_vanished is not None and source_id == ALL:
        context.fail("--confirm-vanished is one source's: name the source instead of all")


def _ids(source_id: str) -> list[str]:
    from flows.ingest_run import ids

    return ids(source_id)


def _one(house: House, request: Request, *, dry_run: bool) -> dict[str, Any]:
    """Ingest one source and add to its report what the warehouse says of the delivery."""
    from flows import door
    from flows.cli.progress import progress
    from flows.quarantine_steps import meaning_of
    from warehouse import read_sources
    from warehouse.engine import reading

    with progress() as tell:
        report = door.ingest(house, request, tell, dry_run=dry_run)
    found = report.as_json()
    found["quarantine_rules"] = {rule: meaning_of(rule) for rule in report.quarantined_by_rule}
    found["alarming"] = 0
    if report.delivery_id is not None:
        with reading(house.engine) as connection:
            found |= read_sources.where_from(connection, report.delivery_id)
            found["alarming"] = read_sources.alarming_in(connection, report.delivery_id)
    return found


def _one_of_many(house: House, request: Request, *, dry_run: bool) -> dict[str, Any]:
    """Ingest one source; a refusal is its answer, and the next source still has its turn."""
    from sources.kit.errors import SourcenoteError

    try:
        return _one(house, request, dry_run=dry_run)
    except SourcenoteError as error:
        said = {"thing": error.thing, "cause": error.cause, "cure": error.cure}
        return {"source_id": request.source_id, "status": "refused", "error": said}


def _exit_code(found: dict[str, Any]) -> int:
    if "error" in found:
        return REFUSED
    return WITH_EXCLUSIONS if found["alarming"] else DONE


def _worst(codes: list[int]) -> int:
    return next((code for code in (REFUSED, WITH_EXCLUSIONS) if code in codes), DONE)
