"""The owner's own lists as files: CSV, and workbooks written part by part; everybody invented."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ingesting import Ingesting, quiet

from flows import own_lists

Row = Mapping[str, str]
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="0.00 &quot;dage&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>'
    "</cellXfs></styleSheet>"
)


def customer(number: int, **changes: str) -> dict[str, str]:
    """Return a sound row of a Danish admin system's list of customers."""
    return {
        "Fakturanr.": f"F{number}",
        "Kundenavn": f"Prøvekunde {number} ApS",
        "LEI": "",
        "Land": "Danmark",
        "E-mail": f"post{number}@eksempel.dk",
        "Telefon": "",
        "Kunde fra": "02-03-2020",
        "Kunde til": "",
        "Administreret": "nej",
        **changes,
    }


def enquiry(number: int, **changes: str) -> dict[str, str]:
    """Return a sound row of a web form's export."""
    return {
        "Form id": f"W{number}",
        "Received": "2026-10-01",
        "E-mail": f"spoerger{number}@eksempel.dk",
        "Message": "Ring til mig",
        **changes,
    }


def visit(number: int, **changes: str) -> dict[str, str]:
    """Return a sound row of the website's events."""
    return {
        "Session id": f"S{number}",
        "Timestamp": "2026-10-01T08:00:00Z",
        "IP": "192.0.2.7",
        "Device": "phone",
        "User agent": "Eksempelbrowser 7",
        **changes,
    }


def consent(number: int, **changes: str) -> dict[str, str]:
    """Return a sound row of consents."""
    return {
        "Consent id": f"C{number}",
        "Consented at": "2026-10-01T08:00:00Z",
        "Act": "ticked the empty box and confirmed by mail",
        "Text version": "nyhedsbrev 3",
        "Channel": "e-mail",
        "Purpose": "direct_marketing",
        "E-mail": f"samtykke{number}@eksempel.dk",
        "Withdrawn": "",
        **changes,
    }


def csv_file(
    path: Path, rows: Sequence[Row], separator: str = ";", encoding: str = "utf-8"
) -> Path:
    """Write the rows as a CSV with their keys as header."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def workbook(path: Path, rows: str, **parts: str | bytes | None) -> Path:
    """Write a workbook whose one shown sheet has these `<row>`s; `parts` replace parts by path."""
    given: dict[str, str | bytes | None] = {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>'
        '<sheet name="Skjult" sheetId="1" state="hidden" r:id="rId2"/>'
        '<sheet name="Kunder" sheetId="2" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
        '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="rId2" Target="worksheets/sheet2.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>'
        "</worksheet>",
        "xl/worksheets/sheet2.xml": f'<worksheet xmlns="{_MAIN}"><sheetData/></worksheet>',
        **parts,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in given.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def texts(*cells: str) -> str:
    """Return one `<row>` of plain texts."""
    inner = "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in cells)
    return f"<row>{inner}</row>"


def workbook_of(path: Path, rows: Sequence[Row]) -> Path:
    """Write the rows as a workbook with their keys as header."""
    lines = [texts(*rows[0]), *(texts(*row.values()) for row in rows)]
    return workbook(path, "".join(lines))


def bring(
    place: Ingesting, code: str, *rows: Row, mapping: str = "", dry_run: bool = False
) -> dict[str, Any]:
    """Import the rows as a CSV through the flow's functions, its guessed mapping taken as it is."""
    place.written += 1
    path = csv_file(place.folder / f"list {place.written}.csv", rows)
    mapped = None
    if mapping:
        mapped = place.folder / f"mapping {place.written}.toml"
        mapped.write_text(mapping, encoding="utf-8")
    prepared = own_lists.prepare(code, path, mapped)
    return own_lists.run(place.house, prepared, quiet, dry_run=dry_run)


def outcomes_of(report: Mapping[str, Any]) -> dict[str, int]:
    """The outcomes that any row had; together they are the rows that came in."""
    found = {name: report[f"records_{name}"] for name in own_lists.OUTCOMES}
    assert sum(found.values()) == report["records_in"]
    return {name: count for name, count in found.items() if count}
