"""Entries of Norway's register written from words, loaded as its bulk file into an open house."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ingesting import Ingesting, Row, company, quiet

from flows import ingest_run
from flows.ingest_report import Report, Request
from sources.kit.policy import NoLei, Scope, SourceSettings

Entry = dict[str, Any]
WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
ANY_LENGTH = {
    name: SourceSettings(min_ratio=0, max_ratio=1000, max_vanished=1000)
    for name in ("gleif", "brreg")
}
"""[sources] for files of a few entries that come and go."""
ALL_NORWEGIAN = Scope(no_lei=(NoLei(country="NO"),))
"""[scope] that takes companies without an LEI too."""


def orgnr(number: int) -> str:
    """An invented organisation number whose check digit holds; not every number has one."""
    digits = f"9{number:07d}"
    rest = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11
    check = (11 - rest) % 11
    return orgnr(number + 5_000_000) if check == 10 else f"{digits}{check}"


def norwegian(number: int, **changes: str) -> Row:
    """The company of that number in GLEIF's file, as it stands in Norway's register."""
    words = {
        "legal_name": f"PRØVEFIRMA {number} AS",
        "legal_country": "NO",
        "legal_region": "NO-03",
        "headquarters_country": "NO",
        "headquarters_region": "NO-03",
        "registration_authority": "RA000472",
        "registration_number": orgnr(number),
        "legal_form": "YI42",
    }
    return company(number, **{**words, **changes})


def entry(number: int, **changes: Any) -> Entry:
    """The entity of that number as published; a change to None takes a field out."""
    address = {
        "landkode": "NO",
        "postnummer": "0150",
        "poststed": "OSLO",
        "adresse": [f"Prøvegata {number}"],
    }
    words = {
        "organisasjonsnummer": orgnr(number),
        "navn": f"PRØVEFIRMA {number} AS",
        "organisasjonsform": {"kode": "AS"},
        "forretningsadresse": address,
        "registreringsdatoEnhetsregisteret": "1995-02-19",
        "registrertIForetaksregisteret": True,
        **changes,
    }
    return {name: value for name, value in words.items() if value is not None}


def bulk(place: Ingesting, entries: Iterable[Entry], published: str) -> Report:
    """Ingest the register's whole file, published at 08:00 that day."""
    return from_file(place, json.dumps(list(entries)).encode(), "full", published)


def some(place: Ingesting, entries: Iterable[Entry], published: str) -> Report:
    """Ingest a file of some entries, published at 08:00 that day."""
    return from_file(place, json.dumps(list(entries)).encode(), "delta", published)


def from_file(place: Ingesting, content: bytes, kind: Any, published: str) -> Report:
    """Ingest these bytes as a file of the register's."""
    place.written += 1
    path = place.folder / f"entries {place.written}.json"
    path.write_bytes(content)
    on = datetime.fromisoformat(f"{published}T08:00:00").replace(tzinfo=UTC)
    if on > place.house.now():
        place.at(on)
    return ingest_run.run(
        place.house, Request("brreg", file=path, kind=kind, published_at=on), quiet
    )


@contextmanager
def any_length(place: Ingesting, **settings: Any) -> Iterator[Ingesting]:
    """The house with settings for short files, as they were again at the end."""
    before = place.house.settings
    try:
        yield place.change(sources=ANY_LENGTH, scope=Scope(), **settings)
    finally:
        place.house.settings = before
