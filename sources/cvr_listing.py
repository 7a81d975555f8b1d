"""Datafordeler's listing of CVR's files: the newest generation that has every file.

Source: `GET /FileDownloads/GetAvailableFileDownloads?Register=CVR`. Files are built weekly, each
entity's by itself, and kept seven days. A join across two generations would lose companies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sources.cvr_names import NEEDED, OPTIONAL
from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sources.kit.session import PoliteSession

FILES_URL = "https://api.datafordeler.dk/FileDownloads"
LISTING_URL = f"{FILES_URL}/GetAvailableFileDownloads?Register=CVR"
_THING = "Datafordeler's listing of CVR's files"
_CURE = "Nothing was loaded. Run again; if it stays, see whether Datafordeler has changed it"
_FORMS = ("csv", "json")
"""The forms that are read, the preferred one first."""
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_MOST_PAGES = 100
_TOLERANCE = timedelta(days=1)
"""How far ahead of our clock a file may be dated: clocks and time zones differ."""


@dataclass(frozen=True)
class ListedFile:
    """One file as listed: `size` in bytes, `md5` in hex, `as_of` the moment (UTC) it tells of."""

    entity: str
    name: str
    form: str
    version: int
    generation: int
    as_of: datetime
    size: int
    md5: str

    @property
    def url(self) -> str:
        """Where it is fetched from, the key not among it."""
        return f"{FILES_URL}/GetFile?Filename={quote(self.name, safe='')}"


@dataclass(frozen=True)
class Generation:
    """The files of one week, by their entity; `lacking` are listed in no such form, or not at all.

    `passed_over` are newer generations that are not complete, each with what they lack.
    """

    number: int
    files: Mapping[str, ListedFile]
    lacking: tuple[str, ...]
    passed_over: tuple[tuple[str, str], ...] = ()

    @property
    def as_of(self) -> datetime:
        """The moment that all its files tell of: of different ones the earliest."""
        return min(file.as_of for file in self.files.values())

    @property
    def size(self) -> int | None:
        """Bytes of all its files; None when a needed one is not listed."""
        if any(name in NEEDED for name in self.lacking):
            return None
        return sum(file.size for file in self.files.values())


def latest_url(entity: str) -> str:
    """Where the newest file of an entity is fetched from when none is listed."""
    name = quote(entity, safe="")
    return f"{FILES_URL}/GetFile?Register=CVR&LatestTotalForEntity={name}&type=current&format=CSV"


def newest(session: PoliteSession) -> Generation:
    """The generation to fetch; raises `DeliveryRefused` when the listing has none, or a future one.

    It is the newest that has every file any generation has. While a new one is being published, or
    when it came incomplete, that is the one before; without a complete one, the newest that has all
    that is needed, else the newest.
    """
    found = _chosen(list(_listed(session)))
    now = session.now()
    if found.as_of > now + _TOLERANCE:
        raise DeliveryRefused(
            _THING,
            f"its files are dated in the future: {found.as_of:%Y-%m-%d %H:%M} UTC",
            "Nothing was loaded. Set this machine's clock right, or tell Datafordeler",
        )
    return found


def _chosen(listed: Iterable[ListedFile]) -> Generation:
    weeks: dict[tuple[int, int], dict[str, ListedFile]] = {}
    for file in listed:
        week = weeks.setdefault((file.version, file.generation), {})
        known = week.get(file.entity)
        if known is None or _FORMS.index(file.form) < _FORMS.index(known.form):
            week[file.entity] = file
    if not weeks:
        raise DeliveryRefused(_THING, f"it lists none of {', '.join(NEEDED)}", _CURE)
    ordered = sorted(weeks, reverse=True)
    ever = {name for week in weeks.values() for name in week} | {*NEEDED}
    lacks = {key: sorted(ever - {*weeks[key]}) for key in ordered}
    complete = (key for key in ordered if not lacks[key])
    usable = (key for key in ordered if not {*lacks[key]} & {*NEEDED})
    chosen = next(complete, None) or next(usable, ordered[0])
    passed = ordered[: ordered.index(chosen)]
    return Generation(
        number=chosen[1],
        files=dict(sorted(weeks[chosen].items())),
        lacking=tuple(name for name in (*NEEDED, *OPTIONAL) if name not in weeks[chosen]),
        passed_over=tuple(
            (f"generation {key[1]}", f"it lacks {', '.join(lacks[key])}") for key in passed
        ),
    )


def _listed(session: PoliteSession) -> Iterable[ListedFile]:
    """What is listed of the files that are read, from every page of the listing."""
    page, pages = 1, 1
    while page <= pages:
        url = LISTING_URL if page == 1 else f"{LISTING_URL}&PageNumber={page}"
        document = session.get_json(url)
        entries = document.get("availableFileDownloads") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            raise DeliveryRefused(_THING, "it has no list 'availableFileDownloads'", _CURE)
        yield from filter(None, map(_file, entries))
        pages = _pages(document)
        page += 1


def _pages(document: Mapping[str, Any]) -> int:
    told = document.get("paginationMetadata")
    pages = told.get("totalPages") if isinstance(told, dict) else None
    if isinstance(pages, int) and pages > _MOST_PAGES:
        raise DeliveryRefused(_THING, f"it has {pages} pages: it may never end", _CURE)
    return pages if isinstance(pages, int) else 1


def _file(entry: object) -> ListedFile | None:
    """The file of an entry; None for one that is not read. Refuses one that cannot be checked."""
    if not isinstance(entry, dict) or not _is_ours(entry):
        return None
    name, size, md5 = (entry.get(key) for key in ("fileName", "fileSizeInBytes", "md5Hash"))
    number, as_of = entry.get("generationNumber"), _moment(entry)
    entity = str(entry["entityName"])
    is_whole = isinstance(name, str) and name and type(size) is int and type(number) is int
    if not is_whole or as_of is None or not isinstance(md5, str) or not _MD5.fullmatch(md5):
        what = "fileName, fileSizeInBytes, md5Hash, generationNumber and pointInTime"
        raise DeliveryRefused(_THING, f"its entry of {entity} does not state {what}", _CURE)
    version = str(entry.get("version") or "0")
    return ListedFile(
        entity=entity,
        name=str(name),
        form=str(entry["containedFileFormat"]).lower(),
        version=int(version) if version.isdecimal() else 0,
        generation=int(str(number)),
        as_of=as_of,
        size=int(str(size)),
        md5=md5.lower(),
    )


def _is_ours(entry: Mapping[str, Any]) -> bool:
    wanted = {"typeOfDownload": "totaldownload", "typeOfData": "current", "outputFileFormat": "zip"}
    return (
        entry.get("entityName") in (*NEEDED, *OPTIONAL)
        and all(str(entry.get(name)).lower() == value for name, value in wanted.items())
        and str(entry.get("containedFileFormat")).lower() in _FORMS
        and not entry.get("municipalityCode")
    )


def _moment(entry: Mapping[str, Any]) -> datetime | None:
    """The moment that an entry's file tells of, in whole seconds as the warehouse keeps it.

    Otherwise the same files would look newer than they are held, every time.
    """
    for name in ("pointInTime", "generationTime"):
        try:
            found = datetime.fromisoformat(entry[name])
        except (KeyError, TypeError, ValueError):
            continue
        known = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        return known.replace(microsecond=0)
    return None
