"""A house with the bundled sample loaded: the example's settings, a set clock, any database."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.house import Clock, House
from flows.init_files import write_init_files
from flows.ingest_steps import load_delivery
from flows.settings import Settings, load
from sources import gleif
from sources.kit.sample import SAMPLE_DAY, bundled_sample
from warehouse import migrate, runs
from warehouse.engine import sole_writer

SAMPLE_MOMENT = datetime(SAMPLE_DAY.year, SAMPLE_DAY.month, SAMPLE_DAY.day, 10, tzinfo=UTC)


def settings_of(url: str, home: Path, *, example: bool = True) -> Settings:
    """What `init` writes, read back; an example unless told otherwise."""
    environ = {"SOURCENOTE_HOME": str(home)}
    config = home / "sourcenote.toml"
    if not config.exists():
        write_init_files(config, home / "sourcenote.key", os.urandom, example=example)
    return load(config, warehouse_url=url, environ=environ)


def at(settings: Settings, moment: datetime = SAMPLE_MOMENT) -> House:
    """The house at that moment; close it."""
    return House(settings, Clock(moment))


def open_house(url: str, home: Path, *, example: bool = True) -> House:
    """An empty warehouse with its schema and keys, on the sample's day."""
    house = at(settings_of(url, home, example=example))
    migrate.upgrade(house.engine)
    return house


def load_file(house: House, path: Path) -> Any:
    """Load one file as `ingest --file` does; returns the report."""
    with sole_writer(house.engine):
        run_id = runs.start(house.engine, "ingest", house.now(), "gleif")
        landed = gleif.adopt(path, house.landing, house.now())
        report = load_delivery(house, run_id, "gleif", landed, quiet)
        runs.finish(house.engine, run_id, "done", house.now(), counts=report.counts)
    return report


def load_sample(house: House, folder: Path, *, days_later: int = 0) -> Any:
    """Load the bundled sample as published on the sample's day, or some days later."""
    sample = bundled_sample(SAMPLE_DAY + timedelta(days=days_later))
    return load_rows(house, folder, sample.member, sample.csv)


def load_rows(house: House, folder: Path, name: str, content: bytes) -> Any:
    """Load these bytes under the publisher's file name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return load_file(house, path)


def sample_csv(change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> bytes:
    """The sample with its rows changed."""
    import csv
    import io

    sample = bundled_sample()
    rows = list(csv.DictReader(io.StringIO(sample.csv.decode(), newline="")))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(change(rows))
    return text.getvalue().encode()


def quiet(_stage: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""
