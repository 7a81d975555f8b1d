"""However the bytes arrive, the rows are the same, and each can be found again in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sources.kit import csv_blocks
from sources.kit.csv_blocks import (
    Block,
    Parsed,
    parse_block,
    parse_blocks,
    row_blocks,
    split_header,
)
from sources.kit.errors import DeliveryRefused

NAMES = ["key", "name", "place"]
WANTED = {name: name for name in NAMES}

# What a CSV reader trips over comes often: separators, quotes, line ends, letters of many bytes.
FIELD = st.text(st.sampled_from('ab",\n\r;\t øЖ株NULL'), max_size=12)
ROW = st.lists(FIELD, min_size=len(NAMES), max_size=len(NAMES))
ROWS = st.lists(ROW, max_size=8)
MISSHAPEN = st.lists(FIELD, min_size=1, max_size=6).filter(lambda row: len(row) != len(NAMES))
LINE_END = st.sampled_from(["\n", "\r\n"])


def written(rows: Sequence[Sequence[str]], line_end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows([NAMES, *rows])
    return text.getvalue().encode()


def cut(content: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield content[start : start + size]
        start += size
    yield content[start:]


def parsed(chunks: Iterator[bytes], size: int) -> list[Parsed]:
    blocks = row_blocks(chunks, size=size)
    names, rest = split_header(next(blocks))
    return [parse_block(block, names, WANTED) for block in (rest, *blocks) if block.data]


def texts(parts: Sequence[Parsed]) -> list[list[str | None]]:
    return [list(row.values()) for part in parts for row in part.table.to_pylist()]


def row_at(content: bytes, offset: int) -> list[str]:
    """The row that Python's own reader finds at that byte."""
    return next(csv.reader(io.StringIO(content[offset:].decode(), newline="")))


@given(ROWS, LINE_END, st.lists(st.integers(0, 30)), st.integers(1, 60))
def test_any_chunking_gives_the_same_rows(rows, line_end, sizes, block_size) -> None:
    content = written(rows, line_end)
    parts = parsed(cut(content, sizes), block_size)
    assert texts(parts) == [[field or None for field in row] for row in rows]


@given(ROWS, LINE_END, st.lists(st.integers(0, 30)), st.integers(1, 60))
def test_byte_offset_points_at_the_row(rows, line_end, sizes, block_size) -> None:
    content = written(rows, line_end)
    offsets = [
        int(at) for part in parsed(cut(content, sizes), block_size) for at in part.row_offsets()
    ]
    assert [row_at(content, at) for at in offsets] == rows


@given(st.lists(st.one_of(ROW, MISSHAPEN), max_size=8), LINE_END, st.integers(1, 60))
@example([["a"], ["b", "c", "d"]], "\n", 60)
def test_misshapen_rows_are_counted_where_they_stand(rows, line_end, block_size) -> None:
    content = written(rows, line_end)
    parts = parsed(iter([content]), block_size)
    right = [row for row in rows if len(row) == len(NAMES)]
    wrong = [row for row in rows if len(row) != len(NAMES)]
    assert texts(parts) == [[field or None for field in row] for row in right]
    assert [fields for part in parts for _, fields in part.misshapen] == [len(row) for row in wrong]
    found = [row_at(content, int(at)) for part in parts for at in part.misshapen_offsets()]
    assert found == wrong
    offsets = [int(at) for part in parts for at in part.row_offsets()]
    assert [row_at(content, at) for at in offsets] == right
    assert sum(part.row_count for part in parts) == len(rows)


@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_in_threads_come_in_their_order(threads, monkeypatch) -> None:
    monkeypatch.setattr(csv_blocks, "WORKERS", threads)
    rows = [[str(n), "x" * (n % 40), ""] for n in range(500)]
    blocks = row_blocks(cut(written(rows), [200] * 60), size=200)
    names, rest = split_header(next(blocks))
    found = list(parse_blocks([rest, *blocks], names, WANTED, lambda part: part.table["key"]))
    assert len(found) > 50
    assert [text for keys in found for text in keys.to_pylist()] == [row[0] for row in rows]


def test_only_wanted_columns_come_and_under_our_names() -> None:
    block = Block(b'"1","2","3"\n', 0)
    found = parse_block(block, NAMES, {"place": "city", "key": "source_key"}).table
    assert found.to_pylist() == [{"city": "3", "source_key": "1"}]


@pytest.mark.parametrize(
    "text", ["NULL", "NA", "N/A", "nan", "null", "None", "-", "0", " ", "true"]
)
def test_only_nothing_is_nothing(text) -> None:
    (part,) = parsed(iter([written([[text, "", text]])]), 100)
    assert texts([part]) == [[text, None, text]]


def test_empty_lines_are_no_rows() -> None:
    content = b'"key","name","place"\n\n"1","2","3"\n\r\n\n"4","5","6"\n\n'
    (part,) = parsed(iter([content]), 1000)
    assert texts([part]) == [["1", "2", "3"], ["4", "5", "6"]]
    assert [row_at(content, int(at))[0] for at in part.row_offsets()] == ["1", "4"]


def test_a_carriage_return_alone_ends_a_row_too() -> None:
    content = b'"key","name","place"\n"1","2","3"\r"4","5","6"\n"7"\r"8","9","10"\n'
    (part,) = parsed(iter([content]), 1000)
    assert [row[0] for row in texts([part])] == ["1", "4", "8"]
    assert [content[at : at + 3] for at in part.row_offsets()] == [b'"1"', b'"4"', b'"8"']
    assert [content[at : at + 3] for at in part.misshapen_offsets()] == [b'"7"']


def test_the_last_row_needs_no_line_end() -> None:
    assert texts(parsed(iter([b"key,name,place\n1,2,3"]), 10)) == [["1", "2", "3"]]


@pytest.mark.parametrize("block_size", [10, 1000])
def test_an_unclosed_quote_is_refused_with_the_row_it_opens_in(block_size) -> None:
    rows = written([["1", "", ""], ["2", "", ""], ["3", "", ""]])
    at = rows.index(b'"2"')
    broken = rows[:at] + b'"2,"",""\r\n' + rows[rows.index(b'"3"') :]
    with pytest.raises(DeliveryRefused, match=rf"at byte {at} is never closed"):
        parsed(iter([broken]), block_size)


def test_a_quote_that_stays_open_is_refused_before_memory_is_full(monkeypatch) -> None:
    monkeypatch.setattr(csv_blocks, "LONGEST_ROW_BYTES", 4000)
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield written([]) + b'"1","never closed\n'
        while True:
            read += 1
            yield b'"x","y","z"\n' * 10

    with pytest.raises(DeliveryRefused, match="at byte 22 is never closed"):
        list(row_blocks(endless(), size=500))
    assert read < 60


def test_a_field_with_stray_quotes_is_marked() -> None:
    right = b'"1","a ""b"" c","d"\n"2","a ""b"" c",""""\n"3","a, b","c"\n'
    (part,) = parsed(iter([written([]) + right]), 1000)
    assert texts([part]) == [["1", 'a "b" c', "d"], ["2", 'a "b" c', '"'], ["3", "a, b", "c"]]
    wrong = b'"1","a ""b"" c","d"\n"2","a "b" c","d"\n"3","a ""b"" c","d"\n'
    (part,) = parsed(iter([written([]) + wrong]), 1000)
    assert texts([part])[1][1].endswith("�")
    assert [texts([part])[n] for n in (0, 2)] == [["1", 'a "b" c', "d"], ["3", 'a "b" c', "d"]]
    assert (written([]) + wrong)[part.row_offsets()[1] :].startswith(b'"2"')


@pytest.mark.parametrize(
    "rows",
    [b'"1","a"b","c"\n"2","d"e","f"\n"3","g","h"\n', b'1,a"b,c\n2,d"e,f\n3,g,h\n'],
)
def test_a_row_whose_place_is_not_certain_is_refused_not_misplaced(rows) -> None:
    (part,) = parsed(iter([written([]) + rows]), 1000)
    marked = [name for _, name, _ in texts([part]) if name and name.endswith("�")]
    assert len(marked) == 2
    with pytest.raises(DeliveryRefused, match=r"rows from byte 22: .*quotes .*not doubled"):
        part.row_offsets()


def test_bytes_that_are_not_utf8_are_marked_and_lose_no_row() -> None:
    content = written([["1", "ok", "x"], ["2", "Sm\x00rrebr\x00d", "y"]]).replace(b"\x00", b"\xf8")
    parts = parsed(iter([content]), 1000)
    assert texts(parts) == [["1", "ok", "x"], ["2", "Sm�rrebr�d", "y"]]
    assert content[int(parts[0].row_offsets()[1]) :].startswith(b'"2"')


def test_nul_bytes_pass_as_text() -> None:
    assert texts(parsed(iter([written([["1", "a\x00b", "c"]])]), 1000)) == [["1", "a\x00b", "c"]]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_passed_over(mark) -> None:
    content = mark + written([["1", "2", "3"]])
    (part,) = parsed(iter([content]), 1000)
    assert texts([part]) == [["1", "2", "3"]]
    assert content[int(part.row_offsets()[0]) :].startswith(b'"1"')


@pytest.mark.parametrize("header", [b'"key","na\xffme"\n', b'"key","name\n', b'"key"x,"name"\n'])
def test_an_unreadable_header_is_refused(header) -> None:
    with pytest.raises(DeliveryRefused, match="CSV header: it cannot be read"):
        split_header(Block(header, 0))
