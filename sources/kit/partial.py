"""A delivery on its way in: bytes under a name nobody reads, continued by a later run where it can.

Beside bytes that a later run may continue stands a note (`.part.json`) of what the server said of
them. The writer's lock on the file tells the living from the dead: it dies with its holder.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sources.kit.errors import DiskFull

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTINUED_WITHIN = timedelta(days=3)
"""How long after its last byte an interrupted download is kept; a publisher lists its files anew
several times a day, and each landing folder holds personal data."""
SUFFIX = ".part"
_NOTE = ".json"
_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Wanted:
    """A file that is asked for: by which source, at the address dialled, of which listed length."""

    source_id: str
    address: str
    size: int | None

    @property
    def name(self) -> str:
        """Its name while it is on its way: an address may hold a key, so only its digest."""
        digest = hashlib.sha256(f"{self.size} {self.address}".encode()).hexdigest()
        return f"{self.source_id}.{digest}{SUFFIX}"


@dataclass(frozen=True)
class Told:
    """What a server said of a file: its whole length in bytes, its ETag, its Last-Modified."""

    total: int | None = None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def validator(self) -> str | None:
        """What If-Range takes: a weak ETag may not be used there (RFC 9110, 13.1.5)."""
        strong = self.etag if self.etag and not self.etag.startswith("W/") else None
        return strong or self.last_modified


class Partial:
    """One file being written; visible only once kept.

    With `wanted` it begins with what a dead run received of the same file: `size` bytes are there,
    digested anew, and `told` is what the server said of them. Another process that is fetching
    the same file keeps it: then this one begins from nothing, under a name of its own.
    """

    def __init__(self, root: Path, wanted: Wanted | None = None) -> None:
        self._root = root
        found = None if wanted is None else _locked(root / wanted.name)
        self._note = None if wanted is None or found is None else _note_of(root / wanted.name)
        self._file, self.path = found or _new(root)
        self._digest = hashlib.sha256()
        self._is_kept = False
        self.size = 0
        self.told: Told | None = None
        if wanted is not None and self._note is not None:
            self._continue(_read(self._note), wanted.size)

    def _continue(self, told: Told | None, listed: int | None) -> None:
        """Take what is there, but never all of it: the server is to say that it is the same file.

        Bytes of which nothing is known, or that cannot be read, are forgotten.
        """
        if told is None:
            self.restart()
            return
        whole = listed or told.total
        most = sys.maxsize if whole is None else whole - 1
        try:
            while piece := self._file.read(min(_PIECE, most - self.size)):
                self._digest.update(piece)
                self.size += len(piece)
        except OSError:
            self.restart()
            return
        with disk_faults(self._root):
            self._file.seek(self.size)
            if os.fstat(self._file.fileno()).st_size > self.size:
                self._file.truncate()
        self.told = told

    def write(self, piece: bytes) -> None:
        """Append bytes, which outlive this process; `DiskFull` when the disk does not take them."""
        with disk_faults(self._root):
            self._file.write(piece)
            self._file.flush()
        self._digest.update(piece)
        self.size += len(piece)

    def note(self, told: Told) -> None:
        """Let a later run continue what follows; only for bytes that can be told from others."""
        self.told = told
        if self._note is not None:
            with disk_faults(self._root):
                self._note.touch(mode=0o600)
                self._note.write_text(json.dumps(asdict(told)), "utf-8")

    def restart(self) -> None:
        """Forget everything written so far, and what was said of it."""
        with disk_faults(self._root):
            self._forget_note()
            self._file.seek(0)
            self._file.truncate()
        self._digest = hashlib.sha256()
        self.size = 0

    def keep(self) -> tuple[Path, str, int]:
        """Put the bytes in their place; returns (path, SHA-256 in hex, length in bytes).

        The same bytes received again replace themselves, which also mends a damaged copy.
        """
        sha256 = self._digest.hexdigest()
        folder = self._root / sha256[:2]
        target = folder / f"{sha256}.bin"
        with disk_faults(self._root):
            self._file.flush()
            os.fsync(self._file.fileno())
            folder.mkdir(mode=0o700, exist_ok=True)
            self._forget_note()
            self.path.replace(target)
            self._is_kept = True
            _sync_folder(folder)
            _sync_folder(self._root)
        return target, sha256, self.size

    def discard(self) -> None:
        """Remove what was not kept; its bytes are never continued."""
        if not self._is_kept and not self._file.closed:
            self._forget_note()
            self.path.unlink(missing_ok=True)
        self._close()

    def leave(self) -> None:
        """Close; what a later run can continue stays, the rest goes."""
        if self._note is not None and self.told is not None and self.size:
            self._close()
        else:
            self.discard()

    def _forget_note(self) -> None:
        self.told = None
        if self._note is not None:
            self._note.unlink(missing_ok=True)

    def _close(self) -> None:
        # Closing flushes once more: on a full disk that fails again, and nothing is lost.
        with suppress(OSError):
            self._file.close()


def remove_dead(path: Path, now: datetime | None = None) -> bool:
    """Remove a part that no living process writes; with `now`, only if none can continue it."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(file, path) or (now is not None and _can_be_continued(path, now)):
                return False
            _note_of(path).unlink(missing_ok=True)
            path.unlink()
            return True
    except (BlockingIOError, FileNotFoundError):
        return False


def _can_be_continued(path: Path, now: datetime) -> bool:
    found = path.stat()
    since = now - datetime.fromtimestamp(found.st_mtime, UTC)
    return bool(found.st_size) and since < CONTINUED_WITHIN and _read(_note_of(path)) is not None


def _note_of(path: Path) -> Path:
    return path.with_name(path.name + _NOTE)


def _read(note: Path) -> Told | None:
    """What the note says; None where there is none, or one that was cut off."""
    try:
        return Told(**json.loads(note.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _locked(path: Path) -> tuple[BinaryIO, Path] | None:
    """The file at `path`, made if need be, with its lock; None when another process holds it."""
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if _is_at(file, path):
            return file, path
        file.close()


def _new(root: Path) -> tuple[BinaryIO, Path]:
    """Make a new file of 0600 that this process holds the lock on."""
    while True:
        descriptor, name = tempfile.mkstemp(suffix=SUFFIX, dir=root)
        file = os.fdopen(descriptor, "r+b")
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file, Path(name)):
            return file, Path(name)
        file.close()


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether the name still leads to this file."""
    # Between opening and lock another process may have swept it, or kept it under its digest.
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_faults(root: Path) -> Iterator[None]:
    """Say what the disk said in the house's words."""
    try:
        yield
    except OSError as error:
        raise DiskFull(
            f"Landing folder {root}",
            f"it cannot be written ({error.strerror or type(error).__name__})",
            "Free space or correct its permissions, then run again",
        ) from error
