"""What a reader sees: headings, sentences and tables on standard output, in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.cli.words import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH_ELSEWHERE = 120
"""Columns where there is no terminal to ask: wide enough that few values are broken."""


def console(*, is_error: bool = False) -> Console:
    """Return a console that prints values as they are: no markup, no highlighting, no emoji."""
    found = Console(stderr=is_error, markup=False, highlight=False, emoji=False)
    if not found.is_terminal:
        found.width = WIDTH_ELSEWHERE
    return found


class Paper:
    """Standard output as a page; every value on it is made safe to print."""

    def __init__(self) -> None:
        self._console = console()

    def title(self, text: str) -> None:
        """Write the first line of the page."""
        self._print(Text(safe(text), style="bold"))

    def heading(self, text: str) -> None:
        """Open a part of the page."""
        self._print("")
        self._print(Text(safe(text), style="bold cyan"))

    def say(self, text: str, *, indent: int = 0) -> None:
        """Write one paragraph."""
        self._print(Padding(Text(safe(text)), (0, 0, 0, indent)))

    def warn(self, text: str, *, indent: int = 0) -> None:
        """Write one paragraph that must not be passed over."""
        self._print(Padding(Text(safe(text), style="bold yellow"), (0, 0, 0, indent)))

    def facts(self, facts: Iterable[tuple[str, object]], *, indent: int = 2) -> None:
        """Write labels and values, one a line."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for label, value in facts:
            grid.add_row(Text(label), Text(safe(value)))
        self._print(Padding(grid, (0, 0, 0, indent)))

    def table(
        self,
        head: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        numbers: Sequence[str] = (),
        whole: Sequence[str] = (),
    ) -> None:
        """Write a table; columns in `numbers` stand to the right, those in `whole` never break."""
        table = Table(
            box=SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, 2, 0, 0),
            header_style="bold",
        )
        for name in head:
            table.add_column(
                name,
                justify="right" if name in numbers else "left",
                no_wrap=name in whole,
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(Text(safe(value)) for value in row))
        self._print(Padding(table, (0, 0, 0, 2)))

    def _print(self, part: RenderableType) -> None:
        """Print one part; in a file or a pipe no line ends in the blanks that fill a terminal."""
        if self._console.is_terminal:
            self._console.print(part)
            return
        with self._console.capture() as captured:
            self._console.print(part)
        for line in captured.get().splitlines():
            print(line.rstrip())
