"""A thread that writes staged rows in their order, while the next ones are read and judged."""

from __future__ import annotations

import queue
import threading
from typing import Any

_AHEAD = 3
_END = None


class Writer:
    """A thread that writes in order; the first error is raised to the one who waits."""

    def __init__(self, write: Any) -> None:  # noqa: ANN401 (a callable of two arguments)
        self._write = write
        self._waiting: queue.Queue[tuple[str, Any] | None] = queue.Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="staging", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not _END:
            if self._error is None:
                try:
                    self._write(*item)
                except BaseException as error:  # noqa: BLE001 (handed to the waiting thread)
                    self._error = error

    def put(self, name: str, rows: Any) -> None:  # noqa: ANN401 (a table, with its texts or alone)
        """Queue one item; raises what an earlier one failed with."""
        if self._error is not None:
            raise self._error
        self._waiting.put((name, rows))

    def finish(self) -> None:
        """Wait until everything is written; raises what failed."""
        if self._thread.is_alive():
            self._waiting.put(_END)
            self._thread.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """Wait for the thread, whatever became of it."""
        if self._thread.is_alive():
            self._waiting.put(_END)
            self._thread.join()
