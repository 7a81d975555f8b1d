"""`portal`: the signed link's page, served on this machine."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.call import call_of, epilog

if TYPE_CHECKING:
    from flows.cli.call import Call


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("portal --port 8321"))(portal)


def portal(
    context: typer.Context,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one."),
    ] = 8321,
) -> None:
    """Serve the page behind the signed links, on 127.0.0.1, until it is interrupted.

    Looking at a letter's link changes nothing; its one button puts the company on the
    do-not-contact list. A proxy with TLS belongs before it.
    """
    from flows.suppress_steps import link_keys
    from portal.app import make_app
    from portal.serve import serve

    call = call_of(context)
    with call.ready_house() as house:
        app = make_app(house.engine, link_keys(house.keys), house.now, house.settings.controller)
        with contextlib.suppress(KeyboardInterrupt):  # the one way to end it
            serve(app, port, tell=lambda address: _tell(call, address))


def _tell(call: Call, address: str) -> None:
    """Say where it answers: at once, because the command goes on."""
    call.answer({"address": address}, lambda page: page.say(f"The portal answers at {address}"))
    if call.options.is_json:
        call.publish()
    sys.stdout.flush()
