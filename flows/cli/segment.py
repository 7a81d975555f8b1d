"""`segment`: which companies a list could start from, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.reading import AsOf
from flows.cli.words import counted, when

if TYPE_CHECKING:
    from datetime import datetime

    from warehouse.segments import Count

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
def list_segments(context: typer.Context, as_of: AsOf = None) -> None:
    """List the segments, and what those that cannot be made yet are waiting for.

    With --as-of, how many companies each of them had then.
    """
    from warehouse.segments import listing

    found = listing()
    if as_of is not None:
        _list_then(context, found, as_of)
        return
    rows = [
        (one["name"], one["meaning"], f"with {one['comes_with']}" if one["comes_with"] else "now")
        for one in found
    ]
    call_of(context).answer(
        {"segments": found}, lambda page: page.table(("segment", "companies", "available"), rows)
    )


def _list_then(context: typer.Context, found: list[dict[str, Any]], as_of: Any) -> None:  # noqa: ANN401 (a day or a moment)
    """List the segments with their counts at a moment that has been."""
    from flows.as_of import moment_of
    from flows.known_registers import registers
    from warehouse import segments

    call = call_of(context)
    with call.ready_house() as house:
        moment = moment_of(house, as_of)
        for one in found:
            one["candidates"] = None
            if one["comes_with"] is None:
                chosen = segments.select(
                    one["name"], moment.date(), registers=registers(), known_at=moment
                )
                one["candidates"] = segments.count(house.engine, chosen).candidates
    rows = [
        (
            one["name"],
            one["meaning"],
            "-" if one["candidates"] is None else f"{one['candidates']:,}",
        )
        for one in found
    ]
    columns = ("segment", "companies", f"held on {when(moment)}")
    call.answer(
        {"as_of": moment, "segments": found},
        lambda page: page.table(columns, rows, numbers=columns[2:]),
    )


@group.command(epilog=epilog("segment count renewal-due --days 30 --country DK"))
def count(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of `segment list`.")],
    days: Days = 60,
    countries: Countries = None,
    as_of: AsOf = None,
) -> None:
    """Count a segment's candidates, before any gate of an export.

    With --as-of, over what was known then; --days are counted from that day.
    """
    from flows.as_of import moment_of
    from flows.known_registers import registers
    from warehouse import segments

    call = call_of(context)
    with call.ready_house() as house:
        moment = None if as_of is None else moment_of(house, as_of)
        today = (moment or house.now()).date()
        chosen = segments.select(
            name,
            today,
            days=days,
            countries=tuple(countries or ()),
            registers=registers(),
            known_at=moment,
        )
        found = segments.count(house.engine, chosen)
    document = {
        "segment": name,
        "as_of": today,
        "known_at": moment,
        **chosen.filter(),
        "candidates": found.candidates,
        "held": found.held,
        "stopped_on_arrival": found.dropped if moment is None else None,
        "own_customers": found.ours if moment is None else None,
    }
    call.answer(document, lambda page: page.say(_said(found, moment)))


def _said(found: Count, moment: datetime | None) -> str:
    """The count in words."""
    if moment is not None:
        candidates = counted(found.held, "candidate")
        return f"{candidates} on {when(moment)}, of the companies that are still held."
    dropped = f", {found.dropped:,} of them stopped and not held" if found.dropped else ""
    ours = f", {found.ours:,} of them customers of ours or under our management"
    candidates = counted(found.candidates, "candidate") + (ours if found.ours else "")
    return f"{candidates}{dropped}. An export accounts for each: selected, or why not."
