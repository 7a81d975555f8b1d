"""What the XML of a workbook's cells says, taken piece by piece as it streams by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sources.kit.errors import Refused

MAX_ROWS, MAX_COLUMNS = 1_048_576, 500
"""Excel's own bound on rows; no list of persons has so many columns."""
_BUILT_IN_DATES = frozenset((*range(14, 23), 27, 30, 36, *range(45, 48), 50, 57))
"""numFmtId of the dates and times that need no format text (ECMA-376, 18.8.30)."""
_NOT_A_DATE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_CELL = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")

Attributes = dict[str, str]


@dataclass
class Texts:
    """Shared strings: each the text of its runs, readings of Japanese left out."""

    found: list[str] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _is_text: bool = False
    _is_reading: bool = False

    def start(self, tag: str, _given: Attributes) -> None:
        """Open a string, a run's text, or a reading."""
        if tag == "si":
            self._parts = []
        self._is_reading = self._is_reading or tag == "rPh"
        self._is_text = tag == "t" and not self._is_reading

    def end(self, tag: str) -> None:
        """Close what was opened."""
        if tag == "rPh":
            self._is_reading = False
        elif tag == "si":
            self.found.append("".join(self._parts))
        self._is_text = False

    def text(self, text: str) -> None:
        """Take a piece of text."""
        if self._is_text:
            self._parts.append(text)


@dataclass
class Styles:
    """Which cell styles show a number as a day or a moment."""

    formats: dict[str, str] = field(default_factory=dict)
    dates: list[bool] = field(default_factory=list)
    _is_in_cells: bool = False

    def start(self, tag: str, given: Attributes) -> None:
        """Take note of a format, or of a style of cells."""
        if tag == "numFmt":
            self.formats[given.get("numFmtId", "")] = given.get("formatCode", "")
        elif tag == "cellXfs":
            self._is_in_cells = True
        elif tag == "xf" and self._is_in_cells:
            self.dates.append(self._is_date(given.get("numFmtId", "0")))

    def end(self, tag: str) -> None:
        """Leave the styles of cells."""
        if tag == "cellXfs":
            self._is_in_cells = False

    def _is_date(self, number: str) -> bool:
        shown = self.formats.get(number)
        if shown is not None:
            return any(sign in _NOT_A_DATE.sub("", shown).lower() for sign in "ymdhs")
        return number.isdigit() and int(number) in _BUILT_IN_DATES


@dataclass
class Cells:
    """One sheet's cells as they stream by; `ready` holds the rows that are complete."""

    refused: Callable[[str], Refused]
    shared: list[str]
    dates: list[bool]
    epoch: datetime
    ready: list[list[str]] = field(default_factory=list)
    count: int = 0
    _row: list[str] = field(default_factory=list)
    _cell: Attributes = field(default_factory=dict)
    _parts: list[str] = field(default_factory=list)
    _is_value: bool = False

    def start(self, tag: str, given: Attributes) -> None:
        """Open a row, a cell, or its value."""
        if tag == "row":
            self._row = []
        elif tag == "c":
            self._cell, self._parts = given, []
        # A formula's own text (`f`) is passed over; its stored value (`v`) is what the cell says.
        self._is_value = tag in {"v", "t"}

    def end(self, tag: str) -> None:
        """Close a value, a cell or a row."""
        self._is_value = False
        if tag == "c":
            self._place()
        elif tag == "row":
            self.count += 1
            if self.count > MAX_ROWS:
                raise self.refused(f"it has more than {MAX_ROWS:,} rows")
            self.ready.append(self._row)

    def text(self, text: str) -> None:
        """Take a piece of a value."""
        if self._is_value:
            self._parts.append(text)

    def _place(self) -> None:
        named = _CELL.fullmatch(self._cell.get("r", ""))
        column = _column(named[1]) if named else len(self._row)
        if column >= MAX_COLUMNS:
            raise self.refused(f"it has more than {MAX_COLUMNS} columns")
        self._row += [""] * (column + 1 - len(self._row))
        self._row[column] = self._shown("".join(self._parts))

    def _shown(self, text: str) -> str:
        kind = self._cell.get("t", "n")
        if kind == "s":
            return self.shared[int(text)] if int(text) < len(self.shared) else ""
        if kind in {"str", "inlineStr", "d"}:
            return text
        if kind == "b":
            return {"1": "true", "0": "false"}.get(text, "")
        return "" if kind == "e" or not text else self._number(text)

    def _number(self, text: str) -> str:
        style = int(self._cell.get("s", "0"))
        value = float(text)
        if style < len(self.dates) and self.dates[style]:
            moment = self.epoch + timedelta(seconds=round(value * 86400))
            shown = moment.isoformat(sep=" ").removesuffix("+00:00")
            return shown.removesuffix(" 00:00:00")
        return str(int(value)) if value.is_integer() else text


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
