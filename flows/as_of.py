"""The moment an `--as-of` means, by the one clock it goes by: when this warehouse knew."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from sources.kit.errors import Refused

if TYPE_CHECKING:
    from flows.house import House


def moment_of(house: House, as_of: date | datetime) -> datetime:
    """The moment that is meant; a day means its end. Raises `Refused` for a day to come."""
    if isinstance(as_of, datetime):
        moment = as_of
    else:
        moment = datetime.combine(as_of, time(23, 59, 59), UTC)
    today = house.now().astimezone(UTC).date()
    if moment.astimezone(UTC).date() > today:
        cause = f"{moment:%Y-%m-%d} is to come; today is {today}"
        raise Refused("--as-of", cause, "Give a day or a moment that has been")
    return moment
