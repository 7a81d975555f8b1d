"""The wording by language: gettext catalogues, read as they are committed, and how a text is said.

A text that a catalogue lacks, or whose named placeholders are not exactly those asked for, raises
`Gap`; nothing ever falls back to another language in mid-text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from importlib import resources
from string import Formatter
from types import MappingProxyType
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.pofile import read_po
from babel.units import format_unit

from sources.kit.countries import COUNTRY_CODES
from sources.kit.period import parse_period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOCALES: Mapping[str, str] = MappingProxyType({"da": "da_DK", "en": "en_GB"})
"""Languages with a catalogue, and whose dates, lists and country names they use."""

_UNCHECKED = "native-checked: no"
_UNITS = (("years", "duration-year"), ("months", "duration-month"), ("days", "duration-day"))


class Gap(Exception):  # no error of ours: an answer, which `missing` collects
    """One element of a notice cannot be said; the text says why, without any value."""


@dataclass(frozen=True)
class Catalogue:
    """One language's texts by message id; `unchecked` are those no native speaker has read."""

    language: str
    texts: Mapping[str, str]
    unchecked: tuple[str, ...]


@cache
def load_catalogue(language: str) -> Catalogue:
    """Read one language's .po once; a language without one has no texts. Fuzzy entries count not.

    Read through Babel at run time, so that no compiled binaries are committed.
    """
    if language not in LOCALES:
        return Catalogue(language, MappingProxyType({}), ())
    path = resources.files("notices") / "catalogues" / language / "LC_MESSAGES" / "notices.po"
    with path.open("rb") as stream:
        entries = [entry for entry in read_po(stream, locale=language) if entry.id]
    texts = {
        str(entry.id): str(entry.string)
        for entry in entries
        if entry.string and not entry.fuzzy and not entry.pluralizable
    }
    unchecked = tuple(str(entry.id) for entry in entries if _UNCHECKED in entry.user_comments)
    return Catalogue(language, MappingProxyType(texts), unchecked)


@dataclass(frozen=True)
class Review:
    """How far a language's texts have been read by a native speaker."""

    language: str
    texts: int
    unchecked: tuple[str, ...]

    @property
    def is_native_checked(self) -> bool:
        """Say whether a native speaker has read every text."""
        return self.texts > 0 and not self.unchecked


def catalogue_review(language: str) -> Review:
    """Return which texts of a language still wait for a native reader (privacy/notice)."""
    held = load_catalogue(language)
    return Review(language, len(held.texts), held.unchecked)


@cache
def _placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


# C0 and C1 controls and the line and paragraph separators; and the signs that turn the direction
# of text around (Unicode Standard Annex #9, explicit formatting).
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\\s]+")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def plain(value: str) -> str:
    """Return a value on one line, without control characters or overrides of text direction.

    Registers do send such bytes in names; a bidi override could turn a sentence of ours around.
    """
    return _BREAKS.sub(" ", _TURNS.sub("", value)).strip()


@dataclass(frozen=True)
class Speaker:
    """Says the house's texts in one language; every method raises `Gap` for what it cannot say."""

    catalogue: Catalogue

    @property
    def language(self) -> str:
        """The catalogue's language code."""
        return self.catalogue.language

    @property
    def locale(self) -> str:
        """The Babel locale; a language without a catalogue has none."""
        if self.language not in LOCALES:
            raise Gap(f"no texts in {self.language!r}")
        return LOCALES[self.language]

    def say(self, message_id: str, **values: str) -> str:
        """Return a text with its named values; blank values are gaps too."""
        text = self.catalogue.texts.get(message_id)
        if text is None:
            raise Gap(f"{message_id} has no text in {self.language!r}")
        if _placeholders(text) != values.keys():
            raise Gap(f"{message_id} in {self.language!r} does not hold the values it must")
        said = {name: plain(value) for name, value in values.items()}
        blank = sorted(name for name, value in said.items() if not value)
        if blank:
            raise Gap(f"nothing is known for {', '.join(blank)}")
        return text.format_map(said)

    def term(self, table: Mapping[str, str], word: str) -> str:
        """Return the reader's words for a word of the house, by a table of the vocabulary."""
        if word not in table:
            raise Gap(f"no words for {word!r}")
        return self.say(table[word])

    def day(self, moment: date | datetime | None) -> str:
        """Return a day written out (`21. november 2026`); a moment's day is its day in UTC."""
        if moment is None:
            raise Gap("a date is not known")
        if isinstance(moment, datetime):
            moment = moment.astimezone(UTC).date()
        return _day(moment, self.locale)

    def period(self, text: str) -> str:
        """Return an ISO 8601 period in words (`24 måneder`)."""
        length = parse_period(text)
        counted = ((getattr(length, name), unit) for name, unit in _UNITS)
        words = [format_unit(n, unit, "long", locale=self.locale) for n, unit in counted if n]
        return self.join(words)

    def country(self, code: str) -> str:
        """Return a country's name in this language (CLDR)."""
        name = country_name(code, self.locale)
        if name is None:
            raise Gap(f"no country is called {code!r}")
        return name

    def join(self, items: Iterable[str], style: str = "standard") -> str:
        """Return `a, b and c` (style `standard`) or `a, b or c` (style `or`), each item once."""
        unique = tuple(dict.fromkeys(items))
        if not unique:
            raise Gap("a list is empty")
        return _joined(unique, style, self.locale)

    def language_name(self, code: str) -> str:
        """Return a language's own name for readers of this one (`dansk`, `Danish`)."""
        return str(_locale(self.locale).languages[code])


def speaker(language: str) -> Speaker:
    """Return the one who says our texts in that language."""
    return Speaker(load_catalogue(language))


@cache
def _locale(identifier: str) -> Locale:
    return Locale.parse(identifier)


def country_name(code: str, locale: str) -> str | None:
    """Return a country's name by CLDR, None for a code that is no country's (ISO 3166-1)."""
    return _locale(locale).territories.get(code) if code in COUNTRY_CODES else None


@lru_cache(maxsize=4096)
def _day(day: date, locale: str) -> str:
    return format_date(day, "long", locale=locale)


@lru_cache(maxsize=4096)
def _joined(items: tuple[str, ...], style: str, locale: str) -> str:
    return format_list(items, "or" if style == "or" else "standard", locale=locale)
