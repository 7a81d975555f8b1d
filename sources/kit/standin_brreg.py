"""A local stand-in for Norway's Enhetsregisteret: bulk file, change feed, look-up and search.

Source: the API's documentation (`/enhetsregisteret/api/dokumentasjon`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sources.kit import sample_brreg
from sources.kit.sample_brreg import Entity
from sources.kit.sample_firm import Firm
from sources.kit.sample_numbers import CheckDigit, registration_number
from sources.kit.standin_api import Reply
from sources.kit.standin_register import Asked, file_reply, in_json, morning

_BULK_KIND = "application/vnd.brreg.enhetsregisteret.enhet.v2+gzip;charset=UTF-8"
_DEEPEST = 10_000
"""How far paging reaches: (page + 1) * size, as in the search engine behind it."""
_FIRST_EVENT = 20_000_001
_STEP = 3
"""Ids rise and leave gaps: events of subunits have theirs in between."""
_ORGNR = re.compile(r"\d{9}")
_BEFORE_BULK = timedelta(hours=1)
REMOVED = registration_number("8########", CheckDigit((3, 2, 7, 6, 5, 4, 3, 2)), 7_950_000)
"""Number of an entity that was removed for legal reasons: nothing else is known of it."""


class Brreg:
    """The register: entities, a bulk file as it was built, and a feed of what happened since.

    `overlap` makes every page of the feed begin with that many events of the one before, so that
    ids repeat. Everything is as of the morning of `as_of`; the bulk file is that night's, and the
    night's feed has events of every kind: a removal of an entity that no file ever held, deletions,
    and changes that the bulk file already has.
    """

    paths: tuple[str, ...] = (sample_brreg.ROOT,)

    def __init__(self, firms: Iterable[Firm], as_of: date) -> None:
        self.overlap = 0
        self.events: list[Entity] = []
        self.entities: dict[str, Entity] = {}
        self.removed: dict[str, date] = {}
        self._lock = threading.RLock()
        start, built = morning(as_of) - timedelta(days=2), morning(as_of)
        held = list(firms)
        for firm in held:
            self.entities[firm.number] = sample_brreg.entity(firm)
            self._tell(firm.number, "Ny", start)
        if held:
            self._last_night(held, built - _BEFORE_BULK)
        self.publish_bulk(built)

    def _last_night(self, held: list[Firm], at: datetime) -> None:
        """What the feed tells after the bulk file's margin, in all the kinds it has."""
        newest = max(held, key=lambda firm: firm.registered)
        self._tell(newest.number, "Ny", at)
        for firm in held:
            if firm.ceased:
                self.delete(firm.number, at)
            elif "moved" in firm.cases:
                self._tell(firm.number, "Endring", at)
        self._tell(held[0].number, "Ukjent", at)
        self.removed[REMOVED] = at.date()
        self._tell(REMOVED, "Fjernet", at)

    def publish_bulk(self, built: datetime) -> None:
        """Build the bulk file of what is held now, dated `built` (UTC); deleted entities left out.

        An early `built` makes a file that is older than the feed's cursor.
        """
        with self._lock:
            living = [found for found in self.entities.values() if "slettedato" not in found]
            self.bulk, self.bulk_built = sample_brreg.bulk(living), built

    def add(self, firm: Firm, at: datetime) -> None:
        """A new entity, and its event `Ny`."""
        with self._lock:
            self.entities[firm.number] = sample_brreg.entity(firm)
            self._tell(firm.number, "Ny", at)

    def change(self, number: str, at: datetime, **fields: Any) -> None:  # noqa: ANN401 (any JSON value)
        """Set fields of an entity, drop those that are None, and tell of it (`Endring`)."""
        with self._lock:
            changed = self.entities[number] | fields
            self.entities[number] = {k: v for k, v in changed.items() if v is not None}
            self._tell(number, "Endring", at)

    def delete(self, number: str, at: datetime) -> None:
        """Delete an entity (`Sletting`): it still answers 200, with the day."""
        with self._lock:
            self.entities[number] = sample_brreg.deleted(self.entities[number], at.date())
            self._tell(number, "Sletting", at)

    def remove(self, number: str, at: datetime) -> None:
        """Remove an entity for legal reasons (`Fjernet`): it answers 410, copies must erase it."""
        with self._lock:
            del self.entities[number]
            self.removed[number] = at.date()
            self._tell(number, "Fjernet", at)

    def tell(self, number: str, kind: str, at: datetime) -> None:
        """An event alone, of whatever kind, without anything having happened."""
        with self._lock:
            self._tell(number, kind, at)

    def _tell(self, number: str, kind: str, at: datetime) -> None:
        nth = self.events[-1]["oppdateringsid"] + _STEP if self.events else _FIRST_EVENT
        self.events.append(sample_brreg.event(nth, number, kind, at))

    def answer(self, asked: Asked) -> Reply:
        """The reply to a GET or HEAD."""
        path = asked.path.removeprefix(f"{sample_brreg.ROOT}/")
        routes: dict[str, Callable[[Asked], Reply]] = {
            "enheter/lastned": self._bulk,
            "enheter": self._search,
            "oppdateringer/enheter": self._feed,
        }
        with self._lock:
            if path in routes:
                return routes[path](asked)
            name, _, number = path.partition("/")
            return self._look_up(number, asked) if name == "enheter" else Reply(404, b"")

    def error_200(self) -> Reply:
        """Status 200 with the form that an error has."""
        return in_json(200, {"status": 500, "feilmelding": "Intern feil", "antallFeil": 1})

    def _bulk(self, asked: Asked) -> Reply:
        name = f'attachment; filename="enheter_{self.bulk_built:%Y-%m-%dT%H-%M-%S}.json.gz"'
        headers = {"Content-Disposition": name}
        return file_reply(asked, self.bulk, self.bulk_built, _BULK_KIND, **headers)

    def _look_up(self, number: str, asked: Asked) -> Reply:
        if not _ORGNR.fullmatch(number):
            return _refused(asked, "Organisasjonsnummer er ugyldig", "organisasjonsnummer", number)
        if number in self.removed:
            return in_json(410, sample_brreg.removed(number, self.removed[number]))
        found = self.entities.get(number)
        return in_json(200, found) if found else Reply(404, b"")

    def _search(self, asked: Asked) -> Reply:
        numbers = [n for n in asked.query.get("organisasjonsnummer", "").split(",") if n]
        wrong = [number for number in numbers if not _ORGNR.fullmatch(number)]
        if wrong:
            return _refused(asked, "Ugyldig verdi", "organisasjonsnummer", ",".join(wrong))
        name, form = asked.query.get("navn", "").casefold(), asked.query.get("organisasjonsform")
        found = [
            entity
            for entity in self.entities.values()
            if "slettedato" not in entity
            and (not numbers or entity["organisasjonsnummer"] in numbers)
            and name in entity["navn"].casefold()
            and form in (None, entity["organisasjonsform"]["kode"])
        ]
        return _paged(asked, "enheter", "enheter", found)

    def _feed(self, asked: Asked) -> Reply:
        number, day = asked.query.get("oppdateringsid"), asked.query.get("dato")
        if number is not None and not number.isdecimal():
            return _refused(asked, "Ugyldig verdi", "oppdateringsid", number)
        since = _moment(day)
        if day is not None and since is None:
            return _refused(asked, "Ugyldig dato", "dato", day)
        found = [
            event
            for event in self.events
            if (number is None or event["oppdateringsid"] >= int(number))
            and (since is None or datetime.fromisoformat(event["dato"]) >= since)
        ]
        return _paged(asked, "oppdateringer/enheter", "oppdaterteEnheter", found, self.overlap)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _paged(asked: Asked, path: str, name: str, found: list[Entity], overlap: int = 0) -> Reply:
    """One page in HAL's form; nothing found is an answer without `_embedded`.

    Each page begins with the last `overlap` of the one before.
    """
    size, page = asked.number("size", 20), asked.number("page", 0)
    if size is None or not 0 < size <= _DEEPEST:
        return _refused(asked, "Ugyldig størrelse på siden", "size", asked.query["size"])
    if page is None or (page + 1) * size > _DEEPEST:
        reach = f"page og size kan ikke nå lenger enn {_DEEPEST} enheter"
        return _refused(asked, reach, "page", asked.query.get("page", "0"))
    step = max(size - overlap, 1)
    pages = -(-max(len(found) - size, 0) // step) + bool(found)
    shown = found[page * step : page * step + size]
    numbers = {"size": size, "totalElements": len(found), "totalPages": pages, "number": page}
    links = _links(asked, path, page, pages)
    embedded = {"_embedded": {name: shown}} if shown else {}
    return in_json(200, {**embedded, "_links": links, "page": numbers})


def _links(asked: Asked, path: str, page: int, pages: int) -> Entity:
    def at(number: int) -> dict[str, str]:
        return sample_brreg.link(f"{path}?{urlencode({**asked.query, 'page': number})}")

    links = {"self": at(page)}
    if pages > 1:
        links = {"first": at(0), **links, "last": at(pages - 1)}
        links |= {"prev": at(page - 1)} if page else {}
        links |= {"next": at(page + 1)} if page + 1 < pages else {}
    return links


def _refused(asked: Asked, why: str, name: str, value: str) -> Reply:
    """400, with the parameter that is wrong."""
    wrong = {"feilmelding": why, "parametere": [name], "feilaktigVerdi": value}
    return in_json(
        400,
        {
            "tidsstempel": 1_793_000_000_000,
            "status": 400,
            "feilmelding": "Feilaktig forespørsel",
            "sti": asked.path,
            "antallFeil": 1,
            "valideringsfeil": [wrong],
        },
    )
