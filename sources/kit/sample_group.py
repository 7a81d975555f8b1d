"""Level 2 of the bundled sample: invented relationships and exceptions of its invented companies.

The layout is GLEIF's: 54 and 12 columns in published order, every field quoted, CRLF. Who is whose
parent is decided by place in the file alone, so it is always the same.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sources.kit.sample_lei import check_digits, is_valid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sources.kit.sample_bundle import BundledSample

Row = dict[str, str]

_REPEATS = range(1, 6)
RELATIONSHIP_COLUMNS: tuple[str, ...] = (
    *(
        f"Relationship.{node}Node.{part}"
        for node in ("Start", "End")
        for part in ("NodeID", "NodeIDType")
    ),
    "Relationship.RelationshipType",
    "Relationship.RelationshipStatus",
    *(
        f"Relationship.Period.{n}.{part}"
        for n in _REPEATS
        for part in ("startDate", "endDate", "periodType")
    ),
    *(
        f"Relationship.Qualifiers.{n}.Qualifier{part}"
        for n in _REPEATS
        for part in ("Dimension", "Category")
    ),
    *(
        f"Relationship.Quantifiers.{n}.{part}"
        for n in _REPEATS
        for part in ("MeasurementMethod", "QuantifierAmount", "QuantifierUnits")
    ),
    *(
        f"Registration.{part}"
        for part in (
            "InitialRegistrationDate",
            "LastUpdateDate",
            "RegistrationStatus",
            "NextRenewalDate",
            "ManagingLOU",
            "ValidationSources",
            "ValidationDocuments",
            "ValidationReference",
        )
    ),
)
EXCEPTION_COLUMNS: tuple[str, ...] = (
    "LEI",
    "Exception.Category",
    *(f"Exception.{part}.{n}" for part in ("Reason", "Reference") for n in _REPEATS),
)
DIRECT, ULTIMATE = "IS_DIRECTLY_CONSOLIDATED_BY", "IS_ULTIMATELY_CONSOLIDATED_BY"
MANAGED = "IS_FUND-MANAGED_BY"
NO_DIRECT, NO_ULTIMATE = (
    f"{which}_ACCOUNTING_CONSOLIDATION_PARENT" for which in ("DIRECT", "ULTIMATE")
)
_REASONS = ("NON_CONSOLIDATING", "NATURAL_PERSONS", "NO_KNOWN_PERSON", "NO_LEI", "NON_PUBLIC")
_FAMILY = 6
"""A parent is followed by so many rows that may be its children."""


@dataclass(frozen=True)
class BundledGroup:
    """The level 2 files that belong to the bundled sample, and how many rows each has."""

    relationships: bytes = field(repr=False)
    relationship_rows: int
    exceptions: bytes = field(repr=False)
    exception_rows: int


def relationship_row(start: str, end: str, kind: str, issuer: str) -> Row:
    """One sound relationship."""
    words = {
        "Relationship.StartNode.NodeID": start,
        "Relationship.StartNode.NodeIDType": "LEI",
        "Relationship.EndNode.NodeID": end,
        "Relationship.EndNode.NodeIDType": "LEI",
        "Relationship.RelationshipType": kind,
        "Relationship.RelationshipStatus": "ACTIVE",
        "Relationship.Period.1.startDate": "2020-01-01T00:00:00+01:00",
        "Relationship.Period.1.periodType": "ACCOUNTING_PERIOD",
        "Relationship.Period.2.startDate": "2019-06-01T00:00:00+02:00",
        "Relationship.Period.2.periodType": "RELATIONSHIP_PERIOD",
        "Relationship.Qualifiers.1.QualifierDimension": "ACCOUNTING_STANDARD",
        "Relationship.Qualifiers.1.QualifierCategory": "IFRS",
        "Registration.InitialRegistrationDate": "2019-07-01T08:00:00Z",
        "Registration.LastUpdateDate": "2026-09-01T08:00:00Z",
        "Registration.RegistrationStatus": "PUBLISHED",
        "Registration.NextRenewalDate": "2027-07-01T08:00:00Z",
        "Registration.ManagingLOU": issuer,
        "Registration.ValidationSources": "FULLY_CORROBORATED",
    }
    return dict.fromkeys(RELATIONSHIP_COLUMNS, "") | words


def exception_row(lei: str, category: str, reasons: Sequence[str]) -> Row:
    """One sound reporting exception."""
    words = {"LEI": lei, "Exception.Category": category}
    words |= {f"Exception.Reason.{n}": reason for n, reason in enumerate(reasons, 1)}
    return dict.fromkeys(EXCEPTION_COLUMNS, "") | words


def as_csv(rows: Iterable[Row], columns: Sequence[str]) -> bytes:
    """The rows as the publisher writes them."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def bundled_group(sample: BundledSample) -> BundledGroup:
    """The sample's families: every sixth company is a parent, some ultimate one is not held.

    Two relationships are bad: one of a type nobody knows, one whose LEI has wrong check digits.
    """
    text = io.StringIO(sample.csv.decode("utf-8", "replace"), newline="")
    companies = {row["LEI"]: row for row in csv.DictReader(text) if is_valid(row["LEI"])}
    issuer = next(iter(companies.values()))["Registration.ManagingLOU"]
    stranger = "999900NOTINLEVEL01"
    away = stranger + check_digits(stranger)
    relations: list[Row] = []
    exceptions: list[Row] = []
    for place, lei in enumerate(companies):
        parent = list(companies)[place - place % _FAMILY]
        if companies[lei]["Entity.EntityCategory"] == "FUND":
            relations.append(
                relationship_row(lei, parent if parent != lei else away, MANAGED, issuer)
            )
        if place % _FAMILY in {1, 2}:
            relations.append(relationship_row(lei, parent, DIRECT, issuer))
            relations.append(relationship_row(lei, away if place % 5 else parent, ULTIMATE, issuer))
        else:
            reason = [_REASONS[place % len(_REASONS)]]
            exceptions += [exception_row(lei, one, reason) for one in (NO_DIRECT, NO_ULTIMATE)]
    relations += _bad(list(companies), issuer)
    return BundledGroup(
        as_csv(relations, RELATIONSHIP_COLUMNS),
        len(relations),
        as_csv(exceptions, EXCEPTION_COLUMNS),
        len(exceptions),
    )


def _bad(leis: Sequence[str], issuer: str) -> list[Row]:
    wrong = f"{leis[1][:18]}{(int(leis[1][18:]) + 1) % 100:02d}"
    return [
        relationship_row(leis[3], leis[0], "IS_FRIEND_OF", issuer),
        relationship_row(leis[3], wrong, "IS_SUBFUND_OF", issuer),
    ]
