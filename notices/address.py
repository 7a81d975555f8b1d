"""A postal address laid out by its country's custom, and whether a letter can reach it.

What is held is printed in the script it is held in; nothing is translated, guessed or cut.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from notices.address_rules import fill, rules_for
from notices.catalogue import country_name, plain
from notices.language import country_language
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notices.address_rules import AddressRules

MAX_LINES = 8
"""Address lines of a row (`address_line_1` to `address_line_8`): name, four street lines as the
LEI format has them, city, postal code, country. What is longer shares a line, none is dropped."""

_STREET = "%A"
_NAME = "%O"


@dataclass(frozen=True)
class PostalAddress:
    """One address as held: `region` is ISO 3166-2 or a name, `country` ISO 3166-1 alpha-2.

    `lines` are the street lines in their order (house number, floor, mail routing among them).
    """

    name: str
    lines: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str


def deliverable(address: PostalAddress) -> str | None:
    """Return why no letter can reach the address, None when one can.

    `unknown_country`, `no_addressee`, `no_street`, `no_city` (where addresses have one),
    `no_postal_code` (where required), `postal_code_malformed` (not of the country's form). A
    missing region is no reason: registers seldom give one and the postal code holds it.
    """
    rules = rules_for(address.country)
    if rules is None:
        return "unknown_country"
    code = plain(address.postal_code)
    reasons = (
        (not plain(address.name), "no_addressee"),
        (not _street(address), "no_street"),
        (not plain(address.city) and "city" in rules.required, "no_city"),
        (not code and "postal_code" in rules.required, "no_postal_code"),
        (bool(code) and rules.postal_code(code) is None, "postal_code_malformed"),
    )
    return next((reason for fails, reason in reasons if fails), None)


def lay_out(address: PostalAddress, sender_country: str) -> tuple[str, ...]:
    """Return the lines from top to bottom, at most `MAX_LINES`, none empty.

    A letter that leaves `sender_country` ends with the country's name. Raises `Refused` for an
    unknown country; ask `deliverable` first.
    """
    rules = rules_for(address.country)
    if rules is None:
        cause = f"{address.country!r} is no country with known address rules"
        raise Refused("postal address", cause, "Ask `deliverable` before laying an address out")
    is_latin = _is_latin((*address.lines, address.city))
    formats = rules.latin_lines if is_latin else rules.lines
    values = _values(address, rules, is_latin=is_latin)
    street = _street_and_city(address, values, formats)
    above = _filled(formats[: _street_at(formats)], values)
    below = _filled(formats[_street_at(formats) + 1 :], values)
    street[-1:] = [fill(formats[_street_at(formats)], {**values, _STREET: street[-1]})]
    if address.country != sender_country:
        below.append(country_line(address.country, sender_country))
    while len(above) + len(street) + len(below) > MAX_LINES and len(street) > 1:
        street[-2:] = [", ".join(street[-2:])]
    # A city that is its own region (Moscow) stands once.
    return tuple(_unique((*above, *street, *below)))


@cache
def country_line(country: str, sender_country: str) -> str:
    """Return the country's name in capitals for letters from `sender_country`.

    In the dispatching country's language and, where it differs, in English: the Universal Postal
    Union asks for the first and wishes an internationally known language beside it (Convention
    Manual, letter post, addressing).
    """
    languages = (country_language(sender_country) or "en", "en")
    names = (country_name(country, language) for language in languages)
    return " / ".join(dict.fromkeys(name.upper() for name in names if name))


def _values(address: PostalAddress, rules: AddressRules, *, is_latin: bool) -> dict[str, str]:
    """Return what stands for each sign of a format; capitals where the country writes them."""
    code = plain(address.postal_code)
    held = {
        _NAME: ("company_name", plain(address.name)),
        "%C": ("city", plain(address.city)),
        "%S": ("country_area", rules.region(plain(address.region), is_latin=is_latin)),
        "%Z": ("postal_code", rules.postal_code(code) or code),
    }
    return {
        sign: value.upper() if field in rules.capitals else value
        for sign, (field, value) in held.items()
    }


def _street(address: PostalAddress) -> list[str]:
    """Return the street lines, each once: issuers repeat lines where a field may not be empty."""
    return _unique(plain(line) for line in address.lines)


def _unique(lines: Iterable[str]) -> list[str]:
    first: dict[str, str] = {}
    for line in filter(None, lines):
        first.setdefault(line.casefold(), line)
    return list(first.values())


def _street_and_city(
    address: PostalAddress, values: dict[str, str], formats: Iterable[str]
) -> list[str]:
    """Return the street lines, with the city among them where the country's format has none.

    Japan and the Cayman Islands count it to the street. It stands above the street where the
    addressee comes last (largest first), else below; not at all where the format, the region or
    a street line says it already (Singapore, Dubai).
    """
    layout = " ".join(formats)
    street, city = _street(address), values["%C"]
    said = " ".join((layout, values["%S"], *street)).casefold()
    if "%C" in layout or not city or city.casefold() in said:
        return street or [""]
    is_largest_first = layout.index(_STREET) < layout.index(_NAME)
    return [city, *street] if is_largest_first else [*street, city]


def _street_at(formats: tuple[str, ...]) -> int:
    return next(n for n, line in enumerate(formats) if _STREET in line)


def _filled(formats: tuple[str, ...], values: dict[str, str]) -> list[str]:
    return [line for line in (fill(line, values) for line in formats) if line]


def _is_latin(texts: Iterable[str]) -> bool:
    """Say whether every letter is Latin: such text follows the country's order for foreign mail."""
    letters = (sign for text in texts for sign in text if sign.isalpha())
    return all(sign.isascii() or "LATIN" in unicodedata.name(sign, "") for sign in letters)
