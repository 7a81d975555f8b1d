"""The first sheet of an Excel workbook (.xlsx) as rows of text, with nothing in it believed or run.

A workbook is a zip of XML parts (ECMA-376, Office Open XML). Only the parts that hold cells are
read, as streams, within limits; a document type, and with it every entity, is refused. A formula is
never computed: its cell is the value that was stored with it.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from sources.kit.errors import Refused
from sources.kit.workbook_cells import Attributes, Cells, Styles, Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_MEMBERS = 2000
MAX_UNPACKED_BYTES = 1024**3
MAX_RATIO = 100
_RATIO_FREE_BYTES = 32 * 1024**2
"""The first 32 MiB may have any ratio: repeated cells pack very well."""
_CHUNK = 256 * 1024
_UNSOUND = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError),
    *(ValueError, OverflowError, zlib.error),
)
_CURE = "Save the sheet again as .xlsx, or as CSV, and give that"


def rows_of_workbook(path: Path, sheet: str | None = None) -> Iterator[list[str]]:
    """The rows of one sheet (by default the first that is not hidden), cells as text.

    Days and moments come as ISO 8601, truths as `true` and `false`, errors as nothing. Raises
    `Refused` for what is no sound workbook, is encrypted or macro-laden, or is past the limits.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            package = _Package(path, archive)
            yield from _rows(package, _chosen_sheet(package, sheet))
    except _UNSOUND as error:
        raise _refused(path, "it is cut short or not a sound workbook") from error


@dataclass
class _Package:
    """The zip's parts by name, and how much has come out of it."""

    path: Path
    archive: zipfile.ZipFile
    unpacked: int = 0
    names: dict[str, zipfile.ZipInfo] = field(init=False)

    def __post_init__(self) -> None:
        infos = self.archive.infolist()
        self.names = {info.filename: info for info in infos}
        if len(infos) > MAX_MEMBERS or len(self.names) < len(infos):
            raise self.refused("it holds too many parts, or one twice")

    def refused(self, cause: str) -> Refused:
        """Say why this workbook is not read."""
        return _refused(self.path, cause)

    def parse(self, name: str, on_start: OnStart, on_end: OnEnd, on_text: OnText) -> None:
        """Stream one part through the handlers; a part that is not there is empty."""
        info = self.names.get(name)
        if info is None:
            return
        parser: Any = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = lambda tag, given: on_start(_local(tag), given)
        parser.EndElementHandler = lambda tag: on_end(_local(tag))
        parser.CharacterDataHandler = on_text
        try:
            with self.archive.open(info) as stream:
                for chunk in iter(lambda: stream.read(_CHUNK), b""):
                    self._count(len(chunk), info)
                    parser.Parse(chunk)
            parser.Parse(b"", True)  # noqa: FBT003 (expat's signature)
        except expat.ExpatError as error:
            raise self.refused("its XML is damaged") from error

    def _refuse_doctype(self, *_: object) -> None:
        raise self.refused("its XML has a document type, which no workbook needs")

    def _count(self, length: int, info: zipfile.ZipInfo) -> None:
        self.unpacked += length
        packed = max(info.compress_size, 1)
        too_dense = self.unpacked > max(_RATIO_FREE_BYTES, MAX_RATIO * packed)
        if self.unpacked > MAX_UNPACKED_BYTES or too_dense:
            raise self.refused("it unpacks to far more than it weighs")


if TYPE_CHECKING:
    OnStart = Callable[[str, Attributes], None]
    OnEnd = Callable[[str], None]
    OnText = Callable[[str], None]


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _skip(*_: object) -> None:
    """Handle nothing."""


@dataclass
class _Sheets:
    """The workbook's sheets in their order: name, relation, hidden; and its calendar."""

    listed: list[tuple[str, str, bool]] = field(default_factory=list)
    is_1904: bool = False

    def start(self, tag: str, given: Attributes) -> None:
        """Take note of a sheet, or of the calendar."""
        if tag == "sheet":
            relation = next((value for key, value in given.items() if _local(key) == "id"), "")
            is_hidden = given.get("state", "visible") != "visible"
            self.listed.append((given.get("name", ""), relation, is_hidden))
        elif tag == "workbookPr":
            self.is_1904 = given.get("date1904", "0") in {"1", "true"}


@dataclass(frozen=True)
class _Chosen:
    part: str
    is_1904: bool


def _chosen_sheet(package: _Package, wanted: str | None) -> _Chosen:
    sheets = _Sheets()
    package.parse("xl/workbook.xml", sheets.start, _skip, _skip)
    fitting = [
        relation
        for name, relation, is_hidden in sheets.listed
        if (name == wanted if wanted else not is_hidden)
    ]
    if not fitting:
        raise package.refused(
            "it has no sheet of that name" if wanted else "it holds no sheet that is shown"
        )
    targets: dict[str, str] = {}

    def start(tag: str, given: Attributes) -> None:
        if tag == "Relationship" and given.get("TargetMode") != "External":
            targets[given.get("Id", "")] = given.get("Target", "")

    package.parse("xl/_rels/workbook.xml.rels", start, _skip, _skip)
    target = targets.get(fitting[0], "")
    part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    if part not in package.names:
        raise package.refused("its sheet is not inside it")
    return _Chosen(part, sheets.is_1904)


def _rows(package: _Package, chosen: _Chosen) -> Iterator[list[str]]:
    texts, styles = Texts(), Styles()
    package.parse("xl/sharedStrings.xml", texts.start, texts.end, texts.text)
    package.parse("xl/styles.xml", styles.start, styles.end, _skip)
    # Excel counts a 29 February 1900 that never was: from 1 March 1900 on the 30th is day nought.
    epoch = (
        datetime(1904, 1, 1, tzinfo=UTC) if chosen.is_1904 else datetime(1899, 12, 30, tzinfo=UTC)
    )
    cells = Cells(package.refused, texts.found, styles.dates, epoch)
    package.parse(chosen.part, cells.start, cells.end, cells.text)
    yield from cells.ready


def _refused(path: Path, cause: str) -> Refused:
    return Refused(f"file {path.name}", cause, _CURE)
