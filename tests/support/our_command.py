"""The `sourcenote` command inside a test: its exit code, its two outputs, its one document."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filled_house import SAMPLE_MOMENT

from flows.cli import main
from sources.kit.sample import bundled_sample


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
    """A function that runs one line in a folder of its own, on the sample's day."""
    monkeypatch.chdir(home)
    for name in ("CONFIG", "HOME", "SECRET_FILE", "WAREHOUSE_URL"):
        monkeypatch.delenv(f"SOURCENOTE_{name}", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if url:
        monkeypatch.setenv("SOURCENOTE_WAREHOUSE_URL", url)

    def run(*arguments: object, now: str = SAMPLE_MOMENT.isoformat()) -> Answer:
        capsys.readouterr()
        code = main([*map(str, arguments), f"--now={now}"])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run


def sample_file(folder: Path) -> Path:
    """The bundled sample as a file with its publisher's name."""
    sample = bundled_sample()
    path = folder / sample.member
    path.write_bytes(sample.csv)
    return path
