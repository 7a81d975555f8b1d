"""The words every frame uses: one field a column, with its meaning and how personal it is.

The warehouse builds its `record` table from this list, the sources map their publishers' columns
onto it, and the digest is taken over it, so a field exists everywhere or nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAPPING_VERSION = 1
"""Raised whenever the mapping below changes meaning: digests are then recomputed, not 'changed'."""

Kind = Literal["text", "date", "utc"]


@dataclass(frozen=True)
class Field:
    """One column of a record.

    `kind`: text as published, a calendar `date`, or a `utc` moment (whole seconds since 1970).
    `is_published`: sent by the publisher (part of the digest); the others are derived from these.
    `in_skeleton`: kept for a natural person too (LEI, country, category, status, dates).
    `shown_as`: the name in the `prospects` view, when analysts see it there.
    """

    name: str
    meaning: str
    kind: Kind = "text"
    is_published: bool = True
    in_skeleton: bool = False
    shown_as: str | None = None


def _address(prefix: str, words: str, *, shown: bool) -> tuple[Field, ...]:
    lines = (
        ("address_language", f"language of the {words} address"),
        ("address_line", f"first line of the {words} address"),
        ("address_number", f"house number in the {words} address"),
        ("address_number_within_building", f"floor or unit in the {words} address"),
        ("mail_routing", f"mail routing line of the {words} address"),
        ("address_line_1", f"additional line 1 of the {words} address"),
        ("address_line_2", f"additional line 2 of the {words} address"),
        ("address_line_3", f"additional line 3 of the {words} address"),
    )
    places = (
        ("city", f"city of the {words} address", False),
        ("region", f"region of the {words} address, ISO 3166-2", False),
        ("country", f"country of the {words} address, ISO 3166-1 alpha-2", True),
        ("postal_code", f"postal code of the {words} address", False),
    )
    return tuple(Field(f"{prefix}{name}", meaning) for name, meaning in lines) + tuple(
        Field(f"{prefix}{name}", meaning, in_skeleton=kept, shown_as=name if shown else None)
        for name, meaning, kept in places
    )


def _moment(name: str, meaning: str, *, dated: bool = False) -> tuple[Field, ...]:
    """A date kept as published and as UTC; `dated` adds the calendar day as published."""
    day = (
        Field(
            f"{name}_date",
            f"{meaning}: calendar day as published, whatever its offset",
            kind="date",
            is_published=False,
            in_skeleton=True,
            shown_as=f"{name}_date",
        ),
    )
    return (
        Field(f"{name}_published", f"{meaning}, text as published", in_skeleton=True),
        Field(
            f"{name}_at",
            f"{meaning}, UTC seconds since 1970",
            "utc",
            is_published=False,
            in_skeleton=True,
        ),
    ) + (day if dated else ())


FIELDS: tuple[Field, ...] = (
    Field("legal_name", "legal name", shown_as="legal_name"),
    Field("legal_name_language", "language of the legal name"),
    *_address("legal_", "legal", shown=True),
    *_address("headquarters_", "headquarters", shown=False),
    Field("registration_authority", "register, RA code", shown_as="registration_authority"),
    Field("registration_authority_other", "register without an RA code, as named"),
    Field("registration_number", "number in that register", shown_as="registration_number"),
    Field("legal_jurisdiction", "jurisdiction of formation, ISO 3166"),
    Field(
        "entity_category", "LEI-CDF EntityCategory", in_skeleton=True, shown_as="entity_category"
    ),
    Field("entity_subcategory", "LEI-CDF EntitySubCategory", in_skeleton=True),
    Field("legal_form", "ISO 20275 entity legal form code", shown_as="legal_form"),
    Field("legal_form_other", "legal form without a code, as named"),
    Field("entity_status", "LEI-CDF EntityStatus", in_skeleton=True, shown_as="entity_status"),
    *_moment("creation", "creation of the entity"),
    *_moment("expiration", "expiry of the entity"),
    Field("expiration_reason", "LEI-CDF EntityExpirationReason"),
    *(Field(f"successor_lei_{n}", f"LEI of successor {n}") for n in range(1, 6)),
    *_moment("initial_registration", "first issue of the LEI", dated=True),
    *_moment("last_update", "last update of the record"),
    Field("lei_status", "LEI-CDF RegistrationStatus", in_skeleton=True, shown_as="lei_status"),
    *_moment("next_renewal", "next renewal of the LEI", dated=True),
    Field("managing_lou", "LEI of the managing issuer", shown_as="managing_lou"),
    Field("validation_sources", "LEI-CDF ValidationSources"),
    Field("validation_authority", "register the issuer validated against, RA code"),
    Field("validation_authority_number", "number in that register"),
    Field("conformity", "LEI-CDF ConformityFlag"),
)

PERSON_KINDS = NONE, POSSIBLE, NATURAL = "none", "possible", "natural"
"""Whether a company is a person (`person_kind`): no; by its form it may be; yes."""

BY_NAME = {field.name: field for field in FIELDS}
NAMES = tuple(BY_NAME)
PUBLISHED = tuple(field.name for field in FIELDS if field.is_published)
SKELETON = frozenset(field.name for field in FIELDS if field.in_skeleton)
PERSONAL_OF_NATURAL = tuple(name for name in PUBLISHED if name not in SKELETON)
"""What a natural person's record never holds; with `natural_persons = "full"` it lives apart."""
SHOWN = tuple((field.shown_as, field.name) for field in FIELDS if field.shown_as)
"""(column of `prospects`, column of `record`) for every value a source brought."""

ADDRESS_LINES = tuple(
    f"{prefix}{line}"
    for prefix in ("legal_", "headquarters_")
    for line in (
        "address_line",
        "mail_routing",
        "address_line_1",
        "address_line_2",
        "address_line_3",
    )
)
"""Where a care-of line can stand."""

_SHOWN_AS = {held: shown for shown, held in SHOWN}


def change_name(field: str) -> str:
    """A field's name in `changes`: as `prospects` shows it, a published moment as its date."""
    if field.endswith("_published"):
        return field.removesuffix("_published") + "_date"
    return _SHOWN_AS.get(field, field)
