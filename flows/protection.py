"""Whose word on marketing protection counts, and for how long: the protection flags' rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.kit.catalogue import catalogue
from warehouse.exporting import moment_before

if TYPE_CHECKING:
    from datetime import datetime

    from flows.settings import Settings


def sources_by_country(settings: Settings) -> dict[str, frozenset[str]]:
    """Each country of a protection flag, with the sources that are its register; none: nobody can.

    A country without such a source has nobody who could say that a company is not protected.
    """
    return {
        row.country: frozenset(name for name, home in _flagged().items() if home == row.country)
        for row in settings.protection_flag
    }


def fresh_since(settings: Settings, now: datetime) -> dict[str, datetime]:
    """Source id to the moment from which on its word that a company is not protected counts."""
    periods = {row.country: row.recheck_after for row in settings.protection_flag}
    return {
        source_id: moment_before(now, periods[home])
        for source_id, home in _flagged().items()
        if home in periods
    }


def _flagged() -> dict[str, str]:
    """Source id to country of every register that publishes such a flag."""
    cards = [module.CARD for module in catalogue().values()]
    return {card.source_id: card.home for card in cards if card.has_protection_flag and card.home}
