"""One JSON array of any length as blocks of whole items, each knowing its byte offset.

A block ends where the text between two items of this very file is found again and the braces
before it balance; where they do not, the exact scanner decides. What is cut is proved by the
parser (`sources.kit.json_rows`): a block that ends inside an item is no JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sources.kit.errors import DeliveryRefused
from sources.kit.json_scan import FETCH_AGAIN, Scanner, never_closed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK_BYTES = 8 * 1024 * 1024
LONGEST_ITEM_BYTES = 32 * 1024 * 1024
OPENING, CLOSING = b'{"rows":[', b"]}"
"""Around a block's items: one document, which Arrow reads as a list of structs."""
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_SEPARATOR = re.compile(rb'\}[ \t\r\n]*,[ \t\r\n]*\{[ \t\r\n]*"[^"\\]{0,100}"')
_COUNTED_AT_ONCE = 256 * 1024
"""Bytes that stay in the processor's cache with what is found of them."""


@dataclass(frozen=True)
class Block:
    """Whole items between `OPENING` and `CLOSING` in `text`.

    `offset` is the byte of the member at which `items` starts.
    """

    text: bytes
    offset: int

    @property
    def items(self) -> memoryview:
        """The items' bytes with the commas and space between them, without a copy."""
        return memoryview(self.text)[len(OPENING) : -len(CLOSING)]


def item_blocks(
    chunks: Iterable[bytes], *, size: int = BLOCK_BYTES, longest: int = LONGEST_ITEM_BYTES
) -> Iterator[Block]:
    """Blocks of about `size` bytes; none for an empty array.

    Raises `DeliveryRefused` when the text is no array or does not end with one, and when an item
    is longer than `longest` bytes. What stands between is for the parser to judge.
    """
    cutter = _Cutter(size, longest)
    for chunk in _inside(chunks, cutter):
        yield from cutter.take(chunk)
    yield from cutter.rest()


def _inside(chunks: Iterable[bytes], cutter: _Cutter) -> Iterator[bytes]:
    """The chunks from behind the opening bracket on; the cutter learns where that is."""
    head, stream = b"", iter(chunks)
    for chunk in stream:
        head += chunk
        text = head.removeprefix(_BOM).lstrip(_BLANK)
        if not text:
            continue
        if not text.startswith(b"["):
            break
        cutter.offset = len(head) - len(text) + 1
        yield text[1:]
        yield from stream
        return
    raise DeliveryRefused(
        "JSON member", "it is not one JSON array", "Check that this is the publisher's bulk file"
    )


class _Cutter:
    """Chunks on their way to blocks; `offset` is where in the member the held ones start."""

    def __init__(self, size: int, longest: int) -> None:
        self.offset = 0
        self._size, self._longest = size, longest
        self._pieces: list[bytes] = []
        self._held, self._wanted = 0, size
        self._open_braces = 0
        self._separator: bytes | None = None
        self._is_begun = False

    def take(self, chunk: bytes) -> Iterator[Block]:
        """Add a chunk; a block when there is enough for one."""
        self._pieces.append(chunk)
        self._held += len(chunk)
        if self._held < self._wanted:
            self._open_braces += _open_braces(chunk)
            return
        cut = self._quick_cut(chunk)
        if cut is None:
            yield from self._exact_cut()
        else:
            yield self._cut(*cut)

    def rest(self) -> Iterator[Block]:
        """What is left, which must end with the array's closing bracket."""
        data = b"".join(self._pieces).rstrip(_BLANK)
        if not data.endswith(b"]"):
            cause = "its array is not closed: it is cut short, or followed by other text"
            raise DeliveryRefused("JSON member", cause, FETCH_AGAIN)
        data = data[:-1]
        if self._is_begun or data.strip(_BLANK):
            yield Block(OPENING + data + CLOSING, self.offset)

    def _quick_cut(self, chunk: bytes) -> tuple[int, int] | None:
        """Places in the last chunk where a block may end and the next start, if quickly found."""
        if self._separator is None:
            return None
        brace = chunk.rfind(self._separator)
        if brace < 0 or self._open_braces + _open_braces(chunk[: brace + 1]):
            return None
        return brace + 1, chunk.index(b",", brace) + 1

    def _cut(self, end: int, start: int) -> Block:
        *whole, last = self._pieces
        text = b"".join((OPENING, *whole, memoryview(last)[:end], CLOSING))
        block = Block(text, self.offset)
        self._is_begun = True
        self.offset += self._held - len(last) + start
        self._hold(last[start:])
        return block

    def _exact_cut(self) -> Iterator[Block]:
        data = b"".join(self._pieces)
        scanner = Scanner()
        scanner.feed(data)
        commas = scanner.commas()
        if scanner.end is not None:
            commas = commas[commas < scanner.end]
        self._pieces = [data]
        if len(commas):
            self._learn(data, int(commas[0]))
            yield self._cut(int(commas[-1]), int(commas[-1]) + 1)
        elif self._held > self._longest:
            raise never_closed(self.offset)
        else:
            self._open_braces = _open_braces(data)
            self._wanted = self._held + self._size

    def _hold(self, data: bytes) -> None:
        self._pieces, self._held = [data], len(data)
        self._open_braces = _open_braces(data)
        self._wanted = max(self._size, self._held + 1)

    def _learn(self, data: bytes, comma: int) -> None:
        """Remember the text between the first two objects, up to the second one's first name."""
        brace = len(data[:comma].rstrip(_BLANK)) - 1
        found = _SEPARATOR.match(data, brace)
        self._separator = found.group() if found else None


def _open_braces(data: bytes) -> int:
    """Opening braces less closing ones, those inside strings included."""
    raw, balance = np.frombuffer(data, dtype=np.uint8), 0
    for start in range(0, len(raw), _COUNTED_AT_ONCE):
        piece = raw[start : start + _COUNTED_AT_ONCE]
        balance += int(np.count_nonzero(piece == ord("{")))
        balance -= int(np.count_nonzero(piece == ord("}")))
    return balance
