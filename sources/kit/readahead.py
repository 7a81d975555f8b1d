"""A stream filled by a thread of its own, so that unpacking and parsing run side by side."""

from __future__ import annotations

import io
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKS_AHEAD = 8


class ReadAhead(io.BufferedIOBase):
    """Bytes of `chunks`, produced in the background at most eight chunks ahead.

    What the producer raises is raised by the read that reaches it, and by every later one: the
    end of the stream is only ever seen when the producer came to its end.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._source = chunks
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._is_abandoned = False
        self._fault: BaseException | None = None
        self._current = b""
        self._at = 0
        self._thread = threading.Thread(target=self._produce, name="unpack", daemon=True)
        self._thread.start()

    def _produce(self) -> None:
        fault: BaseException | None = None
        try:
            for chunk in self._source:
                if not self._offer(chunk):
                    break
        except BaseException as error:  # noqa: BLE001 - handed over to the reader as it is
            fault = error
        with self._changed:
            self._fault, self._is_over = fault, True
            self._changed.notify_all()

    def _offer(self, chunk: bytes) -> bool:
        """Queue a chunk when there is room; False when nobody reads any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_abandoned or len(self._waiting) < CHUNKS_AHEAD)
            if self._is_abandoned:
                return False
            self._waiting.append(chunk)
            self._changed.notify_all()
            return True

    def _fill(self) -> bool:
        """Make sure that unread bytes are at hand; False at the end."""
        if self.closed:
            message = "read of a closed stream"
            raise ValueError(message)
        while self._at == len(self._current):
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_over)
                if not self._waiting:
                    if self._fault is not None:
                        raise self._fault
                    return False
                self._current, self._at = self._waiting.popleft(), 0
                self._changed.notify_all()
        return True

    def _pull(self, most: int) -> bytes:
        """Unread bytes at hand, at most `most`; call `_fill` first."""
        start, end = self._at, min(len(self._current), self._at + most)
        self._at = end
        return self._current if end - start == len(self._current) else self._current[start:end]

    def chunks(self) -> Iterator[bytes]:
        """Yield what is left in pieces as produced, about 1 MiB: the fast way to read."""
        while self._fill():
            yield self._pull(len(self._current))

    def peek(self, size: int, /) -> bytes:
        """At least one byte, at most `size`, without consuming; empty at the end."""
        return self._current[self._at : self._at + size] if self._fill() else b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Exactly `size` bytes, fewer only at the end; everything when `size` is negative."""
        if size is None or size < 0:
            return b"".join(self.chunks())
        pieces: list[bytes] = []
        left = size
        while left and self._fill():
            pieces.append(self._pull(left))
            left -= len(pieces[-1])
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """Read what is at hand, at most `size` bytes; empty only at the end."""
        if size == 0 or not self._fill():
            return b""
        return self._pull(len(self._current) if size < 0 else size)

    def readable(self) -> bool:
        """Say yes, always."""
        return True

    def close(self) -> None:
        """Stop the thread and let go of what it had ahead; may be called early and twice."""
        with self._changed:
            self._is_abandoned = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._current, self._at = b"", 0
        super().close()
