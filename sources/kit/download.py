"""One file on its way into the landing: resumed where the server lets it, held to its length."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sources.kit.errors import DeliveryRefused
from sources.kit.partial import Told
from sources.kit.patience import Setback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from sources.kit.partial import Partial

    Progress = Callable[[int, int | None], None]

LARGEST_BYTES = 16 * 1024**3
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_CURE = "Run again for a fresh listing; if it stays, tell the publisher"


class Transfer:
    """What is known of a download across its attempts, and the runs they were in.

    `expected_size` is the length in bytes the publisher's listing states; `progress` is told
    (bytes so far, bytes in all or None).
    """

    def __init__(
        self,
        thing: str,
        partial: Partial,
        expected_size: int | None,
        progress: Progress | None,
    ) -> None:
        self._thing = thing
        self._partial = partial
        self._expected = expected_size
        self._progress = progress
        self._told = partial.told or Told()

    @property
    def told(self) -> Told:
        """What the server said of the file that is being received."""
        return self._told

    def headers(self) -> dict[str, str]:
        """Request headers: the bytes unaltered, and from where on when a resume is possible.

        Without a validator the total length must be known, so that another file is noticed.
        """
        headers = {"Accept-Encoding": "identity"}
        if self._partial.size and (self._told.validator or self._told.total is not None):
            headers["Range"] = f"bytes={self._partial.size}-"
            if self._told.validator:
                headers["If-Range"] = self._told.validator
        return headers

    def take(self, response: requests.Response, pieces: Iterator[bytes]) -> None:
        """Write one response's body; returns when the file is complete.

        Raises `Setback` for what another attempt may mend, `DeliveryRefused` for what none will.
        """
        self._place(response)
        self._check_announced(is_page=_is_page(response))
        for piece in pieces:
            if not self._partial.size:
                self._check_page(response, piece)
                self._note()
            self._partial.write(piece)
            self._check_length()
            if self._progress is not None:
                self._progress(self._partial.size, self._expected or self._told.total)
        self._check_complete()

    def _place(self, response: requests.Response) -> None:
        """Decide whether the body continues what is there, and start over where it does not."""
        if response.status_code == 206 and self._continues(response):  # noqa: PLR2004 - HTTP
            return
        self._partial.restart()
        self._told = Told()
        if response.status_code != 200:  # noqa: PLR2004 - HTTP
            raise Setback("it did not continue an interrupted download as asked")
        length = response.headers.get("Content-Length", "")
        self._told = Told(
            total=int(length) if length.isascii() and length.isdigit() else None,
            etag=response.headers.get("ETag"),
            last_modified=response.headers.get("Last-Modified"),
        )

    def _continues(self, response: requests.Response) -> bool:
        """Tell whether this 206 is the rest of the same file (RFC 9110, 14.4)."""
        stated = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if stated is None or not self._partial.size or int(stated[1]) != self._partial.size:
            return False
        total = int(stated[3])
        if int(stated[2]) + 1 != total or total != (self._told.total or self._expected or total):
            return False
        self._told = replace(self._told, total=total)
        etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        if etag and self._told.etag:
            return etag == self._told.etag
        return not modified or modified == (self._told.last_modified or modified)

    def _check_announced(self, *, is_page: bool) -> None:
        total = self._told.total
        if total is None or self._expected is None or total == self._expected:
            return
        cause = f"it is {total} bytes long, not {self._expected} as listed"
        if total and is_page:
            raise self._refused(f"a web page came instead of the file ({cause})")
        if total > self._expected:
            raise self._refused(cause)
        self._partial.restart()
        raise Setback(cause if total else "the answer was empty", is_refusal=True)

    def _note(self) -> None:
        """Let a later run continue, where it can tell this file from another at the same address.

        By a validator; without one by the listed length, and the archive's checksum is the judge.
        """
        is_told_apart = self._told.total is not None and self._expected is not None
        if self._told.validator or is_told_apart:
            self._partial.note(self._told)

    def _check_page(self, response: requests.Response, piece: bytes) -> None:
        if _is_page(response) and piece.lstrip().startswith(b"<"):
            raise self._refused("a web page came instead of the file")

    def _check_length(self) -> None:
        limit = self._expected if self._expected is not None else LARGEST_BYTES
        if self._partial.size > limit:
            raise self._refused(f"it is longer than the {limit} bytes expected")

    def _check_complete(self) -> None:
        size, wanted = self._partial.size, self._expected or self._told.total
        if not size:
            raise Setback("the answer was empty", is_refusal=True)
        if wanted is None or size == wanted:
            return
        if self._told.total is None:
            # Nothing says whether it broke off or is shorter: only a fresh start can tell.
            self._partial.restart()
        raise Setback(
            f"it ended after {size} of {wanted} bytes", is_refusal=self._told.total is None
        )

    def _refused(self, cause: str) -> DeliveryRefused:
        return DeliveryRefused(self._thing, cause, _CURE)


def _is_page(response: requests.Response) -> bool:
    """Tell whether the server calls the body a web page; some servers call every file one."""
    return response.headers.get("Content-Type", "").lower().startswith("text/html")
