"""Warehouses that hold a first delivery, copied for each test that does something bad to one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from following import Following, published
from ingesting import opened, plain_judge
from kept import NUMBER, Holding, Kept, keep
from our_command import runner
from trials import Databases

from flows import ingest_steps
from sources.kit import session
from sources.kit.patience import Manners
from sources.kit.standin import Pace, StandIn

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return Databases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_databases(
    tmp_path_factory: pytest.TempPathFactory, postgres_process: Any
) -> Databases:
    return Databases(tmp_path_factory.mktemp("postgresql"), postgres_process)


@pytest.fixture(scope="session")
def kept_on_sqlite(sqlite_databases: Databases) -> Kept:
    return keep(sqlite_databases)


@pytest.fixture(scope="session")
def kept_on_postgresql(postgresql_databases: Databases) -> Iterator[Kept]:
    kept = keep(postgresql_databases)
    yield kept
    postgresql_databases.drop(kept.home)


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


@pytest.fixture
def heavy(
    kept_on_postgresql: Kept,
    no_connection_left: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Holding]:
    """On PostgreSQL only: for what SQLite is asked in more detail."""
    yield from _holding(kept_on_postgresql, monkeypatch, capsys)


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


@pytest.fixture
def following(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Following]:
    monkeypatch.setattr(session, "Manners", partial(Manners, rate=500.0, backoff=0.01))
    with StandIn(pace=Pace(retry_after="0")) as standin, opened(warehouse_url, tmp_path) as held:
        yield Following(held, standin, runner(tmp_path, monkeypatch, capsys, warehouse_url))


@pytest.fixture
def begun(following: Following) -> Following:
    """The same with the first publication loaded, and the second published."""
    first, second = published(0, 1)
    following.standin.publish(first)
    assert following.ingest(0).kind == "full"
    following.standin.publish(second)
    return following
