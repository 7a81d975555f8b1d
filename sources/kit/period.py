"""Calendar periods as the policies write them (ISO 8601 `PnYnMnD`), added to dates."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]

# Weeks and times of day are left out on purpose: no policy counts in them, and a period that can
# be read in two ways ("PT1M", "P1M") is a period deleted at the wrong time.
_PATTERN = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?", re.ASCII)
_MONTHS_A_YEAR = 12


class Period(NamedTuple):
    """Calendar years and months, and days; added in that order."""

    years: int
    months: int
    days: int

    @property
    def total_months(self) -> int:
        """Years and months together, in months."""
        return self.years * _MONTHS_A_YEAR + self.months


def parse_period(text: str) -> Period:
    """Read `PnYnMnD`, each part optional but one needed; ValueError says what to write instead."""
    found = _PATTERN.fullmatch(text)
    if found is None or not any(found.groups()):
        message = "write a period as P24M, P1Y6M or P30D"
        raise ValueError(message)
    years, months, days = (int(part or 0) for part in found.groups())
    return Period(years, months, days)


def add_to_date(day: date, period: str | Period) -> date:
    """Return `day` plus `period`: months by the calendar, then days.

    A day that the target month lacks becomes its last day (31 January plus P1M is 28 or
    29 February), as privacy/clauses counts months. Past the year 9999 the answer is `date.max`.
    """
    length = parse_period(period) if isinstance(period, str) else period
    year, month0 = divmod(day.year * _MONTHS_A_YEAR + day.month - 1 + length.total_months, 12)
    if year > date.max.year:
        return date.max
    last = calendar.monthrange(year, month0 + 1)[1]
    moved = date(year, month0 + 1, min(day.day, last))
    return moved + timedelta(days=min(length.days, (date.max - moved).days))


def add_period(dates: Days, period: str | Period) -> Days:
    """Return `dates` (datetime64[D], any shape) plus `period`, by the rule of `add_to_date`.

    NaT stays NaT.
    """
    import numpy as np  # settings import this module: it must stay light

    length = parse_period(period) if isinstance(period, str) else period
    days = dates.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    day_of_month = days - months.astype("datetime64[D]")
    target = months + np.timedelta64(length.total_months, "M")
    month_after = (target + np.timedelta64(1, "M")).astype("datetime64[D]")
    last_of_target = month_after - np.timedelta64(1, "D")
    moved = np.minimum(target.astype("datetime64[D]") + day_of_month, last_of_target)
    later: Days = np.minimum(moved + np.timedelta64(length.days, "D"), np.datetime64(date.max))
    return later
