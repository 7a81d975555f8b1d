"""GLEIF's listing of golden copies: what one publication offers of one level, read with care."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from sources.gleif_files import REACHES, named
from sources.kit.errors import DeliveryRefused, Refused, SourceUnavailable

if TYPE_CHECKING:
    from sources.gleif_files import Level
    from sources.kit.session import PoliteSession

PUBLISHES = "/api/v2/golden-copies/publishes"
_HEADER = "x-gleif-publish-date"
_THING = "GLEIF's listing of golden copies"
_CURE = "Load a copy fetched by hand with --file, and see whether GLEIF has changed its listing"


@dataclass(frozen=True)
class ListedFile:
    """One file as listed: its address, its length in bytes, its rows."""

    url: str
    size: int
    record_count: int


@dataclass(frozen=True)
class Listed:
    """The newest publication: its full file, and by window its delta or why it cannot be used."""

    published_at: datetime
    full: ListedFile
    deltas: dict[str, ListedFile | str]


def latest_url(base_url: str, level: Level) -> str:
    """The address that leads to the newest full file of a level."""
    return f"{base_url}{PUBLISHES}/{level}/latest.csv"


def newest_by_head(session: PoliteSession, base_url: str, level: Level) -> datetime | None:
    """The newest publication's date from response headers alone; None when they do not say.

    It is a shortcut: whatever is wrong with it, the listing will tell.
    """
    try:
        headers = session.head(latest_url(base_url, level), is_glance=True)
    except (SourceUnavailable, DeliveryRefused):
        return None
    stated = headers.get(_HEADER, "").strip()
    try:
        return read_moment(stated)
    except ValueError:
        pass
    try:
        return _in_utc(parsedate_to_datetime(stated))
    except ValueError:
        return None


def newest_listed(session: PoliteSession, base_url: str, level: Level) -> Listed:
    """Fetch the listing; raises `DeliveryRefused` when it lacks what a download is held to.

    Of the full file that is address, `size` in bytes, `record_count` and publication date. A
    delta that lacks something is only not there.
    """
    listing = session.get_json(f"{base_url}{PUBLISHES}?per_page=1")
    publish = _at(listing, "data", 0)
    entry = _at(publish, level, "full_file", "csv")
    bundle = publish[level]
    published_at = _published_at(entry, bundle, publish)
    full = ListedFile(_text(entry, "url"), _count(entry, "size"), _count(entry, "record_count"))
    found = bundle.get("delta_files")
    deltas = found if isinstance(found, dict) else {}
    return Listed(
        published_at,
        full,
        {window: _delta(deltas, window, published_at, level) for window in REACHES},
    )


def read_moment(stated: object) -> datetime:
    """Read a date as GLEIF writes it, UTC where it does not say; raises ValueError."""
    try:
        return _in_utc(datetime.fromisoformat(stated))  # type: ignore[arg-type]  # judged here
    except TypeError as error:
        raise ValueError(_HEADER) from error


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _delta(
    deltas: dict[str, Any], window: str, published_at: datetime, level: Level
) -> ListedFile | str:
    """The window's file, or why it cannot be used."""
    forms = deltas.get(window)
    entry = forms.get("csv") if isinstance(forms, dict) else None
    if not isinstance(entry, dict) or not entry:
        return "it is not listed"
    try:
        file = ListedFile(
            _text(entry, "url"), _count(entry, "size"), _count(entry, "record_count", least=0)
        )
        stated = read_moment(entry.get("publish_date") or published_at.isoformat())
        said = named(file.url.rpartition("/")[2], level)
    except DeliveryRefused as refusal:
        return refusal.cause
    except (ValueError, Refused):
        return "it is listed with a date or a name that is not its own"
    if said and (said.window, said.published_at) != (window, published_at):
        return f"the file listed for it is {said.window} of {said.published_at:%Y-%m-%d %H:%M} UTC"
    if stated != published_at:
        return f"the file listed for it was published at {stated:%Y-%m-%d %H:%M} UTC"
    return file


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


def _count(entry: dict[str, Any], key: str, *, least: int = 1) -> int:
    value = entry.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _unusable(f"the file's {key!r} is missing or not a positive number")
    return value


def _published_at(*levels: dict[str, Any]) -> datetime:
    """Read the publication date nearest to the file; GLEIF writes UTC without saying so."""
    stated = next((level["publish_date"] for level in levels if level.get("publish_date")), None)
    try:
        return read_moment(stated)
    except ValueError:
        raise _unusable("'publish_date' is missing or not a date") from None


def _unusable(cause: str) -> DeliveryRefused:
    return DeliveryRefused(_THING, cause, _CURE)
