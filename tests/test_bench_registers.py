"""The registers' benchmark: files of the published shapes, which every way reads to the end."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pytest

from bench import register_held, register_reads, register_shapes, registers
from bench.inputs import inputs
from sources import ariregister, ariregister_parse, brreg_parse

ROWS = 600


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("registers")
    return {
        "norway": register_shapes.norway(folder / "norway.json.gz", ROWS),
        "estonia": register_shapes.estonia(folder / "estonia.json.zip", ROWS),
    }


def test_the_file_is_made_once_and_an_entity_is_as_long_as_the_publishers(files) -> None:
    before = files["estonia"].stat().st_mtime_ns
    register_shapes.estonia(files["estonia"], ROWS)
    assert files["estonia"].stat().st_mtime_ns == before
    with zipfile.ZipFile(files["estonia"]) as archive:
        (info,) = archive.infolist()
    assert 10_000 < info.file_size / ROWS < 14_000


@pytest.mark.parametrize(
    ("name", "parser"), [("norway", brreg_parse), ("estonia", ariregister_parse)]
)
def test_every_way_reads_every_entity(files, name, parser) -> None:
    bare = register_reads.bare(parser, files[name])
    frames = register_reads.frames(parser, files[name])
    assert bare["rows"] == frames["rows"] == ROWS
    assert register_reads.objects(files[name])["rows"] == ROWS
    assert bare["bytes"] > 0
    assert frames["more"].endswith("contact points")


def test_the_shape_has_nothing_that_the_source_does_not_know(files) -> None:
    with ariregister.rows_of(files["estonia"], lambda frame: frame.table.num_rows) as rows:
        assert sum(rows.frames) == ROWS
        assert rows.unknown == []


def test_the_load_takes_every_company_that_is_no_person(files, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    found = registers.loading(tmp_path, url, "ariregister", "EE", files["estonia"])()
    counts = found["counts"]
    assert found["rows"] == ROWS
    assert counts["records_new"] + counts["records_out_of_scope"] == ROWS
    assert counts["records_new"] > ROWS / 2
    assert found["seconds"] > 0
    assert min(found["phases"].values()) >= 0
    assert "read, check and stage" in found["more"]


def test_it_is_loaded_beside_gleifs_companies_and_joins_those_that_state_its_numbers(
    tmp_path: Path,
) -> None:
    url, home = f"sqlite:///{tmp_path / 'warehouse.db'}", tmp_path / "home"
    golden, _ = inputs(tmp_path, 2_000)
    stated = register_held.hold(url, home, golden.path, "NO,EE")["stated"]["RA000472"]
    few = stated[:5]
    path = register_shapes.norway(tmp_path / "norway.json.gz", ROWS, numbers=few)
    assert register_held.load(url, home, path, "brreg")["rows"] == ROWS
    with sqlite3.connect(tmp_path / "warehouse.db") as warehouse:
        joined = "SELECT source_key FROM company_record WHERE reason = 'same number'"
        assert {key for (key,) in warehouse.execute(joined)} == set(few)
    assert few


def test_it_prints_every_measurement_and_limit_and_writes_them_between_the_marks(
    files, tmp_path: Path, monkeypatch, capsys
) -> None:
    page = tmp_path / "performance.md"
    page.write_text("\n".join(["before", *registers.MARKS, "after"]), encoding="utf-8")
    monkeypatch.setattr(registers, "PAGE", page)
    monkeypatch.setattr(registers, "_file", lambda name, _rows: files[name])
    measured = {"rows": ROWS, "bytes": 5, "cpu": 1.0, "peak_mb": 300.0, "load": 0.5, "more": ""}
    taken = {"bare": 0.1, "objects": 0.2, "frames": 0.15, "load": 0.4}
    monkeypatch.setattr(
        registers, "_in_child", lambda _name, what, *_: {**measured, "seconds": taken[what]}
    )
    monkeypatch.setattr(registers, "FOLDER", tmp_path)
    registers.main(["--estonia", "0", "--rounds", "2", "--write"])
    shown, written = capsys.readouterr().out, page.read_text(encoding="utf-8")
    assert written.startswith("before")
    assert written.endswith("after")
    assert shown.rstrip("\n") in written
    rows = {tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in shown.splitlines()}
    found = ("at most 3 x bare parse", "4.00 x bare parse", "FAIL")
    assert ("norway, first load, SQLite", *found) in rows
    found = ("at most 3 x into Python objects", "2.00 x into Python objects", "PASS")
    assert ("norway, first load, SQLite", *found) in rows
    assert any(row[:3] == ("first load, SQLite", "0.40", "0.40 0.40") for row in rows)


def test_without_its_marks_the_page_stays_as_it_is(tmp_path: Path, monkeypatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text("nothing", encoding="utf-8")
    monkeypatch.setattr(registers, "PAGE", page)
    with pytest.raises(ValueError, match="lacks its marks"):
        registers._write("table")
    assert page.read_text(encoding="utf-8") == "nothing"
