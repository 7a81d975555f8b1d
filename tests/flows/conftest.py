"""Warehouses that hold a first delivery, copied for each test that does something bad to one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trials
from ingesting import csv_bytes, opened, plain_judge
from our_command import Answer, runner
from standing import Standing, files_of_runs, standing, values_held
from trials import FIRST, SECOND, Databases

from flows import ingest_steps
from sources.kit import session
from sources.kit.patience import Manners

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
MANY = 9
NUMBER = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return Databases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases(
    tmp_path_factory: pytest.TempPathFactory, postgres_process: Any
) -> Databases:
    return Databases(tmp_path_factory.mktemp("postgresql"), postgres_process)


@dataclass(frozen=True)
class Kept:
    """A home whose warehouse holds the first delivery, how it stands, and how the next leaves it."""

    databases: Databases
    home: Path
    before: Standing
    after: Standing
    values_after: Standing


def _keep(databases: Databases) -> Kept:
    home = databases.make(f"kept_{next(NUMBER)}")
    first, second = csv_bytes(trials.first_rows(MANY)), csv_bytes(trials.second_rows(MANY))
    (home / FIRST).write_bytes(first)
    (home / SECOND).write_bytes(second)
    with opened(databases.url(home), home) as held:
        held.ingest(first, "full", "2026-11-01")
    before = standing(databases.url(home))
    clean = databases.copy(home, f"clean_{next(NUMBER)}")
    with opened(databases.url(clean), clean) as held:
        held.ingest(second, "full", "2026-11-02")
    url = databases.url(clean)
    after, values_after = standing(url), values_held(url)
    databases.drop(clean)
    return Kept(databases, home, before, after, values_after)


@pytest.fixture(scope="session")
def kept_on_sqlite(sqlite_databases: Databases) -> Kept:
    return _keep(sqlite_databases)


@pytest.fixture(scope="session")
def kept_on_postgresql(postgres_databases: Databases) -> Iterator[Kept]:
    kept = _keep(postgres_databases)
    yield kept
    postgres_databases.drop(kept.home)


@dataclass
class Holding:
    """A copy of a kept warehouse, and the command over it."""

    kept: Kept
    home: Path
    url: str
    run: Callable[..., Answer]

    @property
    def first(self) -> bytes:
        return (self.home / FIRST).read_bytes()

    @property
    def second(self) -> bytes:
        return (self.home / SECOND).read_bytes()

    def is_as_before(self) -> bool:
        return standing(self.url) == self.kept.before

    def is_as_after(self) -> bool:
        return standing(self.url) == self.kept.after

    def holds_values_of_after(self) -> bool:
        return values_held(self.url) == self.kept.values_after

    def left_over(self) -> list[str]:
        return files_of_runs(self.home)

    def load(self, content: bytes, name: str = SECOND) -> Answer:
        """`ingest --file` of these bytes under that name."""
        folder = self.home / "received"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        return self.run("ingest", "gleif", "--json", "--file", folder / name)


def _holding(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Holding]:
    home = kept.databases.copy(kept.home, f"held_{next(NUMBER)}")
    url = kept.databases.url(home)
    monkeypatch.setattr(ingest_steps, "judge", plain_judge)
    monkeypatch.setenv("TMPDIR", str(home))
    yield Holding(kept, home, url, runner(home, monkeypatch, capsys, url))
    monkeypatch.undo()
    kept.databases.drop(home)


@pytest.fixture
def light(
    kept_on_sqlite: Kept,
    no_connection_left: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Holding]:
    """On SQLite only: for what no database decides."""
    yield from _holding(kept_on_sqlite, monkeypatch, capsys)


@pytest.fixture(params=KINDS)
def holding(
    request: pytest.FixtureRequest,
    no_connection_left: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Holding]:
    kept: Kept = request.getfixturevalue(f"kept_on_{request.param}")
    yield from _holding(kept, monkeypatch, capsys)


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that gives up as it always does, only sooner."""
    hasty = partial(Manners, rate=500.0, read_timeout=0.3, backoff=0.01, budget=3.0)
    monkeypatch.setattr(session, "Manners", hasty)
