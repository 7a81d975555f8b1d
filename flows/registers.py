"""National registers among the sources: whose numbers they keep, and what their rows can join."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flows.known_registers import registers
from flows.lifecycle_act import act_of
from sources.kit.catalogue import catalogue
from sources.kit.flat import flat
from sources.kit.register_numbers import keys_of
from sources.kit.shapes import SHAPES
from warehouse import leading, read_contacts
from warehouse.engine import reading
from warehouse.privacy.erasing import Erasure

if TYPE_CHECKING:
    from flows.house import House
    from flows.prepared import Tally
    from sources.kit.card import Card
    from warehouse.leading import KnownNumbers
    from warehouse.load_shapes import DeliveryFacts

NO_NUMBERS = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("source_key", pa.string()),
        ("number_space", pa.string()),
        ("number", pa.string()),
    ]
).empty_table()


@dataclass(frozen=True)
class Joins:
    """What a register's rows are compared with before they are sorted.

    `space` is the code that stands for its numbers, `known` what LEI records state of them, and
    `shared_domains` the mail domains that its newest full file showed to be shared.
    """

    card: Card
    space: str
    known: KnownNumbers
    shared_domains: pa.Array


def joins_of(house: House, card: Card) -> Joins:
    """Read what the register's rows can join; the one-writer lock keeps it true until the load."""
    space = registers()[card.source_id]
    with reading(house.engine) as connection:
        known = leading.read_known_numbers(connection, space, registers())
        shared = read_contacts.shared_domains(connection, card.source_id)
    return Joins(card, space, known, pa.array(shared, pa.string()))


def missing_of(house: House, source_id: str) -> tuple[str, ...]:
    """Numbers to be looked up beside the register's feed; none for any other source."""
    if source_id not in registers():
        return ()
    with reading(house.engine) as connection:
        return tuple(leading.missing_numbers(connection, source_id, registers()))


def erasure_of(house: House, keys: tuple[str, ...]) -> Erasure:
    """The register has removed these for good: they go in whose name, and when."""
    return Erasure(keys, act_of(house))


def shared_domains_of(facts: DeliveryFacts, tally: Tally) -> list[str] | None:
    """Mail domains that a register's full file shows to be shared; None for any other delivery."""
    if facts.kind != "full" or not SHAPES[facts.card.shape].joins_companies:
        return None
    shared: list[str] = tally.domains.shared().to_pylist()
    return shared


def stated_numbers(table: pa.Table) -> pa.Table:
    """Numbers of our registers that rows with an LEI state, in their one form (`NO_NUMBERS`).

    `table` has `ordinal`, `source_key` and the register's code and number. A number that cannot be
    one of its register's joins nothing.
    """
    stated = pc.and_(
        pc.is_in(table["registration_authority"], value_set=_claimed()),
        pc.is_valid(table["registration_number"]),
    )
    few = table.select(["ordinal", "source_key", "registration_authority", "registration_number"])
    few = few.filter(stated)
    if not few.num_rows:
        return NO_NUMBERS
    keys = keys_of(flat(few["registration_authority"]), flat(few["registration_number"]))
    found = pa.table(
        {
            "ordinal": few["ordinal"],
            "source_key": few["source_key"],
            "number_space": keys.authorities,
            "number": keys.numbers,
        },
        schema=NO_NUMBERS.schema,
    )
    return found.filter(pc.is_valid(found["number"]))


@cache
def _claimed() -> pa.Array:
    """Codes of the registers that are among the sources."""
    cards = [module.CARD for module in catalogue().values()]
    ours = [card for card in cards if card.source_id in registers()]
    codes = {code for card in ours for code in card.authority_codes}
    return pa.array(sorted(codes), pa.string())
