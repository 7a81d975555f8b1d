"""Progress on standard error: bars on a terminal, nothing anywhere else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.cli.interruption import heed
from flows.cli.paper import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

_WORDS = {
    "bytes": "fetching",
    "rows": "reading and checking",
    "merge": "writing the differences",
    "settle": "committed; proving keys, gathering statistics",
    "deleted": "deleting",
    "candidates": "judging candidates",
    "files": "closing the files",
    "committed": "recording what left",
    "published": "placing the list",
}
"""Stages that flows tell of, in words; a stage that is not here is shown by its name."""
_BEFORE_ANYTHING = ("bytes", "rows", "merge", "candidates")
"""Stages in which nothing is committed yet: Ctrl-C is heeded there."""


@contextmanager
def progress(**words: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Give a function to be told (stage, done, total); bars vanish when the work is done.

    `words` are a command's own for a stage.
    """
    page = console(is_error=True)
    if not page.is_terminal:
        yield lambda stage, _done, _total: _heed_in(stage)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=page, transient=True) as bars:
        yield _Teller(bars, {**_WORDS, **words}).tell


def _heed_in(stage: str) -> None:
    if stage in _BEFORE_ANYTHING:
        heed()


class _Teller:
    """One bar a stage, made when the stage is first told of."""

    def __init__(self, bars: Progress, words: dict[str, str]) -> None:
        self._bars, self._words = bars, words
        self._tasks: dict[str, TaskID] = {}

    def tell(self, stage: str, done: int, total: int | None) -> None:
        """Move the stage's bar."""
        _heed_in(stage)
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(self._words.get(stage, stage), total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)
