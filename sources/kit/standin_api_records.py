"""Rows, legal forms and registers as GLEIF's REST API tells them: nested names, UTC moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sources.kit.code_words import Authority, LegalForm

Row = dict[str, str]

_ADDRESS = {
    "language": "xmllang",
    "addressNumber": "AddressNumber",
    "addressNumberWithinBuilding": "AddressNumberWithinBuilding",
    "mailRouting": "MailRouting",
    "city": "City",
    "region": "Region",
    "country": "Country",
    "postalCode": "PostalCode",
}
_LINES = ("FirstAddressLine", *(f"AdditionalAddressLine.{n}" for n in range(1, 4)))


def record(row: Row) -> dict[str, Any]:
    """One resource object of type `lei-records`, with the names its attributes have there."""
    lei = row["LEI"]
    return {
        "type": "lei-records",
        "id": lei,
        "attributes": {
            "lei": lei,
            "entity": _entity(row),
            "registration": _registration(row),
            "bic": None,
            "mic": None,
            "ocid": None,
            "qcc": None,
            "spglobal": [],
            "conformityFlag": row["ConformityFlag"] or None,
        },
        "links": {"self": f"https://api.gleif.org/api/v1/lei-records/{lei}"},
    }


def form(one: LegalForm) -> dict[str, Any]:
    """A legal form's attributes, with the names they have there."""
    return {
        "code": one.code,
        "countryCode": one.country,
        "jurisdiction": one.jurisdiction,
        "subdivisionCode": None,
        "status": one.status,
        "names": [
            {
                "localName": name.local_name,
                "language": name.language,
                "languageCode": name.language,
                "transliteratedName": name.transliterated_name,
                "abbreviationsLocalLanguage": name.abbreviations,
            }
            for name in one.names
        ],
    }


def authority(one: Authority) -> dict[str, Any]:
    """A register's attributes, with the names they have there."""
    return {
        "code": one.code,
        "internationalName": one.international_name,
        "localName": one.local_name,
        "internationalOrganizationName": one.international_organisation,
        "localOrganizationName": one.local_organisation,
        "website": one.website,
        "jurisdictions": [{"countryCode": one.countries, "jurisdiction": one.jurisdictions}],
    }


def _entity(row: Row) -> dict[str, Any]:
    def sent(name: str) -> str | None:
        return row[f"Entity.{name}"] or None

    successors = [
        {"lei": sent(f"SuccessorEntity.{n}.SuccessorLEI"), "name": None}
        for n in range(1, 6)
        if sent(f"SuccessorEntity.{n}.SuccessorLEI")
    ]
    authority = "RegistrationAuthority"
    return {
        "legalName": {"name": sent("LegalName"), "language": sent("LegalName.xmllang")},
        "otherNames": [],
        "transliteratedOtherNames": [],
        "legalAddress": _address(row, "Entity.LegalAddress"),
        "headquartersAddress": _address(row, "Entity.HeadquartersAddress"),
        "registeredAt": {
            "id": sent(f"{authority}.RegistrationAuthorityID"),
            "other": sent(f"{authority}.OtherRegistrationAuthorityID"),
        },
        "registeredAs": sent(f"{authority}.RegistrationAuthorityEntityID"),
        "jurisdiction": sent("LegalJurisdiction"),
        "category": sent("EntityCategory"),
        "legalForm": {
            "id": sent("LegalForm.EntityLegalFormCode"),
            "other": sent("LegalForm.OtherLegalForm"),
        },
        "associatedEntity": {"lei": None, "name": None},
        "status": sent("EntityStatus"),
        "expiration": {
            "date": moment_in_utc(row["Entity.EntityExpirationDate"]),
            "reason": sent("EntityExpirationReason"),
        },
        "successorEntity": successors[0] if successors else {"lei": None, "name": None},
        "successorEntities": successors,
        "creationDate": moment_in_utc(row["Entity.EntityCreationDate"]),
        "subCategory": sent("EntitySubCategory"),
        "otherAddresses": [],
        "eventGroups": [],
    }


def _registration(row: Row) -> dict[str, Any]:
    def sent(name: str) -> str | None:
        return row[f"Registration.{name}"] or None

    return {
        "initialRegistrationDate": moment_in_utc(row["Registration.InitialRegistrationDate"]),
        "lastUpdateDate": moment_in_utc(row["Registration.LastUpdateDate"]),
        "status": sent("RegistrationStatus"),
        "nextRenewalDate": moment_in_utc(row["Registration.NextRenewalDate"]),
        "managingLou": sent("ManagingLOU"),
        "corroborationLevel": sent("ValidationSources"),
        "validatedAt": {
            "id": sent("ValidationAuthority.ValidationAuthorityID"),
            "other": sent("ValidationAuthority.OtherValidationAuthorityID"),
        },
        "validatedAs": sent("ValidationAuthority.ValidationAuthorityEntityID"),
        "otherValidationAuthorities": [],
    }


def _address(row: Row, place: str) -> dict[str, Any]:
    lines = [row[f"{place}.{name}"] for name in _LINES]
    named = {ours: row[f"{place}.{theirs}"] or None for ours, theirs in _ADDRESS.items()}
    return {**named, "addressLines": [line for line in lines if line]}


def moment_in_utc(text: str) -> str | None:
    """A moment as published, as the API writes it: UTC, whole seconds; other text as it is."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return text
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
