"""Phone numbers of registers in E.164, read with the company's country as the default region."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.contact_rules import (
    EMPTY,
    PERSONAL_NUMBER,
    SPLIT,
    Part,
    Reading,
    between,
    plain,
    repaired,
    rules_of,
)
from sources.kit.identity_numbers import holds_personal_number

KIND = "phone"
UNREADABLE, NO_SUCH_NUMBER = "unreadable", "no_such_number"
EXTENSION = "extension"
_DIGITS = r"^\s*\+?[0-9][0-9 ]*\s*$"
_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)
"""Of these number plans a valid number is in one (phonenumbers' `number_type`)."""


class _Plan(NamedTuple):
    general: str
    """A pattern that every number of the country has, in either form."""
    forms: tuple[tuple[str, str], ...]
    """Patterns of what is typed, and what each becomes in E.164."""


def clean(originals: pa.Array, countries: pa.Array) -> tuple[pa.Array, pa.Array]:
    """(values, which are certain) of numbers of digits and blanks that are in their country's plan.

    The plans are those of the library itself, so it would say the same of each.
    """
    typed = pc.match_substring_regex(originals, _DIGITS)
    digits = pc.replace_substring_regex(originals, r"\s", "")
    values, certain = digits, pa.array([False] * len(digits), pa.bool_())
    present = set(pc.unique(countries).to_pylist())
    for country in sorted(present.intersection(rules_of(KIND)["fast_countries"])):
        plan = _plan(country)
        here = pc.and_(typed, pc.equal(countries, country))
        here = pc.and_(here, pc.match_substring_regex(digits, plan.general))
        for pattern, replacement in plan.forms:
            is_form = pc.and_(here, pc.match_substring_regex(digits, pattern))
            written = pc.replace_substring_regex(digits, pattern, replacement)
            values = pc.if_else(is_form, written, values)
            certain = pc.or_(certain, is_form)
    return values, pc.fill_null(certain, False)  # noqa: FBT003


@cache
def _plan(country: str) -> _Plan:
    """The country's number plan for RE2: its patterns are written for it (libphonenumber)."""
    import phonenumbers

    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(country)
    described = [getattr(metadata, name) for name in _TYPES]
    patterns = [one.national_number_pattern for one in described if one is not None]
    numbers = "|".join(f"(?:{pattern})" for pattern in patterns if pattern)
    code, trunk = metadata.country_code, metadata.national_prefix or ""
    general = metadata.general_desc.national_number_pattern
    return _Plan(
        rf"^(?:\+{code}|{trunk})(?:{general})$",
        ((rf"^\+{code}({numbers})$", rf"+{code}\1"), (rf"^{trunk}({numbers})$", rf"+{code}\1")),
    )


def read(original: str, country: str | None) -> Reading:
    """One field: its number or numbers in E.164; only numbers that a number plan has are kept."""
    text = plain(original)
    if not text:
        return Reading((Part(None, EMPTY),), ())
    if holds_personal_number(text, country, strict=True):
        return Reading((Part(None, PERSONAL_NUMBER),), ())
    pieces = [piece for piece in between(KIND).split(text) if piece]
    is_many = len(pieces) > 1 and all(map(_is_whole, pieces))
    names: dict[str, None] = dict.fromkeys([SPLIT] if is_many else [])
    parts = []
    for piece in pieces if is_many else [text]:
        mended, used = repaired(KIND, piece)
        part, has_extension = _part(mended, country)
        parts.append(part)
        names |= dict.fromkeys((*used, EXTENSION) if has_extension else used)
    return Reading(tuple(parts), tuple(names))


def _is_whole(piece: str) -> bool:
    needed: int = rules_of(KIND)["part_digits"]
    return sum(sign.isdigit() for sign in piece) >= needed


def _part(text: str, country: str | None) -> tuple[Part, bool]:
    """The number, and whether an extension was left off."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return Part(None, _rule(text, country, UNREADABLE)), False
    if not phonenumbers.is_valid_number(number):
        return Part(None, _rule(text, country, NO_SUCH_NUMBER)), False
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Part(value, None), bool(number.extension)


def _rule(text: str, country: str | None, otherwise: str) -> str:
    """Why it is no phone number: digits that are one person's are counted as such."""
    return PERSONAL_NUMBER if holds_personal_number(text, country) else otherwise
