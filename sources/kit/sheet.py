"""A list as its owner's system exports it, CSV or Excel, as a header and rows of text."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sources.kit.errors import Refused
from sources.kit.identity_numbers import NUMBER_REMOVED, without_personal_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_BYTES = 100 * 1024**2
MAX_ROWS = 1_048_576
_LONGEST_HEADER = 100
_TITLE_OVER, _FIRST_ROWS = 2, 5
"""A single first cell is a title when one of the rows below it has more cells than these."""
_SEPARATORS = ",;\t|"
_ZIP = b"PK\x03\x04"
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "it is an old or an encrypted Office file",
    b"%PDF": "it is a PDF",
    b"\x1f\x8b": "it is packed with gzip",
}
# Controls and marks that turn the direction of a line around have no place in a cell.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_BLANKS = re.compile(r"\s+")
_CURE = "Give the list as CSV (.csv) or Excel (.xlsx) with its header in the first row"


@dataclass(frozen=True)
class Sheet:
    """A header and the rows below it, every cell one line of text.

    `numbers` are the rows' own in the file, the header's being 1; `too_long` are places of rows
    with more cells than the header names. `separator` and `encoding` are None of a workbook.
    """

    header: tuple[str, ...]
    rows: list[list[str]] = field(repr=False)
    numbers: list[int] = field(repr=False)
    too_long: frozenset[int] = field(repr=False)
    sha256: str
    byte_count: int
    encoding: str | None = None
    separator: str | None = None

    def column(self, place: int) -> list[str]:
        """One column's cells, top to bottom."""
        return [row[place] for row in self.rows]


def read_sheet(
    path: Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    sheet: str | None = None,
    has_decimal_comma: bool = False,
) -> Sheet:
    """Read a list of at most 100 MB; raises `Refused`, naming the file and never a cell.

    What is not given is told by the file itself: a workbook by its first bytes, a text's encoding
    by whether it is UTF-8 (else Windows-1252), its separator by the header. `has_decimal_comma`:
    whole numbers written `12345678,00` lose what follows the comma, as those with a point do.
    """
    content = _content(path)
    if content.startswith(_ZIP):
        from sources.kit.workbook import rows_of_workbook  # most lists are CSV

        used: tuple[str | None, str | None] = (None, None)
        raw: Iterable[list[str]] = rows_of_workbook(path, sheet)
    else:
        text, known = _text(path, content, encoding)
        text, told = _told_separator(text)
        separator = separator or told or _separator(text)
        used = (known, separator)
        raw = _csv_rows(path, text, separator)
    zeros = re.compile(r"(?<=\d)[.,]0+" if has_decimal_comma else r"(?<=\d)\.0+")
    kept = [
        (number, [_cell(cell, zeros) for cell in row])
        for number, row in enumerate(raw, 1)
        if any(cell.strip() for cell in row)
    ]
    if not kept:
        raise _refused(path, "it holds no row")
    return _sheet(path, kept, content, used)


def _sheet(
    path: Path,
    kept: list[tuple[int, list[str]]],
    content: bytes,
    used: tuple[str | None, str | None],
) -> Sheet:
    header = _header(path, kept[0][1])
    width = len(header)
    body = kept[1:]
    if width == 1 and any(sum(map(bool, row)) > _TITLE_OVER for _, row in body[:_FIRST_ROWS]):
        raise _refused(path, "its first row is a title above the table, not the table's header")
    too_long = frozenset(
        place for place, (_, row) in enumerate(body) if any(cell for cell in row[width:])
    )
    return Sheet(
        header=header,
        rows=[(row + [""] * width)[:width] for _, row in body],
        numbers=[number for number, _ in body],
        too_long=too_long,
        sha256=hashlib.sha256(content).hexdigest(),
        byte_count=len(content),
        encoding=used[0],
        separator=used[1],
    )


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise _refused(path, error.strerror or "it cannot be read") from None
    if content is None:
        raise _refused(path, "it is larger than 100 MB")
    for magic, cause in _FOREIGN.items():
        if content.startswith(magic):
            raise _refused(path, cause)
    return content


def _text(path: Path, content: bytes, encoding: str | None) -> tuple[str, str]:
    has_mark = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    tried = (encoding,) if encoding else ("utf-16",) if has_mark else ("utf-8-sig", "cp1252")
    for name in tried:
        try:
            text = content.decode(name)
        except UnicodeError:
            continue
        except LookupError:
            raise _refused(path, "its mapping names an encoding that is none") from None
        if "\x00" in text:
            break
        return text, name
    raise _refused(path, f"it is not text in {' or '.join(tried)}")


def _separator(text: str) -> str:
    """The one the header has most of; where a title stands above it, of the rows below."""
    first = text.lstrip("\ufeff\r\n").split("\n", _FIRST_ROWS)[:_FIRST_ROWS]
    telling = next((line for line in first if any(one in line for one in _SEPARATORS)), "")
    return max(_SEPARATORS, key=telling.count)


def _told_separator(text: str) -> tuple[str, str | None]:
    """Take off a first line `sep=;`: it is for Excel, which does not count it as a row."""
    found = re.match(r"\ufeff?sep=(.)(?:\r\n|\n|\r)", text)
    return (text[found.end() :], found[1]) if found else (text, None)


def _csv_rows(path: Path, text: str, separator: str) -> Iterable[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for count, row in enumerate(reader):
            if count > MAX_ROWS:
                raise _refused(path, f"it has more than {MAX_ROWS:,} rows")
            yield row
    except csv.Error:
        raise _refused(path, "its quotes are not closed, or a cell is far too long") from None


def _cell(text: str, zeros: re.Pattern[str]) -> str:
    """One line, without controls; `12345678.0` is what spreadsheets make of a whole number."""
    plain = _BLANKS.sub(" ", _UNWANTED.sub("", text)).strip()
    head = zeros.search(plain)
    is_whole = head is not None and head.end() == len(plain) and plain[: head.start()].isdigit()
    return plain[: head.start()] if head is not None and is_whole else plain


def _header(path: Path, cells: list[str]) -> tuple[str, ...]:
    """The header's words; one that could be somebody's is none, and is never told of."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    for cell in cells:
        is_value = "@" in cell or NUMBER_REMOVED in without_personal_numbers(cell)
        if is_value or len(cell) > _LONGEST_HEADER or cell.replace(" ", "").isdigit():
            raise _refused(path, "its first row is no header: it holds values")
    named = [cell for cell in cells if cell]
    if len(set(named)) < len(named):
        raise _refused(path, "its header has a name twice")
    return tuple(cells)


def _refused(path: Path, cause: str) -> Refused:
    return Refused(f"file {path.name}", cause, _CURE)
