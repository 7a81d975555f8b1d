"""Invented entries of national registers: companies of the bundled sample, and some without an LEI.

A `Firm` is what one register knows of one company, in no register's words; `sample_brreg`,
`sample_cvr`, `sample_ariregister` and `sample_prh` say it in the published shapes. Every entry that
is there to be awkward is listed under the name of its awkwardness. Same day, same entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from sources.kit import sample_registers_draw
from sources.kit.sample_bundle import SAMPLE_DAY
from sources.kit.sample_firm import REGISTERS, Contact, Firm, Register

__all__ = ["REGISTERS", "Contact", "Firm", "Register", "RegisterSample", "bundled_registers"]

Case = Literal[
    "role",
    "named",
    "free",
    "agent",
    "messy",
    "none",
    "sole",
    "moved",
    "ended",
    "secret",
    "protected",
    "unit_protected",
    "unit_open",
    "flagless",
    "personal_number",
    "branch",
    "ceased",
    "renamed",
]
"""Why an entry is interesting; what each means stands in `sample_registers_cases`."""


@dataclass(frozen=True)
class RegisterSample:
    """The entries of all four registers on one day, and the personal numbers planted in them."""

    as_of: date
    firms: Mapping[Register, tuple[Firm, ...]]
    planted: tuple[str, ...] = field(repr=False)

    def of(self, register: Register, case: Case, *, has_lei: bool | None = None) -> list[Firm]:
        """The register's entries of that case, in order; `has_lei` None takes both kinds."""
        return [
            firm
            for firm in self.firms[register]
            if case in firm.cases and has_lei in (None, firm.lei is not None)
        ]

    def cases(self, register: Register) -> dict[str, int]:
        """How many entries of each case a register has."""
        found: dict[str, int] = defaultdict(int)
        for firm in self.firms[register]:
            for case in firm.cases:
                found[case] += 1
        return dict(found)


@lru_cache(maxsize=4)
def bundled_registers(as_of: date = SAMPLE_DAY) -> RegisterSample:
    """The entries that belong to `bundled_sample(as_of)`, and those of companies without an LEI."""
    firms = sample_registers_draw.drawn(as_of)
    planted = sorted(
        {firm.personal_number for found in firms.values() for firm in found} - {None, ""}
    )
    return RegisterSample(as_of, firms, tuple(filter(None, planted)))
