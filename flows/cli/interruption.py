"""Ctrl-C that is not lost: one that a library swallowed while it was imported is raised again."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_heard = threading.Event()


@contextmanager
def listening() -> Iterator[None]:
    """Remember Ctrl-C beside raising it, in the main thread; only there can signals be heard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _heard.clear()
    before = signal.signal(signal.SIGINT, _hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def heed() -> None:
    """Raise what was asked for and has come to nothing; call it where nothing is half done."""
    if _heard.is_set():
        raise KeyboardInterrupt


def has_come() -> bool:
    """Whether Ctrl-C was pressed, whatever became of it on its way."""
    return _heard.is_set()


def settle() -> None:
    """Let the process end with the exit code it returns, now that the interruption was told.

    CPython remembers a KeyboardInterrupt that left code run by `exec` (an import of dataclasses
    is enough) and would end by the signal whatever is returned; the next `exec` forgets it.
    """
    exec("")  # noqa: S102 # nosec B102


def _hear(_signal: int, _frame: FrameType | None) -> None:
    _heard.set()
    raise KeyboardInterrupt
