"""`refresh`: companies asked for again at their register, and what that changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import DONE, REFUSED, WITH_EXCLUSIONS, call_of, epilog

if TYPE_CHECKING:
    from flows.refresh_report import Report

GLEIF = "gleif"
_NAMED = re.compile(r"([a-z][a-z0-9-]*)=(.*)")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("refresh 5493001KJTIIGC8Y1R12 --dry-run"))(refresh)


def refresh(
    context: typer.Context,
    leis: Annotated[list[str], typer.Argument(metavar="LEI...", help="One LEI, or thousands.")],
    base_url: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[ID=]URL",
            help="Scheme, host and port to ask instead of a source's own: `brreg=URL` for a "
            "register, a plain URL for GLEIF's API. Give it once a source.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask and compare, and write nothing.")
    ] = False,
) -> None:
    """Fetch companies again from GLEIF and their registers now, and show the difference.

    Each answer is a delivery like any other: checked, minimised, stopped where a stop is in force.
    Exit code 1: a source did not answer on all of them; what the others said is loaded. Exit code
    3: something was quarantined. A register without a key or address here is told, and no failure.
    """
    from flows import door
    from flows.cli.progress import progress
    from flows.refresh_steps import request_for

    call = call_of(context)
    urls = _urls(context, base_url or [])
    own_url = urls.pop(GLEIF, None)
    request = request_for(leis, base_url=own_url, register_urls=urls)
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


def _urls(context: typer.Context, texts: list[str]) -> dict[str, str]:
    """The addresses by source id: `ID=URL`, or a URL alone, which is GLEIF's."""
    from flows.refresh_registers import can_be_asked

    known = [GLEIF, *can_be_asked()]
    found: dict[str, str] = {}
    for text in texts:
        named = _NAMED.fullmatch(text)
        source_id, url = (named[1], named[2]) if named else (GLEIF, text)
        if source_id not in known:
            context.fail(f"--base-url: {source_id} is not asked; these are: {', '.join(known)}")
        if source_id in found:
            context.fail(f"--base-url: {source_id} has two addresses: give one")
        found[source_id] = url
    return found


def _exit_code(report: Report) -> int:
    if report.failed:
        return REFUSED
    counts = [report.counts, *(one.counts for one in report.registers)]
    return WITH_EXCLUSIONS if any(one.get("quarantined") for one in counts) else DONE
