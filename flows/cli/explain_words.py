"""What fields and codes are called towards someone who never saw the product."""

from __future__ import annotations

from sources.kit import columns
from sources.kit.columns import change_name

_ADDRESS = {
    "address_line": "street or first line",
    "address_number": "house number",
    "address_number_within_building": "floor or unit",
    "mail_routing": "mail routing",
    "address_line_1": "further line 1",
    "address_line_2": "further line 2",
    "address_line_3": "further line 3",
    "postal_code": "postal code",
    "city": "city",
    "region": "region",
    "country": "country",
    "address_language": "language",
}
_PARTS = (
    (
        "The company",
        {
            "legal_name": "legal name",
            "legal_name_language": "language of the name",
            "entity_category": "kind of entity",
            "entity_subcategory": "closer kind of entity",
            "legal_form": "legal form (ISO 20275 code)",
            "legal_form_other": "legal form as named",
            "legal_jurisdiction": "jurisdiction",
            "entity_status": "status of the company",
            "creation_published": "founded",
            "expiration_published": "ended",
            "expiration_reason": "why it ended",
            **{f"successor_lei_{n}": f"LEI of successor {n}" for n in range(1, 6)},
        },
    ),
    ("Its legal address", {f"legal_{name}": words for name, words in _ADDRESS.items()}),
    (
        "Its headquarters, where letters go",
        {f"headquarters_{name}": words for name, words in _ADDRESS.items()},
    ),
    (
        "Its national register",
        {
            "registration_authority": "register (code of GLEIF's list)",
            "registration_authority_other": "register as named",
            "registration_number": "number in that register",
            "validation_authority": "register checked (code)",
            "validation_authority_number": "number found there",
            "validation_sources": "how far it was checked",
            "ad_protected": "protected from marketing",
        },
    ),
    (
        "Its LEI",
        {
            "lei_status": "status",
            "initial_registration_published": "first issued",
            "last_update_published": "last updated",
            "next_renewal_published": "to be renewed by",
            "managing_lou": "issuer (its own LEI)",
            "conformity": "meets the LEI data rules",
        },
    ),
)

PARTS: tuple[tuple[str, dict[str, str]], ...] = tuple(
    (title, {change_name(column): words for column, words in fields.items()})
    for title, fields in _PARTS
)
"""(heading, {field: label}) in reading order; every published field stands in one of them."""

_LABELS = {field: label for _, fields in PARTS for field, label in fields.items()}
_UNDER = {field: title for title, fields in PARTS for field in fields}

_CODES = {
    "lei_status": {
        "ISSUED": "in force",
        "LAPSED": "not renewed in time",
        "RETIRED": "the company has ended",
        "MERGED": "the company was merged into another",
        "ANNULLED": "issued by mistake",
        "DUPLICATE": "the company has another LEI",
        "PENDING_TRANSFER": "moving to another issuer",
        "PENDING_ARCHIVAL": "moving to another issuer, final step",
    },
    "entity_status": {
        "ACTIVE": "exists",
        "INACTIVE": "no longer exists",
        "NULL": "not stated, as annulled and duplicate LEIs have it",
    },
    "entity_category": {
        "GENERAL": "a company or other organisation",
        "FUND": "an investment fund",
        "BRANCH": "a branch",
        "SOLE_PROPRIETOR": "a person trading in their own name",
        "RESIDENT_GOVERNMENT_ENTITY": "a public body",
        "INTERNATIONAL_ORGANIZATION": "an international organisation",
    },
    "validation_sources": {
        "FULLY_CORROBORATED": "against a register",
        "PARTIALLY_CORROBORATED": "partly",
        "ENTITY_SUPPLIED_ONLY": "by the company's own word only",
    },
}
"""LEI-CDF 3.1 code lists, in words."""

PERSON_RULES = {
    "entity category": "its category is that of a person trading in their own name",
    "legal form": "its legal form is that of a person trading in their own name",
}


def label(field: str) -> str:
    """Return what a field is called in a table whose heading says what it belongs to."""
    return _LABELS.get(field, field.replace("_", " "))


def full_label(field: str) -> str:
    """Return what a field is called where nothing around it says what it belongs to."""
    for suffix in ("", "_care_of"):
        own = field.removesuffix(suffix) if suffix else field
        public = change_name(own) if own in columns.BY_NAME else own
        if public in _LABELS:
            place = _UNDER[public].partition(",")[0].removeprefix("Its ").removeprefix("The ")
            return f"{place}: {_LABELS[public]}{' (care-of part)' if suffix else ''}"
    return field.replace("_", " ")


def value_in_words(field: str, value: object) -> str:
    """Return a value, with what its code means where it is one."""
    meaning = _CODES.get(field, {}).get(str(value))
    return f"{value} ({meaning})" if meaning else str(value)
