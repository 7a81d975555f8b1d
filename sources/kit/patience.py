"""How long a source is waited for: five attempts, or 120 seconds without progress, in all."""

from __future__ import annotations

import time
from dataclasses import dataclass

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from sources.kit.errors import DeliveryRefused, SourcenoteError, SourceUnavailable

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
_PROGRESS_BYTES = 64 * 1024
_CROWDED = 4.0
"""Limits are for a minute: pauses of 4, 8, 16 and 32 seconds outlast one."""
_LONGEST_ASKED = 366 * 24 * 3600
"""Seconds; urllib3 would cut off what a publisher asks for at six hours, and tell that."""
_CURE = "Try again later, or load a file fetched by hand with `sourcenote ingest --file`"


@dataclass(frozen=True)
class Manners:
    """How a session behaves towards a publisher; times in seconds.

    `rate` is requests a second (None: the card's). `budget` caps all waiting of one call: pauses
    between attempts and time in which no 64 KiB more arrived; a slow but steady download is not
    cut. `homepage` goes into the user agent, so that a publisher can see who asks. `proxy` and
    `ca_bundle` come from the settings: a session reads no environment.
    """

    rate: float | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    attempts: int = 5
    budget: float = 120.0
    backoff: float = 1.0
    homepage: str | None = None
    proxy: str | None = None
    ca_bundle: str | None = None


class Setback(Exception):
    """An attempt failed in a way that another one may mend.

    `is_refusal`: the publisher did answer, with something that cannot be the delivery.
    `is_crowded`: it has no room for more requests now (HTTP 429).
    """

    def __init__(
        self,
        cause: str,
        *,
        retry_after: str | None = None,
        is_refusal: bool = False,
        is_crowded: bool = False,
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after = retry_after
        self.is_refusal = is_refusal
        self.is_crowded = is_crowded


class Patience:
    """Counts the attempts and the idle seconds of one call, and says when it is enough."""

    def __init__(self, thing: str, manners: Manners) -> None:
        self._thing = thing
        self._manners = manners
        self._failed = 0
        self._idle = 0.0
        self._since = time.monotonic()
        self._fresh_bytes = 0

    def begin_attempt(self) -> None:
        """Start counting an attempt's idle time."""
        self._since = time.monotonic()
        self._fresh_bytes = 0

    def timeouts(self) -> tuple[float, float]:
        """Connect and read timeout in seconds, within what is left of the budget."""
        left = max(self._manners.budget - self._idle, 0.001)
        return min(self._manners.connect_timeout, left), min(self._manners.read_timeout, left)

    def received(self, byte_count: int) -> None:
        """Note bytes that arrived; a trickle below 64 KiB a read timeout counts as a stall."""
        self._fresh_bytes += byte_count
        now = time.monotonic()
        if self._fresh_bytes >= _PROGRESS_BYTES:
            self._since, self._fresh_bytes = now, 0
        elif now - self._since > self.timeouts()[1]:
            raise Setback("it sent almost nothing for too long")

    def wait_after(self, setback: Setback) -> None:
        """Pause before the next attempt.

        Raises `SourceUnavailable` (or `DeliveryRefused`, where the publisher did answer) when
        attempts or budget are spent, or when the publisher asks for a longer pause than is left.
        """
        self._failed += 1
        self._idle += time.monotonic() - self._since
        if self._failed >= self._manners.attempts:
            raise self._spent(setback, f"after {self._failed} attempts")
        pause = self._pause(setback)
        if self._idle + pause >= self._manners.budget:
            asked = f", and asks to wait {pause:.0f} s" if setback.retry_after else ""
            raise self._spent(setback, f"after {self._idle:.0f} s of waiting{asked}")
        time.sleep(pause)
        self._idle += pause

    def _pause(self, setback: Setback) -> float:
        """Seconds to the next attempt: what the publisher asks for, else doubling."""
        doubling = float(self._manners.backoff * 2 ** (self._failed - 1))
        if setback.is_crowded:
            doubling *= _CROWDED
        if setback.retry_after is None:
            return doubling
        try:
            return Retry(retry_after_max=_LONGEST_ASKED).parse_retry_after(setback.retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            return doubling

    def _spent(self, setback: Setback, when: str) -> SourcenoteError:
        kind = DeliveryRefused if setback.is_refusal else SourceUnavailable
        return kind(self._thing, f"{setback.cause}, {when}", _CURE)
