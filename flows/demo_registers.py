"""The demo's last chapter: four national registers, joined by number, bring contact points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows import demo_words as say
from warehouse import read_contacts
from warehouse.engine import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.house import House
    from flows.ingest_report import Report

REGISTERS = ("brreg", "cvr", "ariregister", "prh")


def play(
    house: House, ingest: Callable[[str], Report], export: Callable[[], dict[str, Any]]
) -> None:
    """Ingest every register, tell what came, and list who may be written to in Denmark now."""
    say.chapter("5. Contact points: four national registers, joined to the LEI by number")
    say.registers([ingest(source_id) for source_id in REGISTERS])
    with reading(house.engine) as connection:
        say.contact_points(
            read_contacts.count_by_source(connection), read_contacts.one_of_each(connection)
        )
    say.chapter("6. Denmark: only who its register says is not protected from marketing")
    say.manifest(export())


def sources_section(base_url: str) -> str:
    """Where the registers are, as `sourcenote.toml` says it."""
    return "".join(f'\n[sources.{one}]\nbase_url = "{base_url}"\n' for one in REGISTERS)
