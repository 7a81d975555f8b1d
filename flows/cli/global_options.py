"""The options that every command takes, pulled out of the line before Typer reads it.

So they work before and after the command, and are written once. `--` ends them, as it ends options
everywhere.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from flows.cli.reading import moment

EVERYWHERE = "Anywhere on the line: --config FILE, --warehouse URL, --json."
"""What the help of every command says of them."""

_WITH_VALUE = ("--config", "--warehouse", "--now")
_FLAGS = ("--json", "--debug")


class Misused(Exception):
    """The command line is not one that this command understands (exit code 2)."""


class GlobalOptions(NamedTuple):
    """What every command may be told. `now` sets the clock, for tests and the demo."""

    config: Path | None = None
    warehouse_url: str | None = None
    now: datetime | None = None
    is_json: bool = False
    is_debug: bool = False


def take(arguments: list[str]) -> tuple[GlobalOptions, list[str]]:
    """Split a line into the global options and what is left for the command.

    Of an option given twice the later one counts. Raises `Misused` for one without its value, or
    a moment that is none.
    """
    found, rest = _split(arguments)
    config = found.get("--config")
    options = GlobalOptions(
        config=Path(config) if config else None,
        warehouse_url=found.get("--warehouse"),
        now=_moment(found["--now"]) if "--now" in found else None,
        is_json="--json" in found,
        is_debug="--debug" in found,
    )
    return options, rest


def is_json_wanted(arguments: list[str]) -> bool:
    """Say whether the line asks for JSON, even when it is otherwise misused."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in ours


def _moment(text: str) -> datetime:
    try:
        return moment(text)
    except (ValueError, OverflowError):
        raise Misused("--now wants a moment such as 2026-11-22T08:00:00Z") from None


def _split(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, has_value, value = argument.partition("=")
        if argument == "--":
            return found, [*rest, argument, *waiting]
        if name in _FLAGS:
            if has_value:
                raise Misused(f"{name} takes no value")
            found[name] = ""
        elif name in _WITH_VALUE:
            given = value if has_value else next(waiting, "")
            if not given or (given.startswith("--") and not has_value):
                raise Misused(f"{name} needs a value")
            found[name] = given
        else:
            rest.append(argument)
    return found, rest
