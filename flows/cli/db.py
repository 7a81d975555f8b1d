"""`db`: the warehouse's tables brought up to date, and looked over."""

from __future__ import annotations

import typer

from flows.cli.call import DONE, REFUSED, call_of, epilog

group = typer.Typer(
    help="The warehouse's own tables.", epilog=epilog("db check"), no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="db")


@group.command(epilog=epilog("db upgrade"))
def upgrade(context: typer.Context) -> None:
    """Bring the warehouse to the tables and views this version needs."""
    from warehouse import migrate

    call = call_of(context)
    with call.house() as house:
        applied = migrate.upgrade(house.engine)
    document = {"is_upgraded": bool(applied), "schema": migrate.HEAD}
    said = f"Upgraded to {migrate.HEAD}." if applied else f"Nothing to do: it is at {migrate.HEAD}."
    call.answer(document, lambda page: page.say(said))


@group.command(epilog=epilog("db check"))
def check(context: typer.Context) -> None:
    """Check the schema, the key file, and that audit trail and deletion log are unbroken."""
    from warehouse import read_chains

    call = call_of(context)
    with call.ready_house() as house:
        keys = house.keys.newest
        broken = read_chains.broken(house.engine)
    document = {
        "schema": "current",
        "newest_key": keys,
        "chains": {name: "broken" if at else "unbroken" for name, at in broken.items()},
        "first_break": {name: at for name, at in broken.items() if at},
    }
    is_sound = not any(broken.values())
    lines = [("schema", "current"), ("key file", f"readable, newest key is version {keys}")]
    lines += [(name, f"BROKEN at entry {at}" if at else "unbroken") for name, at in broken.items()]
    call.answer(document, lambda page: page.facts(lines), exit_code=DONE if is_sound else REFUSED)
