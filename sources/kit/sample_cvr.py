"""Invented entries in the shape of CVR at Datafordeler: one table an entity, joined on the unit.

A unit is a company, a production unit or a person. `Virksomhed` has companies only; names,
addresses, telephone numbers and e-mails of all three stand side by side in their tables.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sources.kit.standin_zips import packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sources.kit.sample_firm import Firm

Cell = str | int | bool | None
Row = dict[str, Cell]
Tables = dict[str, list[Row]]
Days = tuple[date, date | None]

_HEAD = (
    "datafordelerOpdateringstid", "datafordelerRegisterImportSequenceNumber",
    "datafordelerRowId", "datafordelerRowVersion",
)  # fmt: skip
_TAIL = (
    "registreringFra", "registreringTil", "registreringsaktoer",
    "virkningFra", "virkningTil", "virkningsaktoer",
)  # fmt: skip
_ADDRESS = (
    "AdresseringAnvendelse", "coNavn", "CVRAdresse_adresseFritekst", "CVRAdresse_doerbetegnelse",
    "CVRAdresse_etagebetegnelse", "CVRAdresse_husnummerFra", "CVRAdresse_husnummerTil",
    "CVRAdresse_kommunekode", "CVRAdresse_kommunenavn", "CVRAdresse_landekode",
    "CVRAdresse_postboks", "CVRAdresse_postdistrikt", "CVRAdresse_postnummer",
    "CVRAdresse_supplerendeBynavn", "CVRAdresse_vejkode", "CVRAdresse_vejnavn",
)  # fmt: skip
COLUMNS: dict[str, tuple[str, ...]] = {
    entity: (*_HEAD, *own, *_TAIL)
    for entity, own in {
        "Virksomhed": (
            "id", "CVRNummer", "status", "virksomhedStartdato", "virksomhedOphoersdato",
        ),
        "Produktionsenhed": (
            "id", "pNummer", "status", "tilknyttetVirksomhedsCVRNummer",
            "produktionsenhedStartdato", "produktionsenhedOphoersdato",
        ),
        "CVREnhed": ("id", "enhedsType", "forretningsnoegle", "forretningsnoegletype", "status"),
        "Navn": ("CVREnhedsId", "sekvens", "vaerdi"),
        "Adressering": ("CVREnhedsId", *_ADDRESS),
        "e-mailadresse": ("CVREnhedsId", "vaerdi", "hemmelig"),
        "Telefonnummer": ("CVREnhedsId", "vaerdi", "hemmelig"),
        "Reklamebeskyttelse": ("CVREnhedsId", "vaerdi"),
        "Virksomhedsform": ("CVREnhedsId", "vaerdi", "vaerdiTekst"),
        "Branche": ("CVREnhedsId", "sekvens", "vaerdi", "vaerdiTekst"),
    }.items()
}  # fmt: skip
"""The columns of each entity's file, in order."""

_CONTACTS = {"email": "e-mailadresse", "phone": "Telefonnummer", "mobile": "Telefonnummer"}
_ROW_IDS = uuid.UUID("6f1f6a52-3a4e-5b0c-9d0e-2b6f2c1a7e11")
_SEQUENCE = 409_248


def unit_id(number: str) -> str:
    """The unit (`CVREnhedsId`) of the company with that CVR number."""
    return f"40{number}"


def production_unit_id(number: str) -> str:
    """The unit of the production unit of the company with that CVR number."""
    return f"41{number}"


def person_id(number: str) -> str:
    """The unit of the person behind the company with that CVR number."""
    return f"42{number}"


def row(entity: str, unit: str, days: Days, **values: Cell) -> Row:
    """A row of an entity's file with its two times; what is not said is empty.

    `days` are the first day and the last (None: it holds). The row id is made of what the row
    says, so equal rows have equal ids.
    """
    key, (since, until) = "id" if "id" in COLUMNS[entity] else "CVREnhedsId", days
    said: Row = {key: unit, **values}
    name = json.dumps([entity, since.isoformat(), said], sort_keys=True, ensure_ascii=False)
    registered = datetime.combine(since, datetime.min.time(), UTC) + timedelta(hours=10, minutes=21)
    ended = datetime.combine(until, datetime.min.time(), UTC) if until else None
    common: Row = {
        "datafordelerOpdateringstid": moment(registered),
        "datafordelerRegisterImportSequenceNumber": _SEQUENCE,
        "datafordelerRowId": str(uuid.uuid5(_ROW_IDS, name)),
        "datafordelerRowVersion": 1,
        "registreringFra": moment(registered),
        "registreringTil": moment(ended) if ended else None,
        "registreringsaktoer": "ERST",
        "virkningFra": since.isoformat(),
        "virkningTil": until.isoformat() if until else None,
        "virkningsaktoer": "ERST",
    }
    return {name: (said | common).get(name) for name in COLUMNS[entity]}


def moment(at: datetime) -> str:
    """A moment as Datafordeler writes it: UTC with six decimals and `Z`."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def tables(firms: Iterable[Firm]) -> Tables:
    """Every entity's rows for these companies, their production units and the persons behind."""
    found: Tables = {entity: [] for entity in COLUMNS}
    for firm in firms:
        _add_company(found, firm)
        _add_contacts(found, firm, unit_id(firm.number))
        _add_production_unit(found, firm)
        if firm.is_person:
            _add_person(found, firm)
    return found


def _add_company(found: Tables, firm: Firm) -> None:
    unit, since = unit_id(firm.number), firm.registered
    held = (since, None)
    days: Row = {
        "virksomhedStartdato": since.isoformat(),
        "virksomhedOphoersdato": firm.ceased.isoformat() if firm.ceased else None,
    }
    status = "ophørt" if firm.ceased else "aktiv"
    number = int(firm.number)
    _add(found, "Virksomhed", unit, held, CVRNummer=number, status=status, **days)
    _add_unit(found, unit, held, "Virksomhed", firm.number, "CVRNummer")
    if firm.former_name:
        _add(found, "Navn", unit, (since, since), sekvens=0, vaerdi=firm.former_name)
    _add(found, "Navn", unit, held, sekvens=0, vaerdi=firm.name)
    _add(found, "Navn", unit, held, sekvens=1, vaerdi=f"{firm.name} (binavn)")
    _add_address(found, firm, unit)
    _add(found, "Virksomhedsform", unit, held, vaerdi=firm.form, vaerdiTekst=firm.form_text)
    _add(found, "Branche", unit, held, sekvens=0, vaerdi="642010", vaerdiTekst=firm.activity)
    if firm.is_protected is not None:
        _add(found, "Reklamebeskyttelse", unit, held, vaerdi=firm.is_protected)


def _add_contacts(found: Tables, firm: Firm, unit: str) -> None:
    for contact in firm.contacts:
        entity = _CONTACTS[contact.kind]
        said: Row = {"vaerdi": contact.value, "hemmelig": contact.is_secret}
        _add(found, entity, unit, (contact.since, contact.ended), **said)


def _add_production_unit(found: Tables, firm: Firm) -> None:
    unit, since = production_unit_id(firm.number), firm.registered
    held = (since, None)
    number = f"10{firm.number}"
    home, start = int(firm.number), since.isoformat()
    said: Row = {"tilknyttetVirksomhedsCVRNummer": home, "produktionsenhedStartdato": start}
    _add(found, "Produktionsenhed", unit, held, pNummer=int(number), status="aktiv", **said)
    _add_unit(found, unit, held, "Produktionsenhed", number, "PNummer")
    _add(found, "Navn", unit, held, sekvens=0, vaerdi=firm.name)
    _add_address(found, firm, unit)
    _add(found, "Telefonnummer", unit, held, vaerdi=f"3399{firm.number[-4:]}", hemmelig=False)
    if firm.unit_is_protected is not None:
        _add(found, "Reklamebeskyttelse", unit, held, vaerdi=firm.unit_is_protected)


def _add_person(found: Tables, firm: Firm) -> None:
    """The person behind a sole trader: a unit as well, and none of our business."""
    unit, held = person_id(firm.number), (firm.registered, None)
    _add_unit(found, unit, held, "CVRPerson", unit, "CVREnhedsId")
    _add(found, "Navn", unit, held, sekvens=0, vaerdi=f"Privatperson {firm.number[-4:]}")
    _add_address(found, firm, unit)
    private = f"privat{firm.number[-4:]}@postkasse-eksempel.example"
    _add(found, "e-mailadresse", unit, held, vaerdi=private, hemmelig=False)


def _add_unit(found: Tables, unit: str, days: Days, kind: str, key: str, key_kind: str) -> None:
    said: Row = {"forretningsnoegle": key, "forretningsnoegletype": key_kind, "status": "aktiv"}
    _add(found, "CVREnhed", unit, days, enhedsType=kind, **said)


def _add_address(found: Tables, firm: Firm, unit: str) -> None:
    said: Row = {
        "AdresseringAnvendelse": "beliggenhedsadresse",
        "coNavn": firm.care_of.removeprefix("c/o ") or None,
        "CVRAdresse_husnummerFra": firm.house,
        "CVRAdresse_landekode": "DK",
        "CVRAdresse_postdistrikt": firm.city,
        "CVRAdresse_postnummer": firm.postal_code,
        "CVRAdresse_vejnavn": firm.street,
    }
    _add(found, "Adressering", unit, (firm.registered, None), **said)


def _add(found: Tables, entity: str, unit: str, days: Days, **values: Cell) -> None:
    found[entity].append(row(entity, unit, days, **values))


def as_csv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """A file: a header, comma-separated, quotes doubled, empty where there is nothing."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_written(found[name]) for name in columns] for found in rows])
    return text.getvalue().encode()


def _written(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


def archive(name: str, form: str, rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """The zip of one entity's rows, `form` csv or json, with its one member."""
    picked = [{column: found[column] for column in columns} for found in rows]
    text = json.dumps(picked, ensure_ascii=False).encode() if form == "json" else None
    return packed({f"{name}.{form}": text or as_csv(rows, columns)})
