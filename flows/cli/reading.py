"""How the values of options are read: moments, days, and what is said when they are neither."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer


def moment(text: str) -> datetime:
    """Read an ISO 8601 date or moment; without an offset it is UTC. ValueError when it is none."""
    read = datetime.fromisoformat(text.strip())
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def moment_option(text: str) -> datetime:
    """Read the value of an option that wants a moment."""
    try:
        return moment(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter("give a moment such as 2026-11-22T08:00:00Z") from None


def as_of_option(text: str) -> date | datetime:
    """Read the value of --as-of: a day, which means its end, or a moment."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        pass
    try:
        return moment(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            "give a day such as 2026-11-22, or a moment such as 2026-11-22T08:00:00Z"
        ) from None


def day_option(text: str) -> date:
    """Read the value of an option that wants a calendar day."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter("give a day such as 2026-11-22") from None


AsOf = Annotated[
    Any,
    typer.Option(
        "--as-of",
        metavar="DATE|ISO",
        parser=as_of_option,
        help="What was known then; a day means its end, UTC.",
    ),
]
