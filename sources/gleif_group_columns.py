"""GLEIF's level 2 columns: how relationships and reporting exceptions become words of the house.

Sources: RR-CDF 2.1, Reporting Exceptions 2.1 and the headers of the published CSV; read by name,
never by position. Groups that repeat (periods, qualifiers, reasons) are read as often as the
header has them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DELETED = re.compile(r"(?:.+\.)?DeletedAt")
"""In deltas only: when the publisher took the record back."""
_NOT_NECESSARY = "not necessary for offering an LEI renewal (GDPR Art. 5(1)(c))"


@dataclass(frozen=True)
class Repeat:
    """A group of columns that repeats: `theirs` has `{n}`, the parts are written one by one.

    A group becomes one text: its parts joined by `between`, the repeats by `; `.
    """

    field: str
    theirs: tuple[str, ...]
    between: tuple[str, ...] = ()

    def columns(self, n: int) -> tuple[str, ...]:
        """The n-th group's published columns."""
        return tuple(column.format(n=n) for column in self.theirs)


@dataclass(frozen=True)
class Layout:
    """One level 2 file: columns to words, groups that repeat, and what is left out with a reason.

    `judged` are columns that the checks need and nothing keeps.
    """

    name: str
    mapped: Mapping[str, str]
    repeats: tuple[Repeat, ...]
    judged: Mapping[str, str]
    ignored: Mapping[str, str]

    def wanted(self, header: list[str]) -> dict[str, str]:
        """Published column to the name it is read under, for the columns this header has."""
        found = {**self.mapped, **self.judged}
        found |= {name: "retracted_published" for name in header if _DELETED.fullmatch(name)}
        for repeat in self.repeats:
            found |= {column: column for n in self.repeated(header, repeat)
                      for column in repeat.columns(n)}  # fmt: skip
        return found

    def repeated(self, header: Iterable[str], repeat: Repeat) -> list[int]:
        """Which numbers of the group the header has, ascending."""
        held = set(header)
        numbers = range(1, len(held) + 1)
        return [n for n in numbers if held.issuperset(repeat.columns(n))]

    def unknown(self, header: list[str]) -> list[str]:
        """Columns neither read nor ignored: dropped, and named in the run report."""
        read = self.wanted(header)
        return [name for name in header if name not in read and name not in self.ignored]

    def check(self, header: list[str]) -> None:
        """Refuse a header that lacks a column, or names one twice; order is free."""
        first = [column for repeat in self.repeats for column in repeat.columns(1)]
        needed = (*self.mapped, *self.judged, *first, *self.ignored)
        missing = [name for name in needed if name not in header]
        doubled = sorted(name for name, times in Counter(header).items() if times > 1)
        if len([name for name in header if _DELETED.fullmatch(name)]) > 1:
            doubled.append("DeletedAt")
        if missing or doubled:
            what = "are missing" if missing else "stand twice"
            raise DeliveryRefused(
                f"GLEIF {self.name} header",
                f"published columns {what}: {', '.join((missing or doubled)[:5])}",
                f"Nothing was loaded. Check that this is the {self.name} CSV; if GLEIF renamed "
                "columns, extend sources/gleif_group_columns.py",
            )


_PERIOD = "Relationship.Period.{n}"

RELATIONSHIPS = Layout(
    name="relationships (rr)",
    mapped={
        "Relationship.StartNode.NodeID": "start_lei",
        "Relationship.EndNode.NodeID": "end_lei",
        "Relationship.RelationshipType": "relationship_type",
        "Relationship.RelationshipStatus": "relationship_status",
        "Registration.InitialRegistrationDate": "initial_registration_published",
        "Registration.LastUpdateDate": "last_update_published",
        "Registration.RegistrationStatus": "registration_status",
        "Registration.NextRenewalDate": "next_renewal_published",
        "Registration.ManagingLOU": "managing_lou",
        "Registration.ValidationSources": "validation_sources",
    },
    repeats=(
        Repeat(
            "relationship_periods",
            (f"{_PERIOD}.periodType", f"{_PERIOD}.startDate", f"{_PERIOD}.endDate"),
            (" ", "/"),
        ),
        Repeat(
            "relationship_qualifiers",
            (
                "Relationship.Qualifiers.{n}.QualifierDimension",
                "Relationship.Qualifiers.{n}.QualifierCategory",
            ),
            (" ",),
        ),
        Repeat(
            "relationship_quantifiers",
            (
                "Relationship.Quantifiers.{n}.MeasurementMethod",
                "Relationship.Quantifiers.{n}.QuantifierAmount",
                "Relationship.Quantifiers.{n}.QuantifierUnits",
            ),
            (" ", " "),
        ),
    ),
    judged={
        "Relationship.StartNode.NodeIDType": "start_node_type",
        "Relationship.EndNode.NodeIDType": "end_node_type",
    },
    ignored={
        "Registration.ValidationDocuments": _NOT_NECESSARY,
        "Registration.ValidationReference": "an address of a filing, free text; it may name people",
    },
)

EXCEPTIONS = Layout(
    name="reporting exceptions (repex)",
    mapped={"LEI": "start_lei", "Exception.Category": "exception_category"},
    repeats=(
        Repeat("exception_reasons", ("Exception.Reason.{n}",)),
        Repeat("exception_references", ("Exception.Reference.{n}",)),
    ),
    judged={},
    ignored={},
)

KEY_PARTS = {"relationship": "relationship_type", "exception": "exception_category"}
"""What follows the LEI and a colon in a record's key (GLEIF: the key of RR and of REPEX)."""
BEHIND_A_PERSON = ("NATURAL_PERSONS", "NO_KNOWN_PERSON")
"""Reasons that speak of people: the free text beside them may name them, and is not kept."""
