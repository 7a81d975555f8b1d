"""Invented entries in the shape of Finland's PRH YTJ open data, version 3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sources.kit.standin_zips import packed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sources.kit.sample_firm import Firm

_TEXTS = {"16": "Limited company", "17": "Public limited company", "26": "Private person"}


def _described(english: str, finnish: str) -> list[dict[str, str]]:
    return [
        {"languageCode": "3", "description": english},
        {"languageCode": "1", "description": finnish},
    ]


def company(firm: Firm, modified: date) -> dict[str, Any]:
    """One company as `/companies` and `/all_companies` tell it; no key for what is not known.

    Source: the API's description of `Company`, version 3.
    """
    since, start = firm.registered.isoformat(), "1978-03-15"
    found: dict[str, Any] = {
        "businessId": {"value": firm.number, "registrationDate": start, "source": "3"},
        "euId": {"value": f"FIFPRO.{firm.number}", "source": "1"},
        "names": _names(firm),
        "mainBusinessLine": {
            "type": "64200",
            "typeCodeSet": "TOIMI4",
            "registrationDate": since,
            "source": "2",
            "descriptions": _described("Activities of holding companies", firm.activity),
        },
    }
    website = firm.value_of("website")
    if website is not None:
        found["website"] = {"url": website, "registrationDate": since, "source": "0"}
    found |= {
        "companyForms": [
            {
                "type": firm.form,
                "version": 1,
                "source": "1",
                "descriptions": _described(_TEXTS.get(firm.form, "Company"), firm.form_text),
            }
        ],
        "companySituations": [],
        "registeredEntries": [_entry(firm)],
        "addresses": [_address(firm)],
        "tradeRegisterStatus": "4" if firm.ceased else "1",
        "status": "2",
        "registrationDate": since,
        "lastModified": f"{modified}T03:04:05",
    }
    return found | ({"endDate": firm.ceased.isoformat()} if firm.ceased else {})


def _names(firm: Firm) -> list[dict[str, Any]]:
    """The current name first; a former one has an end and a higher version."""
    since = firm.registered.isoformat()
    said = {"name": firm.name, "type": "1", "registrationDate": since}
    found: list[dict[str, Any]] = [said | {"version": 1, "source": "1"}]
    if firm.former_name:
        former = {"name": firm.former_name, "type": "1", "registrationDate": "1995-01-02"}
        found.append(former | {"endDate": since, "version": 2, "source": "1"})
    return found


def _entry(firm: Firm) -> dict[str, Any]:
    return {
        "type": "1",
        "registrationDate": firm.registered.isoformat(),
        "register": "1",
        "authority": "2",
        "descriptions": _described("Registered", "Rekisterissä"),
    } | ({"endDate": firm.ceased.isoformat()} if firm.ceased else {})


def _address(firm: Firm) -> dict[str, Any]:
    said: dict[str, Any] = {"type": 1, "street": firm.street, "postCode": firm.postal_code}
    if firm.house:
        said["buildingNumber"] = firm.house
    if firm.care_of:
        said["co"] = firm.care_of
    offices = [{"city": firm.city, "languageCode": "1", "municipalityCode": "091"}]
    return said | {
        "registrationDate": firm.registered.isoformat(),
        "source": "0",
        "postOffices": offices,
    }


def page(companies: list[dict[str, Any]], total: int) -> dict[str, Any]:
    """An answer of `/companies`: at most 100 companies, and how many there are in all."""
    return {"totalResults": total, "companies": companies}


def archive(companies: Iterable[dict[str, Any]], built: date) -> bytes:
    """The zip of `/all_companies`: one JSON array in a member that is named after its day."""
    text = json.dumps(list(companies), ensure_ascii=False, separators=(",", ":"))
    return packed({f"data_{built:%Y%m%d}.json": text.encode()})
