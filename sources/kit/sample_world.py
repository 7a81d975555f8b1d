"""The sample's invented world: the parts in `sample_world.toml`, filled into flat pools.

Every pool has the same size for each country, so a row finds its part at
`country * SIZE + number` and thousands of rows are drawn at once.
"""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sources.kit.sample_numbers import CheckDigit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

STEMS = 4096
TRADES = 16
FORMS = 32
TRUSTS = 4
PEOPLE = 2048
STREETS = 2048
TAILS = 1024
AUTHORITIES = 8

T = TypeVar("T")

NUMBER_MARK = "\x01"
"""Where a street takes its house number."""


@dataclass(frozen=True)
class Authority:
    """A register: RA code, its name when it has no code, and the shape of its numbers.

    `#` in the shape is a digit; `check` is how the last one is found, where it is a check digit.
    """

    code: str
    other: str
    shape: str
    check: CheckDigit | None

    @property
    def digits(self) -> int:
        """How many digits of a number are its own."""
        return self.shape.count("#")


@dataclass(frozen=True)
class World:
    """Flat pools of parts, one block of fixed size a country, in the order of `codes`."""

    codes: tuple[str, ...]
    weights: tuple[int, ...]
    upper: tuple[float, ...]
    languages: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    stems: list[str]
    trades: list[str]
    forms: list[tuple[str, str]]
    soles: list[tuple[str, str]]
    trusts: list[str]
    people: list[str]
    streets: list[str]
    tails: list[str]
    authorities: list[Authority]
    ascii: dict[int, str]


def _fill(items: Sequence[T], size: int) -> list[T]:
    return [items[n % len(items)] for n in range(size)]


def _parts(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split()


def _stems(tongue: Mapping[str, str]) -> list[str]:
    parts = (_parts(tongue[part]) for part in ("head", "mid", "tail"))
    return _fill(["".join(three) for three in product(*parts)], STEMS)


def _people(tongue: Mapping[str, str]) -> list[str]:
    given, family = tongue["given"].split(), tongue["family"].split()
    plain = [f"{first} {last}" for first, last in product(given, family)]
    spare = [
        f"{first} {initial}. {last}" for first, last, initial in product(given, family, "ABEKM")
    ]
    return _fill(plain + spare, PEOPLE)


def _forms(country: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name pattern, ISO 20275 code), the common ones repeated by their weight."""
    weighted = [
        (quoted(name), code) for name, code, weight in country["forms"] for _ in range(weight)
    ]
    return _fill(weighted, FORMS)


def _streets(country: Mapping[str, Any], stems: Sequence[str]) -> list[str]:
    patterns = [p if "*" in p else f"*{p}" for p in country["streets"].split("|")]
    return [
        patterns[n % len(patterns)].replace("*", stems[n * 7 % STEMS]).replace("{n}", NUMBER_MARK)
        for n in range(STREETS)
    ]


def _tails(code: str, country: Mapping[str, Any], rng: np.random.Generator) -> list[str]:
    """`city","region","country","postal code`: the last four columns of an address."""
    digits, letters = rng.integers(0, 10, 8 * TAILS), rng.integers(0, 26, 8 * TAILS)
    made = []
    for n, (city, region, shape) in enumerate(_fill(country["cities"], TAILS)):
        postal = "".join(
            str(digits[8 * n + at % 8])
            if c == "#"
            else chr(65 + letters[8 * n + at % 8])
            if c == "@"
            else c
            for at, c in enumerate(shape)
        )
        made.append(f'{city}","{region}","{code}","{postal}')
    return made


def _authorities(country: Mapping[str, Any], checks: Mapping[str, CheckDigit]) -> list[Authority]:
    return _fill(
        [
            Authority(code, other[0] if other else "", shape, checks.get(code))
            for code, shape, *other in country["authorities"]
        ],
        AUTHORITIES,
    )


def _check_digits(raw: Mapping[str, Any]) -> dict[str, CheckDigit]:
    """The rule of each register whose numbers end in a check digit."""
    return {
        code: CheckDigit(
            tuple(rule["weights"]),
            tuple(rule.get("then", ())),
            rule.get("is_plain_remainder", False),
        )
        for code, rule in raw.items()
    }


def quoted(text: str) -> str:
    """`text` as it stands inside a quoted CSV field."""
    return text.replace('"', '""')


def _ascii(raw: Mapping[str, str], text: str) -> dict[int, str]:
    """A translation table to plain ASCII for every character that occurs in `text`."""
    listed = dict(pair.split("=", 1) for table in raw.values() for pair in table.split())
    listed |= {c.upper(): found.upper() for c, found in listed.items() if len(c.upper()) == 1}
    table = {}
    for c in {*text, *text.upper()}:
        bare = "".join(
            part for part in unicodedata.normalize("NFKD", c) if not unicodedata.combining(part)
        )
        table[ord(c)] = listed.get(c) or "".join(
            listed.get(part, part if part.isascii() else "") for part in bare
        )
    return {c: found for c, found in table.items() if c > 127}  # noqa: PLR2004, ASCII ends at 127


@lru_cache(maxsize=1)
def world() -> World:
    """The pools, built once from the packaged file; always the same."""
    text = files(__package__ or "sources.kit").joinpath("sample_world.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    rng = np.random.default_rng(7)
    countries: list[tuple[str, dict[str, Any]]] = list(raw["country"].items())
    tongues = [raw["tongue"][country["tongue"]] for _, country in countries]
    stems = [_stems(tongue) for tongue in tongues]
    checks = _check_digits(raw["check_digit"])

    def pool(make: Callable[[dict[str, Any]], list[T]]) -> list[T]:
        return [item for _, country in countries for item in make(country)]

    return World(
        codes=tuple(code for code, _ in countries),
        weights=tuple(country["weight"] for _, country in countries),
        upper=tuple(country["upper"] for _, country in countries),
        languages=tuple(country["language"] for _, country in countries),
        jurisdictions=tuple(country.get("jurisdiction", code) for code, country in countries),
        stems=[stem for block in stems for stem in block],
        trades=pool(lambda country: _fill(country["trades"].split("|"), TRADES)),
        forms=pool(_forms),
        soles=[(quoted(country["sole"][0]), country["sole"][1]) for _, country in countries],
        trusts=pool(lambda country: _fill(country["trusts"], TRUSTS)),
        people=[person for tongue in tongues for person in _people(tongue)],
        streets=[
            street
            for (_, country), block in zip(countries, stems, strict=True)
            for street in _streets(country, block)
        ],
        tails=[tail for code, country in countries for tail in _tails(code, country, rng)],
        authorities=pool(lambda country: _authorities(country, checks)),
        ascii=_ascii(raw["ascii"], text),
    )
