"""A level 1 file as frames: columns by name, each of the 338 mapped or ignored with a reason."""

from __future__ import annotations

import gzip
import io
import random
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ingesting import COLUMNS, SOUND, THEIRS, company, csv_bytes, lei

from sources import gleif_columns
from sources.gleif_columns import IGNORED, MAPPED, check_header, ignored_because, unknown_columns
from sources.gleif_parse import rows_of
from sources.kit import columns, csv_blocks
from sources.kit.errors import DeliveryRefused
from sources.kit.frames import Frame


@pytest.fixture
def read(tmp_path: Path):
    def read(content: bytes, name: str = "file.csv") -> list[dict[str, Any]]:
        path = tmp_path / name
        path.write_bytes(content)
        with rows_of(path, lambda frame: frame) as rows:
            return [row for frame in rows.frames for row in frame.table.to_pylist()]

    return read


def in_order(names: list[str]) -> bytes:
    return csv_bytes([dict.fromkeys(names, "") | company(n) for n in (1, 2)], names)


def test_each_of_338_columns_is_mapped_or_ignored_with_a_reason() -> None:
    assert len(COLUMNS) == len(set(COLUMNS)) == 338
    assert set(MAPPED) <= set(COLUMNS)
    assert unknown_columns(COLUMNS) == []
    both = [name for name in COLUMNS if name in MAPPED and ignored_because(name)]
    assert both == []
    assert all(len(reason) > 20 for _, reason in IGNORED)
    idle = [pattern for pattern, _ in IGNORED if not any(re.fullmatch(pattern, n) for n in COLUMNS)]
    assert idle == []


def test_every_field_of_the_house_comes_from_one_column() -> None:
    assert sorted(MAPPED.values()) == sorted((*columns.PUBLISHED, "source_key"))


def test_values_stand_under_our_names(read) -> None:
    (row,) = read(csv_bytes([company(7)]))
    expected = SOUND | {"source_key": lei(7), "legal_name": "Prøvefirma 7 A/S"}
    expected["registration_number"] = "99000007"
    published = {name: row[name] for name in (*columns.PUBLISHED, "source_key")}
    assert published == dict.fromkeys(published) | expected
    assert row["next_renewal_date"].isoformat() == "2027-03-05"
    assert (row["person_kind"], row["ordinal"]) == ("none", 0)


def test_null_and_na_are_text(read) -> None:
    (row,) = read(
        csv_bytes([company(1, entity_status="NULL", legal_country="NA", legal_name="None")])
    )
    assert (row["entity_status"], row["legal_country"], row["legal_name"]) == ("NULL", "NA", "None")


def test_columns_are_read_by_name(read) -> None:
    mixed = list(COLUMNS)
    random.Random(7).shuffle(mixed)
    assert mixed != list(COLUMNS)
    assert read(in_order(mixed)) == read(in_order(list(COLUMNS)))


def test_an_unknown_column_is_dropped_and_named(tmp_path) -> None:
    names = ["Entity.Mood", *COLUMNS, "LEI.Colour"]
    path = tmp_path / "file.csv"
    path.write_bytes(in_order(names))
    with rows_of(path, lambda frame: frame) as rows:
        assert rows.unknown == ["Entity.Mood", "LEI.Colour"]
        (frame,) = rows.frames
    assert frame.table.num_rows == 2
    assert not set(frame.table.column_names) & {"Entity.Mood", "LEI.Colour"}


@pytest.mark.parametrize("column", ["LEI", THEIRS["headquarters_city"], COLUMNS[-1]])
def test_a_missing_column_is_refused_at_once_and_named(tmp_path, column) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(in_order([name for name in COLUMNS if name != column]))
    refused = pytest.raises(DeliveryRefused, match=rf"1 of the 338 .* missing: {re.escape(column)}")
    with refused, rows_of(path, lambda frame: frame):
        pytest.fail("it was opened")


def test_a_renamed_column_is_a_missing_one(tmp_path) -> None:
    names = ["Entity.Name" if name == THEIRS["legal_name"] else name for name in COLUMNS]
    with pytest.raises(DeliveryRefused, match=re.escape(THEIRS["legal_name"])):
        check_header(names)


def test_a_column_that_stands_twice_is_refused() -> None:
    with pytest.raises(DeliveryRefused, match=r"stand twice: LEI"):
        check_header([*COLUMNS, "LEI"])


def test_many_missing_columns_make_a_readable_line() -> None:
    with pytest.raises(DeliveryRefused, match=r"338 of the 338 .* and 333 more") as caught:
        check_header(["<!DOCTYPE html>"])
    assert "Nothing was loaded" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n"])
def test_an_empty_file_is_refused(read, content) -> None:
    with pytest.raises(DeliveryRefused):
        read(content)


def test_a_header_alone_has_no_rows(read) -> None:
    assert read(csv_bytes([])) == []


@pytest.mark.parametrize("form", ["csv", "csv.gz", "zip"])
def test_every_container_gives_the_same_rows(read, form) -> None:
    content = csv_bytes([company(n) for n in range(20)])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.csv", content)
    forms = {"csv": content, "csv.gz": gzip.compress(content), "zip": packed.getvalue()}
    assert read(forms[form], f"other.{form}") == read(content)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(read, line_end) -> None:
    rows = [company(n) for n in range(3)]
    marked = b"\xef\xbb\xbf" + csv_bytes(rows, line_end=line_end)
    assert read(marked) == read(csv_bytes(rows))


def test_frames_know_where_their_rows_stand(tmp_path, monkeypatch) -> None:
    """Several frames: ordinals start again in each, offsets run through the file."""
    monkeypatch.setattr(csv_blocks.row_blocks, "__kwdefaults__", {"size": 4000})
    content = csv_bytes([company(n) for n in range(40)])
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    frames: list[Frame] = []
    with rows_of(path, lambda frame: frame) as rows:
        frames += rows.frames
    assert all(
        frame.table["ordinal"].to_pylist() == list(range(frame.table.num_rows)) for frame in frames
    )
    keys = [key for frame in frames for key in frame.table["source_key"].to_pylist()]
    offsets = [int(at) for frame in frames for at in frame.origin.row_offsets()]
    assert keys == [lei(n) for n in range(40)]
    assert [content[at + 1 : at + 21].decode() for at in offsets] == keys


def test_third_party_columns_have_no_place() -> None:
    """CC0 covers GLEIF's own data only (sources: spglobal, ocid and qcc are other people's)."""
    assert unknown_columns(["spglobal", "ocid", "qcc"]) == ["spglobal", "ocid", "qcc"]
    assert not {"spglobal", "ocid", "qcc"} & set(gleif_columns.MAPPED)
