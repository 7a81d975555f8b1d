"""One database at full size: loads, deltas and commands, and a small warehouse beside the peers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import startup
from bench.databases import NAMES, Databases
from bench.full_report import COMMANDS
from bench.inputs import FullInputs, Input
from bench.measured import (
    BARE,
    CHANGED,
    DELTA,
    DLT,
    FIRST,
    PANDAS,
    SMALL_DELTA,
    SMALL_FIRST,
    Measured,
)
from bench.rounds import PRODUCT, Say, ask, measure, told
from bench.startup import Start

SMALL = "small"
"""The product's small database."""
PEER_ROUNDS = 3
"""Rounds beside the peers: those are short, and a ratio of one pair is mostly noise."""


@dataclass(frozen=True)
class Bench:
    """What is measured on, with what: `peers` are Pythons by the peer's load, none to skip them."""

    databases: Databases
    files: FullInputs
    folder: Path
    peers: dict[str, Path | None]
    say: Say

    @property
    def home(self) -> Path:
        """The product's configuration, key and landing."""
        return self.folder / "home"

    def job(self, name: str) -> dict[str, Any]:
        """What every job of the product on that database is told."""
        return {"what": "product", "target": self.databases.url(name), "home": self.home}

    def take(
        self, job: dict[str, Any], name: tuple[str, int], file: Input, python: Path | None = None
    ) -> Measured:
        """Measure one job, and say what it came to."""
        one = measure(self.databases, job, name, file, python)
        self.say(
            f"{self.databases.kind} {one.round} {one.load}: {one.seconds:.2f} s, "
            f"peak {one.peak_mb:.0f} MB, load average {one.load_before}"
        )
        return one

    def sized(self, one: Measured, name: str) -> Measured:
        """The same with what that database now takes on disk."""
        self.databases.settle()
        return replace(one, disk_mb=self.databases.byte_count(name) / 1e6)


def full_rounds(bench: Bench, repeats: int) -> Iterator[Measured]:
    """Bare, first load, repeat and deltas, `repeats` times; the last round's warehouse stays."""
    files, name = bench.files, "bare"
    for number in range(1, repeats + 1):
        bench.databases.create(name)
        job = {"what": "bare", "target": bench.databases.target(name)}
        one = bench.take(job | {"source": files.whole.path}, (BARE, number), files.whole)
        yield bench.sized(one, name)
        bench.databases.drop(name)
        _prepare(bench, PRODUCT)
        for load, file in ((FIRST, files.whole), (CHANGED, files.changed)):
            one = bench.take(bench.job(PRODUCT) | told(file), (load, number), file)
            yield bench.sized(one, PRODUCT)
        yield from _deltas(bench, PRODUCT, DELTA, number)


def small_rounds(bench: Bench, repeats: int) -> Iterator[Measured]:
    """The small golden copy by us and by the peers, in turns; in the last rounds deltas too."""
    small = bench.files.small
    rounds = max(repeats, PEER_ROUNDS) if bench.peers else repeats
    for number in range(1, rounds + 1):
        _prepare(bench, SMALL)
        one = bench.take(bench.job(SMALL) | told(small), (SMALL_FIRST, number), small)
        yield bench.sized(one, SMALL)
        if number > rounds - repeats:
            yield from _deltas(bench, SMALL, SMALL_DELTA, number - rounds + repeats)
        bench.databases.drop(SMALL)
        for load, python in bench.peers.items():
            yield _peer(bench, load, python, number)


def commands(bench: Bench) -> list[Start]:
    """What an analyst asks of the full warehouse, each a process started cold."""
    url, kind = bench.databases.url(PRODUCT), NAMES[bench.databases.kind]
    key = ask({"what": "key", "target": url})["key"]
    now = bench.files.deltas[-1].retrieved_at + timedelta(hours=1)
    found = []
    for name in COMMANDS:
        words = (*name.split(), *([key] if name == "explain" else ()))
        asked = ("--now", now.isoformat(), *words)
        one = startup.command(f"{name}, {kind}", asked, url, bench.home)
        bench.say(f"{one.name}: {one.median:.2f} s, load average {one.load_average}")
        found.append(one)
    return found


def _prepare(bench: Bench, name: str) -> None:
    bench.databases.create(name)
    ask(bench.job(name) | {"what": "prepare"})


def _deltas(bench: Bench, name: str, load: str, number: int) -> Iterator[Measured]:
    """Each delta in turn; a round has as many of them in the full warehouse as in the small."""
    job = bench.job(name) | {"kind": "delta"}
    for delta in bench.files.deltas:
        one = bench.take(job | told(delta), (load, number), delta)
        yield bench.sized(one, name)


def _peer(bench: Bench, load: str, python: Path | None, number: int) -> Measured:
    name = "peer"
    bench.databases.create(name)
    job = {
        "what": {DLT: "dlt", PANDAS: "pandas"}[load],
        "target": bench.databases.url(name) if load == PANDAS else _plain(bench.databases, name),
        "source": bench.files.small.path,
        "home": bench.folder / "dlt",
    }
    one = bench.sized(bench.take(job, (load, number), bench.files.small, python), name)
    bench.databases.drop(name)
    return one


def _plain(databases: Databases, name: str) -> str:
    """The URL without our choice of driver: dlt has its own."""
    return databases.url(name).replace("+psycopg", "")
