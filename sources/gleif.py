"""GLEIF: the Global LEI Index, level 1, as its Golden Copy publish API serves it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sources.kit.card import Card, Held, Landed, Plan, judging
from sources.kit.errors import DeliveryRefused, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sources.kit.download import Progress
    from sources.kit.frames import Frame, Prepared, Rows
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

CARD = Card(
    source_id="gleif",
    publisher="Global Legal Entity Identifier Foundation (GLEIF)",
    database_name="Global LEI Index (Golden Copy)",
    licence="CC0 1.0 Universal",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    is_public_database=True,
    record_url_template="https://search.gleif.org/#/record/{key}",
    homepage="https://www.gleif.org",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig, hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible, fetched {retrieved}.",
    },
    contact_kinds=("post",),
    base_url="https://goldencopy.gleif.org",
    hosts=("goldencopy.gleif.org", "api.gleif.org"),
    # No limit is documented for files; the REST API allows 60 requests a minute.
    rate=1.0,
    # 3,457,357 records on 2026-10-09, about 10,000 more a week.
    expected_min=3_000_000,
    expected_max=6_000_000,
    min_ratio=0.9,
    max_ratio=1.5,
    landing_retention="P35D",
)

LISTING_PATH = "/api/v2/golden-copies/publishes?per_page=1"

_THING = "GLEIF's listing of golden copies"
_CURE = "Load a copy fetched by hand with --file, and see whether GLEIF has changed its listing"
_NAME = re.compile(
    r"(?P<slot>\d{8}-\d{4})-gleif-goldencopy-(?P<level>lei2|rr|repex)-(?P<window>[a-z-]+)"
    r"\.(?P<form>csv|json|xml)(?:\.zip|\.gz)?",
    re.IGNORECASE,
)
_FULL_WINDOW = "golden-copy"
_WINDOWS = {
    _FULL_WINDOW: "GoldenCopy",
    "intra-day": "IntraDay",
    "last-day": "LastDay",
    "last-week": "LastWeek",
    "last-month": "LastMonth",
}


@dataclass(frozen=True)
class NamedFile:
    """What a file's name says by GLEIF's own naming: the window and the publication (UTC)."""

    kind: Literal["full", "delta"]
    window: str
    published_at: datetime


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Plan what to fetch now, from the newest publication in GLEIF's listing.

    The full file, or nothing when what is held is that publication or a newer one and no full
    file is wanted. Raises `DeliveryRefused` when the listing lacks what a download must be held
    to: address, `size` in bytes, `record_count`, publication date.
    """
    listing = session.get_json(CARD.base_url + LISTING_PATH)
    publish = _at(listing, "data", 0)
    entry = _at(publish, "lei2", "full_file", "csv")
    published_at = _published_at(entry, publish["lei2"], publish)
    held_at = held.published_at if held else None
    is_current = held_at is not None and held_at >= published_at and not is_full_wanted
    return Plan(
        source_id=CARD.source_id,
        kind="up_to_date" if is_current else "full",
        url=_text(entry, "url"),
        published_at=published_at,
        size=_count(entry, "size"),
        record_count=_count(entry, "record_count"),
        window=_WINDOWS[_FULL_WINDOW],
        reason=_reason(held_at, published_at, is_full_wanted=is_full_wanted),
    )


def fetch(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the planned file, held to its exact length; the loader holds it to `record_count`.

    `progress` is told (bytes so far, bytes in all). Raises `Refused` for a plan of nothing and
    `DeliveryRefused` for what cannot be the planned file.
    """
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.archive import contents

    if plan.kind == "up_to_date":
        raise Refused("GLEIF", f"there is nothing to fetch: {plan.reason}", "Ask for a full file")
    path, sha256, byte_count = session.download(
        plan.url, landing, expected_size=plan.size, progress=progress
    )
    landed = Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(plan.url),
        retrieved_at=session.now(),
        published_at=plan.published_at,
        kind=plan.kind,
        record_count=plan.record_count,
        member=None,
        is_publisher_host=session.is_publisher_host,
    )
    with judging(landed):
        found = contents(path)
        if found.container != "zip" and plan.url.endswith(".zip"):
            raise DeliveryRefused(
                f"GLEIF's file {landed.name}",
                "what came is not a zip archive",
                "Run again for a fresh listing; if it stays, tell GLEIF",
            )
    return replace(landed, member=found.name if found.container == "zip" else None)


def adopt(
    path: Path,
    landing: Landing,
    retrieved_at: datetime,
    *,
    kind: Literal["full", "delta"] | None = None,
    published_at: datetime | None = None,
) -> Landed:
    """Land a local file; what is not stated is taken from the publisher's file or member name.

    A file that says neither is of kind `file`: a delta of unknown date. Raises `Refused` for a
    file that by its name is another level or form, `DeliveryRefused` for one that is no archive
    or text at all.
    """
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.archive import contents

    said = named(path.name)
    kept, sha256, byte_count = landing.adopt(path)
    landed = Landed(
        path=kept,
        sha256=sha256,
        byte_count=byte_count,
        url=f"file:{path.name}",
        retrieved_at=retrieved_at,
        published_at=published_at or (said.published_at if said else None),
        kind=kind or (said.kind if said else "file"),
        record_count=None,
        member=None,
        is_publisher_host=False,
    )
    with judging(landed):
        found = contents(kept)
    member = path.name if found.name == kept.name else found.name
    said = said or named(member)
    return replace(
        landed,
        member=member,
        published_at=published_at or (said.published_at if said else None),
        kind=kind or (said.kind if said else "file"),
    )


def rows_of(
    path: Path, prepare: Callable[[Frame], Prepared]
) -> AbstractContextManager[Rows[Prepared]]:
    """Open a landed delivery as tidy frames in the house's words; see `sources.gleif_parse`."""
    # Arrow is not light: listing sources does without it.
    from sources.gleif_parse import rows_of as open_rows

    return open_rows(path, prepare)


def named(name: str) -> NamedFile | None:
    """Read a name like `20260601-0000-gleif-goldencopy-lei2-last-day.csv.zip`.

    None for any other name; `Refused` for GLEIF's other levels and forms.
    """
    match = _NAME.fullmatch(name)
    window = _WINDOWS.get(match["window"].lower()) if match else None
    if match is None or window is None:
        return None
    if match["level"].lower() != "lei2" or match["form"].lower() != "csv":
        raise Refused(
            f"File {name}", "it is not level 1 (lei2) in CSV form", "Give the lei2 .csv.zip"
        )
    try:
        published_at = datetime.strptime(match["slot"], "%Y%m%d-%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    is_full = match["window"].lower() == _FULL_WINDOW
    return NamedFile("full" if is_full else "delta", window, published_at)


def _reason(held_at: datetime | None, published_at: datetime, *, is_full_wanted: bool) -> str:
    if is_full_wanted:
        return "a full file was asked for"
    if held_at is None:
        return "nothing is held yet"
    if held_at == published_at:
        return "the newest publication is already held"
    if held_at > published_at:
        return "what is held is newer than the newest publication listed"
    return "a newer publication is listed"


def _at(document: Any, *path: str | int) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Find the object by following `path`; every step must be there."""
    for depth, step in enumerate(path, 1):
        is_there = (
            isinstance(document, list) and isinstance(step, int) and len(document) > step
        ) or (isinstance(document, dict) and step in document)
        if not is_there:
            raise _unusable(f"{'.'.join(map(str, path[:depth]))!r} is missing")
        document = document[step]
    if not isinstance(document, dict):
        raise _unusable(f"{'.'.join(map(str, path))!r} is not an object")
    return document


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise _unusable(f"the file's {key!r} is missing")
    return value


def _count(entry: dict[str, Any], key: str) -> int:
    value = entry.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise _unusable(f"the file's {key!r} is missing or not a positive number")
    return value


def _published_at(*levels: dict[str, Any]) -> datetime:
    """Read the publication date nearest to the file; GLEIF writes UTC without saying so."""
    stated = next((level["publish_date"] for level in levels if level.get("publish_date")), None)
    try:
        moment = datetime.fromisoformat(stated)  # type: ignore[arg-type]  # judged right here
    except (TypeError, ValueError):
        raise _unusable("'publish_date' is missing or not a date") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unusable(cause: str) -> DeliveryRefused:
    return DeliveryRefused(_THING, cause, _CURE)
