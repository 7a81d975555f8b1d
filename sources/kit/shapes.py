"""The shapes a record can have: an entity with an LEI, one in a register, and level 2's two.

One table holds them all; each source's card names its shape. Fields of the same meaning share
their name (`sources.kit.columns`). Sources: GLEIF's RR-CDF 2.1 and Reporting Exceptions 2.1, and
what national registers have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sources.kit import columns
from sources.kit.columns import Field

ENTITY_KEY = "source_key"
OWN_PERIOD = "RELATIONSHIP_PERIOD"
"""The period in which the relationship holds; others are of accounts and of documents."""
OWN_PERIOD_TOLD = rf"(?:^|; ){OWN_PERIOD} (?P<start>[^/;]*)/(?P<end>[^;]*)"
"""Where it stands in `relationship_periods`."""


@dataclass(frozen=True)
class Shape:
    """What kind of record a source brings.

    `subjects` are the columns with the keys (LEIs) of the companies a row is about: a stop on one
    of them stops the row, and its deletion takes the row along. With `makes_companies` every new
    record gets a company of its own; with `joins_companies` only where its number is no known
    company's, and it brings contact points.
    """

    name: str
    fields: tuple[Field, ...]
    subjects: tuple[str, ...]
    makes_companies: bool = False
    joins_companies: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Columns of `record` that such a record fills."""
        return tuple(field.name for field in self.fields)

    @cached_property
    def published(self) -> tuple[str, ...]:
        """Those a publisher sent: the digest is taken over them, in this order."""
        return tuple(field.name for field in self.fields if field.is_published)


def _shared(*names: str) -> tuple[Field, ...]:
    return tuple(columns.BY_NAME[name] for name in names)


_START = Field("start_lei", "LEI it is about: start of a relationship, entity of an exception")
RETRACTED = (
    Field("retracted_published", "when the publisher took the record back, text as published"),
    Field(
        "retracted_at", "when the publisher took the record back, UTC seconds", "utc",
        is_published=False,
    ),
)  # fmt: skip
"""`DeletedAt`: a record that has it is no longer said; its content stays as history."""

_RELATIONSHIP = (
    _START,
    Field("end_lei", "LEI at the end of the relationship: the parent, manager or head office"),
    Field("relationship_type", "RR-CDF RelationshipType"),
    Field("relationship_status", "RR-CDF RelationshipStatus"),
    Field("relationship_periods", "every period as published: type start/end; …"),
    Field(
        "relationship_start_date", "first day of the relationship period, as published", "date",
        is_published=False,
    ),
    Field(
        "relationship_end_date", "last day of the relationship period, as published", "date",
        is_published=False,
    ),
    Field("relationship_qualifiers", "every qualifier as published: dimension category; …"),
    Field("relationship_quantifiers", "every quantifier as published: method amount unit; …"),
    Field("registration_status", "RR-CDF RegistrationStatus"),
)  # fmt: skip
_EXCEPTION = (
    Field("exception_category", "Reporting Exceptions: which parent is not reported"),
    Field("exception_reasons", "Reporting Exceptions: why, every reason as published; …"),
    Field("exception_references", "Reporting Exceptions: law or document referred to; …"),
)

AD_PROTECTED = Field(
    "ad_protected",
    "the register says: no marketing (true, false; null: it has no such flag, or no answer)",
    shown_as="ad_protected",
)
CONTACT_POINTS = "contact_points"
"""Of a rejected entry of a register its contact points, as JSON text."""
_IN_REGISTERS = (
    *_shared(
        *(
            field.name
            for field in columns.FIELDS
            if field.name.startswith(("legal_", "headquarters_", "registration_"))
        ),
        "entity_status",
        *(
            f"{moment}_{form}"
            for moment in ("creation", "expiration")
            for form in ("published", "at")
        ),
    ),
    AD_PROTECTED,
)
"""What is kept of a company in its national register: nothing of what only LEIs have."""

ENTITY = Shape("entity", columns.FIELDS, (ENTITY_KEY,), makes_companies=True)
REGISTER = Shape("register", _IN_REGISTERS, (), makes_companies=True, joins_companies=True)
RELATIONSHIP = Shape(
    "relationship",
    (
        *_RELATIONSHIP,
        *_shared(
            *(f"initial_registration_{form}" for form in ("published", "at", "date")),
            *(f"last_update_{form}" for form in ("published", "at")),
            *(f"next_renewal_{form}" for form in ("published", "at", "date")),
            "managing_lou",
            "validation_sources",
        ),
        *RETRACTED,
    ),
    ("start_lei", "end_lei"),
)
EXCEPTION = Shape("exception", (_START, *_EXCEPTION, *RETRACTED), ("start_lei",))

SHAPES = {shape.name: shape for shape in (ENTITY, REGISTER, RELATIONSHIP, EXCEPTION)}
BESIDE_ENTITY = (*_RELATIONSHIP, *_EXCEPTION, *RETRACTED, AD_PROTECTED)
"""Fields beside the entity's: the last columns of `record`, null in a record of an entity."""
