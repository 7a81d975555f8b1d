"""Many trials of every fault, each drawn from a seed of its own that a report can name."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dying
import psycopg
from dying import Death, Job
from ingesting import MOMENT, lei
from private_postgres import PrivatePostgres
from trials import SCENES, Databases, Scene, company_values, unsound

from flows.house import Clock, House
from sources.kit.errors import Busy, SourcenoteError
from warehouse.engine import open_warehouse, writing
from warehouse.privacy import suppression

MANY = 60
"""Companies a prepared warehouse holds that letters may reach; in all about a hundred rows."""
DAMAGES = 6
"""At most so many bytes of a damaged file are other than they were, or missing, or too many."""
_SPITEFUL = (b'"', b"\0", b"\n", b"\r", b",", b"\\", b"\xff", b"\x1a", b"A", b"9", b"")


Found = tuple[str, list[str]]
"""Of one trial: where it struck, and what did not hold."""
_INGEST = (
    *(Death(place="landed"), Death(stage="rows"), Death(stage="merge"), Death(place="merged")),
    *(Death(place="loaded"), Death(place="unledgered")),
)
_EACH = {
    **dict.fromkeys(("first load", "load", "delta"), _INGEST),
    "deactivate": tuple(Death(place=name) for name in ("planned", "moved", "unledgered")),
    "delete": (
        Death(stage="deleted"),
        *(Death(place=name) for name in ("cleaning", "cleaned", "unledgered")),
    ),
    "export": tuple(Death(stage=name) for name in ("files", "committed", "published")),
}
PLACES = [(name, place) for name, places in _EACH.items() for place in places]
"""Every stage of every flow, the last moments before a commit and the first ones after."""


@dataclass
class Bench:
    """The prepared warehouses of one database, made when they are first asked for."""

    databases: Databases
    scenes: dict[str, Scene] = field(default_factory=dict)

    def scene(self, name: str) -> Scene:
        """The scene of that name."""
        if name not in self.scenes:
            self.scenes[name] = Scene(self.databases, name, MANY)
        return self.scenes[name]

    def close(self) -> None:
        """Take them away."""
        for scene in self.scenes.values():
            scene.close()


def _in_turn(bench: Bench, names: Sequence[str], number: int) -> Scene:
    return bench.scene(names[number % len(names)])


def at_a_statement(bench: Bench, draw: random.Random, number: int) -> Found:
    scene = _in_turn(bench, SCENES, number)
    death = Death(nth=draw.randint(1, scene.statements))
    return scene.name, scene.trial(lambda job: dying.killed(job, death))[1]


def at_any_time(bench: Bench, draw: random.Random, number: int) -> Found:
    scene = _in_turn(bench, SCENES, number)
    seconds = draw.uniform(0, scene.seconds)
    return scene.name, scene.trial(lambda job: dying.killed_after(job, seconds))[1]


def at_a_place(bench: Bench, _: random.Random, number: int) -> Found:
    name, death = PLACES[number % len(PLACES)]
    died, found = bench.scene(name).trial(lambda job: dying.killed(job, death))
    found = found if died else [*found, f"it did not die at {death}"]
    return f"{name}, {death}", found


def restarted_at_a_place(bench: Bench, _: random.Random, number: int) -> Found:
    name, place = PLACES[number % len(PLACES)]
    server = bench.databases.server
    assert server is not None
    was_there, found = bench.scene(name).disturbed(
        lambda job: dying.held(job, place, server.restart)
    )
    found = found if was_there else [*found, f"it did not come to {place}"]
    return f"{name}, {place}", found


def _disturbed(scene: Scene, seconds: float, disturb: Callable[[Job], None]) -> Found:
    """Run a job, disturb it once, look; run it again, look."""

    def beside(job: Job) -> bool:
        dying.beside(job, lambda: disturb(job), seconds)
        return True

    return scene.name, scene.disturbed(beside)[1]


def cut_off(bench: Bench, draw: random.Random, number: int) -> Found:
    scene = _in_turn(bench, SCENES, number)
    which = draw.choice(["", "AND state <> 'idle'"])

    def terminate(job: Job) -> None:
        url = job.url.replace("+psycopg", "")
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname = current_database() AND pid <> pg_backend_pid() {which}"
            )

    return _disturbed(scene, draw.uniform(0, scene.seconds), terminate)


def restarted(bench: Bench, draw: random.Random, number: int) -> Found:
    scene = _in_turn(bench, SCENES, number)
    server = bench.databases.server
    assert server is not None
    return _disturbed(scene, draw.uniform(0, scene.seconds), lambda _: server.restart())


def two_at_once(bench: Bench, draw: random.Random, number: int) -> Found:
    scene = _in_turn(bench, ["first load", "load", "delta", "deactivate", "delete"], number)

    def another(job: Job) -> None:
        with suppress(Busy):
            job.run()

    return _disturbed(scene, draw.uniform(0, scene.seconds), another)


def a_stop_beside(bench: Bench, draw: random.Random, number: int) -> Found:
    """A stop that was answered is in force for every list begun after it."""
    scene = _in_turn(bench, ["load", "delta", "export"], number)
    stopped = lei(draw.randint(3, MANY - 1))
    job = scene.copy()
    try:
        dying.beside(job, lambda: _stop(job, stopped), draw.uniform(0, scene.seconds))
        found = scene.after_death(job) if scene.name == "export" else []
        later = dying.at(
            job, flow="export", now=MOMENT + timedelta(days=120), out=job.home / "later"
        )
        listed = _listed(later.run_when_free())
        found += [f"{stopped} is in a list after its stop"] if stopped in listed else []
        found += [] if listed else ["nobody is in the list"]
        return scene.name, [*found, *unsound(job.url)]
    finally:
        scene.drop(job)


def _stop(job: Job, stopped: str) -> None:
    house = House(dying.settings_of(job.url, job.home), Clock(job.now))
    engine = open_warehouse(job.url)
    try:
        with writing(engine) as connection:
            suppression.add(
                connection, house.keys, "lei", stopped,
                reason="soak", origin="command", actor="soak", now=job.now,
            )  # fmt: skip
    finally:
        engine.dispose()
        house.close()


def _listed(manifest: dict[str, Any]) -> set[str]:
    text = (Path(manifest["directory"]) / "rows.csv").read_text("utf-8")
    return {lei(number) for number in range(1, MANY) if lei(number) in text}


def damaged_file(bench: Bench, draw: random.Random, number: int) -> Found:
    """Refused and nothing changed, or loaded and adding up; then the good file, as ever."""
    scene = _in_turn(bench, ["load", "delta"], number)
    job = scene.copy()
    try:
        assert job.file is not None
        good = job.file.read_bytes()
        job.file.write_bytes(_damaged(good, draw))
        found = []
        try:
            job.run()
        except SourcenoteError:
            found += scene.after_death(job)
        except Exception as error:  # noqa: BLE001 (which is what is looked for)
            found.append(f"unexpected {type(error).__name__}")
        found += unsound(job.url)
        job.file.write_bytes(good)
        dying.at(job, now=MOMENT + timedelta(hours=1)).run()
        held, clean = company_values(job.url), scene.clean_values()
        found += [f"{key} differs" for key in clean if held.get(key) != clean[key]]
        return scene.name, found
    finally:
        scene.drop(job)


def _damaged(good: bytes, draw: random.Random) -> bytes:
    bad = bytearray(good)
    for _ in range(draw.randint(1, DAMAGES)):
        place = draw.randrange(len(bad))
        length = draw.choice([0, 1, 1, draw.randint(1, 2_000)])
        bad[place : place + length] = draw.choice(_SPITEFUL)
    return bytes(bad[: draw.randrange(len(bad))] if draw.random() < 0.1 else bad)


@dataclass(frozen=True)
class Fault:
    """One kind of trial: what is done, how, on which databases, and how many in a hundred."""

    name: str
    trial: Callable[[Bench, random.Random, int], Found]
    needs_server: bool = False
    per_hundred: int = 100


FAULTS = (
    Fault("kill -9 at a statement", at_a_statement),
    Fault("kill -9 at any time", at_any_time),
    Fault("kill -9 at a named place", at_a_place, per_hundred=200),
    Fault("connections cut by the server", cut_off, needs_server=True),
    Fault("server restarted at any time", restarted, needs_server=True),
    Fault("server restarted at a named place", restarted_at_a_place, True, 200),
    Fault("two runs at once", two_at_once),
    Fault("a stop beside a run", a_stop_beside),
    Fault("a damaged file", damaged_file),
)


@dataclass
class Line:
    """One line of the table."""

    fault: str
    database: str
    trials: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    """Trials by flow, and by place where one is named."""


def soak(
    folder: Path, server: PrivatePostgres | None, trials: int, seed: int, only: str = ""
) -> Iterator[Line]:
    """Every fault so many times on every database there is; a line as soon as it is complete."""
    kinds = [Databases(_made(folder / "sqlite"))]
    kinds += [Databases(_made(folder / "postgresql"), server)] if server else []
    for databases in kinds:
        with ExitStack() as stack:
            bench = Bench(databases)
            stack.callback(bench.close)
            for fault in FAULTS:
                if only in fault.name and (databases.server or not fault.needs_server):
                    yield _line(fault, bench, trials, seed)


def _line(fault: Fault, bench: Bench, trials: int, seed: int) -> Line:
    line = Line(fault.name, bench.databases.name)
    started = time.monotonic()
    for number in range(max(1, trials * fault.per_hundred // 100)):
        draw = random.Random(f"{seed} {fault.name} {line.database} {number}")
        try:
            where, found = fault.trial(bench, draw, number)
        except RuntimeError as error:  # it hung, or a run that nothing disturbed failed
            where, found = "not told", [str(error)]
        line.trials += 1
        line.struck[where] += 1
        line.violations += [f"trial {number} ({where}): {violation}" for violation in found]
    line.seconds = time.monotonic() - started
    return line


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
