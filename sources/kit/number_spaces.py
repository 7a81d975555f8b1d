"""Which registers share one number space, and one number's key in it; light to import.

What asks about a single company takes no library of columns for it: `register_numbers` has the same
rules for columns, and a property test holds the two together.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_A_REGISTER = ("RA888888", "RA999999")
"""GLEIF's codes for "no register's code" and "no register": numbers under them cannot be joined."""


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


def key_of(authority: str | None, number: str | None) -> tuple[str, str] | None:
    """The pair of one number as typed, or None when it joins nothing.

    >>> key_of("RA000473", "999 999 999")
    ('RA000472', '999999999')
    """
    if not authority or number is None or authority in NOT_A_REGISTER:
        return None
    rule = next((space for space in spaces() if authority in space["authorities"]), None)
    plain = "".join(map(_capital, unicodedata.normalize("NFKC", number)))
    if rule is None:  # compared by capitals and digits
        formed = "".join(sign for sign in plain if unicodedata.category(sign)[0] in "LN")
    else:
        formed = _formed(plain, rule)
    return (space_of(authority), formed) if formed.strip("0") else None


def _capital(sign: str) -> str:
    """One sign for one, as Arrow has it: Python's own makes two of some."""
    capital = sign.upper()
    return capital if len(capital) == 1 else sign


def _formed(plain: str, rule: Mapping[str, Any]) -> str:
    """The number in its one form; nothing where it does not have the register's shape."""
    formed = re.sub(rule["drop"], "", plain)
    if not formed.strip("0"):
        return ""
    formed = formed.rjust(rule.get("pad", 0), "0")
    for pattern, replacement in rule.get("rewrite", ()):
        parts = replacement.replace("\\1", "\\g<1>").replace("\\2", "\\g<2>")
        formed = re.sub(pattern, parts, formed)
    return formed if re.fullmatch(rule["shape"], formed) else ""
