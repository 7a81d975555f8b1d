"""A local stand-in for CVR at Datafordeler: weekly files an entity, GraphQL, the event feed.

The key stands in the query, as published. Without the right one every path answers 401.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sources.kit import sample_cvr, standin_cvr_query, standin_graphql
from sources.kit.sample_cvr import COLUMNS, Cell, Row
from sources.kit.sample_firm import Firm
from sources.kit.standin_api import Reply
from sources.kit.standin_cvr_query import REQUIRED, Refusal
from sources.kit.standin_register import Asked, in_json, morning

FILES = "/FileDownloads"
GRAPHQL = "/CVR/v2"
KEPT = timedelta(days=7)
_FORMATS = ("csv", "json")
_PER_PAGE = 10_000
_ROOTS = {name: name.removeprefix("CVR_").replace("e_mail", "e-mail") for name in REQUIRED}
_SEQUENCE = "datafordelerRegisterImportSequenceNumber"
_OK = 200


@dataclass
class _File:
    """A published file: its bytes, and the entry that lists it."""

    entry: dict[str, Any]
    body: bytes


class Cvr:
    """The register: one table an entity, the files of each generation, and the events.

    `now` is the publisher's clock: files older than seven days are gone. `columns` are those of the
    files and of GraphQL (take `hemmelig` out of them for today's); `without` names entities that
    have no file, `without_roots` root fields that GraphQL does not have.
    """

    paths: tuple[str, ...] = (f"{FILES}/", GRAPHQL)

    def __init__(self, firms: Iterable[Firm], as_of: date, api_key: str) -> None:
        self.api_key = api_key
        self.tables = sample_cvr.tables(firms)
        self.columns = dict(COLUMNS)
        self.without: set[str] = set()
        self.without_roots: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.now = morning(as_of)
        self._generation = 524
        self._files: list[_File] = []
        self._lock = threading.RLock()
        for entity, rows in self.tables.items():
            for row in rows:
                self._tell(entity, row, "i")
        self.publish(self.now - timedelta(days=3))

    def publish(self, built: datetime) -> None:
        """Build a new generation of every entity's files, dated `built` (UTC)."""
        with self._lock:
            self._generation += 1
            for entity in self.tables:
                if entity not in self.without:
                    self._files += [self._file(entity, form, built) for form in _FORMATS]

    def _file(self, entity: str, form: str, built: datetime) -> _File:
        name = f"CVR_V2_{entity}_TotalDownload_{form}_Current_{self._generation}"
        body = sample_cvr.archive(name, form, self.tables[entity], self.columns[entity])
        at = sample_cvr.moment
        entry = {
            "fileName": f"{name}.zip",
            "register": "CVR",
            "entityName": entity,
            "frequency": "Generated from 23:00 UTC on Friday",
            "typeOfDownload": "TotalDownload",
            "typeOfData": "Current",
            "version": "2",
            "generationNumber": self._generation,
            "pointInTime": at(built),
            "generationTime": at(built + timedelta(minutes=24)),
            "expirationDate": at(built + timedelta(minutes=24) + KEPT),
            "containedFileFormat": form,
            "outputFileFormat": "zip",
            "municipalityCode": None,
            "registerImportSequenceNumber": self.events[-1][_SEQUENCE] if self.events else 0,
            "md5Hash": hashlib.md5(body, usedforsecurity=False).hexdigest(),
            "fileSizeInBytes": len(body),
        }
        return _File(entry, body)

    def set_value(self, entity: str, unit: str, value: Cell, at: datetime) -> None:
        """End the unit's valid rows of an entity and begin one with `value`; None begins none.

        So a flag turns from false to true. The feed tells of each row; files do after `publish`.
        """
        with self._lock:
            for row in self.tables[entity]:
                if row["CVREnhedsId"] == unit and not row["virkningTil"]:
                    row |= {"virkningTil": at.date().isoformat()}
                    row |= {"registreringTil": sample_cvr.moment(at)}
                    self._tell(entity, row, "u", at)
            if value is not None:
                said: Row = {"vaerdi": value}
                said |= {"hemmelig": False} if "hemmelig" in COLUMNS[entity] else {}
                said |= {"sekvens": 0} if "sekvens" in COLUMNS[entity] else {}
                begun = sample_cvr.row(entity, unit, (at.date(), None), **said)
                self.tables[entity].append(begun)
                self._tell(entity, begun, "i", at)

    def protect(self, number: str, at: datetime, *, value: bool = True) -> None:
        """Turn a company's marketing-protection on, or off."""
        self.set_value("Reklamebeskyttelse", sample_cvr.unit_id(number), value, at)

    def drop(self, unit: str, at: datetime) -> None:
        """Take every row of a unit away; the feed tells (`d`)."""
        with self._lock:
            for entity, rows in self.tables.items():
                key = "id" if "id" in COLUMNS[entity] else "CVREnhedsId"
                for row in [row for row in rows if row[key] == unit]:
                    rows.remove(row)
                    self._tell(entity, row, "d", at)

    def spoil(self, entity: str, **said: Any) -> None:  # noqa: ANN401 (any value of an entry)
        """Let the listing say other things of an entity's newest files, as a wrong `md5Hash`."""
        with self._lock:
            for file in self._newest(entity):
                file.entry |= said

    def _tell(self, entity: str, row: Row, action: str, at: datetime | None = None) -> None:
        number = len(self.events) + 1
        when = sample_cvr.moment(at) if at else str(row["datafordelerOpdateringstid"])
        name = f"{row['datafordelerRowId']}"
        self.events.append(
            {
                "eventid": number,
                "entityname": entity,
                "eventaction": action,
                "fromfailedimport": False,
                "object_id": row["id" if "id" in COLUMNS[entity] else "CVREnhedsId"],
                "object_datafordelerRowId": name,
                "datafordelerOpdateringstid": when,
                _SEQUENCE: 409_248 + number,
            }
        )

    def answer(self, asked: Asked) -> Reply:
        """The reply to a GET or POST."""
        if asked.query.get("apikey") != self.api_key or "authorization" in asked.headers:
            return _problem(401, "Unauthorized", "DAF-AUTH-0005", "The API key is not valid.")
        with self._lock:
            if asked.path == f"{FILES}/GetAvailableFileDownloads":
                return self._listing(asked)
            if asked.path == f"{FILES}/GetFile":
                return self._download(asked)
            if asked.path == GRAPHQL:
                return self._query(asked)
        return Reply(404, b"")

    def error_200(self) -> Reply:
        """Status 200 with an error inside, as GraphQL has it."""
        return in_json(200, {"errors": [{"message": "Unexpected Execution Error"}], "data": None})

    def _kept(self) -> list[_File]:
        now = sample_cvr.moment(self.now)
        return [file for file in self._files if file.entry["expirationDate"] > now]

    def _newest(self, entity: str) -> list[_File]:
        found = [file for file in self._files if file.entry["entityName"] == entity]
        return found[-len(_FORMATS) :]

    def _listing(self, asked: Asked) -> Reply:
        entity, page = asked.query.get("entity"), asked.number("pagenumber", 1) or 1
        listed = [file.entry for file in self._kept()]
        found = [entry for entry in listed if entity in (None, entry["entityName"])]
        pages = -(-len(found) // _PER_PAGE)
        if asked.query.get("register") != "CVR":
            return _problem(400, "Bad Request", "", "'register' is not valid.")
        if page > max(pages, 1):
            why = "'pageNumber' is greater than the total amount of pages."
            return _problem(400, "Bad Request", "", why)
        shown = found[(page - 1) * _PER_PAGE : page * _PER_PAGE]
        numbers = {"currentPage": page, "pageSize": _PER_PAGE, "totalCount": len(found)}
        numbers |= {"totalPages": pages}
        return in_json(200, {"paginationMetadata": numbers, "availableFileDownloads": shown})

    def _download(self, asked: Asked) -> Reply:
        wanted = asked.query.get("filename")
        entity = asked.query.get("latesttotalforentity", "")
        form = asked.query.get("format", "csv").lower()
        for file in reversed(self._kept()):
            entry = file.entry
            is_newest = entry["entityName"] == entity and entry["containedFileFormat"] == form
            if entry["fileName"] == wanted if wanted else is_newest:
                name = {"Content-Disposition": f"attachment; filename={entry['fileName']}"}
                return Reply(200, file.body, {"Content-Type": "application/zip", **name})
        return _problem(404, "Not Found", "", "The requested file was not found.")

    def _query(self, asked: Asked) -> Reply:
        try:
            posted = json.loads(asked.body)
            fields = standin_graphql.read(posted["query"], posted.get("variables") or {})
            root = standin_cvr_query.checked(fields)
            return in_json(200, {"data": {root.name: self._found(root)}})
        except Refusal as refusal:
            named = {root.name: None for root in fields[:1]} if refusal.status == _OK else None
            error = {"message": refusal.message, "extensions": {"code": refusal.code}}
            return in_json(refusal.status, {"errors": [error], "data": named})
        except (KeyError, TypeError, ValueError) as error:
            message = str(error) if isinstance(error, standin_graphql.NotUnderstood) else "Bad body"
            wrong = {"message": message, "extensions": {"code": "HC0011"}}
            return in_json(400, {"errors": [wrong]})

    def _found(self, root: standin_graphql.Field) -> dict[str, Any]:
        known = {*_ROOTS, "CVR_Events", "DAF_RegisterImportStatus"} - self.without_roots
        if root.name not in known:
            raise Refusal("HC0016", f"The field `{root.name}` does not exist.", 400)
        if root.name == "CVR_Events":
            return standin_cvr_query.connection(root, list(self.events))
        if root.name == "DAF_RegisterImportStatus":
            return standin_cvr_query.picked(root, self._import_status())
        entity = _ROOTS[root.name]
        nodes = root.child("nodes")
        for part in nodes.selected if nodes else []:
            if part.name not in self.columns[entity]:
                raise Refusal("HC0016", f"The field `{part.name}` does not exist.", 400)
        return standin_cvr_query.connection(root, list(self.tables[entity]))

    def _import_status(self) -> dict[str, Any]:
        last = self.events[-1] if self.events else {}
        return {
            "lastEventId": last.get("eventid", 0),
            "lastSequenceNumber": last.get(_SEQUENCE, 0),
            "lastUpdated": last.get("datafordelerOpdateringstid"),
        }


def _problem(status: int, title: str, code: str, detail: str) -> Reply:
    """An error of the files' side: a problem document (RFC 9457) with Datafordeler's own code."""
    said = {"title": title, "status": status, "detail": detail}
    return in_json(status, said | ({"errorCode": code} if code else {}), "application/problem+json")
