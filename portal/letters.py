"""The only two things the portal asks of the warehouse: one letter by its digest, and one stop."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sources.kit.errors import Busy
from warehouse.engine import reading, writing
from warehouse.privacy.suppression import sent_letter, stop_by_link

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warehouse.engine import Engine

_LOG = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

PATIENCE_SECONDS = 10.0
"""How long a visitor waits for the warehouse; mail providers give up soon after."""

NO_LETTER = "no letter has this digest"
"""Looked up for every token that is not ours, so that it costs the work a real one costs."""

_READERS = 4
_ATTEMPTS = 5


@dataclass(frozen=True)
class Sent:
    """One letter as its link shows it; `notice_html` is None once the company is deleted."""

    language: str
    notice_html: str | None


class LetterBox:
    """Letters and stops of one warehouse, answered within a patience or refused as `Busy`.

    Threads do the waiting. There is one for stops: they follow on from each other in the audit
    chain anyway, and a flood of them leaves the readers free.
    """

    def __init__(self, engine: Engine, patience: float) -> None:
        self._engine = engine
        self._patience = patience
        self._readers = ThreadPoolExecutor(_READERS, "portal-read")
        self._writer = ThreadPoolExecutor(1, "portal-stop")

    async def find(self, digest: str) -> Sent | None:
        """Return the letter with that token digest, None when we sent no such one."""
        return await self._within(self._readers, lambda: self._find(digest))

    async def stop(self, digest: str, now: datetime) -> None:
        """Put the letter's company on the do-not-contact list; returns after the commit.

        A digest of no letter costs a transaction too and writes nothing. After a `Busy` the stop
        may still be written when the warehouse comes free: asking again does no harm.
        """
        await self._within(self._writer, lambda: self._stop(digest, now))

    def close(self) -> None:
        """End the threads; a stop that is being written is waited for."""
        for threads in (self._readers, self._writer):
            threads.shutdown(cancel_futures=True)

    async def _within(self, threads: ThreadPoolExecutor, work: Callable[[], _Answer]) -> _Answer:
        asked = asyncio.get_running_loop().run_in_executor(threads, work)
        try:
            return await asyncio.wait_for(asked, self._patience)
        except Exception as error:  # noqa: BLE001 (said below)
            # Whatever kept the warehouse from it, the visitor is told to come back. The log gets
            # the error's kind: its text and its trace hold the statement with its values.
            _LOG.warning("warehouse_unavailable error=%s", type(error).__name__)
            cure = "Ask again in a minute"
            raise Busy("warehouse", "it gave no answer in time", cure) from None

    def _find(self, digest: str) -> Sent | None:
        with reading(self._engine) as connection:
            row = sent_letter(connection, digest)
        return None if row is None else Sent(row.language, row.notice_html)

    def _stop(self, digest: str, now: datetime) -> None:
        """Write the stop; when another process took the same number in between, once more."""
        started = time.monotonic()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with writing(self._engine) as connection:
                    stop_by_link(connection, digest, now=now)
            except Exception:
                is_late = time.monotonic() - started > self._patience
                if attempt == _ATTEMPTS or is_late:
                    raise
                time.sleep(0.02 * 2**attempt)
            else:
                return
