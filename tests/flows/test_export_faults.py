"""A list is there whole or not at all, and nobody who said stop is on it, whatever happens."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ingesting import Ingesting, lei, opened
from listing import (
    Manifest,
    export,
    left_over,
    norwegian,
    rows_of,
    stop,
    stop_lei,
    written_manifest,
)

from flows import export_commit
from flows.export_steps import Recovered, recover
from sources.kit.errors import Busy, Refused
from sources.kit.keys import Keys
from warehouse.engine import sole_writer, writing
from warehouse.privacy import suppression

DAY = "2026-11-02"
KILLED = 9


@pytest.fixture
def held(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path) as found:
        found.full([norwegian(n) for n in (1, 2, 3)], DAY)
        yield found


@pytest.fixture
def light(sqlite_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    """On SQLite only: for what no database decides."""
    with opened(sqlite_url, tmp_path) as found:
        found.full([norwegian(n) for n in (1, 2, 3)], DAY)
        yield found


def nothing_left(held: Ingesting, out: Path) -> None:
    """No list, no part of one, and no trace in the warehouse."""
    assert not out.exists() or not list(out.iterdir())
    for table in ("export", "disclosure", "letter"):
        assert held.ask(f"SELECT * FROM {table}") == [], table
    assert held.ask("SELECT * FROM audit_event WHERE action = 'export'") == []
    assert not list((held.folder / "exports").rglob("*.*"))


def is_whole(manifest: Manifest) -> None:
    """Every file is there as the manifest says."""
    folder = Path(manifest["directory"])
    for entry in written_manifest(manifest)["files"]:
        content = (folder / entry["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert len(rows_of(manifest)) == manifest["selected"]


def test_a_stop_just_before_the_commit_holds(held: Ingesting, tmp_path: Path) -> None:
    def stop_late(stage: str, _done: int, _total: int | None) -> None:
        if stage == "files":
            stop_lei(held, lei(2))

    manifest = export(held, tmp_path / "out", tell=stop_late)
    assert [row["lei"] for row in rows_of(manifest)] == [lei(1), lei(3)]
    assert [row["row_id"] for row in rows_of(manifest)] == ["000001", "000003"]
    assert manifest["excluded"] == {"suppressed": 1}
    assert manifest["notices"]["complete"] == manifest["selected"] == 2
    is_whole(manifest)
    for table in ("disclosure", "letter"):
        assert {row["row_id"] for row in held.ask(f"SELECT row_id FROM {table}")} == {
            "000001",
            "000003",
        }
    assert lei(2) not in (Path(manifest["directory"]) / "rows.csv").read_text("utf-8")


def test_the_last_company_of_a_list_may_say_stop(light: Ingesting, tmp_path: Path) -> None:
    def stop_all(stage: str, _done: int, _total: int | None) -> None:
        if stage == "files":
            for number in (1, 2, 3):
                stop_lei(light, lei(number))

    manifest = export(light, tmp_path / "out", tell=stop_all)
    assert manifest["selected"] == 0
    assert manifest["excluded"] == {"suppressed": 3}
    is_whole(manifest)
    assert list((Path(manifest["directory"]) / "notices").iterdir()) == []


def test_a_stop_being_written_is_waited_for(held: Ingesting, tmp_path: Path) -> None:
    """Its sender has no answer yet, and gets 200 for a stop that is in force."""
    is_begun = threading.Event()
    done = threading.Event()

    def stop_slowly() -> None:
        with writing(held.house.engine) as connection:
            suppression.add(
                connection,
                held.house.keys,
                "lei",
                lei(1),
                reason="by hand",
                origin="command",
                actor="tester",
                now=held.house.now(),
            )
            is_begun.set()
            done.wait(0.5)

    slow = threading.Thread(target=stop_slowly)

    def meanwhile(stage: str, _done: int, _total: int | None) -> None:
        if stage == "files":
            slow.start()
            assert is_begun.wait(10)

    manifest = export(held, tmp_path / "out", tell=meanwhile)
    slow.join()
    assert lei(1) not in {row["lei"] for row in rows_of(manifest)}
    assert manifest["excluded"] == {"suppressed": 1}


def test_a_stop_after_the_commit_waits_for_the_next_list(held: Ingesting, tmp_path: Path) -> None:
    first = export(held, tmp_path / "out")
    stop(held, rows_of(first)[0]["unsubscribe_url"])
    held.later(days=91)
    assert export(held, tmp_path / "out")["excluded"] == {"suppressed": 1}
    # A stop said twice is one stop.
    stop(held, rows_of(first)[0]["unsubscribe_url"])
    assert held.one("SELECT count(*) FROM suppression") == 1


@contextmanager
def without_table(held: Ingesting, name: str) -> Iterator[None]:
    for old, new in ((name, "put_aside"), ("put_aside", name)):
        with writing(held.house.engine) as connection:
            connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))
        if new == "put_aside":
            yield


@pytest.mark.parametrize("dry_run", [False, True])
def test_nothing_leaves_while_stops_cannot_be_read(
    held: Ingesting, tmp_path: Path, dry_run: bool
) -> None:
    with (
        without_table(held, "suppression"),
        pytest.raises(Refused, match="do-not-contact list: it cannot be read"),
    ):
        export(held, tmp_path / "out", dry_run=dry_run)
    nothing_left(held, tmp_path / "out")
    assert export(held, tmp_path / "out")["selected"] == 3


def test_nothing_leaves_when_stops_are_gone(held: Ingesting, tmp_path: Path) -> None:
    stop_lei(held, lei(1))
    with writing(held.house.engine) as connection:
        for table in ("followed_stop", "company_stop", "suppression"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
    with pytest.raises(Refused, match="it has shrunk: 1 stops"):
        export(held, tmp_path / "out")
    nothing_left(held, tmp_path / "out")


def test_nothing_leaves_when_stops_vanish_while_it_is_written(
    held: Ingesting, tmp_path: Path
) -> None:
    stop_lei(held, lei(1))

    def lose(stage: str, _done: int, _total: int | None) -> None:
        if stage == "files":
            with writing(held.house.engine) as connection:
                for table in ("followed_stop", "company_stop", "suppression"):
                    connection.execute(sa.text(f"DELETE FROM {table}"))

    with pytest.raises(Refused, match="it has shrunk"):
        export(held, tmp_path / "out", tell=lose)
    nothing_left(held, tmp_path / "out")


@pytest.mark.parametrize("leave", ["stop", "letter"])
def test_another_key_file_is_noticed(light: Ingesting, tmp_path: Path, leave: str) -> None:
    if leave == "stop":
        stop_lei(light, lei(1))
    else:
        export(light, tmp_path / "out")
    light.house.keys = Keys(1, {1: b"another key, thirty-two bytes..."})
    light.later(days=91)
    with pytest.raises(Refused, match="another key than the key file's"):
        export(light, tmp_path / "out")


def test_a_key_version_that_is_gone_is_noticed(light: Ingesting, tmp_path: Path) -> None:
    stop_lei(light, lei(1))
    light.house.keys = Keys(2, {2: b"k" * 32})
    with pytest.raises(Refused, match="the key file lacks version 1"):
        export(light, tmp_path / "out")


def test_stops_of_an_old_key_version_hold(light: Ingesting, tmp_path: Path) -> None:
    stop_lei(light, lei(1))
    light.house.keys = Keys(2, {**light.house.keys.by_version, 2: b"k" * 32})
    assert export(light, tmp_path / "out")["excluded"] == {"suppressed": 1}


class Unlucky(Exception):
    """What no one expected."""


@pytest.mark.parametrize("stage", ["candidates", "rows", "files"])
def test_an_error_before_the_commit_leaves_nothing(
    held: Ingesting, tmp_path: Path, stage: str
) -> None:
    def fail(at: str, _done: int, _total: int | None) -> None:
        if at == stage:
            raise Unlucky("Prøvefirma 1 AS")

    with pytest.raises(Unlucky):
        export(held, tmp_path / "out", tell=fail)
    nothing_left(held, tmp_path / "out")
    assert held.ask("SELECT state, message FROM run WHERE flow = 'export'") == [
        {"state": "failed", "message": "Unlucky"}
    ]
    assert export(held, tmp_path / "out")["selected"] == 3


def test_an_error_inside_the_commit_leaves_nothing(
    held: Ingesting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise Unlucky

    with monkeypatch.context() as patched:
        patched.setattr(export_commit.exporting, "record_departure", fail)
        with pytest.raises(Unlucky):
            export(held, tmp_path / "out")
    nothing_left(held, tmp_path / "out")


def test_a_full_disk_is_said_so(
    light: Ingesting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = light.house.random
    calls = iter(range(100))

    def full(length: int) -> bytes:
        if next(calls) == 2:
            raise OSError(28, "No space left on device")
        return fresh(length)

    monkeypatch.setattr(light.house, "random", full)
    with pytest.raises(Refused, match=r"No space left on device.*Nothing was exported"):
        export(light, tmp_path / "out")
    nothing_left(light, tmp_path / "out")


def test_a_lost_answer_to_the_commit_loses_no_list(
    held: Ingesting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def deaf(engine: Any) -> Iterator[Any]:
        with writing(engine) as connection:
            yield connection
        raise Unlucky("the connection broke while the answer was on its way")

    with monkeypatch.context() as patched:
        patched.setattr(export_commit, "writing", deaf)
        with pytest.raises(Unlucky):
            export(held, tmp_path / "out")
    (written,) = held.ask("SELECT export_id, state, directory FROM export")
    assert written["state"] == "written"
    assert recover(held.house) == [Recovered(written["export_id"], "published")]
    is_whole({**json.loads(held.one("SELECT manifest FROM export")), **written})


def test_a_folder_in_the_way_only_delays_the_list(light: Ingesting, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def obstruct(stage: str, _done: int, _total: int | None) -> None:
        if stage == "committed":
            (partial,) = out.glob(".*.partial")
            (out / partial.name.strip(".").removesuffix(".partial") / "x").mkdir(parents=True)

    with pytest.raises(Refused, match="it is recorded, but its folder cannot be placed"):
        export(light, out, tell=obstruct)
    (written,) = light.ask("SELECT export_id, state, directory FROM export")
    assert written["state"] == "written"
    (Path(written["directory"]) / "x").rmdir()
    Path(written["directory"]).rmdir()
    light.later(days=1)
    assert export(light, out)["excluded"] == {"recently_contacted": 3}
    assert {row["state"] for row in light.ask("SELECT state FROM export")} == {"published"}
    is_whole({**json.loads(light.ask("SELECT manifest FROM export")[0]["manifest"]), **written})
    assert left_over(out) == []


def test_a_lost_folder_is_told(light: Ingesting, tmp_path: Path) -> None:
    manifest = export(light, tmp_path / "out")
    with writing(light.house.engine) as connection:
        connection.execute(sa.text("UPDATE export SET state = 'written'"))
    Path(manifest["directory"]).rename(tmp_path / "elsewhere")
    for _ in range(2):
        assert recover(light.house) == [Recovered(manifest["export_id"], "missing")]
    (tmp_path / "elsewhere").rename(manifest["directory"])
    assert recover(light.house) == [Recovered(manifest["export_id"], "published")]
    assert recover(light.house) == []


def test_two_lists_at_once_wait_for_each_other(held: Ingesting, tmp_path: Path) -> None:
    with sole_writer(held.house.engine), pytest.raises(Busy):
        export(held, tmp_path / "out")
    nothing_left(held, tmp_path / "out")
    assert held.ask("SELECT * FROM run WHERE flow = 'export'") == []


def test_a_list_of_another_warehouse_is_left_alone(light: Ingesting, tmp_path: Path) -> None:
    out = tmp_path / "out"
    kill_at(light, out, "files")
    (partial,) = out.glob(".*.partial")
    with opened(f"sqlite:///{tmp_path / 'other.db'}", tmp_path) as other:
        other.full([norwegian(9)], DAY)
        assert export(other, out)["selected"] == 1
    assert partial.exists()
    assert export(light, out)["selected"] == 3
    assert left_over(out) == []


def test_a_note_cut_short_is_no_obstacle(light: Ingesting, tmp_path: Path) -> None:
    folder = export_commit.notes(light.house)
    folder.mkdir(parents=True)
    (folder / "20261101-0.json").write_text('{"out": "/tm')
    assert recover(light.house) == []
    assert list(folder.iterdir()) == []


KILL = """
import os, sys
from datetime import datetime
from pathlib import Path
from ingesting import settings_of
from flows import export_steps, export_commit
from flows.house import Clock, House

url, folder, out, stage, now = sys.argv[1:]
house = House(settings_of(url, Path(folder)), Clock(datetime.fromisoformat(now)))

def die(*_, **__):
    os._exit(9)

def tell(at, done, total):
    if at == stage:
        die()

if stage == "commit":
    export_commit.exporting.record_departure = die
if stage == "placed":
    export_commit.exporting.mark_published = die
request = export_steps.ExportRequest(
    "lapsed", "post", "direct_marketing", "own", out=Path(out)
)
export_steps.run(house, request, tell)
"""


def kill_at(held: Ingesting, out: Path, stage: str) -> None:
    """Export in a process of its own, which ends there as by kill -9."""
    url = held.house.settings.warehouse.url
    arguments = [url, str(held.folder), str(out), stage, held.house.now().isoformat()]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{KILL}", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == KILLED, done.stderr[-2000:]


@pytest.mark.parametrize("stage", ["candidates", "rows", "files", "commit"])
def test_killed_before_the_commit_there_was_no_list(
    held: Ingesting, tmp_path: Path, stage: str
) -> None:
    out = tmp_path / "out"
    kill_at(held, out, stage)
    assert not out.exists() or not [path for path in out.iterdir() if path.name[0] != "."]
    assert held.ask("SELECT * FROM export") == []
    manifest = export(held, out)
    assert [row["lei"] for row in rows_of(manifest)] == [lei(1), lei(2), lei(3)]
    is_whole(manifest)
    assert left_over(out) == []
    assert not list((held.folder / "exports").rglob("*.*"))
    states = held.ask("SELECT state FROM run WHERE flow = 'export' ORDER BY run_id")
    assert [row["state"] for row in states] == ["interrupted", "done"]


@pytest.mark.parametrize("stage", ["committed", "placed", "published"])
def test_killed_after_the_commit_the_list_is_placed(
    held: Ingesting, tmp_path: Path, stage: str
) -> None:
    out = tmp_path / "out"
    kill_at(held, out, stage)
    (written,) = held.ask("SELECT export_id, directory, manifest FROM export")
    manifest = {**json.loads(written["manifest"]), "directory": written["directory"]}
    assert held.one("SELECT count(*) FROM letter") == 3
    held.at(date(2026, 11, 3))
    assert export(held, out)["excluded"] == {"recently_contacted": 3}
    is_whole(manifest)
    assert [row["lei"] for row in rows_of(manifest)] == [lei(1), lei(2), lei(3)]
    assert {row["state"] for row in held.ask("SELECT state FROM export")} == {"published"}
    assert left_over(out) == []
    assert not list((held.folder / "exports").rglob("*.*"))
    stop(held, rows_of(manifest)[0]["unsubscribe_url"])
    held.later(days=91)
    assert export(held, out)["excluded"] == {"suppressed": 1}
