"""`up`: the standing service: Prefect's server, the schedule, and the portal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.words import listed, when

if TYPE_CHECKING:
    from flows.cli.call import Call
    from flows.cli.paper import Paper


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("up --port 4200 --portal-port 8321"))(up)


def up(
    context: typer.Context,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Prefect's port on 127.0.0.1; 0 takes a free one."),
    ] = 4200,
    portal_port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="The portal's port on 127.0.0.1; 0 takes a free one."),
    ] = 8321,
) -> None:
    """Keep everything current: Prefect's server, the schedule, and the portal, until stopped.

    What the schedule missed is made up for once. It ends whole, with every process it started, on
    Ctrl-C or SIGTERM; only one runs on a state folder.
    """
    from flows import schedule_steps, up_service
    from warehouse.engine import reading

    call = call_of(context)
    with call.ready_house() as house:
        with reading(house.engine) as connection:
            lines = schedule_steps.positions(house, connection)
        house.close()
        up_service.serve(
            house,
            call.options.config,
            up_service.Ports(port, portal_port),
            tell=lambda found: _tell(call, {**found, "schedule": lines}),
        )


def _tell(call: Call, found: dict[str, Any]) -> None:
    """Say where everything is: at once, because the command goes on."""
    call.answer(found, lambda page: _show(page, found))
    if call.options.is_json:
        call.publish()
    sys.stdout.flush()


def _show(page: Paper, found: dict[str, Any]) -> None:
    page.title("sourcenote is up")
    page.facts(
        [
            ("Prefect", found["prefect_ui"]),
            ("portal", found["portal"]),
            ("state folder", found["home"]),
            ("commands through it", f"PREFECT_API_URL={found['prefect_api']}"),
        ]
    )
    page.heading("Schedule (UTC)")
    page.table(
        ("line", "cron", "next due", "last run"),
        [
            (line["name"], line["cron"], when(line["next_due_at"]), when(line["last_run_at"], "-"))
            for line in found["schedule"]
        ],
    )
    if found["caught_up"]:
        page.say(f"Missed, and made up for now: {listed(found['caught_up'])}.")
    page.say("Ctrl-C stops it.")
