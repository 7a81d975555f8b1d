"""`quarantine`: the rows a rule stopped, looked at and settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import DONE, WITH_EXCLUSIONS, call_of, epilog
from flows.cli.words import counted, day, when

if TYPE_CHECKING:
    from flows.cli.paper import Paper

group = typer.Typer(
    help="Rows that a rule kept out of the warehouse.",
    epilog=epilog("quarantine list --rule lei_check_digits_hold"),
    invoke_without_command=True,
)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="quarantine")


@group.callback()
def _bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_entries(context)


@group.command("list", epilog=epilog("quarantine list --source gleif --limit 20"))
def list_entries(
    context: typer.Context,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="ID", help="Only rows of this source.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 50,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="Also those that somebody has settled.")
    ] = False,
) -> None:
    """List rejected rows with the rule each broke; alarming ones first.

    Rows of annulled or duplicate LEIs are known: they come in every full file and raise no alarm.
    """
    from flows import quarantine_steps

    call = call_of(context)
    with call.ready_house() as house:
        found = quarantine_steps.listing(
            house, rule=rule, source_id=source, with_dropped=dropped, limit=limit
        )
    call.answer(found, lambda page: _show_list(page, found))


@group.command(epilog=epilog("quarantine show 17"))
def show(
    context: typer.Context,
    quarantine_id: Annotated[
        int, typer.Argument(metavar="ID", help="The number `quarantine list` shows.")
    ],
) -> None:
    """Show one rejected row: what it said, where it stands in its file, and which rule it broke.

    Personal identity numbers have been taken out; of natural persons only the skeleton is there.
    """
    from flows import quarantine_steps

    call = call_of(context)
    with call.ready_house() as house:
        found = quarantine_steps.show(house, quarantine_id)
    call.answer(found, lambda page: _show_entry(page, found))


@group.command(epilog=epilog("quarantine drop 17 18"))
def drop(
    context: typer.Context,
    ids: Annotated[
        list[int], typer.Argument(metavar="ID...", help="Entries that need no more attention.")
    ],
) -> None:
    """Settle entries: they raise no more alarm, also when the same row comes again."""
    from flows import quarantine_steps

    call = call_of(context)
    with call.ready_house() as house:
        found = quarantine_steps.drop(house, ids)
    said = f"{counted(found['were_open'], 'entry', 'entries')} dropped."
    call.answer(found, lambda page: page.say(said))


@group.command(
    epilog=epilog("quarantine retry 17 --set country=DK --reason 'by the register'"),
)
def retry(
    context: typer.Context,
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="Entries to try again.")
    ] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="NAME", help="Every open entry of this rule.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every open entry.")] = False,
    corrected: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Correct a value first (one row); no value: none."
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="How you know, without names or addresses."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which rows would pass, and load nothing.")
    ] = False,
) -> None:
    """Judge rejected rows again by the present rules, and load those that pass.

    They are compared with what is held as any delta; the others stay. A correction is an origin
    of its own, with your login and the reason. Exit code 3: some stay.
    """
    from flows.cli.progress import progress
    from flows.cli.quarantine_page import show_retry
    from flows.quarantine_correction import read_correction
    from flows.quarantine_retry import Choice
    from flows.quarantine_retry import retry as try_again

    call = call_of(context)
    choice = Choice(tuple(ids or ()), rule, every, read_correction(corrected or (), reason))
    with call.ready_house() as house, progress() as tell:
        found = try_again(house, choice, tell, dry_run=dry_run)
    stayed = found["counts"]["failed"] + found["counts"]["not_retried"]
    code = WITH_EXCLUSIONS if stayed and not dry_run else DONE
    call.answer(found, lambda page: show_retry(page, found), exit_code=code)


def _show_list(page: Paper, found: dict[str, Any]) -> None:
    if not found["entries"]:
        page.say("Nothing is quarantined.")
        return
    page.table(
        ("id", "source", "key", "rule", "alarm", "first seen", "last seen", "state"),
        [
            (
                entry["quarantine_id"],
                entry["source_id"],
                entry["source_key"] or "(none)",
                entry["rule"],
                "yes" if entry["is_alarming"] else "known",
                day(entry["first_seen_at"]),
                day(entry["last_seen_at"]),
                entry["state"],
            )
            for entry in found["entries"]
        ],
        whole=("id", "key", "rule"),
    )
    if found["shown"] < found["count"]:
        page.say(f"{found['count'] - found['shown']:,} more: raise --limit.", indent=2)
    page.heading("What these rules ask")
    page.facts(sorted({(entry["rule"], entry["meaning"]) for entry in found["entries"]}))


def _show_entry(page: Paper, entry: dict[str, Any]) -> None:
    delivery = entry["last_delivery"]
    alarm = "raises an alarm" if entry["is_alarming"] else "known, no alarm"
    page.title(f"Quarantine entry {entry['quarantine_id']} ({entry['state']}, {alarm})")
    page.facts(
        [
            ("key", entry["source_key"] or "(none)"),
            ("rule that does not hold", f"{entry['rule']}: {entry['meaning']}"),
            (
                "first seen",
                f"{when(entry['first_seen_at'])}, delivery {entry['first_delivery_id']}",
            ),
            ("last seen", f"{when(entry['last_seen_at'])}, delivery {entry['last_delivery_id']}"),
            ("where", f"{delivery['url']}, {_place(entry)}"),
        ]
    )
    page.heading("What the row said")
    content = dict(entry["content"])
    points = content.pop("contact_points", [])
    page.facts(content.items())
    page.facts([(point["kind"], point["original"]) for point in points])


def _place(entry: dict[str, Any]) -> str:
    """Where the row stands: of the owner's own list its row, of a publisher's file its byte."""
    from sources.kit.own_lists import is_own_list

    if is_own_list(entry["source_id"]):
        return f"row {entry['byte_offset']:,}"
    return f"byte {entry['byte_offset']:,} of its rows"
