"""What every flow works with: the settings, the clock, the keys and the open warehouse."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sources.kit.keys import Keys
from sources.kit.landing import Landing
from warehouse.engine import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.settings import Settings
    from warehouse.engine import Engine


@dataclass(frozen=True)
class Clock:
    """The time, or the one moment a test or demo has set."""

    fixed: datetime | None = None

    def now(self) -> datetime:
        """The present moment, UTC."""
        return self.fixed or datetime.now(UTC)


class House:
    """One command's or one scheduled run's view of everything; close it when done."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()

    @cached_property
    def engine(self) -> Engine:
        """The warehouse, opened on first use."""
        return open_warehouse(self.settings.warehouse.url)

    @cached_property
    def keys(self) -> Keys:
        """The installation's keys, kept outside the database."""
        return Keys.load(self.settings.secret_file)

    @property
    def landing_root(self) -> Path:
        """The folder of deliveries as received."""
        return Path(self.settings.home) / "landing"

    @property
    def landing(self) -> Landing:
        """Bytes as received, by digest."""
        return Landing(self.landing_root)

    def now(self) -> datetime:
        """The present moment, UTC."""
        return self.clock.now()

    def random(self, length: int) -> bytes:
        """Fresh random bytes from the operating system."""
        return os.urandom(length)

    def close(self) -> None:
        """Give the warehouse's connections back."""
        if "engine" in self.__dict__:
            self.engine.dispose()


@contextmanager
def house(settings: Settings, clock: Clock | None = None) -> Iterator[House]:
    """A house that is closed at the end."""
    opened = House(settings, clock)
    try:
        yield opened
    finally:
        opened.close()
