"""One JSON array of any length as blocks of whole items, each knowing its byte offset.

A block ends where the text between two items of this very file is found again and the braces
before it balance; where they do not, the exact scanner decides. A block that was cut wrongly all
the same is no JSON: its reader sees that, and gives it back to be cut exactly.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sources.kit.errors import DeliveryRefused
from sources.kit.json_scan import FETCH_AGAIN, Scanner, too_long

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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

    `offset` is the byte of the member at which `items` starts. What `is_exact` was cut by the
    scanner; any other one may, very rarely, end inside an item.
    """

    text: bytes
    offset: int
    is_exact: bool = False

    @property
    def items(self) -> memoryview:
        """The items' bytes with the commas and space between them, without a copy."""
        return memoryview(self.text)[len(OPENING) : -len(CLOSING)]


class ItemBlocks:
    """An iterator over blocks of about `size` bytes; there are none in an empty array.

    Raises `DeliveryRefused` when the text is no array or does not end with one, and when an item
    is longer than `longest` bytes. What stands between is for the parser to judge.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        *,
        size: int = BLOCK_BYTES,
        longest: int = LONGEST_ITEM_BYTES,
    ) -> None:
        self._size, self._longest = size, longest
        self._offset = 0
        self._pieces: list[bytes] = []
        self._held, self._wanted = 0, size
        self._open_braces = 0
        self._separator: bytes | None = None
        self._is_exact = self._is_begun = self._is_over = False
        self._ready: deque[Block] = deque()
        self._chunks = self._inside(chunks)

    def __iter__(self) -> Iterator[Block]:
        return self

    def __next__(self) -> Block:
        while not self._ready and not self._is_over:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._is_over = True
                self._finish()
            else:
                self._take(chunk)
        if not self._ready:
            raise StopIteration
        return self._ready.popleft()

    def take_back(self, blocks: Sequence[Block]) -> None:
        """Have the latest blocks, all in their order, cut again and the rest as well: exactly."""
        again = [*blocks, *self._ready]
        ends = [*(block.offset for block in again[1:]), self._offset]
        text = b"".join(
            bytes(block.items) + _gap(end - block.offset - len(block.items))
            for block, end in zip(again, ends, strict=True)
        )
        self._ready.clear()
        self._is_exact, self._separator = True, None
        if self._is_over:
            self._ready.append(_block(text, again[0].offset, is_exact=True))
            return
        self._offset = again[0].offset
        self._hold(text + b"".join(self._pieces))

    def _inside(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks from behind the opening bracket on."""
        head, stream = b"", iter(chunks)
        for chunk in stream:
            head += chunk
            text = head.removeprefix(_BOM).lstrip(_BLANK)
            if _BOM.startswith(text) and len(head) <= self._longest:
                continue
            if not text.startswith(b"["):
                break
            self._offset = len(head) - len(text) + 1
            yield text[1:]
            yield from stream
            return
        raise DeliveryRefused(
            "JSON member",
            "it is not one JSON array",
            "Check that this is the publisher's bulk file",
        )

    def _take(self, chunk: bytes) -> None:
        """Add a chunk; a block when there is enough for one."""
        self._pieces.append(chunk)
        self._held += len(chunk)
        if self._held < self._wanted:
            self._open_braces += _open_braces(chunk)
            return
        cut = self._quick_cut(chunk)
        if cut is None:
            self._exact_cut()
        else:
            self._cut(*cut, is_exact=False)

    def _finish(self) -> None:
        """What is left must end with the array's closing bracket."""
        data = b"".join(self._pieces).rstrip(_BLANK)
        if not data.endswith(b"]"):
            cause = "its array is not closed: it is cut short, or followed by other text"
            raise DeliveryRefused("JSON member", cause, FETCH_AGAIN)
        data = data[:-1]
        if self._is_begun or data.strip(_BLANK):
            self._ready.append(_block(data, self._offset, is_exact=self._is_exact))
        self._offset += len(data)

    def _quick_cut(self, chunk: bytes) -> tuple[int, int] | None:
        """Places in the last chunk where a block may end and the next start, if quickly found."""
        if self._separator is None:
            return None
        brace = chunk.rfind(self._separator)
        if brace < 0 or self._open_braces + _open_braces(chunk[: brace + 1]):
            return None
        return brace + 1, chunk.index(b",", brace) + 1

    def _cut(self, end: int, start: int, *, is_exact: bool) -> None:
        *whole, last = self._pieces
        text = b"".join((OPENING, *whole, memoryview(last)[:end], CLOSING))
        self._ready.append(Block(text, self._offset, is_exact))
        self._is_begun = True
        self._offset += self._held - len(last) + start
        self._hold(last[start:])

    def _exact_cut(self) -> None:
        data = b"".join(self._pieces)
        scanner = Scanner()
        scanner.feed(data)
        commas = scanner.commas()
        if scanner.end is not None:
            commas = commas[commas < scanner.end]
        self._pieces = [data]
        if len(commas):
            if not self._is_exact:
                self._learn(data, int(commas[0]))
            self._cut(int(commas[-1]), int(commas[-1]) + 1, is_exact=True)
        elif self._held > self._longest:
            raise too_long(self._offset, self._longest)
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
        found = _SEPARATOR.match(data, max(brace, 0))
        self._separator = found.group() if found else None


def _gap(length: int) -> bytes:
    """What stood between two blocks, as long as it was; nothing behind the last item."""
    return b",".ljust(length) if length else b""


def _block(items: bytes, offset: int, *, is_exact: bool) -> Block:
    return Block(b"".join((OPENING, items, CLOSING)), offset, is_exact)


def _open_braces(data: bytes) -> int:
    """Opening braces less closing ones, those inside strings included."""
    raw, balance = np.frombuffer(data, dtype=np.uint8), 0
    for start in range(0, len(raw), _COUNTED_AT_ONCE):
        piece = raw[start : start + _COUNTED_AT_ONCE]
        balance += int(np.count_nonzero(piece == ord("{")))
        balance -= int(np.count_nonzero(piece == ord("}")))
    return balance
