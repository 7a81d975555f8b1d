"""GLEIF's 338 level 1 columns: each mapped to a word of the house, or ignored with a reason.

Source: LEI-CDF 3.1 and the header of the published golden copy; read by name, never by position.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_COLUMN = "LEI"

_ADDRESS = {
    "xmllang": "address_language",
    "FirstAddressLine": "address_line",
    "AddressNumber": "address_number",
    "AddressNumberWithinBuilding": "address_number_within_building",
    "MailRouting": "mail_routing",
    "AdditionalAddressLine.1": "address_line_1",
    "AdditionalAddressLine.2": "address_line_2",
    "AdditionalAddressLine.3": "address_line_3",
    "City": "city",
    "Region": "region",
    "Country": "country",
    "PostalCode": "postal_code",
}

MAPPED: dict[str, str] = {
    KEY_COLUMN: "source_key",
    "Entity.LegalName": "legal_name",
    "Entity.LegalName.xmllang": "legal_name_language",
    **{f"Entity.LegalAddress.{theirs}": f"legal_{ours}" for theirs, ours in _ADDRESS.items()},
    **{
        f"Entity.HeadquartersAddress.{theirs}": f"headquarters_{ours}"
        for theirs, ours in _ADDRESS.items()
    },
    "Entity.RegistrationAuthority.RegistrationAuthorityID": "registration_authority",
    "Entity.RegistrationAuthority.OtherRegistrationAuthorityID": "registration_authority_other",
    "Entity.RegistrationAuthority.RegistrationAuthorityEntityID": "registration_number",
    "Entity.LegalJurisdiction": "legal_jurisdiction",
    "Entity.EntityCategory": "entity_category",
    "Entity.EntitySubCategory": "entity_subcategory",
    "Entity.LegalForm.EntityLegalFormCode": "legal_form",
    "Entity.LegalForm.OtherLegalForm": "legal_form_other",
    "Entity.EntityStatus": "entity_status",
    "Entity.EntityCreationDate": "creation_published",
    "Entity.EntityExpirationDate": "expiration_published",
    "Entity.EntityExpirationReason": "expiration_reason",
    **{f"Entity.SuccessorEntity.{n}.SuccessorLEI": f"successor_lei_{n}" for n in range(1, 6)},
    "Registration.InitialRegistrationDate": "initial_registration_published",
    "Registration.LastUpdateDate": "last_update_published",
    "Registration.RegistrationStatus": "lei_status",
    "Registration.NextRenewalDate": "next_renewal_published",
    "Registration.ManagingLOU": "managing_lou",
    "Registration.ValidationSources": "validation_sources",
    "Registration.ValidationAuthority.ValidationAuthorityID": "validation_authority",
    "Registration.ValidationAuthority.ValidationAuthorityEntityID": "validation_authority_number",
    "ConformityFlag": "conformity",
}

_NOT_NECESSARY = "not necessary for offering an LEI renewal (GDPR Art. 5(1)(c))"

IGNORED: tuple[tuple[str, str], ...] = (
    (r"Entity\.OtherEntityNames\.OtherEntityName\.\d(\.xmllang|\.type)?", _NOT_NECESSARY),
    (
        r"Entity\.TransliteratedOtherEntityNames\.TransliteratedOtherEntityName\.\d(\.\w+)?",
        _NOT_NECESSARY,
    ),
    (r"Entity\.OtherAddresses\.OtherAddress\.\d\..+", _NOT_NECESSARY),
    (
        r"Entity\.TransliteratedOtherAddresses\.TransliteratedOtherAddress\.\d\..+",
        _NOT_NECESSARY,
    ),
    (
        r"Entity\.AssociatedEntity\..+",
        "names a related person or fund; group structure is a source of its own",
    ),
    (
        r"Entity\.SuccessorEntity\.\d\.(SuccessorEntityName|SuccessorEntity\.xmllang)",
        "a successor without an LEI is only a name, and nothing is joined by name",
    ),
    (r"Entity\.LegalEntityEvents\.LegalEntityEvent\.\d\..+", _NOT_NECESSARY),
    (
        r"Registration\.ValidationAuthority\.OtherValidationAuthorityID",
        "free text where the register has no code; the number cannot be joined",
    ),
    (
        r"Registration\.OtherValidationAuthorities\.OtherValidationAuthority\.\d\..+",
        "further registers the issuer looked at; the first one is kept",
    ),
)
"""(pattern of the whole column name, why it is dropped before anything is stored)."""

_IGNORED = tuple((re.compile(pattern), reason) for pattern, reason in IGNORED)


@cache
def ignored_because(column: str) -> str | None:
    """Why a known column is not kept; None for a column this mapping has never heard of."""
    return next((reason for pattern, reason in _IGNORED if pattern.fullmatch(column)), None)


def unknown_columns(header: Iterable[str]) -> list[str]:
    """Columns neither mapped nor ignored: dropped, and named in the run report."""
    return [name for name in header if name not in MAPPED and ignored_because(name) is None]


@cache
def published_columns() -> tuple[str, ...]:
    """The 338 columns in the order GLEIF publishes them."""
    text = resources.files("sources.kit").joinpath("lei2_columns.txt").read_text("utf-8")
    return tuple(text.split())


def check_header(header: list[str]) -> None:
    """Refuse a delivery that lacks a published column or names one twice; order is free."""
    held = set(header)
    missing = [name for name in published_columns() if name not in held]
    if missing:
        raise DeliveryRefused(
            "GLEIF level 1 header",
            f"{len(missing)} of the {len(published_columns())} published columns are missing: "
            + _some(missing),
            "Nothing was loaded. Check that this is the LEI-CDF level 1 CSV (lei2); if GLEIF "
            "renamed columns, extend sources/gleif_columns.py",
        )
    doubled = sorted(name for name, times in Counter(header).items() if times > 1)
    if doubled:
        raise DeliveryRefused(
            "GLEIF level 1 header",
            f"columns stand twice: {_some(doubled)}",
            "Nothing was loaded. Fetch the delivery again and compare its header",
        )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004 (a readable line)
    return ", ".join(names[:5]) + rest
