"""Legal forms and registers in words: their shapes, and those that ship until more are loaded."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

SHAPE = "codes"
"""What the card of a source says that brings code lists instead of records."""
UNSTATED = "und"
"""ISO 639-2 code of a language that nobody stated."""


@dataclass(frozen=True)
class FormName:
    """A legal form's name in one language (ISO 639-1), and in Latin letters."""

    language: str
    local_name: str | None
    transliterated_name: str | None = None
    abbreviations: str | None = None


@dataclass(frozen=True)
class LegalForm:
    """An ISO 20275 code with its names in the order of the list; `status` is ACTV or INAC."""

    code: str
    names: tuple[FormName, ...]
    country: str | None = None
    jurisdiction: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Authority:
    """A register of GLEIF's list, by its RA code; `countries` are ISO 3166-1 codes, by commas."""

    code: str
    local_name: str | None
    international_name: str | None
    local_organisation: str | None = None
    international_organisation: str | None = None
    website: str | None = None
    countries: str | None = None
    jurisdictions: str | None = None
    short_name: str | None = None
    """What the register is called for short; no list has it, only ours."""


@dataclass(frozen=True)
class Rejected:
    """An entry that could not be taken: its key as far as it has one, the rule, where it stands."""

    key: str
    rule: str
    content: str
    byte_offset: int


@dataclass(frozen=True)
class Codes:
    """What a delivery of code lists says; `repeated` counts entries that stood twice, the same."""

    forms: tuple[LegalForm, ...]
    authorities: tuple[Authority, ...]
    rejected: tuple[Rejected, ...] = ()
    repeated: int = 0
    unknown: list[str] = field(default_factory=list)

    @property
    def entry_count(self) -> int:
        """All entries of the delivery."""
        return len(self.forms) + len(self.authorities) + len(self.rejected) + self.repeated


@dataclass(frozen=True)
class BuiltIn:
    """The words that ship, each list with its citation and the day it was listed."""

    codes: Codes
    forms_citation: str
    forms_listed_on: date
    authorities_citation: str
    authorities_listed_on: date


@cache
def built_in() -> BuiltIn:
    """The words of `code_words.toml`."""
    text = resources.files("sources.kit").joinpath("code_words.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    forms, registers = tables["legal_forms"], tables["authorities"]
    return BuiltIn(
        Codes(
            tuple(_form(*row) for row in forms["forms"]),
            tuple(_authority(*row) for row in registers["registers"]),
        ),
        forms["citation"],
        forms["listed_on"],
        registers["citation"],
        registers["listed_on"],
    )


def _form(code: str, country: str, *names: list[str]) -> LegalForm:
    named = (
        FormName(language, name, abbreviations=short or None) for language, name, short in names
    )
    return LegalForm(code, tuple(named), country, status="ACTV")


def _authority(code: str, country: str, short: str, *words: Any) -> Authority:  # noqa: ANN401 (texts)
    local, international, website = words
    return Authority(
        code, local, international, website=website, countries=country, short_name=short or None
    )
