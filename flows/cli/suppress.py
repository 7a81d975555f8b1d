"""`suppress`: the do-not-contact list, added to and asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.sentences import stop_sentence
from flows.cli.words import counted, when

if TYPE_CHECKING:
    from flows.suppress_steps import Subject

group = typer.Typer(
    help="The do-not-contact list: keyed hashes, no address in clear.",
    epilog=epilog("suppress check --email someone@example.org"),
    no_args_is_help=True,
)

Email = Annotated[str | None, typer.Option(metavar="X", help="An e-mail address.")]
Phone = Annotated[
    str | None, typer.Option(metavar="X", help="A phone number with its country code.")
]
Lei = Annotated[str | None, typer.Option(metavar="L", help="A company, by its LEI.")]
Domain = Annotated[
    str | None, typer.Option(metavar="D", help="A mail domain of one organisation, whole.")
]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="suppress")


@group.command(
    epilog=epilog("suppress add --lei 5493001KJTIIGC8Y1R12 --reason 'objected by phone'")
)
def add(
    context: typer.Context,
    email: Email = None,
    phone: Phone = None,
    lei: Lei = None,
    domain: Domain = None,
    token: Annotated[
        str | None,
        typer.Option(metavar="T", help="The end of a letter's link, as its recipient gave it."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, without names or addresses.")
    ] = None,
) -> None:
    """Put one value on the list; no list written afterwards holds it.

    It outlives the company's data, and nothing that is imported lifts it. A domain is refused where
    strangers have their mail. With --token no reason is needed.
    """
    from flows import suppress_steps

    given = {"email": email, "phone": phone, "lei": lei, "domain": domain, "token": token}
    subject = _subject(context, given)
    call = call_of(context)
    with call.ready_house() as house:
        found = suppress_steps.add(house, subject, reason)
    call.answer(found, lambda page: page.say(_added_sentence(found)))


@group.command(epilog=epilog("suppress check subscribers.csv --out unsubscribe.csv"))
def check(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A mailing tool's own list, as it exports it."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the rows to unsubscribe go, in the same format."),
    ] = None,
    email: Email = None,
    phone: Phone = None,
    lei: Lei = None,
    domain: Domain = None,
) -> None:
    """Ask whether one value is on the list, or check a mailing tool's whole list against it.

    FILE is a CSV with a column of e-mail addresses, phone numbers or LEIs, found by its header or
    its contents, or holds one value a line.
    """
    given = {"email": email, "phone": phone, "lei": lei, "domain": domain}
    if file is not None:
        if any(given.values()):
            context.fail("give either FILE or one value")
        _check_list(context, file, out)
        return
    if out is not None:
        context.fail("--out goes with FILE")

    from flows import suppress_steps

    subject = _subject(context, given)
    call = call_of(context)
    with call.ready_house() as house:
        found = suppress_steps.check(house, subject)
    call.answer(found, lambda page: page.say(stop_sentence(found["stop"], "it")))


def _check_list(context: typer.Context, file: Path, out: Path | None) -> None:
    if out is None:
        context.fail("say with --out where the rows to unsubscribe go")

    from flows.suppress_lists import check_list

    call = call_of(context)
    with call.ready_house() as house:
        found = check_list(house, file, out)
    call.answer(found, lambda page: page.say(_list_sentence(found)))


def _added_sentence(found: dict[str, Any]) -> str:
    covered = counted(found["companies_covered"], "company", "companies")
    since = when(found["stop"]["added_at"])
    state = "Added to the do-not-contact list" if found["is_new"] else f"On the list since {since}"
    return f"{state}. It covers {covered} now held."


def _list_sentence(found: dict[str, Any]) -> str:
    entries = counted(found["entries"], "entry", "entries")
    unreadable = (
        f" {found['unreadable']:,} hold no value that could be checked."
        if found["unreadable"]
        else ""
    )
    return (
        f"{found['to_unsubscribe']:,} of {entries} are on the do-not-contact list; they are in "
        f"{found['out']}, for the mailing tool to unsubscribe.{unreadable}"
    )


def _subject(context: typer.Context, given: dict[str, str | None]) -> Subject:
    """The one value given; anything else is a misuse."""
    from flows.suppress_steps import Subject

    values = [(kind, value) for kind, value in given.items() if value]
    if len(values) != 1:
        context.fail(f"give exactly one of {', '.join(f'--{kind}' for kind in given)}")
    kind, value = values[0]
    return Subject(kind, value)  # type: ignore[arg-type]  # the keys of `given` are its kinds
