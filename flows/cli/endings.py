"""How a call can end badly: each ending as a block for readers, a document, and an exit code."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.cli.call import INTERRUPTED, REFUSED, USAGE
from sources.kit.errors import SettingsInvalid, SourcenoteError

if TYPE_CHECKING:
    import typer

    from flows.cli.global_options import Misused

# What these say is about the program; any other exception's text may quote what it was given.
_ABOUT_THE_PROGRAM = (AttributeError, ImportError, NameError, NotImplementedError, TypeError)


class Ending(NamedTuple):
    """What went wrong, why, and what to do about it."""

    thing: str
    cause: str
    cure: str
    exit_code: int
    all_causes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the document that --json puts on standard output."""
        error: dict[str, Any] = {"thing": self.thing, "cause": self.cause, "cure": self.cure}
        if self.all_causes:
            error["causes"] = list(self.all_causes)
        return {"error": error}

    def show(self) -> None:
        """Write the red block on standard error."""
        from rich.text import Text

        from flows.cli.paper import console
        from flows.cli.words import safe

        page = console(is_error=True)
        page.print(Text(safe(f"{self.thing}:"), style="bold red"))
        for cause in self.all_causes or (self.cause,):
            page.print(Text(f"  {safe(cause)}", style="red"))
        page.print(Text(f"  {safe(self.cure)}."))


def of_ours(error: SourcenoteError) -> Ending:
    """Something was refused or failed in our own words."""
    causes = tuple(error.errors) if isinstance(error, SettingsInvalid) else ()
    return Ending(error.thing, error.cause, error.cure.rstrip("."), error.exit_code, causes)


def of_misuse(error: typer.TyperException | Misused) -> Ending:
    """The command line was not understood."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "sourcenote"
    cause = error.format_message() if hasattr(error, "format_message") else str(error)
    return Ending("command line", cause.rstrip("."), f"See `{command} --help`", USAGE)


def of_interruption() -> Ending:
    """Somebody pressed Ctrl-C; every transaction was rolled back on the way here."""
    cure = "Run the command again; it starts from the last finished step"
    return Ending("sourcenote", "interrupted, nothing is left half-done", cure, INTERRUPTED)


def of_the_unexpected(error: BaseException) -> Ending:
    """Anything else: named by kind and place only, because its own text may quote a value."""
    known = _from_the_warehouse(error)
    if known is not None:
        return of_ours(known)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    cure = "Run it again with --debug and report what it prints; nothing is left half-done"
    return Ending("sourcenote", f"unexpected {type(error).__name__}{place}", cure, REFUSED)


def show_trace(error: BaseException) -> None:
    """Write the stack on standard error, without what an exception says about its values."""
    for link in _chain(error):
        print("".join(traceback.format_tb(link.__traceback__)), end="", file=sys.stderr)
        text = str(link) if isinstance(link, (*_ABOUT_THE_PROGRAM, SourcenoteError)) else "…"
        print(f"{type(link).__module__}.{type(link).__name__}: {text}", file=sys.stderr)


def _chain(error: BaseException) -> list[BaseException]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*(_chain(before) if before else []), error]


def _from_the_warehouse(error: BaseException) -> SourcenoteError | None:
    if "sqlalchemy" not in sys.modules:
        return None
    from warehouse.read_faults import as_refusal

    return as_refusal(error)
