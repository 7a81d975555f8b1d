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


def _hear(_signal: int, _frame: FrameType | None) -> None:
    _heard.set()
    raise KeyboardInterrupt
