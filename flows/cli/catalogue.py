"""`sources`: which public databases there are, under which licence, and how fresh each is here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.words import age, listed, when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.cli.call import Call
    from flows.cli.paper import Paper

group = typer.Typer(
    help="The catalogue of public databases.",
    epilog=epilog("sources show gleif"),
    invoke_without_command=True,
)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="sources")


@group.callback()
def _bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_sources(context)


@group.command("list", epilog=epilog("sources list"))
def list_sources(context: typer.Context) -> None:
    """List every source: publisher, licence, what it can be used for, how fresh it is."""
    call = call_of(context)
    with _sources(call) as found:
        call.answer({"sources": found}, lambda page: _show_all(page, found))


@group.command(epilog=epilog("sources show gleif"))
def show(
    context: typer.Context,
    source_id: Annotated[
        str, typer.Argument(metavar="ID", help="A source's id, as `sources list` shows it.")
    ],
) -> None:
    """Show one source's card, and what has arrived from it."""
    from sources.kit.catalogue import source

    call = call_of(context)
    card = source(source_id).CARD
    with _sources(call) as found:
        entry = next(item for item in found if item["source_id"] == source_id)
    document = {
        **entry,
        "homepage": card.homepage,
        "licence_url": card.licence_url,
        "base_url": card.base_url,
        "hosts": list(card.hosts),
        "landing_retention": card.landing_retention,
        "expected_records": [card.expected_min, card.expected_max],
        "rate": card.rate,
    }
    call.answer(document, lambda page: _show_one(page, document))


@contextmanager
def _sources(call: Call) -> Iterator[list[dict[str, Any]]]:
    """The catalogue; without a warehouse each source is one that nothing has come from."""
    from flows.status_steps import sources
    from warehouse import migrate
    from warehouse.engine import is_there, reading

    with call.house() as house:
        if not is_there(house.engine):
            yield sources(house, None)
            return
        with reading(house.engine) as connection:
            is_ready = migrate.revision(connection) == migrate.HEAD
            yield sources(house, connection if is_ready else None)


def freshness(entry: dict[str, Any]) -> str:
    """Say how old what is held of a source is."""
    delivery = entry["last_delivery"]
    if delivery is None:
        return "nothing loaded yet"
    since = "published" if delivery["published_at"] else "received"
    return f"{since} {age(entry['age_hours'])} ago"


def _show_all(page: Paper, found: list[dict[str, Any]]) -> None:
    page.table(
        ("id", "database", "publisher", "licence", "public", "contact by", "records", "freshness"),
        [
            (
                entry["source_id"],
                entry["database_name"],
                entry["publisher"],
                entry["licence"],
                "yes" if entry["is_public_database"] else "no",
                ", ".join(entry["contact_kinds"]),
                f"{entry['records']:,}",
                freshness(entry),
            )
            for entry in found
        ],
        numbers=("records",),
    )


def _show_one(page: Paper, entry: dict[str, Any]) -> None:
    delivery = entry["last_delivery"]
    page.title(f"{entry['database_name']} ({entry['source_id']})")
    page.facts(
        [
            ("publisher", f"{entry['publisher']}, {entry['homepage']}"),
            ("licence", f"{entry['licence']}, {entry['licence_url']}"),
            (
                "public database",
                "yes, anyone can look it up" if entry["is_public_database"] else "no",
            ),
            ("can contact by", listed(entry["contact_kinds"])),
            ("fetched from", f"{entry['base_url']} (allowed hosts: {listed(entry['hosts'])})"),
            ("rate at most", f"{entry['rate']:g} requests a second"),
            ("records expected", "{:,} to {:,} in a full file".format(*entry["expected_records"])),
            ("bytes as received", _kept(entry["landing_retention"])),
            ("records held", f"{entry['records']:,}"),
            ("freshness", freshness(entry)),
            ("last delivery", _delivery(delivery)),
            ("newest publication applied", when(entry["published_at"], "none")),
            ("quarantine", f"{entry['quarantine']['open']:,} rows open"),
            *_of_register(entry),
        ]
    )


def _kept(period: str) -> str:
    """How long the card lets the publisher's files be kept."""
    from sources.kit.period import parse_period

    return f"kept for {period}" if any(parse_period(period)) else "removed after the load"


def _of_register(entry: dict[str, Any]) -> list[tuple[str, object]]:
    """What is told of a national register beside."""
    joins = entry["joins"]
    if joins is None:
        return []
    counts = (
        f"{joins['joined']:,} by number, {joins['without_lei']:,} companies without an LEI, "
        f"{joins['ambiguous']:,} ambiguous"
    )
    return [
        ("contact points held", f"{entry['contact_points']:,}"),
        ("joins", counts),
        ("last reached", when(entry["last_reached_at"], "never")),
        ("overdue since", when(entry["overdue_since"], "not overdue")),
    ]


def _delivery(delivery: dict[str, Any] | None) -> str:
    if delivery is None:
        return "none: run `sourcenote ingest`"
    return (
        f"{delivery['delivery_id']}, {delivery['kind']}, {delivery['status']}, "
        f"received {when(delivery['retrieved_at'])}"
    )
