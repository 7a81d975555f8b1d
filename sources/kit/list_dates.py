"""Days and moments as the owner's systems write them, in one stated or one evident format."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING

from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

ISO = "YYYY-MM-DD"
FORMATS = (
    *(ISO, "DD-MM-YYYY", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY"),
    *("YYYY/MM/DD", "YYYYMMDD"),
)
"""Formats that are tried where none is stated; with hyphens nobody writes the month first."""
_PARTS = {
    "YYYY": r"(?P<year>\d{4})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
}
_ZONE = r"(?: ?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}))?"
_TIME = (
    r"(?:[ T](?P<hour>\d{1,2})[:.](?P<minute>\d{2})"
    rf"(?:[:.](?P<second>\d{{2}})(?:[.,]\d+)?)?{_ZONE})?"
)
_NAMES = ("year", "month", "day", "hour", "minute", "second")
_EARLIEST = date(1900, 1, 1)


def read_moment(text: str, date_format: str) -> datetime | None:
    """The moment in UTC; a time without a zone is UTC, a day alone its first moment."""
    found = _read(text, date_format)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[0].isoformat()}{found[1]}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_day(text: str, date_format: str) -> date | None:
    """The calendar day as written; None for what is no day, or one before 1900."""
    found = _read(text, date_format)
    day = None if found is None else found[0].date()
    return day if day is not None and day >= _EARLIEST else None


def _read(text: str, date_format: str) -> tuple[datetime, str] | None:
    """(the local time as written, its zone); ISO 8601 is always read: it is nothing else."""
    match = _pattern(date_format).fullmatch(text) or _pattern(ISO).fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    zone = parts.get("zone")
    numbers = (int(parts.get(name) or 0) for name in _NAMES)
    try:
        return datetime(*numbers), "Z" if zone in {None, "UTC"} else str(zone)  # type: ignore[arg-type]  # noqa: DTZ001 (its zone stands beside it)
    except ValueError:
        return None


def evident_format(texts: Iterable[str]) -> str | None:
    """The one format that reads most of the texts; None when two that differ read them equally.

    Without any text, or where none reads one, it is ISO 8601.
    """
    counts = dict.fromkeys(FORMATS, 0)
    for text in set(texts):
        for name in FORMATS:
            match = _pattern(name).fullmatch(text)
            counts[name] += match is not None and read_moment(text, name) is not None
    best = max(counts.values())
    found = [name for name in FORMATS if counts[name] == best]
    if best == 0 or ISO in found:
        return ISO
    return found[0] if len(found) == 1 else None


def check_format(date_format: str) -> None:
    """Refuse a format without year, month and day."""
    if any(part not in date_format for part in ("YYYY", "MM", "DD")):
        cause = "it does not say where year, month and day stand"
        raise Refused(
            f"date_format {date_format!r}", cause, "Write it with YYYY, MM and DD: DD-MM-YYYY"
        )


@cache
def _pattern(date_format: str) -> re.Pattern[str]:
    written = re.escape(date_format)
    for name, part in _PARTS.items():
        written = written.replace(name, part, 1)
    return re.compile(written + (_ZONE if "HH" in date_format else _TIME), re.ASCII)
