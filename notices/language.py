"""Which language a recipient is addressed in, and why (privacy/notice, Languages)."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from babel.languages import get_official_languages

from notices.catalogue import LOCALES

JOINT = "+"
FALLBACK = ("da", "en")
"""Both together where nothing else is known to be read; the fallback is recorded as `da+en`."""

# ISO 639 knows Norwegian as a whole and by its two written forms; the house writes Bokmål.
_SAME = {"no": "nb"}


class Choice(NamedTuple):
    """The languages of one notice in their order, and what decided.

    `reason` is `stated`, `country`, `register` or `fallback`.
    """

    languages: tuple[str, ...]
    reason: str

    @property
    def recorded(self) -> str:
        """The choice as it stands in lists and disclosures: `da`, `en`, `da+en`."""
        return JOINT.join(self.languages)


def choose_language(
    country: str, stated: str | None = None, register_language: str | None = None
) -> Choice:
    """Return the first language that we have texts in, in the order of privacy/notice.

    A stated preference, the language of the recipient's country (ISO 3166-1), the language of the
    register, else Danish and English together. Languages are BCP 47 tags; only the language part
    counts. `register_language` is for registers that write in one language; GLEIF does not.
    """
    wishes = (
        (stated, "stated"),
        (country_language(country), "country"),
        (register_language, "register"),
    )
    for tag, reason in wishes:
        language = base_language(tag) if tag else ""
        if language in LOCALES:
            return Choice((language,), reason)
    return Choice(FALLBACK, "fallback")


@cache
def country_language(country: str) -> str | None:
    """Return the official language most people of a country use, None where there is none.

    Source: CLDR territory-language information (official or de facto official, by population).
    """
    official = get_official_languages(country.upper(), de_facto=True)
    return base_language(official[0]) if official else None


def base_language(tag: str) -> str:
    """Return a tag's language in lower case: `da` for `da-DK`, `nb` for `no_NO`."""
    language = tag.strip().lower().replace("_", "-").split("-")[0]
    return _SAME.get(language, language)
