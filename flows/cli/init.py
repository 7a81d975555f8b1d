"""`init`: the configuration, the key file and the warehouse's tables, written once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog

if TYPE_CHECKING:
    from flows.cli.paper import Paper
    from flows.init_files import InitFiles
    from flows.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("init --example"))(init)


def init(
    context: typer.Context,
    example: Annotated[
        bool,
        typer.Option("--example", help="A complete fictional configuration, to try things out."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a configuration that is there; never the key.")
    ] = False,
    named: Annotated[
        str,
        typer.Option(
            envvar="SOURCENOTE_CONFIG", hidden=True, help="Where to, when --config does not say."
        ),
    ] = "sourcenote.toml",
) -> None:
    """Write the configuration, the key file and the warehouse's tables.

    Running it again changes nothing. Without --example the owner's decisions are left open: loading
    works without them, and export names each that is missing.
    """
    from flows.house import House
    from flows.init_files import write_init_files
    from warehouse import migrate

    call = call_of(context)
    config = call.options.config or Path(named)
    settings = _as_it_will_be(config, call.options.warehouse_url, example=example, force=force)
    written = write_init_files(
        config, settings.secret_file, os.urandom, example=example, force=force
    )
    house = House(settings, call.clock)
    try:
        applied = migrate.upgrade(house.engine)
        warehouse = house.engine.url.render_as_string(hide_password=True)
    finally:
        house.close()
    document = {
        "config": {"path": written.config, "is_new": written.is_config_new},
        "key_file": {"path": written.secret_file, "is_new": written.is_key_new},
        "warehouse": {"url": warehouse, "is_upgraded": bool(applied), "schema": migrate.HEAD},
        "is_example": settings.is_example,
        "undecided": _undecided(settings, call.clock.now().date()),
    }
    call.answer(document, lambda page: _show(page, written, document))


def _as_it_will_be(
    config: Path, warehouse_url: str | None, *, example: bool, force: bool
) -> Settings:
    """Read the configuration there is, else the one about to be written."""
    from flows.init_files import config_text
    from flows.settings import load

    if config.exists() and not force:
        return load(config, warehouse_url=warehouse_url)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / config.name
        draft.write_text(config_text(example=example), encoding="utf-8")
        return load(draft, warehouse_url=warehouse_url)


def _undecided(settings: Settings, on: Any) -> list[str]:  # noqa: ANN401 (a date)
    """The owner's decisions that a postal export to ourselves would need and lacks."""
    from flows.settings import missing_decisions

    return missing_decisions(settings, "direct_marketing", "own", on)


def _show(page: Paper, written: InitFiles, document: dict[str, Any]) -> None:
    page.title("sourcenote is ready")
    page.facts(
        [
            (_verb(is_new=written.is_config_new), f"{written.config} (configuration)"),
            (_verb(is_new=written.is_key_new), f"{written.secret_file} (key, this user's only)"),
            (
                _verb(is_new=document["warehouse"]["is_upgraded"]),
                f"{document['warehouse']['url']} (tables)",
            ),
        ]
    )
    page.say("Back the key file up: without it the do-not-contact list is not recognised.")
    if document["undecided"]:
        page.heading("Decisions still open (loading works without them, export does not)")
        for line in document["undecided"]:
            page.say(line, indent=2)
    page.heading("What to do next")
    if document["is_example"]:
        page.say("This is the EXAMPLE configuration: lists made with it say so.", indent=2)
        page.say("sourcenote ingest gleif --file YOUR-FILE.csv.zip", indent=2)
    else:
        page.say("sourcenote ingest gleif", indent=2)
    page.say("sourcenote status", indent=2)


def _verb(*, is_new: bool) -> str:
    return "wrote" if is_new else "kept"
