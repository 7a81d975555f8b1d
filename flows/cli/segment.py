"""`segment`: which companies a list could start from, and how many there are."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.call import call_of, epilog
from flows.cli.words import counted

group = typer.Typer(
    help="Groups of companies a list starts from.",
    epilog=epilog("segment count renewal-due --days 30"),
    invoke_without_command=True,
)

Days = Annotated[
    int, typer.Option(metavar="N", min=0, help="For renewal-due: how many days to look ahead.")
]
Countries = Annotated[
    list[str] | None,
    typer.Option("--country", metavar="CC", help="Country of the legal address; may be repeated."),
]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="segment")


@group.callback()
def _bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_segments(context)


@group.command("list", epilog=epilog("segment list"))
def list_segments(context: typer.Context) -> None:
    """List the segments, and what those that cannot be made yet are waiting for."""
    from warehouse.segments import listing

    found = listing()
    rows = [
        (one["name"], one["meaning"], f"with {one['comes_with']}" if one["comes_with"] else "now")
        for one in found
    ]
    call_of(context).answer(
        {"segments": found}, lambda page: page.table(("segment", "companies", "available"), rows)
    )


@group.command(epilog=epilog("segment count renewal-due --days 30 --country DK"))
def count(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of `segment list`.")],
    days: Days = 60,
    countries: Countries = None,
) -> None:
    """Count a segment's candidates, before any gate of an export."""
    from warehouse import segments

    call = call_of(context)
    with call.ready_house() as house:
        today = house.now().date()
        chosen = segments.select(name, today, days=days, countries=tuple(countries or ()))
        found = segments.count(house.engine, chosen)
    document = {
        "segment": name,
        "as_of": today,
        **chosen.filter(),
        "candidates": found.candidates,
        "held": found.held,
        "stopped_on_arrival": found.dropped,
    }

    def said() -> str:
        dropped = f", {found.dropped:,} of them stopped and not held" if found.dropped else ""
        candidates = counted(found.candidates, "candidate")
        return f"{candidates}{dropped}. An export accounts for each: selected, or why not."

    call.answer(document, lambda page: page.say(said()))
