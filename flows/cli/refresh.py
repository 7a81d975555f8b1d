"""`refresh`: companies asked for again at their register, and what that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import DONE, REFUSED, WITH_EXCLUSIONS, call_of, epilog

if TYPE_CHECKING:
    from flows.refresh_report import Report


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("refresh 5493001KJTIIGC8Y1R12 --dry-run"))(refresh)


def refresh(
    context: typer.Context,
    leis: Annotated[list[str], typer.Argument(metavar="LEI...", help="One LEI, or thousands.")],
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Scheme, host and port to ask instead of GLEIF's API; registers keep their own.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask and compare, and write nothing.")
    ] = False,
) -> None:
    """Fetch companies again from GLEIF and their registers now, and show the difference.

    Each answer is a delivery like any other: checked, minimised, stopped where a stop is in force.
    Exit code 3: something in it was quarantined.
    """
    from flows import door
    from flows.cli.progress import progress
    from flows.refresh_steps import request_for

    call = call_of(context)
    request = request_for(leis, base_url=base_url)
    with call.ready_house() as house, progress() as tell:
        report = door.refresh(house, request, tell, dry_run=dry_run)

    from flows.cli.refresh_page import show

    document = _document(report)
    call.answer(document, lambda page: show(page, document), exit_code=_exit_code(report))


def _document(report: Report) -> dict[str, Any]:
    from flows.quarantine_steps import meaning_of

    rules = {rule for answer in report.answers for rule in answer.rules}
    return {
        **report.as_json(),
        "quarantine_rules": {rule: meaning_of(rule) for rule in sorted(rules)},
    }


def _exit_code(report: Report) -> int:
    if report.error:
        return REFUSED
    return WITH_EXCLUSIONS if report.counts.get("quarantined") else DONE
