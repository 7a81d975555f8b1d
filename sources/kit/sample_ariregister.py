"""Invented entries in the shape of Estonia's e-Business Register: one pretty-printed JSON array."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sources.kit.standin_zips import packed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sources.kit.sample_firm import Contact, Firm

MEMBER = "ettevotja_rekvisiidid__yldandmed.json"

_KINDS = {
    "email": ("EMAIL", "Elektronposti aadress"),
    "phone": ("TEL", "Telefon"),
    "mobile": ("MOB", "Mobiiltelefon"),
    "website": ("WWW", "Interneti WWW aadress"),
    "fax": ("FAX", "Faks"),
}
_FORM_NUMBERS = {"FIE": 1, "AS": 4, "OÜ": 5, "TÜH": 6, "SA": 10}


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def record(firm: Firm) -> dict[str, Any]:
    """One element of the array; the register's own day format, and no key for what it lacks.

    Source: the register's open data, `ettevotja_rekvisiidid__yldandmed`.
    """
    status = ("L", "Likvideerimisel") if firm.ceased else ("R", "Registrisse kantud")
    ids = iter(range(int(firm.number) % 100_000 * 10, 10**9))
    return {
        "ariregistri_kood": int(firm.number),
        "nimi": firm.name,
        "yldandmed": {
            "esmaregistreerimise_kpv": _day(firm.registered),
            "staatus": status[0],
            "staatus_tekstina": status[1],
            "piirkond": 5,
            "piirkond_tekstina": "Tartu",
            "piirkond_tekstina_pikk": "Tartu Maakohtu registriosakond",
            "oiguslik_vorm": firm.form,
            "oiguslik_vorm_nr": _FORM_NUMBERS[firm.form],
            "oiguslik_vorm_tekstina": firm.form_text,
            "tegutseb_tekstina": "Jah",
            "aadressid": [_address(firm, next(ids))],
            "sidevahendid": [_channel(contact, next(ids)) for contact in firm.contacts],
            "teatatud_tegevusalad": [_activity(firm, next(ids))],
            "kapitalid": [
                {
                    "kirje_id": next(ids),
                    "kapitali_suurus": "2500.00",
                    "kapitali_valuuta": "EUR",
                    "kapitali_valuuta_tekstina": "euro",
                }
            ],
            "info_majandusaasta_aruannetest": [],
        },
    }


def _address(firm: Firm, kirje_id: int) -> dict[str, Any]:
    line = f"{firm.care_of}, {firm.address_line}" if firm.care_of else firm.address_line
    return {
        "kirje_id": kirje_id,
        "riik": "EST",
        "riik_tekstina": "Eesti",
        "ehak": "0596",
        "ehak_nimetus": firm.city,
        "tanav_maja_korter": line,
        "postiindeks": firm.postal_code,
        "aadress_ads__ads_normaliseeritud_taisaadress": f"{firm.city}, {line}",
    }


def _channel(contact: Contact, kirje_id: int) -> dict[str, Any]:
    kind, text = _KINDS[contact.kind]
    said = {"kirje_id": kirje_id, "liik": kind, "liik_tekstina": text, "sisu": contact.value}
    return said | ({"lopp_kpv": _day(contact.ended)} if contact.ended else {})


def _activity(firm: Firm, kirje_id: int) -> dict[str, Any]:
    return {
        "kirje_id": kirje_id,
        "emtak_kood": "64201",
        "emtak_tekstina": firm.activity,
        "emtak_versioon": 3,
        "emtak_versioon_tekstina": "EMTAK 2025",
        "nace_kood": "64.20",
        "on_pohitegevusala": True,
    }


def array(records: Iterable[dict[str, Any]]) -> bytes:
    """The member's bytes: every record pretty-printed, as the register does (4 kB become 12)."""
    return json.dumps(list(records), ensure_ascii=False, indent=4).encode()


def archive(firms: Iterable[Firm]) -> bytes:
    """The zip with its one member; records in the order of their names, as published."""
    listed = sorted(firms, key=lambda firm: (firm.name, firm.number))
    return packed({MEMBER: array(record(firm) for firm in listed)})
