"""A disk that fills at any point of a load: an error in our words, and nothing but that."""

from __future__ import annotations

import resource
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ingesting import company, csv_bytes, opened, plain_judge, quiet
from standing import standing

from flows import ingest_run, ingest_steps
from flows.cli.endings import of_the_unexpected
from flows.ingest_report import Request
from sources.kit.errors import SourcenoteError

ROWS = csv_bytes([company(n) for n in range(3000)])
NAME = "20261101-0000-gleif-goldencopy-lei2-golden-copy.csv"


@contextmanager
def files_of_at_most(length: int) -> Iterator[None]:
    """No file of this process grows beyond `length` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def loaded_within(url: str, file: Path, length: int) -> str:
    """What the load ended with: the first word of what was refused, or nothing."""
    with opened(url, file.parent) as held:
        try:
            with files_of_at_most(length):
                ingest_run.run(held.house, Request("gleif", file=file), quiet)
        except SourcenoteError as error:
            return error.thing.partition(" ")[0]
        except Exception as error:  # noqa: BLE001 (the last door says what it is)
            return of_the_unexpected(error).thing
    return ""


def written(folder: Path, container: str) -> Path:
    """The delivery, as it is (longer than the warehouse) or in a zip (shorter than anything)."""
    file = folder / f"{NAME}{container}"
    if container:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(NAME, ROWS)
    else:
        file.write_bytes(ROWS)
    return file


@pytest.mark.parametrize(
    ("container", "what_fills"), [("", {"Landing"}), (".zip", {"staging", "warehouse"})]
)
def test_wherever_the_disk_fills_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, what_fills: set[str]
) -> None:
    """The limit grows until the load fits: landing, staging and warehouse fill in turn."""
    monkeypatch.setattr(ingest_steps, "judge", plain_judge)
    url, file = f"sqlite:///{tmp_path / 'w.db'}", written(tmp_path, container)
    with opened(url, tmp_path):
        before = standing(url)
    ends = []
    for length in range(512 * 1024, 8 * 1024 * 1024, 128 * 1024):
        ends.append(loaded_within(url, file, length))
        if not ends[-1]:
            break
        assert standing(url) == before
        assert not list(tmp_path.glob("*.staging*"))
    assert (set(ends[:-1]), ends[-1]) == (what_fills, "")
    (tmp_path / "clean").mkdir()
    clean = Path(shutil.copy(file, tmp_path / "clean"))
    clean_url = f"sqlite:///{clean.parent / 'w.db'}"
    assert loaded_within(clean_url, clean, 1 << 40) == ""
    assert standing(url) == standing(clean_url)
