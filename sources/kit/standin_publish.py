"""What the stand-in publishes: files as the publisher packs, names and lists them."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

HOST = "https://goldencopy.gleif.org"
"""The publisher's own address: listings name it, clients put the stand-in's in its place."""

_WINDOWS = {
    "IntraDay": "intra-day",
    "LastDay": "last-day",
    "LastWeek": "last-week",
    "LastMonth": "last-month",
}
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Publish:
    """One publish of the publisher.

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

    @property
    def size(self) -> int:
        """Bytes of the zip."""
        return self.path.stat().st_size


Files = dict[str | None, Held]
"""A publish's files by window; None is the full file."""


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
    member = f"{publish.stamp}-gleif-goldencopy-lei2-{kind}.csv"
    archive = folder / f"{member}.zip"
    _pack(publish.deltas[window] if window else publish.content, member, archive)
    counted = _count(archive) if window or publish.record_count is None else publish.record_count
    number = int(publish.published_at.timestamp()) // 60
    url_path = f"/storage/golden-copy-files/{publish.published_at:%Y/%m/%d}/{number}/{archive.name}"
    return Held(archive, url_path, member, counted, publish.published_at)


def _entry(held: Held, form: str, kind: str, size: int, record_count: int) -> dict[str, Any]:
    return {
        "type": "lei2",
        "format": form,
        "record_count": record_count,
        "size": size,
        "size_human_readable": f"{size / 1024**2:.2f} MB",
        "delta_type": kind,
        "cdf_version": "LEI_3.1",
        "url": HOST + held.url_path.replace(".csv.zip", f".{form}.zip"),
    }


def bundle(publish: Publish, files: Files, size: int, record_count: int) -> dict[str, Any]:
    """The `lei2` bundle of a listing; `size` and `record_count` are said of the full CSV."""
    full = files[None]
    deltas = {
        window: {"csv": _entry(held, "csv", window, held.size, held.record_count)}
        for window, held in files.items()
        if window
    }
    return {
        "type": "lei2",
        "publish_date": f"{publish.published_at:%Y-%m-%d %H:%M:%S}",
        "full_file": {
            form: _entry(full, form, "GoldenCopy", size * factor, record_count)
            for form, factor in (("csv", 1), ("json", 2), ("xml", 3))
        },
        "delta_files": deltas or ([] if publish.has_delta_list else {}),
    }


def entry(lei2: dict[str, Any]) -> dict[str, Any]:
    """One publish of a listing: the lei2 bundle, and the other two without files."""
    date = lei2["publish_date"]
    others = {
        kind: {"type": kind, "publish_date": date, "full_file": {}, "delta_files": {}}
        for kind in ("rr", "repex")
    }
    return {"publish_date": date, "lei2": lei2, **others}
