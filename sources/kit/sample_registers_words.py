"""The packaged words and codes of the registers' invented entries."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sources.kit.sample_world import world

_FORM_WORDS = {
    "as", "asa", "ans", "ks", "sa", "aps", "a", "s", "k", "p", "oy", "ab", "oyj", "ky", "ou", "v",
    "stiftelsen", "fonden", "andelsselskabet", "sihtasutus", "enk", "fie", "toiminimi",
}  # fmt: skip


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """`sample_registers.toml`, read once."""
    text = files(__package__ or "sources.kit").joinpath("sample_registers.toml").read_text("utf-8")
    return tomllib.loads(text)


def plain(text: str) -> list[str]:
    """The words of a name in lower-case ASCII letters and digits."""
    return re.findall(r"[a-z0-9]+", text.translate(world().ascii).lower())


def domain(name: str, number: str) -> str:
    """The domain that a company of that name would have: two words of it, under `.example`."""
    kept = [word for word in plain(name) if word not in _FORM_WORDS and not word.isdigit()][:2]
    return f"{'-'.join(kept) or 'firma'}-{number[-3:].strip('-')}.example"


def person(country: str, running: int) -> str:
    """An invented person's name in a country."""
    found = world()
    size = len(found.people) // len(found.codes)
    return found.people[found.codes.index(country) * size + running % size]


def local_part(name: str) -> str:
    """A person's name as it stands before the `@`."""
    return ".".join(plain(name))
