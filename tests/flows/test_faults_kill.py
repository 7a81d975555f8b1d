"""kill -9 in a load, a deletion and an export: nothing half, and the next run ends as if clean.

`make soak` does the same many more times (docs/reliability.md).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dying
import psycopg
import pytest
from dying import Death
from ingesting import MOMENT, opened
from kept import Holding
from standing import asked, files_of_runs
from trials import LATER, SCENES, Databases, Scene

from sources.kit.standin import Pace, Publish, StandIn

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
CARE_OF = "Kvistgren"
PLACES = [
    ("first load", Death(stage="rows")),
    ("first load", Death(place="merged")),
    ("first load", Death(place="loaded")),
    ("load", Death(place="landed")),
    ("load", Death(stage="rows")),
    ("load", Death(stage="merge")),
    ("load", Death(place="merged")),
    ("load", Death(place="loaded")),
    ("load", Death(place="unledgered")),
    ("delta", Death(place="landed")),
    ("delta", Death(stage="rows")),
    ("delta", Death(stage="merge")),
    ("delta", Death(place="merged")),
    ("delta", Death(place="loaded")),
    ("delta", Death(place="unledgered")),
    ("deactivate", Death(place="planned")),
    ("deactivate", Death(place="moved")),
    ("deactivate", Death(place="unledgered")),
    ("delete", Death(stage="deleted")),
    ("delete", Death(nth=24)),
    ("delete", Death(place="cleaning")),
    ("export", Death(stage="files")),
    ("export", Death(stage="committed")),
    ("export", Death(stage="published")),
]
RANDOM_TRIALS = 10


@pytest.fixture(scope="module", params=BOTH)
def scenes(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Scene]]:
    """The prepared warehouses by name, on each kind of database; made when first asked for."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    made: dict[str, Scene] = {}

    def scene(name: str) -> Scene:
        if name not in made:
            made[name] = Scene(databases, name)
        return made[name]

    yield scene
    for each in made.values():
        each.close()


@pytest.mark.parametrize(("name", "death"), PLACES, ids=str)
def test_killed_there_the_next_run_ends_as_if_clean(
    scenes: Callable[[str], Scene], no_connection_left: None, name: str, death: Death
) -> None:
    died, violations = scenes(name).trial(lambda job: dying.killed(job, death))
    assert died
    assert violations == []


@pytest.mark.parametrize("seed", range(RANDOM_TRIALS // 2))
def test_killed_anywhere_the_next_run_ends_as_if_clean(
    scenes: Callable[[str], Scene], no_connection_left: None, seed: int
) -> None:
    """At any statement, or at any time: `make soak` repeats a seed that fails."""
    draw = random.Random(seed)
    scene = scenes(draw.choice(SCENES))
    nth, seconds = draw.randint(1, scene.statements), draw.uniform(0, scene.seconds)
    if seed % 2:
        _, violations = scene.trial(lambda job: dying.killed_after(job, seconds))
    else:
        died, violations = scene.trial(lambda job: dying.killed(job, Death(nth=nth)))
        assert died
    assert violations == []


def test_whatever_run_comes_next_sweeps_up(
    scenes: Callable[[str], Scene], no_connection_left: None
) -> None:
    """Staging holds what records hold: it does not wait for the next load."""
    scene = scenes("load")
    job = scene.copy()
    assert dying.killed(job, Death(stage="merge"))
    if job.url.startswith("sqlite"):
        assert files_of_runs(job.home)
    dying.at(job, flow="delete").run_when_free()
    assert files_of_runs(job.home) == []
    states = asked(job.url, "SELECT state FROM run ORDER BY run_id")
    assert [row["state"] for row in states] == ["done", "interrupted", "done"]
    scene.drop(job)


def test_received_bytes_of_a_dead_run_are_not_kept_for_ever(
    scenes: Callable[[str], Scene], no_connection_left: None
) -> None:
    scene = scenes("load")
    job = scene.copy()
    assert dying.killed(job, Death(place="landed"))
    landed = [path for path in (job.home / "landing").rglob("*.bin") if not _is_known(job, path)]
    assert len(landed) == 1
    os.utime(landed[0], (MOMENT.timestamp(), MOMENT.timestamp()))
    at = MOMENT + timedelta(days=34)
    dying.at(job, flow="delete", now=at).run_when_free()
    assert landed[0].exists()
    dying.at(job, flow="delete", now=at + timedelta(days=2)).run()
    assert not landed[0].exists()
    scene.drop(job)


def _is_known(job: Any, path: Path) -> bool:
    query = "SELECT count(*) AS held FROM delivery WHERE sha256 = :digest"
    return bool(asked(job.url, query, digest=path.stem)[0]["held"])


@pytest.mark.parametrize("place", ["cleaning", "cleaned"])
def test_a_killed_deletion_leaves_no_bytes_once_it_was_run_again(
    scenes: Callable[[str], Scene], no_connection_left: None, place: str
) -> None:
    """The rows are gone when it dies, their bytes are not: the next run sees to them."""
    scene = scenes("load")
    job = dying.at(scene.copy(), flow="delete", now=LATER)
    with opened(job.url, job.home) as held:
        held.at(LATER).deactivate()
    assert dying.killed(job, Death(place=place))
    assert asked(job.url, "SELECT count(*) AS held FROM personal_value") == [{"held": 0}]
    job.run_when_free()
    assert _holding(scene.databases, job.url, CARE_OF) == []
    scene.drop(job)


def _holding(databases: Databases, url: str, text: str) -> list[str]:
    """Files of the warehouse that hold these bytes; PostgreSQL's own log keeps them for a while."""
    if databases.server is None:
        path = Path(url.removeprefix("sqlite:///"))
        return [found.name for found in path.parent.glob(f"{path.name}*") if _holds(found, text)]
    (row,) = asked(url, "SELECT oid FROM pg_database WHERE datname = current_database()")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    folder = databases.server.folder / "data" / "base" / str(row["oid"])
    return [found.name for found in folder.iterdir() if found.is_file() and _holds(found, text)]


def _holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


@pytest.mark.parametrize("is_spoiled", [False, True])
def test_what_a_command_killed_while_it_downloads_had_received_is_continued(
    light: Holding, in_a_hurry: None, is_spoiled: bool
) -> None:
    """The real command, killed from outside in the middle of a body.

    Bytes that a power cut spoiled are refused as a delivery, and are never continued again.
    """
    published = MOMENT.replace(hour=8)
    pace = Pace(stall_seconds=60)
    with StandIn([Publish(published, light.second)], pace=pace) as standin:
        standin.misbehave("stall", times=1)
        line = ["ingest", "gleif", "--json", "--base-url", standin.base_url]
        running = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *line],
            cwd=light.home,
            env={
                "PATH": os.environ["PATH"],
                "SOURCENOTE_HOME": str(light.home),
                "SOURCENOTE_WAREHOUSE_URL": light.url,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 30
        part = None
        while (part is None or not part.stat().st_size) and time.monotonic() < until:
            time.sleep(0.05)
            part = next((light.home / "landing").glob("*.part"), None)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert part is not None
        assert light.left_over() == [part.name, f"{part.name}.json"]
        assert light.is_as_before()
        received = part.read_bytes()
        if is_spoiled:
            part.write_bytes(bytes(len(received)))
            assert light.run(*line).code == 1
            assert light.is_as_before()
            assert light.left_over() == []
        answer = light.run(*line)
        ranges = [request.headers.get("range") for request in standin.requests]
    assert answer.code in {0, 3}, answer.err
    assert [text for text in ranges if text] == [f"bytes={len(received)}-"]
    assert light.left_over() == []
    assert light.holds_values_of_after()
    states = asked(light.url, "SELECT state FROM run ORDER BY run_id")
    refused = ["refused"] * is_spoiled
    assert [row["state"] for row in states] == ["done", "interrupted", *refused, "done"]
