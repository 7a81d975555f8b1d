"""The `sourcenote` command inside a test: its exit code, its two outputs, its one document."""

from __future__ import annotations

import atexit
import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from sources.kit.sample import SAMPLE_DAY, bundled_sample

SAMPLE_MOMENT = datetime(SAMPLE_DAY.year, SAMPLE_DAY.month, SAMPLE_DAY.day, 10, tzinfo=UTC)
NEXT_MOMENT = SAMPLE_MOMENT + timedelta(days=1)
NEW_NAME = "Anden Navn ApS"
CARE_OF = "c/o Jens Eksempel"


@dataclass(frozen=True)
class Answer:
    """How one call ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """What a reader sees, its line breaks taken as blanks."""
        return " ".join(self.out.split())


Run = Callable[..., Answer]


def runner(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str = ""
) -> Run:
    """A function that runs one line in a folder of its own, on the sample's day.

    In a folder that `fill` has filled, the line finds configuration, key and landing there.
    """
    monkeypatch.chdir(home)
    for name in ("CONFIG", "HOME", "SECRET_FILE", "WAREHOUSE_URL"):
        monkeypatch.delenv(f"SOURCENOTE_{name}", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if url:
        monkeypatch.setenv("SOURCENOTE_WAREHOUSE_URL", url)
    if (home / "sourcenote.key").exists():
        monkeypatch.setenv("SOURCENOTE_HOME", str(home))

    def run(*arguments: object, now: str = SAMPLE_MOMENT.isoformat()) -> Answer:
        capsys.readouterr()
        code = main([*map(str, arguments), f"--now={now}"])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run


@dataclass(frozen=True)
class Filled:
    """Keys of the sample that tests ask about, by what is the matter with them."""

    changed: str
    """Renamed in a second delivery, and given a care-of line."""
    due: tuple[str, ...]
    """Legal persons whose LEI is due for renewal."""
    known_bad: str
    """Quarantined without an alarm: an annulled LEI."""
    bad: str
    """Quarantined with an alarm."""


def fill(url: str, home: Path) -> Filled:
    """The sample loaded, and a day later a delta that changes one company."""
    sample = bundled_sample()
    first, later = home / sample.member, home / "20261103-0800-gleif-goldencopy-lei2-last-day.csv"
    first.write_bytes(sample.csv)
    later.write_bytes(_delta(sample.csv, sample.due[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCENOTE_HOME", str(home))
        patch.delenv("PREFECT_API_URL", raising=False)
        common = [f"--config={home / 'sourcenote.toml'}", f"--warehouse={url}"]
        for line in (
            ["init", "--example", f"--now={SAMPLE_MOMENT.isoformat()}"],
            ["ingest", "gleif", f"--file={first}", f"--now={SAMPLE_MOMENT.isoformat()}"],
            ["ingest", "gleif", f"--file={later}", f"--now={NEXT_MOMENT.isoformat()}"],
        ):
            assert main([*line, *common]) in {0, 3}
    broken = {bad.rule: bad.lei for bad in sample.bad}
    return Filled(
        changed=sample.due[0],
        due=sample.due[1:],
        known_bad=broken["lei_check_digits_hold"],
        bad=broken["legal_name_is_present"],
    )


def copy_filled(home: Path) -> Filled:
    """The same on SQLite, made once and copied: most tests need no more."""
    folder, known = _template()
    shutil.copytree(folder, home, dirs_exist_ok=True)
    return known


@cache
def _template() -> tuple[Path, Filled]:
    folder = Path(tempfile.mkdtemp(prefix="filled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder, fill(f"sqlite:///{folder / 'sourcenote.db'}", folder)


def _delta(content: bytes, lei: str) -> bytes:
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    changed = [
        {
            **row,
            "Entity.LegalName": NEW_NAME,
            "Entity.HeadquartersAddress.FirstAddressLine": f"{CARE_OF}, Nygade 5",
            "Registration.LastUpdateDate": "2026-11-02T20:00:00Z",
        }
        for row in rows
        if row["LEI"] == lei
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(changed)
    return text.getvalue().encode()


def sample_file(folder: Path) -> Path:
    """The bundled sample as a file with its publisher's name."""
    sample = bundled_sample()
    path = folder / sample.member
    path.write_bytes(sample.csv)
    return path
