"""The portal's own wording: gettext catalogues by language, said by the notices' speaker."""

from __future__ import annotations

from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

from babel.messages.pofile import read_po

from notices.catalogue import Catalogue, Speaker
from notices.language import JOINT

if TYPE_CHECKING:
    from collections.abc import Iterable

LANGUAGES = ("da", "en")
"""Languages the portal speaks; also the two, in this order, for whoever we know nothing about."""

_UNCHECKED = "native-checked: no"


@cache
def load_texts(language: str) -> Catalogue:
    """Read one language's `portal.po` once; fuzzy entries do not count."""
    path = resources.files("portal") / "catalogues" / language / "LC_MESSAGES" / "portal.po"
    with path.open("rb") as stream:
        entries = [entry for entry in read_po(stream, locale=language) if entry.id]
    texts = {
        str(entry.id): str(entry.string)
        for entry in entries
        if entry.string and not entry.fuzzy and not entry.pluralizable
    }
    unchecked = tuple(str(entry.id) for entry in entries if _UNCHECKED in entry.user_comments)
    return Catalogue(language, MappingProxyType(texts), unchecked)


def speakers(languages: str) -> tuple[Speaker, ...]:
    """Return the speakers for a letter's languages (`da`, `da+en`); for none of ours, all."""
    wanted = languages.split(JOINT)
    return _of(language for language in LANGUAGES if language in wanted) or _of(LANGUAGES)


def _of(languages: Iterable[str]) -> tuple[Speaker, ...]:
    return tuple(Speaker(load_texts(language)) for language in languages)
