"""Files of any length in the shapes of Norway's and Estonia's downloads, of invented companies.

Norway: one JSON array in gzip, 2.5 kB an entity. Estonia: one array in a zip, 12 kB an entity,
pretty-printed by four. A few dozen texts are made once and stamped with each row's own values.
"""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

_TEMPLATES = 64
_AT_ONCE = 500
_NUMBER, _BARE, _NAME = "§NUMBER§", "§BARE§", "§NAME§"
"""Stamped with the entity's own; `_BARE` is its number without quotes, as Estonia writes it."""


def norway(path: Path, rows: int, seed: int = 1, numbers: Sequence[str] = ()) -> Path:
    """`/enheter/lastned` with that many entities; made once, kept under its name.

    `numbers`: nine digits each, of entities spread over the file; the others have invented ones.
    """
    entities = _stamped(_norwegian, seed, 2, _numbers(910_000_000, rows, numbers))
    return _kept(path, lambda target: _write_gzip(target, entities))


def estonia(path: Path, rows: int, seed: int = 1, numbers: Sequence[str] = ()) -> Path:
    """`ettevotja_rekvisiidid__yldandmed.json.zip` with that many companies; made once, and kept.

    `numbers`: eight digits each, of companies spread over the file; the others have invented ones.
    """
    entities = _stamped(_estonian, seed, 4, _numbers(10_000_000, rows, numbers))
    return _kept(path, lambda target: _write_zip(target, entities))


def _kept(path: Path, write: Callable[[Path], None]) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        write(partial)
        partial.rename(path)
    return path


def _write_gzip(target: Path, parts: Iterator[str]) -> None:
    with gzip.open(target, "wb", compresslevel=1) as file:
        for part in parts:
            file.write(part.encode())


def _write_zip(target: Path, parts: Iterator[str]) -> None:
    name = "ettevotja_rekvisiidid__yldandmed.json"
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w", force_zip64=True) as file,
    ):
        for part in parts:
            file.write(part.encode())


def _numbers(first: int, rows: int, given: Sequence[str]) -> list[str]:
    """One number an entity: the given ones at even distances, invented ones between them."""
    numbers = [str(first + place) for place in range(rows)]
    others = [number for number in given if not first <= int(number) < first + rows]
    step = max(1, rows // max(1, len(others)))
    for place, number in zip(range(0, rows, step), others, strict=False):
        numbers[place] = number
    return numbers


def _stamped(
    make: Callable[[random.Random], dict[str, Any]], seed: int, indent: int, numbers: Sequence[str]
) -> Iterator[str]:
    """The array's text in pieces."""
    chance = random.Random(seed)
    margin = "\n" + " " * indent
    made = (json.dumps(make(chance), ensure_ascii=False, indent=indent) for _ in range(_TEMPLATES))
    templates = [text.replace("\n", margin).replace(f'"{_BARE}"', _NUMBER) for text in made]
    yield "["
    for start in range(0, len(numbers), _AT_ONCE):
        yield ("," if start else "") + ",".join(
            margin + _stamp(chance.choice(templates), number)
            for number in numbers[start : start + _AT_ONCE]
        )
    yield "\n]\n"


def _stamp(template: str, number: str) -> str:
    return template.replace(_NUMBER, number).replace(_NAME, f"prove{number}")


def _some(chance: random.Random, share: float, **fields: str | dict[str, Any]) -> dict[str, Any]:
    return fields if chance.random() < share else {}


def _norwegian(chance: random.Random) -> dict[str, Any]:
    address = {
        "land": "Norge",
        "landkode": "NO",
        "postnummer": f"{chance.randrange(100, 9999):04}",
        "poststed": "STAVANGER",
        "adresse": [f"Prøvegata {chance.randrange(1, 200)}"],
        "kommune": "STAVANGER",
        "kommunenummer": "1103",
    }
    form = chance.choice(["AS", "AS", "AS", "ENK", "ENK", "FLI", "NUF", "ANS"])
    links = {"self": {"href": "https://register.example/organisasjonsformer/" + form}}
    return {
        "organisasjonsnummer": _NUMBER,
        "navn": f"PRØVE {_NAME} {form}",
        "organisasjonsform": {"kode": form, "beskrivelse": "Selskapsform", "_links": links},
        # Shares of 24 September 2026: e-mail 28 %, mobile 26 %, phone 17 %, website 10 %.
        **_some(chance, 0.10, hjemmeside=f"www.{_NAME}.example"),
        **_some(chance, 0.28, epostadresse=f"post@{_NAME}.example"),
        **_some(chance, 0.17, telefon="22 00 00 00"),
        **_some(chance, 0.26, mobil="900 00 000"),
        **_some(chance, 0.4, postadresse=address),
        "forretningsadresse": address,
        "registreringsdatoEnhetsregisteret": "1995-03-12",
        "stiftelsesdato": "1972-09-18",
        "registrertIMvaregisteret": True,
        "naeringskode1": {"kode": "06.100", "beskrivelse": "Utvinning av råolje"},
        "antallAnsatte": chance.randrange(500),
        "harRegistrertAntallAnsatte": True,
        "institusjonellSektorkode": {"kode": "1120", "beskrivelse": "Statlig eide selskaper"},
        **_not_kept(chance),
        "_links": {"self": {"href": f"https://register.example/enheter/{_NUMBER}"}},
        "respons_klasse": "Enhet",
    }


def _not_kept(chance: random.Random) -> dict[str, Any]:
    """What Norway publishes besides, and the product drops."""
    text = "Å utvikle, produsere og markedsføre ulike former for prøver, avledede produkter"
    return {
        "registrertIForetaksregisteret": True,
        "registrertIStiftelsesregisteret": False,
        "registrertIFrivillighetsregisteret": False,
        "sisteInnsendteAarsregnskap": "2024",
        "konkurs": False,
        "underAvvikling": False,
        "underTvangsavviklingEllerTvangsopplosning": False,
        "maalform": "Bokmål",
        "vedtektsfestetFormaal": [text] * chance.randrange(1, 5),
        "aktivitet": [text] * chance.randrange(1, 4),
        "registrertIPartiregisteret": False,
        "paategninger": [],
        "erIKonsern": False,
        "kapital": {"belop": 30000.0, "antallAksjer": 100, "type": "Aksjekapital"},
    }


_CARD = {"kirje_id": 1, "kaardi_piirkond": 5, "kaardi_nr": 1, "kaardi_tyyp": "B", "kande_nr": 1}
_ACTIVITY = {
    **_CARD,
    "emtak_kood": "73111",
    "emtak_tekstina": "Reklaamiagentuuride tegevus",
    "emtak_versioon": 3,
    "emtak_versioon_tekstina": "EMTAK 2025",
    "nace_kood": "73.11",
    "on_pohitegevusala": True,
    "algus_kpv": "05.06.2023",
    "lopp_kpv": None,
}
_REPORT = {
    **_CARD,
    "majandusaasta_perioodi_algus_kpv": "01.01.2024",
    "majandusaasta_perioodi_lopp_kpv": "31.12.2024",
    "tootajate_arv": "0",
    "tegevusala_emtak_kood": "73111",
    "tegevusala_emtak_tekstina": "Reklaamiagentuuride tegevus",
}


def _estonian(chance: random.Random) -> dict[str, Any]:
    contacts = [("EMAIL", f"info@{_NAME}.example"), ("MOB", "+372 5000000")]
    contacts += [("WWW", f"https://{_NAME}.example/")] * chance.randrange(2)
    return {
        "ariregistri_kood": _BARE,
        "nimi": f"Näidis {_NAME} OÜ",
        "yldandmed": {
            "esmaregistreerimise_kpv": "05.06.2023",
            "kustutamise_kpv": None,
            "staatus": chance.choice("RRRRRRRLN"),
            "staatus_tekstina": "Registrisse kantud",
            "piirkond": 5,
            "oiguslik_vorm": chance.choice(["OÜ", "OÜ", "OÜ", "FIE", "MTÜ", "AS"]),
            "oiguslik_vorm_tekstina": "Osaühing",
            "staatused": [{**_CARD, "staatus": "R", "algus_kpv": "05.06.2023"}] * 2,
            "arinimed": [{**_CARD, "sisu": "Näidis", "algus_kpv": "05.06.2023"}] * 2,
            "aadressid": [
                {
                    **_CARD,
                    "riik": "EST",
                    "ehak": "0596",
                    "ehak_nimetus": "Pirita linnaosa, Tallinn, Harju maakond",
                    "tanav_maja_korter": f"Näidise pst {chance.randrange(1, 99)}",
                    "postiindeks": "11911",
                    "aadress_ads__ads_normaliseeritud_taisaadress": "Harju maakond, Tallinn",
                    "lopp_kpv": None,
                }
            ],
            "sidevahendid": [
                {"kirje_id": 2, "liik": kind, "liik_tekstina": "x", "sisu": text, "lopp_kpv": None}
                for kind, text in contacts
            ],
            "teatatud_tegevusalad": [_ACTIVITY] * chance.randrange(3, 8),
            "kapitalid": [{**_CARD, "kapitali_suurus": "0.01", "kapitali_valuuta": "EUR"}],
            "info_majandusaasta_aruannetest": [_REPORT] * chance.randrange(6, 18),
        },
    }
