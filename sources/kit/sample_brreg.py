"""Invented entries in the shape of Norway's Enhetsregisteret: entity, bulk array, change feed."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sources.kit.sample_firm import Firm

HOST = "https://data.brreg.no"
ROOT = "/enhetsregisteret/api"
Entity = dict[str, Any]

_CHANNELS = {
    "email": "epostadresse",
    "phone": "telefon",
    "mobile": "mobil",
    "website": "hjemmeside",
}


def link(path: str) -> dict[str, str]:
    """A HAL link under the API's published address."""
    return {"href": f"{HOST}{ROOT}/{path}"}


def entity(firm: Firm) -> Entity:
    """What `/enheter/{orgnr}` answers; what the register does not know is left out, never null.

    Source: the API's documentation of `Enhet`, version 2.
    """
    found: Entity = {
        "organisasjonsnummer": firm.number,
        "navn": firm.name,
        "organisasjonsform": _form(firm),
    }
    if firm.former_name:
        found["historiskeNavn"] = [_former_name(firm)]
    address = _address(firm)
    found |= {
        "postadresse": address,
        "registreringsdatoEnhetsregisteret": firm.registered.isoformat(),
        "registrertIMvaregisteret": not firm.is_person,
        "naeringskode1": {"kode": "64.200", "beskrivelse": "Virksomhet i holdingselskaper"},
        "harRegistrertAntallAnsatte": False,
    }
    for kind, name in _CHANNELS.items():
        value = firm.value_of(kind)  # type: ignore[arg-type]
        if value is not None:
            found[name] = value
    found |= {"forretningsadresse": address, **_states(firm)}
    if firm.home_number:
        found |= {"registreringsnummerIHjemlandet": firm.home_number, **_abroad()}
    return found | {
        "aktivitet": [firm.activity],
        "_links": {"self": link(f"enheter/{firm.number}")},
        "respons_klasse": "Enhet",
    }


def _form(firm: Firm) -> Entity:
    links = {"self": link(f"organisasjonsformer/{firm.form}")}
    return {"kode": firm.form, "beskrivelse": firm.form_text, "_links": links}


def _former_name(firm: Firm) -> Entity:
    moments = {"fraDato": f"{firm.registered} 09:12:44", "tilDato": f"{firm.registered} 20:22:18"}
    return {"navn": firm.former_name, **moments}


def _address(firm: Firm) -> Entity:
    lines = [line for line in (firm.care_of, firm.address_line) if line]
    return {
        "land": "Norge",
        "landkode": "NO",
        "postnummer": firm.postal_code,
        "poststed": firm.city,
        "adresse": lines,
        "kommune": firm.city,
        "kommunenummer": "0301",
    }


def _states(firm: Firm) -> Entity:
    return {
        "registrertIForetaksregisteret": not firm.is_person,
        "registrertIStiftelsesregisteret": False,
        "registrertIFrivillighetsregisteret": False,
        "konkurs": False,
        "underAvvikling": False,
        "underTvangsavviklingEllerTvangsopplosning": False,
        "maalform": "Bokmål",
        "registrertIPartiregisteret": False,
        "paategninger": [],
        "erIKonsern": False,
    }


def _abroad() -> Entity:
    law = {"underlagtLovgivningLand": "Danmark", "underlagtLovgivningLandKode": "DK"}
    return {"utenlandskRegisterNavn": "Erhvervsstyrelsen", **law}


def deleted(found: Entity, day: date) -> Entity:
    """What is left of a deleted entity: name and form, with the day; still answered with 200."""
    number = found["organisasjonsnummer"]
    return {
        "organisasjonsnummer": number,
        "navn": found["navn"],
        "organisasjonsform": found["organisasjonsform"],
        "slettedato": day.isoformat(),
        "_links": {"self": link(f"enheter/{number}")},
        "respons_klasse": "SlettetEnhet",
    }


def removed(number: str, day: date) -> Entity:
    """What a 410 says of an entity that was removed for legal reasons: number and day, no name."""
    links = {"self": link(f"enheter/{number}")}
    return {"organisasjonsnummer": number, "slettedato": day.isoformat(), "_links": links}


def bulk(entities: Iterable[Entity]) -> bytes:
    """`/enheter/lastned`: one pretty-printed JSON array, gzip; the same bytes for the same list."""
    listed = [{k: v for k, v in found.items() if k != "respons_klasse"} for found in entities]
    text = json.dumps(listed, ensure_ascii=False, indent=2, separators=(",", ": "))
    return gzip.compress(text.encode(), 6, mtime=0)


def event(number: int, orgnr: str, kind: str, at: datetime) -> Entity:
    """One entry of `/oppdateringer/enheter`; `at` is UTC.

    `kind` is one of Ukjent, Ny, Endring, Sletting, Fjernet.
    """
    return {
        "oppdateringsid": number,
        "dato": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        "organisasjonsnummer": orgnr,
        "endringstype": kind,
        "_links": {"enhet": link(f"enheter/{orgnr}")},
    }
