"""`import`: the owner's own lists, customers, enquiries, visits and consents."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import DONE, WITH_EXCLUSIONS, Call, call_of, epilog
from flows.cli.words import counted, listed

if TYPE_CHECKING:
    from flows.cli.paper import Paper
    from flows.own_lists import Prepared

_OUTCOMES = (
    ("records_new", "new"),
    ("records_changed", "changed"),
    ("records_unchanged", "unchanged"),
    ("records_superseded", "said twice in the file"),
    ("records_out_of_scope", "older than may be kept"),
    ("records_quarantined", "quarantined"),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=epilog("import customers customers.xlsx --dry-run"))(import_list)


def import_list(
    context: typer.Context,
    which: Annotated[
        str,
        typer.Argument(metavar="LIST", help="customers, enquiries, visits or consents."),
    ],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The list as exported: CSV or .xlsx."),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Which of its columns is which of our fields (TOML)."),
    ] = None,
    mapping_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the mapping to this new file, to be corrected."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take the guessed mapping as it is.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of the rows; store nothing.")
    ] = False,
) -> None:
    """Take in one of the owner's own lists, with the origin of every row.

    Without --mapping the columns are guessed from the header, shown, and taken only once somebody
    has said yes. Columns that are not mapped are dropped before anything is stored. A list comes in
    whole or not at all, and again without harm. Exit code 3: rows were quarantined.
    """
    from flows import own_lists
    from flows.cli.progress import progress

    call = call_of(context)
    with call.ready_house() as house:
        prepared = own_lists.prepare(which, file, mapping)
        if mapping_out is not None:
            own_lists.keep_mapping(prepared, mapping_out)
        if prepared.mapping.is_guessed and not (yes or dry_run):
            _ask(call, prepared)
        with progress() as tell:
            found = own_lists.run(house, prepared, tell, dry_run=dry_run)
    code = WITH_EXCLUSIONS if found["records_quarantined"] else DONE
    call.answer(found, lambda page: _show(page, found), exit_code=code)


def _ask(call: Call, prepared: Prepared) -> None:
    """Show the guess and ask; where nobody can be asked, refuse with the guess in words."""
    from flows.own_lists import confirmation_needed

    if call.options.is_json or not _has_terminal():
        raise confirmation_needed(prepared)
    from flows.cli.paper import Paper

    _show_mapping(Paper(), prepared.as_json())
    if not typer.confirm("Is that right?", default=False):
        raise confirmation_needed(prepared)


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _show_mapping(page: Paper, mapping: dict[str, Any]) -> None:
    page.heading("Mapping, guessed from the header" if mapping["is_guessed"] else "Mapping")
    rows = [(theirs, ours) for ours, theirs in mapping["columns"].items()]
    rows += [(f"always {value}", name) for name, value in mapping["constants"].items()]
    page.table(("their column", "our field"), rows)
    page.say(f"Days are written {mapping['date_format']}.", indent=2)
    if mapping["dropped"]:
        page.warn(f"Dropped, and never stored: {listed(mapping['dropped'])}.", indent=2)


def _show(page: Paper, found: dict[str, Any]) -> None:
    rows = counted(found["records_in"], "row")
    done = "would come in, if this were no dry run" if found["dry_run"] else "came in"
    page.title(f"{rows} of {found['list']} {done}")
    page.facts([(words, f"{found[name]:,}") for name, words in _OUTCOMES])
    _show_mapping(page, found["mapping"])
    if found["quarantined_by_rule"]:
        page.heading("Quarantined, by the rule that does not hold")
        meanings = found["quarantine_rules"]
        page.table(
            ("rule", "asks that", "rows"),
            [(rule, meanings[rule], n) for rule, n in found["quarantined_by_rule"].items()],
            numbers=("rows",),
        )
    _show_left_out(page, found)


def _show_left_out(page: Paper, found: dict[str, Any]) -> None:
    """Write what was left out of rows that are kept, and who stays stopped."""
    if found["values_kept_out"]:
        page.heading("Values that could not be read, left out of rows that are kept")
        page.facts([(rule, f"{n:,}") for rule, n in found["values_kept_out"].items()])
    if found["personal_numbers_dropped"]:
        numbers = counted(found["personal_numbers_dropped"], "personal identity number")
        page.say(f"{numbers} dropped before anything was stored.")
    if found["stopped"]:
        stopped = counted(found["stopped"], "row")
        page.say(f"{stopped} of those taken stay on the do-not-contact list: no import lifts it.")
