"""A list's folder: written aside, then placed by one rename; what a dead run left is taken away.

A note of every folder being written is kept in the state folder, so that nothing is ever searched
for in the folders of others. A note and its spool hold row texts: they are as private as the list.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = "rows.csv"
MANIFEST = "manifest.json"
NOTICES = "notices"

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_CHUNK = 1 << 20


@dataclass(frozen=True)
class ListFolder:
    """Where one list is written (`partial`), will be found (`target`), and is noted (`note`)."""

    export_id: str
    partial: Path
    target: Path
    note: Path

    @property
    def spool(self) -> Path:
        """Row notices on their way to the warehouse, beside the note; never part of the list."""
        return self.note.with_suffix(".letters")

    def place(self) -> None:
        """Make the list visible, whole: one rename, and it is on the disk."""
        if self.partial.exists():
            self.partial.rename(self.target)
            _sync_folder(self.target.parent)
        self._forget()

    def discard(self) -> None:
        """Take away everything that was written of a list that does not exist."""
        shutil.rmtree(self.partial, ignore_errors=True)
        self._forget()

    def _forget(self) -> None:
        self.spool.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def notes_folder(home: Path, warehouse_url: str) -> Path:
    """Where one warehouse's lists being written are noted, apart from other warehouses'."""
    of_warehouse = hashlib.sha256(warehouse_url.encode()).hexdigest()[:16]
    return home / "exports" / of_warehouse


def begin(out: Path, export_id: str, notes: Path) -> ListFolder:
    """A new folder, noted before it is made; `Refused` where it cannot be made."""
    folder = _folder(out.resolve(), export_id, notes)
    with as_refusal(out):
        notes.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        text = json.dumps({"out": str(out.resolve()), "export_id": export_id})
        with create(folder.note) as stream:
            stream.write(text)
        out.mkdir(parents=True, exist_ok=True)
        folder.partial.mkdir(mode=_PRIVATE_FOLDER)
        (folder.partial / NOTICES).mkdir(mode=_PRIVATE_FOLDER)
    return folder


def noted(notes: Path) -> list[ListFolder]:
    """Lists whose writing began and was not seen to end."""
    found = []
    for note in sorted(notes.glob("*.json")):
        with suppress(ValueError, KeyError):  # a note cut short is older than its folder
            held: dict[str, Any] = json.loads(note.read_text("utf-8"))
            found.append(_folder(Path(held["out"]), held["export_id"], notes))
            continue
        note.unlink()
    return found


def placed_at(directory: str, notes: Path) -> ListFolder:
    """The folder of a committed list by the address the warehouse knows."""
    target = Path(directory)
    return _folder(target.parent, target.name, notes)


def _folder(out: Path, export_id: str, notes: Path) -> ListFolder:
    partial = out / f".{export_id}.partial"
    return ListFolder(export_id, partial, out / export_id, notes / f"{export_id}.json")


@contextmanager
def create(path: Path) -> Iterator[Any]:
    """A new text file for its owner only, on the disk when the block ends; lines as written."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def as_refusal(folder: Path) -> Iterator[None]:
    """Say what is wrong with the folder; nothing is left of the list."""
    try:
        yield
    except OSError as error:
        cause = f"the list cannot be written there ({error.strerror or type(error).__name__})"
        cure = "Nothing was exported. Free space or choose another --out"
        raise Refused(f"export folder {folder}", cause, cure) from error


def facts(path: Path, root: Path, rows: int | None = None) -> dict[str, Any]:
    """What the manifest says of one file: name, SHA-256, bytes, and rows where it has any."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    found: dict[str, Any] = {
        "name": path.relative_to(root).as_posix(),
        "sha256": digest.hexdigest(),
        "bytes": path.stat().st_size,
    }
    return found if rows is None else {**found, "rows": rows}


def sync(folder: ListFolder) -> None:
    """Put the folder's own entries on the disk; its files are there already."""
    for path in (folder.partial / NOTICES, folder.partial):
        _sync_folder(path)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
