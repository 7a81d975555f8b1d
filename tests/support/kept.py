"""A warehouse that holds a first delivery, copied for each test that does something bad to one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import trials
from ingesting import csv_bytes, opened
from our_command import Answer
from standing import Standing, files_of_runs, standing, values_held
from trials import FIRST, SECOND, Databases

MANY = 9
"""Companies that letters may reach in the first delivery; a half as many have ended."""
NUMBER = itertools.count(1)


@dataclass(frozen=True)
class Kept:
    """A home that holds the first delivery: how it stands, and how the next one leaves it."""

    databases: Databases
    home: Path
    before: Standing
    after: Standing
    values_after: Standing


def keep(databases: Databases) -> Kept:
    """Load the first delivery, and the second into a copy."""
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
