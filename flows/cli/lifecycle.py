"""`deactivate` and `delete`: the two steps of the way out, by the retention policy."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.reading import day_option
from flows.cli.sentences import condition
from sources.kit.own_lists import own_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.cli.paper import Paper

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="List what would go, with the rule and date; change nothing."),
]
AsOf = Annotated[
    date | None,
    typer.Option(
        metavar="DATE",
        parser=day_option,
        help="As on that day; a day to come is a forecast and changes nothing.",
    ),
]
_SHOWN = 20
_OWN = {
    f"own_rows_{kind}": f"rows of your own lists {words}"
    for kind, words in (
        ("deactivated", "made inactive"),
        ("reactivated", "active again"),
        ("rescheduled", "with a new date"),
    )
}
_COUNTED = {"quarantined_row": "quarantined rows", "landing_file": "files as received"}


def add_to(app: typer.Typer) -> None:
    """Add both commands."""
    app.command(epilog=epilog("deactivate --dry-run"))(deactivate)
    app.command(epilog=epilog("delete --dry-run --as-of 2027-01-01"))(delete)


def deactivate(context: typer.Context, dry_run: DryRun = False, as_of: AsOf = None) -> None:
    """Make inactive what its policy row says: on no list from then on.

    A company whose register takes the reason back becomes active again.
    """
    from flows import door

    call = call_of(context)
    with call.ready_house() as house:
        found = door.deactivate(house, as_of=as_of, dry_run=dry_run)
    call.answer(found, lambda page: _show_moves(page, found))


def delete(
    context: typer.Context,
    dry_run: DryRun = False,
    as_of: AsOf = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Go past the cap (deletion_cap).")
    ] = False,
) -> None:
    """Delete what is inactive and past its date, with a log that names nobody.

    A company goes from every table or from none. More than the cap needs --confirm.
    """
    from flows import door
    from flows.cli.progress import progress

    call = call_of(context)
    with call.ready_house() as house, progress() as tell:
        found = door.delete(house, as_of=as_of, dry_run=dry_run, confirm=confirm, tell=tell)
    call.answer(found, lambda page: _show_deletion(page, found))


def _show_moves(page: Paper, found: dict[str, Any]) -> None:
    counts = found["counts"]
    page.title(_headline(found, "Made inactive"))
    page.facts(
        [
            ("companies made inactive", f"{counts['deactivated']:,}"),
            ("companies active again", f"{counts['reactivated']:,}"),
            ("companies with a new date", f"{counts['rescheduled']:,}"),
            ("personal values made inactive", f"{counts['personal_values']:,}"),
            ("contact points made inactive", f"{counts['contact_points']:,}"),
            *((words, f"{counts[name]:,}") for name, words in _OWN.items() if name in counts),
        ]
    )
    for skip in found["loud_skips"]:
        page.warn(f"Policy {skip}", indent=2)
    rows = [
        (move["company_id"], condition(move["reason"]), move["since"], move["delete_after"])
        for move in found["deactivated"]
    ]
    head = ("company", "because", "inactive since", "to be deleted from")
    _show_list(page, head, rows, counts["deactivated"])
    own = [
        (move["list_code"], move["own_id"], move["state"], *_why(move))
        for move in found["own_lists"]
    ]
    of_lists = ("list", "row", "becomes", "because", "to be deleted from")
    _show_list(page, of_lists, own, sum(counts.get(name, 0) for name in _OWN))


def _why(item: dict[str, Any]) -> tuple[str, str]:
    return condition(item["reason"] or "-"), item["delete_after"] or "-"


def _show_deletion(page: Paper, found: dict[str, Any]) -> None:
    page.title(_headline(found, "Deleted"))
    page.facts(
        [
            (_COUNTED.get(name, name.replace("_", " ")), f"{n:,}")
            for name, n in found["counts"].items()
        ]
    )
    if found["rows_deleted"]:
        page.heading("Rows deleted, by table")
        page.facts([(table, f"{rows:,}") for table, rows in found["rows_deleted"].items() if rows])
    if found["dry_run"]:
        rows = [
            (
                due["company_id"],
                due["field"] or "all",
                condition(due["reason"]),
                due["delete_after"],
            )
            for due in found["due"]
        ]
        total = found["counts"]["companies"] + found["counts"]["personal_values"]
        _show_list(page, ("company", "what", "because", "due since"), rows, total)
        own = [(due["list_code"], due["own_id"], *_why(due)) for due in found["own_lists_due"]]
        count = sum(n for name, n in found["counts"].items() if name in own_lists())
        _show_list(page, ("list", "row", "because", "due since"), own, count)


def _headline(found: dict[str, Any], done: str) -> str:
    if found["dry_run"]:
        return f"{done} as of {found['as_of']}, if this were no dry run: nothing was changed"
    return f"{done} as of {found['as_of']}"


def _show_list(
    page: Paper, head: Sequence[str], rows: Sequence[Sequence[object]], count: int
) -> None:
    if not rows:
        return
    page.heading("Which, by number" if count <= _SHOWN else f"Which, by number: the first {_SHOWN}")
    page.table(head, rows[:_SHOWN])
    if count > _SHOWN:
        page.say(f"{count - _SHOWN:,} more: --json lists the first 1,000.", indent=2)
