"""What the stand-in publishes: files as the publisher packs, names and lists them."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

HOST = "https://goldencopy.gleif.org"
"""The publisher's own address: listings name it, clients put the stand-in's in its place."""

Level = Literal["lei2", "rr", "repex"]

_WINDOWS = {
    "IntraDay": "intra-day",
    "LastDay": "last-day",
    "LastWeek": "last-week",
    "LastMonth": "last-month",
}
_CDF_VERSIONS = {"lei2": "LEI_3.1", "rr": "RR_2.1", "repex": "REPEX_2.1"}
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Publish:
    """One publish of one level; levels published at the same moment are listed together.

    `content` is a CSV (bytes or a path), zipped when served, or a path to a ready zip.
    `record_count` is what the listing says; None counts line ends (zips: of their one member).
    `deltas` maps IntraDay, LastDay, LastWeek, LastMonth to contents of the same kinds.
    `published_at` is UTC. Without deltas the listing has `{}`, or `[]` with `has_delta_list`.
    """

    published_at: datetime
    content: bytes | Path
    record_count: int | None = None
    deltas: Mapping[str, bytes | Path] = field(default_factory=dict)
    has_delta_list: bool = False
    level: Level = "lei2"

    def __post_init__(self) -> None:
        unknown = set(self.deltas) - set(_WINDOWS)
        if unknown:
            message = f"unknown delta windows {sorted(unknown)}; known: {', '.join(_WINDOWS)}"
            raise ValueError(message)

    @property
    def stamp(self) -> str:
        """`YYYYMMDD-HHMM`, as in file names."""
        return f"{self.published_at:%Y%m%d-%H%M}"


@dataclass(frozen=True)
class Held:
    """A zip on disk, ready to be served at `url_path`."""

    path: Path
    url_path: str
    member: str
    record_count: int
    published_at: datetime
    level: Level = "lei2"

    @property
    def size(self) -> int:
        """Bytes of the zip."""
        return self.path.stat().st_size


Files = dict[str | None, Held]
"""A publish's files by window; None is the full file."""


@dataclass(frozen=True)
class Said:
    """What a listing says of a file; it may be wrong."""

    size: int
    record_count: int


def _lines(stream: IO[bytes]) -> Iterator[int]:
    while chunk := stream.read(_CHUNK):
        yield chunk.count(b"\n")


def _count(archive: Path) -> int:
    """Rows in the one member: its line ends less the header's."""
    with zipfile.ZipFile(archive) as opened, opened.open(opened.namelist()[0]) as stream:
        return max(sum(_lines(stream)) - 1, 0)


def _pack(content: bytes | Path, member: str, archive: Path) -> None:
    """Zip `content` as `member`, or link to it when it is a zip already."""
    if not isinstance(content, bytes) and zipfile.is_zipfile(content):
        archive.symlink_to(content.resolve())
        return
    info = zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(archive, "w") as opened,
        opened.open(info, "w", force_zip64=True) as target,
    ):
        if isinstance(content, bytes):
            target.write(content)
            return
        with content.open("rb") as source:
            shutil.copyfileobj(source, target, _CHUNK)


def hold(publish: Publish, window: str | None, folder: Path) -> Held:
    """Pack one file of a publish into `folder`; `window` None is the full file."""
    kind = _WINDOWS[window] if window else "golden-copy"
    member = f"{publish.stamp}-gleif-goldencopy-{publish.level}-{kind}.csv"
    archive = folder / f"{member}.zip"
    _pack(publish.deltas[window] if window else publish.content, member, archive)
    counted = _count(archive) if window or publish.record_count is None else publish.record_count
    number = int(publish.published_at.timestamp()) // 60
    url_path = f"/storage/golden-copy-files/{publish.published_at:%Y/%m/%d}/{number}/{archive.name}"
    return Held(archive, url_path, member, counted, publish.published_at, publish.level)


def _entry(held: Held, form: str, kind: str, said: Said, factor: int = 1) -> dict[str, Any]:
    size = said.size * factor
    return {
        "type": held.level,
        "format": form,
        "record_count": said.record_count,
        "size": size,
        "size_human_readable": f"{size / 1024**2:.2f} MB",
        "delta_type": kind,
        "cdf_version": _CDF_VERSIONS[held.level],
        "url": HOST + held.url_path.replace(".csv.zip", f".{form}.zip"),
    }


def bundle(publish: Publish, files: Files, said: Mapping[str | None, Said]) -> dict[str, Any]:
    """One level's bundle of a listing; `said` is what it says of each CSV; no window, no delta."""
    full = files[None]
    deltas = {
        window: {"csv": _entry(files[window], "csv", window, of_it)}
        for window, of_it in said.items()
        if window
    }
    return {
        "type": publish.level,
        "publish_date": f"{publish.published_at:%Y-%m-%d %H:%M:%S}",
        "full_file": {
            form: _entry(full, form, "GoldenCopy", said[None], factor)
            for form, factor in (("csv", 1), ("json", 2), ("xml", 3))
        },
        "delta_files": deltas or ([] if publish.has_delta_list or publish.deltas else {}),
    }


def entry(published_at: datetime, bundles: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One publish of a listing; levels that were not published then have no files."""
    date = f"{published_at:%Y-%m-%d %H:%M:%S}"
    bare = {"publish_date": date, "full_file": {}, "delta_files": {}}
    levels = {level: bundles.get(level, {"type": level, **bare}) for level in get_args(Level)}
    return {"publish_date": date, **levels}
