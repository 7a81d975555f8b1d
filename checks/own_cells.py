"""Cells of the owner's lists made values, a whole column at a time, each with the rule it broke."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from checks.lei import check_digits_hold, well_formed
from sources.kit.contact_points import normalise
from sources.kit.contact_rules import EMPTY
from sources.kit.countries import COUNTRY_CODES
from sources.kit.identity_numbers import NUMBER_REMOVED, scrub
from sources.kit.list_dates import read_day, read_moment
from sources.kit.own_lists import channel_of, plain, truth_of
from sources.kit.register_numbers import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sources.kit.own_lists import OwnList

LONGEST_TEXT = 500
_NAME_LANGUAGES = ("da", "en", "de", "sv", "nb", "fi")
_AUTHORITY = re.compile(r"RA[0-9]{6}")
_SCRUBBED = ("reference", "text", "number")
"""Kinds of cells in which a personal number could stand unseen; the others are read strictly."""

Values = dict[str, list[Any]]


@dataclass
class Cells:
    """The values of a list's rows by field, None where nothing is said or it cannot be read.

    `broken` are the rules each row broke; `kept_out` counts values left out by `field.rule` of rows
    that are kept; `personal_numbers` counts cells that lost one.
    """

    values: Values = field(repr=False)
    broken: list[set[str]] = field(repr=False)
    lost_number: list[bool] = field(repr=False)
    kept_out: Counter[str] = field(default_factory=Counter)
    personal_numbers: int = 0


def read_cells(
    texts: Mapping[str, Sequence[str]], own: OwnList, date_format: str, home: str
) -> Cells:
    """Read every field's column of texts (all of one length, `''` where nothing is said).

    `home` (ISO 3166-1) is the owner's country, by which bare personal numbers are told where a row
    states no country.
    """
    count = len(next(iter(texts.values())))
    cells = Cells({}, [set() for _ in range(count)], [False] * count)
    countries = _countries(cells, texts.get("country", [""] * count))
    lands = [country or home for country in countries]
    for name, column in texts.items():
        kind = own.fields[name].kind
        plain_texts = list(column)
        if kind in _SCRUBBED:
            plain_texts = _scrubbed(cells, plain_texts, lands, is_reference=kind == "reference")
        if kind == "country":
            cells.values[name] = countries
        elif kind in _READERS:
            cells.values[name] = _read(cells, kind, plain_texts, date_format)
        elif kind in {"email", "phone"}:
            cells.values[name] = _contacts(cells, kind, plain_texts, countries)
        elif kind == "lei":
            cells.values[name] = _leis(cells, plain_texts)
        else:
            cells.values[name] = [text or None for text in plain_texts]
    _numbers(cells)
    return cells


def _scrubbed(cells: Cells, texts: list[str], lands: list[str], *, is_reference: bool) -> list[str]:
    found = scrub(pa.array(texts, pa.string()), pa.array(lands, pa.string()))
    cells.personal_numbers += found.count
    for place, is_touched in enumerate(found.touched.tolist()):
        if is_touched and is_reference:
            cells.lost_number[place] = True
    kept: list[str] = found.texts.to_pylist()
    for place, text in enumerate(kept):
        if len(text) > LONGEST_TEXT:
            cells.broken[place].add("texts_are_short")
    return kept


def _read(cells: Cells, kind: str, texts: list[str], date_format: str) -> list[Any]:
    """Each distinct text once; what says something and cannot be read breaks the kind's rule."""
    reader, rule = _READERS[kind]
    known = {text: reader(text, date_format) for text in set(texts)}
    for place, text in enumerate(texts):
        if text and known[text] is None:
            cells.broken[place].add(rule)
    return [known[text] for text in texts]


def _ip(text: str, _date_format: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


_READERS: dict[str, tuple[Callable[[str, str], Any], str]] = {
    "date": (read_day, "dates_are_in_format"),
    "moment": (read_moment, "dates_are_in_format"),
    "truth": (lambda text, _: truth_of(text), "truths_are_readable"),
    "channel": (lambda text, _: channel_of(text), "channel_is_known"),
    "ip": (_ip, "ip_address_is_readable"),
}


def _countries(cells: Cells, texts: Sequence[str]) -> list[str | None]:
    known = {text: _country(text) for text in set(texts)}
    for place, text in enumerate(texts):
        if text and known[text] is None:
            cells.broken[place].add("country_is_known")
    return [known[text] for text in texts]


def _country(text: str) -> str | None:
    return text.upper() if text.upper() in COUNTRY_CODES else _by_name().get(plain(text))


@cache
def _by_name() -> dict[str, str]:
    """Countries by what the Nordic languages, English and German call them."""
    from babel import Locale

    return {
        plain(name): code
        for language in _NAME_LANGUAGES
        for code, name in Locale.parse(language).territories.items()
        if code in COUNTRY_CODES
    }


def _contacts(
    cells: Cells, kind: str, texts: list[str], countries: list[str | None]
) -> list[str | None]:
    """The first that can be read of each cell; the others are counted by the rule they broke."""
    raw = pa.table(
        {
            "ordinal": pa.array(range(len(texts)), pa.int64()),
            "kind": pa.array([kind] * len(texts), pa.string()),
            "original": pa.array(texts, pa.string()),
            "country": pa.array(countries, pa.string()),
        }
    )
    found = normalise(raw)
    cells.kept_out.update(
        {name: n for name, n in found.counts.kept_out.items() if not name.endswith(f".{EMPTY}")}
    )
    values: list[str | None] = [None] * len(texts)
    for place, value in zip(
        found.points["ordinal"].to_pylist(), found.points["value"].to_pylist(), strict=True
    ):
        if values[place] is None:
            values[place] = value
        else:
            cells.kept_out[f"{kind}.second_in_cell"] += 1
    return values


def _leis(cells: Cells, texts: list[str]) -> list[str | None]:
    leis = pc.utf8_upper(pc.replace_substring(pa.array(texts, pa.string()), " ", ""))
    formed = well_formed(leis)
    sound = check_digits_hold(leis, formed)
    found: list[str | None] = []
    judged = zip(leis.to_pylist(), formed.to_pylist(), sound.tolist(), strict=True)
    for place, (lei, is_formed, is_sound) in enumerate(judged):
        if lei and not (is_formed and is_sound):
            cells.broken[place].add("lei_check_digits_hold" if is_formed else "lei_is_well_formed")
        found.append(lei if lei and is_formed and is_sound else None)
    return found


def _numbers(cells: Cells) -> None:
    """Registers' numbers in their one form; a number without its register can be joined to none."""
    numbers = cells.values.get("registration_number")
    if numbers is None:
        return
    empty: list[str | None] = [None] * len(numbers)
    numbers = [None if number and NUMBER_REMOVED in number else number for number in numbers]
    authorities = [
        code if code and _AUTHORITY.fullmatch(code) else None
        for code in cells.values.get("registration_authority", empty)
    ]
    keys = keys_of(pa.array(authorities, pa.string()), pa.array(numbers, pa.string()))
    for place, (number, authority) in enumerate(zip(numbers, authorities, strict=True)):
        if number and not authority:
            cells.kept_out["registration_number.no_register"] += 1
        elif number and not keys.numbers[place].is_valid:
            cells.broken[place].add("registration_number_fits")
    cells.values["registration_number"] = keys.numbers.to_pylist()
    cells.values["registration_authority"] = keys.authorities.to_pylist()
