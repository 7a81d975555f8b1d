"""National personal identity numbers in any text, found by shape, date and check digit.

The formats are data (`identity_numbers.toml`). A number written with its sign between birthday and
serial number is taken for one as soon as its date can be: nothing else is written so. Bare digits
may be a company's number or a phone's, so there the check digits decide, where a format has them.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.check_digits import digits_of, hold
from sources.kit.flat import flat, truths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

NUMBER_REMOVED = "[personal number removed]"
MAYBE = r"[0-9]{6}[^0-9]{1,3}[0-9]{3}|[0-9]{10}"
"""What every format holds: one pass of RE2 finds the few texts that are looked at singly.

Without a sign the shortest number has ten digits; companies' numbers of eight and nine are none.
"""
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class _Format:
    country: str
    pattern: re.Pattern[str]
    rules: Mapping[str, Any]


@dataclass(frozen=True)
class Scrubbed:
    """Texts without personal numbers; `touched` (bool) tells which lost one, `count` how many."""

    texts: pa.Array = field(repr=False)
    touched: np.ndarray = field(repr=False)
    count: int


def without_personal_numbers(text: str, country: str | None = None) -> str:
    """The text with every national personal identity number taken out.

    `country` (ISO 3166-1) is where the text comes from: bare digits that only one country takes for
    a person's are judged by it; unknown is treated as that country.
    """
    return _replaced(text, country)[0]


def holds_personal_number(text: str, country: str | None = None, *, strict: bool = False) -> bool:
    """Whether the text holds one. `strict`: written with its sign, and its check digits hold.

    Strict is for texts that are digits by nature, such as phone numbers; a blank is no sign there.
    """
    return next(_found(text, country, strict=strict), None) is not None


def scrub(texts: pa.Array | pa.ChunkedArray, countries: pa.Array | pa.ChunkedArray) -> Scrubbed:
    """A column of texts without personal numbers; `countries` are the rows' own (null unknown)."""
    column = flat(texts)
    touched = truths(pc.fill_null(pc.match_substring_regex(column, MAYBE), False))  # noqa: FBT003
    maybe = pa.array(touched)
    lands = flat(countries).filter(maybe).to_pylist()
    held = column.filter(maybe).to_pylist()
    replaced = [_replaced(text, land) for text, land in zip(held, lands, strict=True)]
    counts = [count for _, count in replaced]
    clean = pa.array([text for text, _ in replaced], pa.string())
    column = pc.replace_with_mask(column, maybe, clean) if replaced else column
    touched[touched] = [count > 0 for count in counts]
    return Scrubbed(column, touched, sum(counts))


@cache
def _formats() -> tuple[_Format, ...]:
    text = resources.files("sources.kit").joinpath("identity_numbers.toml").read_text("utf-8")
    # A plus opens a phone number with its country code, never a person's number.
    return tuple(
        _Format(row["country"], re.compile(rf"(?<![\d+])(?:{row['pattern']})(?!\d)", re.ASCII), row)
        for row in tomllib.loads(text)["format"]
    )


def _replaced(text: str, country: str | None) -> tuple[str, int]:
    """The text without personal numbers, and how many it had; one can hide behind another."""
    total = 0
    while spans := sorted(_found(text, country)):
        kept, end = [], 0
        for start, stop in spans:
            if start >= end:
                kept += [text[end:start], NUMBER_REMOVED]
                total += 1
            end = max(end, stop)
        text = "".join([*kept, text[end:]])
    return text, total


def _found(text: str, country: str | None, *, strict: bool = False) -> Iterator[tuple[int, int]]:
    """(start, end) of every personal number of any format; they may overlap."""
    for form in _formats():
        is_home = country is None or country == form.country
        for match in form.pattern.finditer(text):
            if _is_date(match, form.rules) and _is_meant(match, form.rules, strict, is_home):
                yield match.span()


def _is_meant(match: re.Match[str], rules: Mapping[str, Any], strict: bool, is_home: bool) -> bool:  # noqa: FBT001 (two sides of one question)
    if match["sep"]:
        return not strict or (bool(match["sep"].strip()) and _is_checked(match, rules))
    bare = rules.get("bare")
    if strict or bare is None or (bare == "home" and not is_home):
        return False
    return "check" not in rules or _is_checked(match, rules)


def _is_checked(match: re.Match[str], rules: Mapping[str, Any]) -> bool:
    digits = "".join(sign for sign in match.group() if sign.isdigit())
    if "signs" in rules:
        number = int(digits[:9])
        return bool(rules["signs"][number % len(rules["signs"])] == match["sign"])
    rule = rules.get("check") or rules.get("doubted_check")
    return rule is None or bool(hold(digits_of(pa.array([digits])), rule)[0])


def _is_date(match: re.Match[str], rules: Mapping[str, Any]) -> bool:
    parts = match.groupdict()
    if "d" not in parts:
        return True
    days = _less(int(parts["d"]), rules.get("added_to_day", [0]))
    months = _less(int(parts["m"]), rules.get("added_to_month", [0]))
    return any(
        1 <= month <= len(_LONGEST_MONTHS) and 1 <= day <= _LONGEST_MONTHS[month - 1]
        for day in days
        for month in months
    )


def _less(number: int, added: Sequence[int]) -> list[int]:
    return [number - plus for plus in added]
