"""CSV of any length as whole-row blocks: cut where no quote is open, parsed by name in Arrow.

Every block knows the byte offset it starts at, so a rejected row can be pointed at exactly.
"""

from __future__ import annotations

import csv
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
from pyarrow import csv as pa_csv

from sources.kit.csv_quotes import COUNTED_AT_ONCE, mark_stray_quotes
from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from concurrent.futures import Future

Finished = TypeVar("Finished")

BLOCK_BYTES = 8 * 1024 * 1024
LONGEST_ROW_BYTES = 64 * 1024 * 1024
WORKERS = 2
_QUOTE = ord('"')
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Whole rows: `data` starts at `offset` bytes into the member, after `first_row` data rows."""

    data: bytes | memoryview
    offset: int
    quotes: int | None = None
    """Quotes in `data`, where counted: a field that holds one has more than its two."""


@dataclass(frozen=True)
class Parsed:
    """One block's rows in the house's words (`table`), and the rows that had no right shape.

    `misshapen` holds (row in the block, fields found); `table` holds the other rows in order.
    """

    table: pa.Table
    block: Block
    misshapen: tuple[tuple[int, int], ...] = field(default=())

    @property
    def row_count(self) -> int:
        """All rows of the block, the misshapen ones included."""
        return int(self.table.num_rows) + len(self.misshapen)

    def row_offsets(self) -> np.ndarray:
        """Byte offset in the member of each row of `table` (int64); for the few that are asked."""
        starts = self._starts()
        kept = np.ones(len(starts), dtype=bool)
        kept[[row for row, _ in self.misshapen]] = False
        return starts[kept]

    def misshapen_offsets(self) -> np.ndarray:
        """Byte offset in the member of each misshapen row (int64)."""
        return self._starts()[[row for row, _ in self.misshapen]]

    def _starts(self) -> np.ndarray:
        starts = _row_starts(self.block.data)
        if len(starts) != self.row_count:
            raise _unreadable(self.block.offset, "quotes inside fields are not doubled")
        return starts + self.block.offset


def _row_starts(data: bytes | memoryview) -> np.ndarray:
    """Where each row starts: after the line ends at which the number of quotes is even."""
    raw = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero((raw == ord("\n")) | (raw == ord("\r")))
    quotes = np.flatnonzero(raw == ord('"'))
    outside = np.searchsorted(quotes, newlines) % 2 == 0
    starts = np.concatenate(([0], newlines[outside] + 1))
    starts = starts[starts < len(raw)]
    return starts[~np.isin(raw[starts], (ord("\r"), ord("\n")))]


def _quotes(data: bytes, start: int, end: int) -> int:
    """Quotes between two places; NumPy counts a dense character faster than `bytes.count`."""
    raw = np.frombuffer(data, dtype=np.uint8, count=end - start, offset=start)
    return sum(
        int(np.count_nonzero(raw[piece : piece + COUNTED_AT_ONCE] == _QUOTE))
        for piece in range(0, len(raw), COUNTED_AT_ONCE)
    )


def _cut(data: bytes) -> tuple[int, int]:
    """Length of the longest prefix that ends a row with no quote open, and the quotes in it."""
    end = data.rfind(b"\n") + 1
    if not end:
        return 0, 0
    quotes = _quotes(data, 0, end)
    while end and quotes % 2:
        earlier = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= _quotes(data, earlier, end)
        end = earlier
    return end, quotes


def row_blocks(chunks: Iterable[bytes], *, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Whole-row blocks of about `size` bytes; the first one starts with the header row.

    Raises `DeliveryRefused` when a quote stays open for longer than a row can be.
    """
    pieces: list[bytes] = []
    held, wanted, offset = 0, size, 0
    for chunk in chunks:
        pieces.append(chunk)
        held += len(chunk)
        if held < wanted:
            continue
        data = b"".join(pieces)
        cut, quotes = _cut(data)
        if not cut and held > LONGEST_ROW_BYTES:
            raise _unclosed(offset)
        if cut:
            yield Block(memoryview(data)[:cut], offset, quotes)
            offset += cut
        pieces = [data[cut:]]
        held -= cut
        wanted = held + size
    data = b"".join(pieces)
    quotes = _quotes(data, 0, len(data))
    if quotes % 2:
        raise _unclosed(offset + _cut(data)[0])
    if data:
        yield Block(data, offset, quotes)


def _unclosed(offset: int) -> DeliveryRefused:
    return DeliveryRefused(
        "CSV member",
        f"a quote opened in the row at byte {offset} is never closed",
        "Fetch the delivery again; if it stays, report the byte offset to the publisher",
    )


def _unreadable(offset: int, cause: str) -> DeliveryRefused:
    return DeliveryRefused(
        f"CSV rows from byte {offset}",
        f"they cannot be parsed ({cause})",
        "Fetch the delivery again; if it stays, report the byte offset to the publisher",
    )


def split_header(block: Block) -> tuple[list[str], Block]:
    """The header's column names and the rest of the block; a byte order mark is passed over."""
    data = bytes(block.data).removeprefix(_BOM)
    skipped = len(block.data) - len(data)
    end = data.find(b"\n") + 1 or len(data)
    try:
        text = data[:end].decode("utf-8")
        names = next(iter(csv.reader([text.rstrip("\r\n")], strict=True)), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DeliveryRefused(
            "CSV header",
            f"it cannot be read ({type(error).__name__})",
            "Check that the file is UTF-8 CSV as the publisher describes it",
        ) from error
    return names, Block(data[end:], skipped + end, _quotes(data, end, len(data)))


def parse_block(block: Block, names: list[str], wanted: Mapping[str, str]) -> Parsed:
    """The block's rows with the `wanted` columns (publisher's name to house's name) as text.

    Empty fields become null; `NULL`, `NA` and the like stay text. Bytes that are not UTF-8 come
    as U+FFFD, and a field with quotes that are not doubled ends in it: the arrival checks look for
    that character.
    """
    misshapen: list[tuple[int, int]] = []

    def note_misshapen(row: pa_csv.InvalidRow) -> str:
        misshapen.append((int(row.number or 1) - 1, int(row.actual_columns)))
        return "skip"

    def read(data: bytes | memoryview) -> pa.Table:
        misshapen.clear()
        return pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(data) + 1
            ),
            parse_options=pa_csv.ParseOptions(
                newlines_in_values=True,
                ignore_empty_lines=True,
                invalid_row_handler=note_misshapen,
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(wanted),
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    data = block.data
    if not _is_utf8(data):
        data = bytes(data).decode("utf-8", "replace").encode()
    try:
        table = read(data)
    except pa.ArrowInvalid as error:
        raise _unreadable(block.offset, "quoting or field size") from error
    table = table.rename_columns(list(wanted.values()))
    if block.quotes not in (0, 2 * len(names) * (table.num_rows + len(misshapen))):
        table = mark_stray_quotes(table, data)
    return Parsed(table, block, tuple(misshapen))


def _is_utf8(data: bytes | memoryview) -> bool:
    """Asked before reading: the reader cannot hand out a misshapen row that is not UTF-8.

    Without a copy; two milliseconds a block.
    """
    ends = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    whole = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(data)])
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def parse_blocks(
    blocks: Iterable[Block],
    names: list[str],
    wanted: Mapping[str, str],
    finish: Callable[[Parsed], Finished],
) -> Generator[Finished]:
    """`parse_block`, then `finish`, over the blocks in their order, a few ahead in threads."""
    ahead: deque[Future[Finished]] = deque()

    def work(block: Block) -> Finished:
        return finish(parse_block(block, names, wanted))

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="csv") as pool:
        try:
            for block in blocks:
                if not block.data:
                    continue
                ahead.append(pool.submit(work, block))
                if len(ahead) >= WORKERS:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
