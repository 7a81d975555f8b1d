"""Which of the sources are national registers, and whose numbers each keeps; light to import."""

from __future__ import annotations

from functools import cache

from sources.kit.catalogue import catalogue
from sources.kit.number_spaces import space_of
from sources.kit.shapes import SHAPES


@cache
def registers() -> dict[str, str]:
    """Source id to the code that stands for its numbers, of every register among the sources."""
    cards = [module.CARD for module in catalogue().values()]
    return {
        card.source_id: space_of(card.authority_codes[0])
        for card in cards
        if card.shape in SHAPES and SHAPES[card.shape].joins_companies
    }
