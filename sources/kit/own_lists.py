"""The closed list of fields of each of the owner's own lists, read once from its data."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Field:
    """One field that may be kept: how its cell is read, and whether a row is nothing without it.

    `words` are headers that mean it, in the form of `plain`, the likeliest first: its own name.
    """

    name: str
    kind: str
    is_needed: bool
    is_personal: bool
    words: tuple[str, ...]


@dataclass(frozen=True)
class OwnList:
    """One of the owner's lists: its code, the table it lives in, and its fields by name."""

    code: str
    table: str
    meaning: str
    fields: Mapping[str, Field]

    @property
    def source_id(self) -> str:
        """What deliveries and quarantine call it."""
        return f"own-{self.code}"


def own_list(code: str) -> OwnList:
    """The list of that code; raises `Refused`, naming the codes there are."""
    found = own_lists().get(code)
    if found is None:
        known = ", ".join(own_lists())
        raise Refused(f"list {code!r}", "there is none of that name", f"Choose one of: {known}")
    return found


def is_own_list(source_id: str) -> bool:
    """Whether deliveries of that source are files of the owner's own."""
    return any(own.source_id == source_id for own in own_lists().values())


@cache
def own_lists() -> dict[str, OwnList]:
    """Every list, by its code."""
    return {
        code: OwnList(
            code,
            row["table"],
            row["meaning"],
            {name: _field(name, given) for name, given in row["field"].items()},
        )
        for code, row in _data()["list"].items()
    }


def _field(name: str, given: Mapping[str, Any]) -> Field:
    return Field(
        name,
        given["kind"],
        given.get("needs", False),
        given.get("personal", False),
        tuple(dict.fromkeys(plain(word) for word in (name, *given["words"]))),
    )


def implied_authority(header: str) -> str | None:
    """The register whose numbers a column of that header holds, where the word says so."""
    listed = _data()["implied_authority"].items()
    return next((code for word, code in listed if plain(word) == plain(header)), None)


def truth_of(text: str) -> bool | None:
    """What a cell says for yes or no; None where it says neither."""
    word = plain(text)
    for answer in (True, False):
        if word in map(plain, _data()["truth"]["yes" if answer else "no"]):
            return answer
    return None


def channel_of(text: str) -> str | None:
    """`email` or `phone` as a cell words it; None for anything else."""
    word = plain(text)
    listed = _data()["channel"].items()
    return next((code for code, words in listed if word in map(plain, words)), None)


def is_mere_use(act: str | None, wording: str | None) -> bool:
    """Whether act or wording describes a use of the service, or silence: neither is a consent.

    So is an act of which nothing more is told than a purchase, a login or an account.
    """
    said = [text for text in (act, wording) if text]
    if any(pattern.search(text) for text in said for pattern in _no_consent("patterns")):
        return True
    is_yes = re.search(_data()["no_consent"]["a_yes"], act or "", re.IGNORECASE)
    return not is_yes and any(one.search(act or "") for one in _no_consent("use_alone"))


def plain(text: str) -> str:
    """A header or a word by its small letters and digits alone: `Faktura-nr.` is `fakturanr`."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(re.findall(r"[^\W_]+", folded))


@cache
def _no_consent(which: str) -> tuple[re.Pattern[str], ...]:
    patterns = _data()["no_consent"][which]
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


@cache
def _data() -> dict[str, Any]:
    text = resources.files("sources.kit").joinpath("own_lists.toml").read_text("utf-8")
    return tomllib.loads(text)
