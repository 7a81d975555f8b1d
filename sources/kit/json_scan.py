"""Where the items of a JSON array start and end, found exactly in any text, a piece at a time.

Strings, escapes and nesting are followed byte by byte with NumPy (RFC 8259), at some 200 MB/s: the
way when the quick one of `sources.kit.json_blocks` does not apply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from sources.kit.errors import DeliveryRefused

FETCH_AGAIN = "Fetch the delivery again; if it stays, report the byte offset to the publisher"
_PIECE = 1024 * 1024
"""Bytes looked at together, so that what is found of them stays small however long the text."""
_SPACE = re.compile(rb"[ \t\r\n]*")
_QUOTE, _COMMA = ord('"'), ord(",")
_STEP = np.zeros(256, dtype=np.int8)
_STEP[[ord("{"), ord("[")]] = 1
_STEP[[ord("}"), ord("]")]] = -1
_SIGNS = _STEP != 0
_SIGNS[_COMMA] = True


@dataclass
class Scanner:
    """Follows the inside of one array: `depth` 0 is between its items.

    `end` is the place of the array's own closing bracket, once met.
    """

    depth: int = 0
    end: int | None = None
    _in_string: bool = False
    _is_escaped: bool = False
    _seen: int = 0
    _commas: list[np.ndarray] = field(default_factory=list)

    @property
    def is_between(self) -> bool:
        """Whether no item is open after what was fed: no bracket, no string."""
        return self.depth == 0 and not self._in_string and self.end is None

    def feed(self, data: bytes | memoryview) -> None:
        """Go on with the next bytes of the array's inside."""
        for start in range(0, len(data), _PIECE):
            self._look(bytes(data[start : start + _PIECE]))

    def commas(self) -> np.ndarray:
        """Places of the commas between items (int64), counted from the first byte fed."""
        return np.concatenate(self._commas) if self._commas else np.empty(0, np.int64)

    def _look(self, data: bytes) -> None:
        raw = np.frombuffer(self._without_escapes(data), dtype=np.uint8)
        quotes = np.flatnonzero(raw == _QUOTE)
        places = np.flatnonzero(_SIGNS[raw])
        outside = (np.searchsorted(quotes, places) + self._in_string) % 2 == 0
        places = places[outside]
        signs = raw[places]
        depths = self.depth + np.cumsum(_STEP[signs], dtype=np.int64)
        closed = np.flatnonzero(depths < 0)
        if self.end is None and len(closed):
            self.end = self._seen + int(places[closed[0]])
        self._commas.append(places[(signs == _COMMA) & (depths == 0)].astype(np.int64) + self._seen)
        self.depth = int(depths[-1]) if len(depths) else self.depth
        self._in_string ^= bool(len(quotes) % 2)
        self._seen += len(data)

    def _without_escapes(self, data: bytes) -> bytes:
        """The bytes with escaped quotes and backslashes blanked, each in its place."""
        if self._is_escaped:
            data = b" " + data[1:]
        if b"\\" in data:
            data = data.replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
        self._is_escaped = data.endswith(b"\\")
        return data


def spans(data: bytes | memoryview, offset: int) -> np.ndarray:
    """Start and end of every item of an array's inside, as an (n, 2) array of places in `data`.

    Raises `DeliveryRefused` where the array ends early, or an item never does.
    """
    scanner = Scanner()
    scanner.feed(data)
    if scanner.end is not None:
        raise DeliveryRefused(
            "JSON member",
            f"its array ends at byte {offset + scanner.end}, and there is more text after it",
            FETCH_AGAIN,
        )
    commas = scanner.commas()
    starts = np.concatenate((np.zeros(1, np.int64), commas + 1))
    if not scanner.is_between:
        raise never_closed(offset + int(starts[-1]))
    found = np.column_stack((starts, np.append(commas, len(data))))
    for row, (start, end) in enumerate(found):
        found[row, 0] = skip_space(data, int(start), int(end))
    return found


def skip_space(data: bytes | memoryview, start: int, end: int) -> int:
    """The first place from `start` that is no white space, `end` when there is none."""
    space = _SPACE.match(data, start, end)
    return space.end() if space else start


def never_closed(at: int) -> DeliveryRefused:
    """Make the refusal of an item that has no end where it should."""
    return DeliveryRefused(
        "JSON member",
        f"a string or bracket opened in the object at byte {at} is never closed",
        FETCH_AGAIN,
    )


def too_long(at: int, most: int) -> DeliveryRefused:
    """Make the refusal of an item that has not ended after `most` bytes."""
    return DeliveryRefused(
        "JSON member",
        f"the object at byte {at} is longer than {most:,} bytes: a field of it is far too long, or "
        "a string or bracket in it is never closed",
        FETCH_AGAIN,
    )
