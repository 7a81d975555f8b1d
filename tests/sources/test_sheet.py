"""Lists as their systems export them: CSV of any habit, Excel part by part, and what is refused."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from own_files import csv_file, customer, texts, workbook, workbook_of

from sources.kit import sheet as reader
from sources.kit import workbook as excel
from sources.kit import workbook_cells
from sources.kit.errors import Refused
from sources.kit.sheet import read_sheet

HEADER, ROW = tuple(customer(1)), list(customer(1).values())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_csv_tells_its_separator_and_encoding(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    path = csv_file(tmp_path / "list.csv", [customer(1)], separator, encoding)
    found = read_sheet(path)
    assert (found.header, found.rows, found.numbers) == (HEADER, [ROW], [2])
    assert found.separator == separator


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_line_that_tells_excel_the_separator_is_none_of_the_list(
    tmp_path: Path, encoding: str
) -> None:
    path = csv_file(tmp_path / "list.csv", [customer(1)], ";", "utf-8")
    text = path.read_bytes().decode("utf-8")
    path.write_bytes(f"sep=;\r\n{text}".encode(encoding))
    found = read_sheet(path)
    assert (found.header, found.rows, found.numbers) == (HEADER, [ROW], [2])


def test_a_workbook_says_what_the_csv_says(tmp_path: Path) -> None:
    found = read_sheet(workbook_of(tmp_path / "list.xlsx", [customer(1), customer(2)]))
    assert (found.header, found.rows[0]) == (HEADER, ROW)
    assert found.numbers == [2, 3]


CELLS = [
    ("<c><v>12345678</v></c>", "12345678"),
    ("<c><v>1.2345678E7</v></c>", "12345678"),
    ("<c><v>12.5</v></c>", "12.5"),
    ('<c s="1"><v>46328</v></c>', "2026-11-02"),
    ('<c s="2"><v>46328.4375</v></c>', "2026-11-02 10:30:00"),
    ('<c s="3"><v>46328</v></c>', "46328"),
    ('<c t="b"><v>1</v></c>', "true"),
    ('<c t="e"><v>#REF!</v></c>', ""),
    ('<c t="s"><v>1</v></c>', "Ærø"),
    ('<c t="str"><f>HYPERLINK("x")</f><v>=2+3</v></c>', "=2+3"),
    ("<c><f>SUM(A1:A9)</f><v>7</v></c>", "7"),
    ("<c><f>SUM(A1:A9)</f></c>", ""),
    ('<c t="inlineStr"><is><r><t>to </t></r><r><t>dele</t></r></is></c>', "to dele"),
    ('<c t="d"><v>2026-11-02</v></c>', "2026-11-02"),
]


@pytest.mark.parametrize(("cell", "said"), CELLS)
def test_a_cell_is_what_it_shows_and_no_formula_runs(tmp_path: Path, cell: str, said: str) -> None:
    strings = (
        f'<sst xmlns="{"http://schemas.openxmlformats.org/spreadsheetml/2006/main"}">'
        "<si><t>nul</t></si><si><t>Ær</t><rPh><t>lyd</t></rPh><r><t>ø</t></r></si></sst>"
    )
    rows = texts("a", "b") + f"<row>{cell}<c><v>9</v></c></row>"
    path = workbook(tmp_path / "list.xlsx", rows, **{"xl/sharedStrings.xml": strings})
    assert read_sheet(path).rows == [[said, "9"]]


def test_days_since_1904_and_cells_left_out(tmp_path: Path) -> None:
    book = zipped(workbook(tmp_path / "a.xlsx", ""))["xl/workbook.xml"].decode()
    rows = texts("a", "b", "c") + '<row><c r="C2" s="1"><v>44866</v></c></row>'
    changed = book.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    path = workbook(tmp_path / "b.xlsx", rows, **{"xl/workbook.xml": changed})
    assert read_sheet(path).rows == [["", "", "2026-11-02"]]


def zipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


BILLION = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet><sheetData><row><c t="str">'
    "<v>&b;</v></c></row></sheetData></worksheet>"
)
BAD_PARTS = [
    ({"xl/worksheets/sheet1.xml": BILLION}, "document type"),
    ({"xl/worksheets/sheet1.xml": "<worksheet><row>"}, "damaged"),
    ({"xl/worksheets/sheet1.xml": None}, "not inside it"),
    ({"xl/workbook.xml": None}, "no sheet"),
    ({"xl/worksheets/sheet1.xml": '<x><row><c r="ZZZ1"><v>1</v></c></row></x>'}, "columns"),
    ({"xl/worksheets/sheet1.xml": '<x><row><c t="s"><v>x</v></c></row></x>'}, "not a sound"),
    ({"xl/worksheets/sheet1.xml": '<x><row><c s="1"><v>1e999</v></c></row></x>'}, "not a sound"),
]


@pytest.mark.parametrize(("parts", "said"), BAD_PARTS, ids=[said for _, said in BAD_PARTS])
def test_a_bad_part_is_refused(tmp_path: Path, parts: dict[str, str | None], said: str) -> None:
    path = workbook(tmp_path / "list.xlsx", texts("a"), **parts)
    with pytest.raises(Refused, match=said):
        read_sheet(path)


def test_a_sheet_outside_the_workbook_is_not_fetched(tmp_path: Path) -> None:
    relations = zipped(workbook(tmp_path / "a.xlsx", ""))["xl/_rels/workbook.xml.rels"].decode()
    outside = relations.replace(
        'Target="worksheets/sheet1.xml"', 'Target="http://127.0.0.1/x" TargetMode="External"'
    )
    path = workbook(tmp_path / "b.xlsx", texts("a"), **{"xl/_rels/workbook.xml.rels": outside})
    with pytest.raises(Refused, match="not inside it"):
        read_sheet(path)


def test_a_bomb_is_stopped_while_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "_RATIO_FREE_BYTES", 1024)
    path = workbook(tmp_path / "list.xlsx", texts("a" * 1_000_000))
    with pytest.raises(Refused, match="far more than it weighs"):
        read_sheet(path)


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_cells, "MAX_ROWS", 3)
    monkeypatch.setattr(reader, "MAX_ROWS", 3)
    with pytest.raises(Refused, match="more than 3 rows"):
        read_sheet(workbook(tmp_path / "list.xlsx", texts("a") * 4))
    path = tmp_path / "list.csv"
    path.write_text("a\n1\n2\n3\n4\n", encoding="utf-8")
    with pytest.raises(Refused, match="more than 3 rows"):
        read_sheet(path)


def test_a_cut_workbook_is_refused(tmp_path: Path) -> None:
    path = workbook_of(tmp_path / "list.xlsx", [customer(1)])
    whole = path.read_bytes()
    for length in (4, 40, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:length])
        with pytest.raises(Refused, match=r"not a sound|no sheet|damaged"):
            read_sheet(path)


def test_a_false_length_is_refused(tmp_path: Path) -> None:
    path = workbook_of(tmp_path / "list.xlsx", [customer(1)])
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, place + 16, 0)
    for found in range(len(content) - 4):
        if content[found : found + 4] == b"PK\x01\x02":
            struct.pack_into("<L", content, found + 16, 0)
    path.write_bytes(bytes(content))
    with pytest.raises(Refused, match="not a sound workbook"):
        read_sheet(path)


BAD_FILES = [
    (b"", "no row"),
    (b"\xd0\xcf\x11\xe0", "old or an encrypted Office file"),
    (b"%PDF-1.7", "PDF"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"a,b\n1,\x00\n", "not text"),
    (b'a,b\n"1,2\n', "quotes"),
    (b"a,a\n1,2\n", "twice"),
    (b"anna@eksempel.dk,b\n1,2\n", "no header"),
    (b"010190-1234,b\n1,2\n", "no header"),
    (b"1,2\n1,2\n", "no header"),
    (b"Customers of 2026\n\nname,lei,date\na,b,c\n", "title above the table"),
    (b"Kunder\nname;lei;date\na;b;c\n", "title above the table"),
]


@pytest.mark.parametrize(("content", "said"), BAD_FILES, ids=[said for _, said in BAD_FILES])
def test_a_bad_file_is_refused_and_nothing_of_it_told(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=said) as caught:
        read_sheet(path)
    assert "anna" not in str(caught.value)


def test_a_large_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_BYTES", 10)
    with pytest.raises(Refused, match="larger than 100 MB"):
        read_sheet(csv_file(tmp_path / "list.csv", [customer(1)]))


def test_cells_are_one_line_without_controls(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('a,b\n" x\n y\u202e\x07","12345678.00"\n', encoding="utf-8")
    assert read_sheet(path).rows == [["x y", "12345678"]]
    path.write_text("a;b\n1,5;12345678,00\n", encoding="utf-8")
    assert read_sheet(path, has_decimal_comma=True).rows == [["1,5", "12345678"]]


def test_rows_of_another_length_and_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b,\n1\n\n1,2,3,4\n1,2,,\n", encoding="utf-8")
    found = read_sheet(path)
    assert found.header == ("a", "b")
    assert found.rows == [["1", ""], ["1", "2"], ["1", "2"]]
    assert (found.numbers, found.too_long) == ([2, 4, 5], frozenset({1}))
