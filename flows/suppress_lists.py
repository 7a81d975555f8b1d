"""A mailing tool's own list against ours: the rows to unsubscribe, in the tool's format.

Hashes cannot be handed to a mailing tool, so its list comes here and its stopped rows go back.
"""

from __future__ import annotations

import csv
import io
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sources.kit.errors import Refused
from warehouse import read_stops
from warehouse.engine import reading
from warehouse.privacy.stops import Stops
from warehouse.privacy.suppression import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from flows.house import House
    from warehouse.privacy.suppression import Kind

_LARGEST_BYTES = 512 * 1024 * 1024
_SAMPLE_ROWS = 200
_HEADERS: dict[Kind, re.Pattern[str]] = {
    "email": re.compile(
        r"(?i)(?:primary |subscriber |contact )?"
        r"(?:e-?mail(?:s|[ _-]?addr(?:ess(?:e)?)?)?|mail|e-?post(?:adresse?)?|sähköposti|epasts)"
    ),
    "phone": re.compile(r"(?i)phone(?:[ _-]?number)?|telefon|tlf|mobile?|mobil|puhelin|sms"),
    "lei": re.compile(r"(?i)lei(?:[ _-]?code)?"),
}
"""How mailing tools name the columns that a stop can be about."""
_SHAPES: dict[Kind, re.Pattern[str]] = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "phone": re.compile(r"\+[\d\s()./-]{6,}"),
    "lei": re.compile(r"[0-9A-Za-z]{18}[0-9]{2}"),
}


@dataclass(frozen=True)
class MailingList:
    """A tool's list as read. `columns`: which columns hold what a stop can be about."""

    rows: list[list[str]]
    has_header: bool
    columns: dict[int, Kind]
    delimiter: str
    encoding: str
    line_end: str
    is_quoted: bool

    @property
    def entries(self) -> list[list[str]]:
        """The rows without the header."""
        return self.rows[1:] if self.has_header else self.rows


def check_list(house: House, path: Path, out: Path) -> dict[str, Any]:
    """Write the rows of `path` that must be unsubscribed to `out`; return counts, never a value.

    The output has the same columns, delimiter, encoding and header. It is written whole or not at
    all, for its owner only. `unreadable` counts entries that hold no value a stop could be about.
    """
    if out.resolve() == path.resolve():
        raise Refused("--out", "it is the list itself", "Give another file for the answer")
    found = read_list(path)
    stopped, unreadable = _judged(house, found)
    kept = [row for row, is_stopped in zip(found.entries, stopped, strict=True) if is_stopped]
    _write(out, found, kept)
    return {
        "entries": len(found.entries),
        "to_unsubscribe": len(kept),
        "unreadable": unreadable,
        "columns": [_column_name(found, place) for place in found.columns],
        "out": out,
    }


def read_list(path: Path) -> MailingList:
    """Read a CSV of any usual delimiter and encoding, or one value a line; `Refused` otherwise."""
    text, encoding = _text(path)
    delimiter = _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise _unreadable(path, "its quotes are not closed") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    columns, has_header = _columns(rows)
    if not columns:
        raise _unreadable(path, "no column holds e-mail addresses, phone numbers or LEIs")
    return MailingList(
        rows=rows,
        has_header=has_header,
        columns=columns,
        delimiter=delimiter,
        encoding=encoding,
        line_end="\r\n" if "\r\n" in text else "\n",
        is_quoted=text.lstrip().startswith('"'),
    )


def _text(path: Path) -> tuple[str, str]:
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST_BYTES else None
    except OSError as error:
        raise _unreadable(path, error.strerror or "it cannot be read") from None
    if content is None:
        raise _unreadable(path, "it is larger than 512 MB")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _unreadable(path, "it is a spreadsheet or an archive")
    has_mark = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ("utf-16",) if has_mark else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        is_plain = encoding == "utf-8-sig" and not content.startswith(b"\xef\xbb\xbf")
        return text, "utf-8" if is_plain else encoding
    raise _unreadable(path, "it is not text")


def _delimiter(text: str) -> str:
    """The separator that the first line holds most often; a comma for one value a line."""
    first = text.lstrip().split("\n", 1)[0]
    return max(",;\t|", key=first.count)


def _columns(rows: Sequence[Sequence[str]]) -> tuple[dict[int, Kind], bool]:
    """Which columns are meant, by the header's words, else by what the cells look like."""
    if not rows:
        return {}, False
    named = {
        place: kind
        for place, cell in enumerate(rows[0])
        for kind, pattern in _HEADERS.items()
        if pattern.fullmatch(cell.strip())
    }
    has_header = bool(named) or not any(_kind_of(cell) for cell in rows[0])
    seen = named or _by_contents(rows[1:] if has_header else rows)
    return seen, has_header


def _by_contents(rows: Sequence[Sequence[str]]) -> dict[int, Kind]:
    found: dict[int, Kind] = {}
    sample = rows[:_SAMPLE_ROWS]
    for place in range(max(map(len, sample), default=0)):
        kinds = [_kind_of(row[place]) for row in sample if place < len(row) and row[place].strip()]
        for kind in _SHAPES:
            if kinds.count(kind) * 2 > len(kinds):
                found[place] = kind
    return found


def _kind_of(cell: str) -> Kind | None:
    return next((kind for kind, shape in _SHAPES.items() if shape.fullmatch(cell.strip())), None)


def _judged(house: House, found: MailingList) -> tuple[list[bool], int]:
    """Whether each entry is stopped, and how many held nothing that could be asked about."""
    values = [list(_values(found, row)) for row in found.entries]
    with reading(house.engine) as connection:
        stops = Stops.read(connection, house.keys)
        owned = {
            kind: read_stops.contacts_of_stopped(connection, kind, _of_kind(values, kind))
            for kind in ("email", "phone")
        }
        numbers = read_stops.registers_of(connection, _of_kind(values, "lei"))
        owned["lei"] = {lei for lei, key in numbers.items() if stops.root("register", key)}

    def is_stopped(kind: Kind, value: str) -> bool:
        if stops.covers_value(kind, value) or value in owned.get(kind, ()):
            return True
        return kind == "email" and stops.covers_value("domain", value.rpartition("@")[2])

    judged = [any(is_stopped(kind, value) for kind, value in row) for row in values]
    return judged, sum(not row for row in values)


def _of_kind(values: list[list[tuple[Kind, str]]], kind: Kind) -> list[str]:
    return [value for row in values for own, value in row if own == kind]


def _values(found: MailingList, row: Sequence[str]) -> Iterator[tuple[Kind, str]]:
    """The values of one entry in their one form; what is not of its kind is left out."""
    for place, kind in found.columns.items():
        cell = row[place].strip() if place < len(row) else ""
        try:
            yield kind, canonical(kind, cell)
        except Refused:
            continue


def _write(out: Path, found: MailingList, kept: list[list[str]]) -> None:
    rows = [found.rows[0], *kept] if found.has_header else kept
    partial = out.with_name(f".{out.name}.partial")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding=found.encoding, newline="") as stream:
            csv.writer(
                stream,
                delimiter=found.delimiter,
                quoting=csv.QUOTE_ALL if found.is_quoted else csv.QUOTE_MINIMAL,
                lineterminator=found.line_end,
            ).writerows(rows)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        cause = error.strerror or "it cannot be written"
        raise Refused(f"file {out.name}", cause, "Give a path you may write to") from None


def _column_name(found: MailingList, place: int) -> str:
    return found.rows[0][place] if found.has_header else f"column {place + 1}"


def _unreadable(path: Path, cause: str) -> Refused:
    cure = "Give the mailing tool's list as CSV or text, with a column of e-mail addresses"
    return Refused(f"file {path.name}", cause, cure)
