"""`export`: a list with its notices leaves the house, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.segment import Countries, Days
from flows.cli.words import counted

if TYPE_CHECKING:
    from flows.cli.paper import Paper

_EXAMPLE = (
    "export --segment lapsed --channel post --purpose direct_marketing --recipient own --out lists"
)

Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="The list becomes a new folder in this one; not for a dry run."
    ),
]
Format = Annotated[str, typer.Option(metavar="NAME", help="Format of the rows: csv.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Judge every candidate, and write nothing.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog(_EXAMPLE))(export)


def export(  # noqa: PLR0917 (the contract sets the options)
    context: typer.Context,
    segment: Annotated[str, typer.Option(metavar="NAME", help="One of `segment list`.")],
    channel: Annotated[str, typer.Option(metavar="C", help="How they are approached: post.")],
    purpose: Annotated[str, typer.Option(metavar="P", help="A purpose of the configuration.")],
    recipient: Annotated[str, typer.Option(metavar="R", help="A recipient of the configuration.")],
    out: Out = None,
    days: Days = 60,
    countries: Countries = None,
    format: Format = "csv",  # noqa: A002 (the option's name)
    dry_run: DryRun = False,
) -> None:
    """Write a list in which every row carries its notice, and record what left, to whom.

    Every candidate of the segment is selected or excluded for one reason. Exit code 3: the list is
    written and nobody is on it.
    """
    if out is None and not dry_run:
        context.fail("say with --out where the list goes, or ask for a --dry-run")

    from flows import door
    from flows.cli.progress import progress
    from flows.export_steps import ExportRequest, exit_code

    call = call_of(context)
    request = ExportRequest(
        segment=segment,
        days=days,
        channel=channel,
        purpose=purpose,
        recipient=recipient,
        countries=tuple(countries or ()),
        format=format,
        out=out,
    )
    with call.ready_house() as house, progress(rows="writing rows with their notices") as tell:
        found = door.export(house, request, tell, dry_run=dry_run)
    call.answer(found, lambda page: _show(page, found, out), exit_code=exit_code(found))


def _show(page: Paper, manifest: dict[str, Any], out: Path | None) -> None:
    selected = f"{manifest['selected']:,} of {manifest['candidates']:,} candidates selected"
    is_written = manifest["export_id"] is not None
    page.title(selected if is_written else f"{selected} (dry run: nothing was written)")
    if manifest["configuration"]:
        page.warn("EXAMPLE configuration: nobody's counsel has accepted anything here.")
    if out is not None and is_written:
        page.facts([("list", out / str(manifest["export_id"])), ("id", manifest["export_id"])])
    _show_rechecks(page, manifest)
    if manifest["excluded"]:
        page.heading("Excluded, each for one reason")
        page.table(
            ("reason", "candidates"),
            [
                (reason.replace("_", " "), f"{count:,}")
                for reason, count in sorted(
                    manifest["excluded"].items(), key=lambda item: -int(item[1])
                )
            ],
            numbers=("candidates",),
        )


def _show_rechecks(page: Paper, manifest: dict[str, Any]) -> None:
    """Write which registers were asked again whether companies are protected, and how that went."""
    for asked in manifest["protection_recheck"]:
        companies = counted(asked["to_ask"], "company", "companies")
        said = f"{asked['source_id']}: of {companies} it said too long ago that no marketing"
        said += " protection is set"
        if manifest["export_id"] is None:
            page.say(f"{said}: the export will ask it again, and leave out whom it must.")
            continue
        page.say(f"{said}. Asked again: it answered on {asked['answered']:,}.")
        if asked["error"]:
            error = asked["error"]
            page.warn(
                f"It did not answer on the others, and they stay at home as protection unknown: "
                f"{error['thing']}: {error['cause']}. {error['cure']}.",
                indent=2,
            )
