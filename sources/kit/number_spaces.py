"""Which registers share one number space; light to import, because every command asks it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def spaces() -> tuple[Mapping[str, Any], ...]:
    """The number spaces of `register_numbers.toml`, each with the codes that share it."""
    text = resources.files("sources.kit").joinpath("register_numbers.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["space"])


def codes_sharing(authority: str) -> tuple[str, ...]:
    """Every code whose numbers are of the same space; one we have no rule for shares with none."""
    shared = (space["authorities"] for space in spaces() if authority in space["authorities"])
    return tuple(next(shared, [authority]))


def space_of(authority: str) -> str:
    """The code that stands for the number space of a register; an unlisted one stands for itself.

    >>> space_of("RA000473")
    'RA000472'
    """
    return codes_sharing(authority)[0]
