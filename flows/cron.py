"""Cron expressions of five fields, in UTC: when one is due next, and when it was due last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_SUNDAYS = 7
_LONGEST_DAYS = 8 * 366
"""A 29 February can be eight years off (1896 to 1904, 2096 to 2104)."""


@dataclass(frozen=True)
class Cron:
    """A schedule to the minute, UTC; made by `read_cron`."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""

    def due_after(self, moment: datetime) -> datetime:
        """The first due minute after the moment."""
        return next(found for found in self._from(moment, 1) if found > moment)

    def due_before(self, moment: datetime) -> datetime:
        """The last due minute at or before the moment."""
        return next(found for found in self._from(moment, -1) if found <= moment)

    def _from(self, moment: datetime, step: int) -> Iterator[datetime]:
        start = moment.astimezone(UTC).date()
        for days in range(_LONGEST_DAYS):
            day = start + timedelta(days=days * step)
            if self._is_on(day):
                times = [time(hour, minute, tzinfo=UTC) for hour, minute in self._clock()]
                for at in times[::step]:
                    yield datetime.combine(day, at)

    def _clock(self) -> Iterator[tuple[int, int]]:
        return ((hour, minute) for hour in self.hours for minute in self.minutes)

    def _is_on(self, day: date) -> bool:
        weekday = day.isoweekday() % _SUNDAYS
        return day.month in self.months and day.day in self.days and weekday in self.weekdays


def read_cron(text: str) -> Cron:
    """Read `minute hour day month weekday`: numbers, lists, ranges, steps and stars.

    Raises `ValueError`, in words that say what is wrong, also for a day that never comes. A day of
    the month and a day of the week together are refused: programs differ on what that means.
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        message = f"it has {len(parts)} fields, not the five of cron"
        raise ValueError(message)
    minutes, hours, days, months, weekdays = (
        _numbers(part, *field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    if parts[2] != "*" and parts[4] != "*":
        message = "it names days of the month and of the week: give one of them"
        raise ValueError(message)
    found = Cron(
        text=" ".join(parts),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(number % _SUNDAYS for number in weekdays),
    )
    if next(found._from(datetime(2026, 1, 1, tzinfo=UTC), 1), None) is None:  # noqa: SLF001 (its own)
        message = "its day never comes"
        raise ValueError(message)
    return found


def _numbers(part: str, name: str, lowest: int, highest: int) -> set[int]:
    """The numbers one field stands for."""
    found: set[int] = set()
    for item in part.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        ends = (str(lowest), str(highest)) if span == "*" else (first, last if dash else first)
        if slash and span != "*" and not dash:
            ends = (first, str(highest))
        texts = [*ends, step if slash else "1"]
        if not all(text.isascii() and text.isdigit() for text in texts):
            message = f"its {name} cannot be read"
            raise ValueError(message)
        start, end, every = map(int, texts)
        if not (lowest <= start <= end <= highest and every):
            message = f"its {name} is not within {lowest} to {highest}"
            raise ValueError(message)
        found |= set(range(start, end + 1, every))
    return found
