"""What a load leaves to be done when it is committed: bytes of what is erased, bytes received."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.deliver import card_of
from sources.kit.period import parse_period
from warehouse import runs
from warehouse.engine import reading, writing
from warehouse.privacy import erased_bytes, erasing

if TYPE_CHECKING:
    from flows.house import House
    from sources.kit.card import Landed


def clean_up(house: House, source_id: str, landed: Landed) -> None:
    """Leave no bytes of erased records, and none received of a source that keeps none.

    What a run that died left of the first is done by the next load or `delete`, of the second by
    the next `delete`.
    """
    clean_up_erased(house)
    if not any(parse_period(card_of(house, source_id).landing_retention)):
        for path in (landed.path, *landed.parts):
            path.unlink(missing_ok=True)


def clean_up_erased(house: House) -> bool:
    """Clean the database's own files of records erased since it was last done; whether any were."""
    with reading(house.engine) as connection:
        is_due = erasing.is_unclean(connection)
    if is_due:
        erased_bytes.clean_up_bytes(house.engine)
        with writing(house.engine) as connection:
            erasing.note_clean(connection, runs.actor(house.engine), house.now())
    return is_due
