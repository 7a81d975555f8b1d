"""`explain`: everything held on one company, told to someone who never saw the product."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.call import call_of, epilog
from flows.cli.reading import AsOf


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("explain 5493001KJTIIGC8Y1R12"))(explain)


def explain(
    context: typer.Context,
    subject: Annotated[
        str,
        typer.Argument(
            metavar="LEI|COMPANY-ID|NUMBER|CONTACT",
            help="An LEI, a company id of ours, a register's number (NO:…), an e-mail address, a "
            "website, or a phone number with its country code.",
        ),
    ],
    as_of: AsOf = None,
) -> None:
    """Tell what is held on a company, where from, who received it, and when it goes.

    Every value stands with its origin: publisher, database, licence, publication and retrieval.
    That it was read is recorded in the audit trail.
    """
    from flows.explain_steps import explain as answer_to

    call = call_of(context)
    with call.ready_house() as house:
        found = answer_to(house, subject, as_of)

    from flows.cli.explain_page import show

    call.answer(found, lambda page: show(page, found))
