"""One call of the command: its global options, the house it opens, and its one answer."""

from __future__ import annotations

import gc
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from flows.cli.global_options import EVERYWHERE, GlobalOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import typer

    from flows.cli.paper import Paper
    from flows.house import Clock, House
    from flows.settings import Settings

DONE, REFUSED, USAGE, WITH_EXCLUSIONS, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes (docs/commands.md); 130 is what shells call an interrupted command."""


@dataclass
class Call:
    """One call; commands find it on their context and answer through it exactly once."""

    options: GlobalOptions
    document: Any = None
    exit_code: int = DONE
    output: TextIO = field(default_factory=lambda: sys.stdout)
    is_published: bool = False

    @property
    def clock(self) -> Clock:
        """The time, or the moment that --now sets."""
        from flows.house import Clock

        return Clock(self.options.now)

    def settings(self) -> Settings:
        """The whole configuration; every error in it is named at once."""
        from flows.settings import load

        return load(self.options.config, warehouse_url=self.options.warehouse_url)

    @contextmanager
    def house(self) -> Iterator[House]:
        """The open house, closed at the end."""
        from flows.house import house

        with house(self.settings(), self.clock) as opened:
            if not gc.isenabled():  # as `flows.cli.__main__` starts; what has come by now stays
                gc.freeze()
                gc.enable()
            yield opened

    @contextmanager
    def ready_house(self) -> Iterator[House]:
        """The open house; refuses when its warehouse has no tables, or older ones."""
        from warehouse import migrate

        with self.house() as opened:
            migrate.check(opened.engine)
            yield opened

    def answer(
        self,
        document: Any,  # noqa: ANN401 (JSON is any of its types)
        show: Callable[[Paper], None],
        *,
        exit_code: int = DONE,
    ) -> None:
        """Give the answer: `document` with --json, else what `show` writes."""
        self.document = document
        self.exit_code = exit_code
        if not self.options.is_json:
            from flows.cli.paper import Paper

            show(Paper())

    def publish(self) -> None:
        """Write the document, once; at the end of a call, or before one that goes on and on."""
        if not self.is_published:
            self.is_published = True
            text = json.dumps(self.document, ensure_ascii=False, indent=2, default=_plain)
            self.output.write(f"{text}\n")
            self.output.flush()


def _plain(value: object) -> str | int:
    """Return a value JSON has no type for: moments in UTC, days, paths, exact numbers."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    message = f"no JSON for {type(value).__name__}"
    raise TypeError(message)


def call_of(context: typer.Context) -> Call:
    """Return the call that a command belongs to."""
    found: Call = context.obj
    return found


def epilog(example: str) -> str:
    """Return what closes the help of a command: an example, and the options it shares."""
    return f"Example: sourcenote {example}\n\n{EVERYWHERE}"
