"""What contact fields are held to: the repairs by name and the words, read once from their data."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

EMPTY = "empty"
PERSONAL_NUMBER = "personal_number"
UNKNOWN_KIND = "unknown_kind"
REPEATED = "repeated"
SPLIT = "two_in_one"
"""The repair that takes a field apart."""
_ROUNDS = 8
"""More layers of mess than a field has; a text that is still not at rest is not kept."""


class Part(NamedTuple):
    """One contact point of a field: its normalised value, or the rule that kept it out."""

    value: str | None
    rule: str | None


class Reading(NamedTuple):
    """What one field says: one part or more, and the names of the repairs that read it."""

    parts: tuple[Part, ...]
    repairs: tuple[str, ...]


@dataclass(frozen=True)
class Repair:
    """A listed rule: what `pattern` finds becomes `replacement`; counted by `name`."""

    name: str
    pattern: re.Pattern[str]
    replacement: str


@cache
def rules_of(kind: str) -> dict[str, Any]:
    """The table of one kind (`email`, `phone`, `website`) in `contact_points.toml`."""
    table: dict[str, Any] = _all_rules()[kind]
    return table


@cache
def repairs_of(kind: str) -> tuple[Repair, ...]:
    """The listed repairs of a kind, in their order."""
    return tuple(
        Repair(row["name"], re.compile(row["pattern"], re.IGNORECASE), row["replacement"])
        for row in rules_of(kind)["repair"]
    )


@cache
def between(kind: str) -> re.Pattern[str]:
    """What stands between two contact points in one field."""
    return re.compile(rules_of(kind)["between"], re.IGNORECASE)


def plain(text: str) -> str:
    """NFKC, without what cannot be seen and without blanks around it."""
    return _invisible().sub("", unicodedata.normalize("NFKC", text)).strip()


def repaired(kind: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The text after every listed repair of its kind, and the names of those that changed it.

    Repeated while one uncovers work for another, so that a repaired text needs no repair.
    """
    used: dict[str, None] = {}
    for _ in range(_ROUNDS):
        before = text
        for repair in repairs_of(kind):
            mended = repair.pattern.sub(repair.replacement, text).strip()
            if mended != text:
                used[repair.name] = None
                text = mended
        if text == before:
            break
    return text, tuple(used)


def is_stable(kind: str, value: str) -> bool:
    """Whether a value would be read as itself again: only such values are kept."""
    return plain(value) == value and repaired(kind, value)[0] == value


@cache
def _all_rules() -> dict[str, Any]:
    text = resources.files("sources.kit").joinpath("contact_points.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def _invisible() -> re.Pattern[str]:
    return re.compile(_all_rules()["invisible"]["pattern"])
