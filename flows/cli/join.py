"""`join`: which register's record was joined to which company, and a wrong join ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.words import counted, day

if TYPE_CHECKING:
    from flows.cli.paper import Paper

group = typer.Typer(
    help="Registers' records joined to companies by their number.",
    epilog=epilog("join list --unlike 60"),
    no_args_is_help=True,
)

Limit = Annotated[int, typer.Option(metavar="N", min=0, help="How many to show at most.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="join")


@group.command("list", epilog=epilog("join list --unlike 60"))
def list_joins(
    context: typer.Context,
    ambiguous: Annotated[
        bool,
        typer.Option(
            "--ambiguous", help="Registers' rows that could be several companies', not joined."
        ),
    ] = False,
    unlike: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=100, help="Only where the names' likeness is below N of 100."
        ),
    ] = None,
    limit: Limit = 100,
) -> None:
    """List joins for a person to look at: both records, since when, and how alike the names are.

    Nothing is joined by name. A low likeness is a hint: two publishers may know one company under
    two names.
    """
    from flows import join_steps

    if ambiguous and unlike is not None:
        context.fail("give --ambiguous or --unlike, not both")
    call = call_of(context)
    with call.ready_house() as house:
        if ambiguous:
            found = join_steps.ambiguous(house, limit=limit)
        else:
            found = join_steps.listed(house, unlike=unlike, limit=limit)
    call.answer(found, lambda page: (_ambiguous if ambiguous else _joins)(page, found))


@group.command(
    epilog=epilog("join end 5493001KJTIIGC8Y1R12 --source brreg --reason 'another company'")
)
def end(
    context: typer.Context,
    subject: Annotated[
        str,
        typer.Argument(
            metavar="LEI|COMPANY-ID", help="The company: an LEI, a company id of ours, or NO:…"
        ),
    ],
    source: Annotated[
        str, typer.Option(metavar="ID", help="The register whose record is another company's.")
    ],
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, without names or addresses.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which join it would be, and write nothing.")
    ] = False,
) -> None:
    """End a join that is wrong: its contact points are no more the company's.

    No load makes it again. Values, origins, lists that left and stops stay as they are.
    """
    from flows import join_steps

    call = call_of(context)
    with call.ready_house() as house:
        found = join_steps.end(house, subject, source, reason, dry_run=dry_run)
    call.answer(found, lambda page: page.say(_ended(found)))


def _joins(page: Paper, found: dict[str, Any]) -> None:
    rows = found["joins"]
    page.table(
        ("company", "shown by", "its name", "joined", "its name there", "since", "alike"),
        [
            (
                str(row["company_id"]),
                f"{row['lead_source_id']} {row['lead_source_key']}",
                row["lead_legal_name"] or "-",
                f"{row['other_source_id']} {row['other_source_key']}",
                row["other_legal_name"] or "-",
                day(row["since_at"]),
                _alike(row["name_likeness"]),
            )
            for row in rows
        ],
        numbers=("alike",),
    )
    page.say(_of(len(rows), found["matching"], "join"))


def _ambiguous(page: Paper, found: dict[str, Any]) -> None:
    """One line for each side: an LEI that states the row's number."""
    rows = found["ambiguous"]
    page.table(
        ("quarantine", "register's row", "its name there", "stated by", "its name", "alike", "now"),
        [
            (
                str(row["quarantine_id"]),
                f"{row['source_id']} {row['source_key']}",
                row["legal_name"] or "-",
                side["lei"],
                side["legal_name"] or "-",
                _alike(side["name_likeness"]),
                "any" if row["leads_to"] is None else f"company {row['leads_to']}",
            )
            for row in rows
            for side in row["sides"]
        ],
        numbers=("alike",),
    )
    page.say(_of(len(rows), found["matching"], "row"))
    if any(row["leads_to"] is not None for row in rows):
        page.say("What is one company's now comes in by `sourcenote quarantine retry`.")


def _alike(found: int | None) -> str:
    return "-" if found is None else str(found)


def _of(shown: int, matching: int, what: str) -> str:
    return (
        f"{shown:,} of {counted(matching, what)} shown."
        if shown < matching
        else (f"{counted(matching, what)}.")
    )


def _ended(found: dict[str, Any]) -> str:
    name = f" ({found['legal_name']})" if found["legal_name"] else ""
    which = (
        f"company {found['company_id']} with {found['source_id']} {found['source_key']}{name}, "
        f"joined since {day(found['since_at'])}"
    )
    if found["is_ended"]:
        ended = f"Ended: {which}. Its contact points are no more this company's."
        joined_to = found["joined_to"]
        if joined_to is None:
            return ended
        return f"{ended} It is company {joined_to}'s now, which states its number too."
    return f"It would end: {which}. Dry run: nothing was written."
