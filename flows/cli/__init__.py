"""The `sourcenote` command: every group of commands, and how a call begins and ends."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import (
    catalogue,
    db,
    explain,
    export,
    ingest,
    init,
    join,
    lifecycle,
    own_lists,
    quarantine,
    refresh,
    segment,
    serve,
    status,
    suppress,
    up,
)
from flows.cli.call import DONE, INTERRUPTED, REFUSED, USAGE, Call, call_of, epilog
from flows.cli.endings import (
    Ending,
    of_interruption,
    of_misuse,
    of_ours,
    of_the_unexpected,
    show_trace,
)
from flows.cli.global_options import GlobalOptions, Misused, is_json_wanted, take
from flows.cli.interruption import has_come, listening, settle
from sources.kit.errors import SourcenoteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["app", "main"]

app = typer.Typer(
    name="sourcenote",
    help="Prospects from public company registers; every value knows where it came from.",
    epilog=epilog("init --example, then: sourcenote ingest gleif"),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _everywhere(
    context: typer.Context,
    config: Annotated[
        str,
        typer.Option(
            help="Configuration file; sourcenote.toml where it is not given.", metavar="FILE"
        ),
    ] = "",
    warehouse: Annotated[
        str,
        typer.Option(
            help="Warehouse; sqlite:///var/sourcenote.db where nothing else is set.", metavar="URL"
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")] = False,
    now: Annotated[str, typer.Option(help="The clock, for tests.", hidden=True)] = "",
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where a fault happened.", hidden=True)
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    del config, warehouse, json, now, debug
    if version:
        from importlib.metadata import version as installed

        number = installed("sourcenote")
        call_of(context).answer({"version": number}, lambda page: page.say(number))
    elif context.invoked_subcommand is None:
        context.fail("which command?")


for add_commands in (
    init.add_to,
    catalogue.add_to,
    ingest.add_to,
    own_lists.add_to,
    status.add_to,
    explain.add_to,
    refresh.add_to,
    join.add_to,
    quarantine.add_to,
    segment.add_to,
    export.add_to,
    suppress.add_to,
    lifecycle.add_to,
    db.add_to,
    serve.add_to,
    up.add_to,
):
    add_commands(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one call and return its exit code; never raises.

    With --json exactly one document goes to standard output, whatever happens; what anything else
    prints there goes to standard error.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    call = Call(GlobalOptions(is_json=is_json_wanted(given)), output=sys.stdout)
    try:
        with listening(), _logging_to_standard_error(), _nothing_else_printed(call):
            ending = _outcome(call, given)
            if ending:
                call.document, call.exit_code = ending.as_json(), ending.exit_code
        if call.options.is_json:
            call.publish()
        if ending:
            ending.show()
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has gone; Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    return call.exit_code


def _outcome(call: Call, given: list[str]) -> Ending | None:
    """Run the command; None when it ended well."""
    try:
        call.options, rest = take(given)
        _run(call, rest)
    except (Misused, typer.TyperException) as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # it has shown the help already
            call.exit_code = USAGE
            return None
        return of_misuse(error)
    except SourcenoteError as error:
        return _traced(call, error, of_ours(error))
    except KeyboardInterrupt:
        settle()
        return of_interruption()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (a user gets a line, not a stack)
        told = of_interruption() if has_come() else of_the_unexpected(error)
        return _traced(call, error, told)
    return None


def _traced(call: Call, error: BaseException, ending: Ending) -> Ending:
    if call.options.is_debug:
        show_trace(error)
    return ending


def _run(call: Call, rest: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    found = command.main(args=rest, prog_name="sourcenote", standalone_mode=False, obj=call)
    if found == INTERRUPTED:  # Typer has made an exit code of Ctrl-C
        raise KeyboardInterrupt
    if isinstance(found, int) and found != DONE:
        call.exit_code = found


@contextlib.contextmanager
def _nothing_else_printed(call: Call) -> Iterator[None]:
    if not call.options.is_json:
        yield
        return
    aside = io.StringIO()
    with contextlib.redirect_stdout(aside):
        yield
    printed = aside.getvalue()
    if call.document is None and printed:
        call.document = {"help": printed}
    else:
        sys.stderr.write(printed)


@contextlib.contextmanager
def _logging_to_standard_error() -> Iterator[None]:
    """What the flows say while they work, one line each."""
    log = logging.getLogger("sourcenote")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    before = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.level, log.propagate = before
