"""The documentation is true of the code: links lead somewhere, names exist, examples run."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import our_files
import pytest
from look_back import together
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.settings import Settings, load
from flows.settings_check import ROW_TABLES, SINGLE_TABLES
from sources.kit import columns
from sources.kit.identity import minimise
from sources.kit.landing import Landing
from sources.kit.policy import SourceSettings
from warehouse import migrate
from warehouse.engine import open_warehouse, reading
from warehouse.views import VIEWS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [path for path in our_files.tracked_files(ROOT) if path.suffix == ".md"]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^()\s]+)\)")
NAMED_FILE = re.compile(
    r"`((?:flows|sources|checks|warehouse|notices|portal|tests|bench|docs)/[\w./-]+"
    r"|(?:pyproject|constraints|Makefile)[\w.]*)(?:::(\w+))?`"
)


class Block(NamedTuple):
    """One fenced block: its language, its text, and where it stands."""

    page: str
    number: int
    language: str
    text: str

    @property
    def label(self) -> str:
        return f"{self.page}-{self.number}"


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The fragments of a page's headings, as forges make them."""
    headings = re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings)


def blocks(*languages: str) -> list[Any]:
    found = [
        Block(name_of(page), number, language, text)
        for page in PAGES
        for number, (language, text) in enumerate(FENCE.findall(page.read_text("utf-8")), 1)
    ]
    return [pytest.param(each, id=each.label) for each in found if each.language in languages]


def section(page: str, heading: str) -> str:
    """The text under one heading, to the next heading of the same or a higher level."""
    text = (DOCS / page).read_text(encoding="utf-8")
    level = len(heading) - len(heading.lstrip("#"))
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"docs/{page} has no {heading!r}"
    return re.split(rf"\n#{{1,{level}}} ", rest, maxsplit=1)[0]


def table_rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables in a text, by the code in their first cell."""
    rows = (line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `"))
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in rows}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (fragment and fragment not in anchors(there)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_and_test_that_is_named_is_there(page: Path) -> None:
    lost = []
    for path, test in NAMED_FILE.findall(prose(page)):
        if path.endswith("/") or "." in path.rpartition("/")[2]:
            there = ROOT / path
            is_there = there.exists() and (not test or f"def {test}(" in there.read_text("utf-8"))
            lost += [] if is_there else [f"{path}::{test}"]
    assert lost == []


def test_a_lost_link_is_seen(tmp_path: Path) -> None:
    """The checks above can fail: the patterns find what they are for."""
    text = "a [link](gone.md#there), [two\nlines](x.md), ![picture](y.png), `flows/gone.py::test_x`"
    assert LINK.findall(text) == ["gone.md#there", "x.md"]
    assert NAMED_FILE.findall(text) == [("flows/gone.py", "test_x")]
    page = tmp_path / "page.md"
    page.write_text("# `[[purpose]]` and *more*, plainly\n```sh\n# no heading\n```\n")
    assert anchors(page) == {"purpose-and-more-plainly"}


@pytest.mark.parametrize("block", blocks("python"))
def test_python_parses(block: Block) -> None:
    ast.parse(block.text, block.label)


@pytest.mark.parametrize("block", blocks("toml"))
def test_settings_in_the_docs_are_accepted(block: Block, tmp_path: Path) -> None:
    tomllib.loads(block.text)
    config = tmp_path / "sourcenote.toml"
    config.write_text(block.text, encoding="utf-8")
    load(config, environ={})


def test_every_query_runs(warehouse_url: str) -> None:
    engine = open_warehouse(warehouse_url)
    try:
        migrate.upgrade(engine)
        queries = [parameter.values[0] for parameter in blocks("sql")]
        assert queries
        for query in queries:
            with reading(engine) as connection:
                rows = connection.exec_driver_sql(together(query.text.strip().rstrip(";")))
                assert rows.fetchall() == [], query.label
    finally:
        engine.dispose()


def test_every_column_of_every_view_is_documented(sqlite_url: str) -> None:
    engine = open_warehouse(sqlite_url)
    try:
        migrate.upgrade(engine)
        with reading(engine) as connection:
            found = {
                view: list(connection.exec_driver_sql(f"SELECT * FROM {view}").keys())
                for view in VIEWS
            }
    finally:
        engine.dispose()
    said = {view: list(table_rows(section("sql.md", f"## `{view}`"))) for view in VIEWS}
    assert {view: sorted(names) for view, names in said.items()} == {
        view: sorted(names) for view, names in found.items()
    }


TABLES: list[tuple[str, type[BaseModel]]] = [
    *((f"[{name}]", model) for name, model in SINGLE_TABLES.items()),
    *((f"[[{name}]]", model) for name, model in ROW_TABLES.items()),
    ("[sources.ID]", SourceSettings),
]


@pytest.mark.parametrize(("table", "model"), TABLES, ids=[table for table, _ in TABLES])
def test_every_setting_is_documented(table: str, model: type[BaseModel]) -> None:
    rows = table_rows(section("operations.md", f"### `{table}`"))
    assert list(rows) == list(model.model_fields)
    for key, field in model.model_fields.items():
        assert rows[key][1] == default_of(table, key, field), f"{table} {key}"


def default_of(table: str, key: str, field: FieldInfo) -> str:
    """How the page writes the key's default."""
    if (table, key) == ("[warehouse]", "url"):  # it lies in the state folder
        return f"`{load(None, environ={}).warehouse.url}`"
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    value = field.default
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{each}"' for each in value) + "]`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def test_what_the_environment_sets_is_documented() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    tables = {*SINGLE_TABLES, *ROW_TABLES, "sources", "schedule"}
    for name in Settings.model_fields:
        assert name in tables or f"`{name}`" in text, name
    variables = ["CONFIG", "HOME", "SECRET_FILE", "WAREHOUSE_URL", "<ID>_API_KEY"]
    rows = table_rows(section("operations.md", "## Environment variables"))
    assert set(rows) == {*(f"SOURCENOTE_{each}" for each in variables), "PREFECT_API_URL"}


def test_decisions_are_numbered_on_and_say_what_was_decided() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    for path in DECISIONS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: "), path.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


def test_the_map_stays_a_map() -> None:
    assert len((DOCS / "house.md").read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=name_of)
def test_every_page_is_linked_from_the_readme(page: Path) -> None:
    assert f"({name_of(page)})" in (ROOT / "README.md").read_text(encoding="utf-8")


SAMPLE = (
    "number,name,form,street,postcode,city,country,changed,board,mood\n"
    "1,Prøve ApS,,Prøvegade 1,0999,Prøveby,DK,2026-10-01T00:00:00+02:00,,fine\n"
    '2,"Prøve, Person",FUKI,c/o Ingen Prøvegade 2,0999,Prøveby,DK,2026-10-02T08:00:00Z,,fine\n'
)


@pytest.fixture
def skeleton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The worked skeleton of docs/add-a-source.md, imported."""
    text = (DOCS / "add-a-source.md").read_text(encoding="utf-8")
    code = next(body for language, body in FENCE.findall(text) if language == "python")
    (tmp_path / "eksempel.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "eksempel", raising=False)
    return importlib.import_module("eksempel")


def test_the_skeleton_gives_frames_the_house_can_work_with(
    skeleton: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "companies.csv"
    path.write_text(SAMPLE, encoding="utf-8")
    landed = skeleton.adopt(path, Landing(tmp_path / "landing"), datetime(2026, 11, 2, tzinfo=UTC))
    assert (landed.kind, landed.url) == ("file", "file:companies.csv")
    with skeleton.rows_of(landed.path, lambda frame: frame) as rows:
        assert rows.unknown == ["mood"]
        (frame,) = rows.frames
    added = {"source_key", "ordinal", "person_kind", "person_rule"}
    assert set(frame.table.column_names) == {*columns.NAMES, *added}
    assert frame.table["person_kind"].to_pylist() == ["none", "natural"]
    least = minimise(frame.table, keep_natural=False)
    assert least.table["legal_name"].to_pylist() == ["Prøve ApS", None]


def test_the_skeleton_plans_like_a_source(skeleton: ModuleType) -> None:
    from sources import gleif
    from sources.kit.card import Held

    class Listing:
        @staticmethod
        def get_json(_url: str) -> dict[str, Any]:
            stated = "2026-11-02T08:00:00+00:00"
            return {"published": stated, "url": "/f.csv", "bytes": 9, "rows": 1}

    published = datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert skeleton.plan(Listing(), None).kind == "full"
    assert skeleton.plan(Listing(), Held(published)).kind == "up_to_date"
    assert skeleton.plan(Listing(), Held(published), is_full_wanted=True).kind == "full"
    for part in ("CARD", "plan", "fetch", "adopt", "rows_of"):
        assert hasattr(gleif, part)
        assert hasattr(skeleton, part)
