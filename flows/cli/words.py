"""Small pieces of text for readers: moments, days, ages, counts, and values made safe to print."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sources.kit.period import parse_period

if TYPE_CHECKING:
    from collections.abc import Sequence

# Controls could repaint the reader's terminal; the others turn the direction of a line around.
_UNSAFE = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)), "�")


def safe(value: object) -> str:
    """Return a value as one line of text that a terminal shows and does not obey."""
    return "" if value is None else str(value).translate(_UNSAFE)


def when(moment: datetime | None, absent: str = "never") -> str:
    """Return a moment to the minute, in UTC, saying so."""
    return absent if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(moment: date | datetime | None, absent: str = "-") -> str:
    """Return the calendar day, in UTC."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(UTC).date()
    return absent if moment is None else moment.isoformat()


def age(hours: float | None) -> str:
    """Return a length of time in the unit a reader would use."""
    if hours is None:
        return "-"
    if hours * 60 < 1:
        return "under a minute"
    for limit, unit, divisor in ((1, "minute", 1 / 60), (48, "hour", 1), (24 * 120, "day", 24)):
        if hours < limit:
            return counted(int(hours / divisor), unit)
    return counted(int(hours / 24 / 30.44), "month")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 row`, `2 rows`, `1,000 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def period(text: str) -> str:
    """Return an ISO 8601 period in words: P24M is 24 months."""
    length = parse_period(text)
    parts = zip(length, ("year", "month", "day"), strict=True)
    return " and ".join(counted(number, unit) for number, unit in parts if number) or "no time"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return `a, b and c`."""
    *head, tail = words or ("none",)
    return f"{', '.join(head)} {last} {tail}" if head else tail
