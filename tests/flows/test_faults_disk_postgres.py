"""PostgreSQL's disk fills at any point of a load: an error in our words, and nothing but that."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ingesting import company, csv_bytes, opened, plain_judge, quiet
from our_command import runner
from private_postgres import PrivatePostgres
from small_disk import MEBIBYTE, SmallDisk, small_disk
from standing import Standing, asked, standing
from trials import Databases

from flows import ingest_run, ingest_steps
from flows.cli.endings import of_the_unexpected
from flows.ingest_report import Request

pytestmark = [pytest.mark.postgres, pytest.mark.long]

MANY = 3000
OLD = "20261101-0000-gleif-goldencopy-lei2-golden-copy.csv"
NEW = "20261102-0000-gleif-goldencopy-lei2-golden-copy.csv"
TOLD = ("thing", "cause", "cure")
FULL = (
    "warehouse",
    "the server has run out of room",
    "Make room; nothing of this run was kept",
)
STOPPED = {
    FULL[1:],
    ("the server was stopped", "Start it and run the command again"),
    (
        "it cannot be reached, or does not let us in",
        "Check that the server runs, and the host, user, password and database of its address",
    ),
}
"""What a run is told of a server that ended under it: by itself, or by the closed connection."""


@dataclass
class Place:
    """A warehouse to load into, how it stands, and how an undisturbed load leaves it."""

    databases: Databases
    home: Path
    before: Standing
    after: Standing
    made: int = 0

    def copy(self, tablespace: str = "") -> Path:
        """A home of its own, its database on the small disk if that is named."""
        self.made += 1
        home = self.databases.copy(self.home, f"{self.home.name}_{self.made}")
        if tablespace:
            on_server(self.databases, f'ALTER DATABASE "{home.name}" SET TABLESPACE {tablespace}')
        return home


def on_server(databases: Databases, statement: str) -> None:
    assert databases.server
    url = databases.server.url("postgres").replace("+psycopg", "")
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(statement)


def asked_of_server(databases: Databases, query: str) -> tuple[Any, ...]:
    assert databases.server
    with psycopg.connect(databases.server.url("postgres").replace("+psycopg", "")) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row


def prepared(databases: Databases, name: str) -> Place:
    """The template of a first load, or of a later one."""
    home = databases.make("disk_" + name.replace(" ", "_"))
    old = [company(n) for n in range(0 if name == "first load" else MANY)]
    new = [company(n, legal_name=f"Prøvefirma {n} II") for n in range(MANY)]
    (home / NEW).write_bytes(csv_bytes([*new, *(company(MANY + n) for n in range(MANY // 4))]))
    with opened(databases.url(home), home) as held:
        if old:
            held.ingest(csv_bytes(old), "full", "2026-11-01")
    place = Place(databases, home, standing(databases.url(home)), {})
    clean = place.copy()
    assert loaded(databases, clean) == ("", ())
    place.after = standing(databases.url(clean))
    databases.drop(clean)
    return place


def loaded(
    databases: Databases, home: Path, fill: Callable[[], None] = lambda: None
) -> tuple[str, tuple[str, ...]]:
    """Where the load ended (nowhere: it was done), and how that is told."""
    with opened(databases.url(home), home) as held:
        fill()
        try:
            ingest_run.run(held.house, Request("gleif", file=home / NEW), quiet)
        except Exception as error:  # noqa: BLE001 (the last door says what it is)
            told = of_the_unexpected(error)
            frames = {frame.name for frame in traceback.extract_tb(error.__traceback__)}
            where = "staging" if "_copy" in frames else "load"
            return where, (told.thing, told.cause, told.cure)
    return "", ()


@pytest.fixture(scope="module", params=["first load", "load"])
def place(request: pytest.FixtureRequest, postgresql_databases: Databases) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest_steps, "judge", plain_judge)
        found = prepared(postgresql_databases, request.param)
        yield found
    postgresql_databases.drop(found.home)


@pytest.fixture
def disk(
    postgres_process: PrivatePostgres,
    postgresql_databases: Databases,
    request: pytest.FixtureRequest,
    no_connection_left: None,
) -> Iterator[SmallDisk]:
    """A disk of a tablespace's own: the server's log and its other databases have room."""
    at = postgres_process.folder / "small"
    with small_disk(at, 96, request.config) as found:
        folder = found.folder("space", postgres_process.folder)
        on_server(postgresql_databases, f"CREATE TABLESPACE small LOCATION '{folder}'")
        yield found
        on_server(postgresql_databases, "DROP TABLESPACE small")


def test_wherever_the_disk_fills_nothing_is_lost(place: Place, disk: SmallDisk) -> None:
    """What is free grows until the load fits; each time it is done again once there is room."""
    ends = []
    for free in range(MEBIBYTE // 4, 60 * MEBIBYTE, 5 * MEBIBYTE // 4):
        home = place.copy("small")
        url = place.databases.url(home)
        where, told = loaded(place.databases, home, partial(disk.leave, free))
        ends.append(where)
        if where:
            assert told == FULL
            assert standing(url) == place.before
            disk.clear()
            assert loaded(place.databases, home) == ("", ())
        disk.clear()
        assert standing(url) == place.after
        place.databases.drop(home)
        if not where:
            break
    assert (set(ends[:-1]), ends[-1]) == ({"staging", "load"}, "")


def test_the_command_says_it_and_ends_with_1(
    place: Place,
    disk: SmallDisk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = place.copy("small")
    run = runner(home, monkeypatch, capsys, place.databases.url(home))
    line = ["ingest", "gleif", "--json", "--file", home / NEW]
    disk.leave(2 * MEBIBYTE)
    answer = run(*line)
    assert (answer.code, answer.document) == (1, {"error": dict(zip(TOLD, FULL, strict=True))})
    runs = asked(place.databases.url(home), "SELECT state FROM run ORDER BY run_id")
    assert runs[-1]["state"] == "failed"
    disk.clear()
    assert run(*line).code in {0, 3}
    place.databases.drop(home)


@pytest.fixture
def log_disk(
    postgres_process: PrivatePostgres, request: pytest.FixtureRequest, no_connection_left: None
) -> Iterator[SmallDisk]:
    """A disk that holds the server's write-ahead log, and nothing else."""
    server = postgres_process
    log = server.folder / "data" / "pg_wal"
    with small_disk(server.folder / "small", 96, request.config) as found:
        there = found.folder("log", server.folder)

        def out() -> None:
            shutil.rmtree(there)
            shutil.copytree(log, there)
            shutil.rmtree(log)
            log.symlink_to(there)
            belong_to(there, server.folder)

        def back() -> None:
            log.unlink()
            shutil.copytree(there, log)
            belong_to(log, server.folder)

        server.restart(out)
        yield found
        found.clear()
        server.restart(back)


def use_up_log(place: Place, log: Path) -> None:
    """Write until two mebibytes of the log's last file are left; what comes then needs another."""
    while True:
        here, offset = asked_of_server(
            place.databases, "SELECT * FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())"
        )
        spare = [file.name for file in log.glob("?" * 24) if file.name > here]
        many = 1 if spare else 14 * MEBIBYTE - offset
        if many > 0:
            message = f"pg_logical_emit_message(false, '', repeat(' ', {many}))"
            on_server(place.databases, f"SELECT {message}")
        if not spare:
            return
        on_server(place.databases, "SELECT pg_switch_wal()")


def belong_to(folder: Path, like: Path) -> None:
    owner = like.stat()
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)


def test_a_full_log_stops_the_server_and_the_next_run_ends_as_if_clean(
    place: Place, log_disk: SmallDisk, postgres_process: PrivatePostgres
) -> None:
    """PostgreSQL ends itself rather than promise what it cannot write."""
    home = place.copy()
    url = place.databases.url(home)
    use_up_log(place, log_disk.path / "log")
    where, told = loaded(place.databases, home, partial(log_disk.leave, MEBIBYTE))
    assert where
    assert told[0] == "warehouse"
    assert told[1:] in STOPPED, told
    log_disk.clear()
    postgres_process.restart()
    assert standing(url) == place.before
    assert loaded(place.databases, home) == ("", ())
    assert standing(url) == place.after
    states = [row["state"] for row in asked(url, "SELECT state FROM run ORDER BY run_id")]
    assert (states[-1], "running" in states) == ("done", False)
    place.databases.drop(home)
