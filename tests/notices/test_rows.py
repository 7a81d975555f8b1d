"""List rows: the contract's columns, and cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.compile import compile_notice
from notices.rows import (
    CONTACT_ROW_COLUMNS,
    ROW_COLUMNS,
    address_cells,
    neutralise,
    notice_cells,
    write_csv,
)
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from notices.context import NoticeContext, ValueSource
    from notices.rows import Cell

CONTRACT = [
    "export_id",
    "row_id",
    "company_id",
    "lei",
    "legal_name",
    "country",
    "language",
    "segment",
    "channel",
    "contact_value",
    "recipient_kind",
    "source_names",
    "source_urls",
    "is_public_database",
    "obtained_on",
    "source_notice",
    "full_notice",
    "notice_url",
    "unsubscribe_url",
    "list_unsubscribe",
    "list_unsubscribe_post",
    "notice_id",
    "policy_version",
]


def full_row(**cells: Cell) -> dict[str, Cell]:
    return {**dict.fromkeys(ROW_COLUMNS, ""), **cells}


def read_back(rows: Iterable[Mapping[str, Cell]]) -> tuple[int, str, list[dict[str, str]]]:
    stream = io.StringIO(newline="")
    written = write_csv(rows, stream)
    text = stream.getvalue()
    return written, text, list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_columns_are_the_contracts() -> None:
    assert list(CONTACT_ROW_COLUMNS) == [*CONTRACT, "configuration"]
    lines = [f"address_line_{n}" for n in range(1, 9)]
    at = CONTRACT.index("contact_value")
    assert list(ROW_COLUMNS) == [*CONTRACT[:at], *lines, *CONTRACT[at + 1 :], "configuration"]


@pytest.mark.parametrize(
    "start",
    ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212"],
)
@pytest.mark.parametrize("before", ["", " ", "  ", "\u00a0", "\ufeff", "\u200b", "\u3000"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(start: str, before: str) -> None:
    cell = f"{before}{start}HYPERLINK(1)"
    if start.isspace() and before:
        assert neutralise(cell) == cell or neutralise(cell) == f"'{cell}"
    else:
        assert neutralise(cell) == f"'{cell}"
    assert neutralise(neutralise(cell)) == neutralise(cell)


@pytest.mark.parametrize("cell", ["", "Nordlys A/S", "1-2", "a=b", "'=x", "0155 OSLO", "Ø+Ø", " "])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert neutralise(cell) == cell


def test_a_tab_behind_blanks_hides_no_formula() -> None:
    assert neutralise(" \t=1+1") == "' \t=1+1"


@given(cell=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_starts_a_formula_and_none_is_lost(cell: str) -> None:
    _, _, (row,) = read_back([full_row(legal_name=cell, address_line_1=cell, source_notice=cell)])
    for column in ("legal_name", "address_line_1", "source_notice"):
        assert row[column] in {cell, f"'{cell}"}
        assert row[column].lstrip()[:1] not in {"=", "+", "-", "@"} or not row[column].strip()
        assert row[column][:1] not in {"\t", "\r"}


def test_csv_is_quoted_ends_lines_in_crlf_and_has_no_mark() -> None:
    written, text, rows = read_back([full_row(legal_name='A "B"; ÆØÅ', company_id=7)])
    assert written == 1
    assert text.startswith('"export_id","row_id"')
    assert text.count("\r\n") == 2
    assert text.endswith('""\r\n')
    assert rows[0]["legal_name"] == 'A "B"; ÆØÅ'
    assert rows[0]["company_id"] == "7"


def test_values_are_written_the_way_lists_are_read() -> None:
    _, _, rows = read_back([full_row(is_public_database=True, obtained_on=date(2026, 11, 21))])
    assert rows[0]["is_public_database"] == "true"
    assert rows[0]["obtained_on"] == "2026-11-21"


def test_an_empty_list_still_has_its_header() -> None:
    written, text, rows = read_back([])
    assert (written, rows) == (0, [])
    assert text.strip().split(",")[0] == '"export_id"'


@pytest.mark.parametrize("change", [{"stray": "x"}, {"lei": None}])
def test_a_row_with_other_columns_is_refused(change: dict[str, str | None]) -> None:
    row = full_row(**change)
    if change == {"lei": None}:
        del row["lei"]
    with pytest.raises(Refused):
        write_csv([row], io.StringIO())


def test_a_notices_cells_name_source_day_and_wording(context: NoticeContext) -> None:
    notice = compile_notice(context, "da+en")
    cells = notice_cells(notice, context)
    assert cells["source_names"] == (
        "Global LEI Index, Global Legal Entity Identifier Foundation (GLEIF)"
    )
    assert cells["source_urls"] == "https://search.gleif.example/#/record/TEST00NORDLYS0000017"
    assert cells["obtained_on"] == "2026-11-21"
    assert cells["is_public_database"] is True
    assert cells["language"] == "da+en"
    assert cells["source_notice"] == notice.short
    assert cells["full_notice"] == notice.full_text
    assert cells["configuration"] == ""
    assert set(cells) <= set(ROW_COLUMNS)


def test_several_sources_stand_side_by_side(
    context: NoticeContext, make_source: Callable[..., ValueSource]
) -> None:
    other = make_source(
        "registration_number",
        publisher="Brønnøysundregistrene",
        database_name="Enhetsregisteret",
        record_url="https://register.example/1",
        is_public_database=False,
        retrieved_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    mixed = replace(context, sources=(*context.sources, other))
    cells = notice_cells(compile_notice(mixed, "da"), mixed)
    assert cells["source_names"].endswith("; Enhetsregisteret, Brønnøysundregistrene")
    assert cells["source_urls"].endswith("; https://register.example/1")
    assert cells["obtained_on"] == "2026-11-01; 2026-11-21"
    assert cells["is_public_database"] is False


def test_only_letters_carry_the_whole_notice_and_examples_say_so(context: NoticeContext) -> None:
    mail = replace(context, channel="email", is_example=True)
    cells = notice_cells(compile_notice(mail, "da"), mail)
    assert cells["full_notice"] == ""
    assert cells["configuration"] == "EXAMPLE"


def test_address_lines_fill_their_columns() -> None:
    cells = address_cells(["Nordlys A/S", "Vej 1"])
    assert cells["address_line_1"] == "Nordlys A/S"
    assert cells["address_line_8"] == ""
    with pytest.raises(Refused):
        address_cells(["x"] * 9)
