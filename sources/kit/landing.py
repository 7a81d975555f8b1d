"""The bytes as received, kept by digest: whole or not there at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sources.kit.errors import DiskFull, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1024 * 1024
_SUFFIX = ".part"


class Partial:
    """A delivery on its way in: written under a name nobody reads, visible only once kept."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file, self.path = _locked_file(root)
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Append bytes; `DiskFull` when the disk does not take them."""
        with _disk_faults(self._root):
            self._file.write(piece)
        self._digest.update(piece)
        self.size += len(piece)

    def restart(self) -> None:
        """Forget everything written so far."""
        with _disk_faults(self._root):
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
        with _disk_faults(self._root):
            self._file.flush()
            os.fsync(self._file.fileno())
            folder.mkdir(mode=0o700, exist_ok=True)
            self.path.replace(target)
            _sync_folder(folder)
            _sync_folder(self._root)
        return target, sha256, self.size

    def discard(self) -> None:
        """Close, and remove what was not kept."""
        self.path.unlink(missing_ok=True)
        try:
            self._file.close()
        except OSError:
            # Closing flushes once more: on a full disk that fails again, and nothing is lost.
            return


class Landing:
    """A folder of deliveries as received: `root/<first two of SHA-256>/<SHA-256>.bin`.

    Files are 0600 and folders 0700: deliveries hold personal data.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        with _disk_faults(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root.chmod(0o700)

    @contextmanager
    def partial(self) -> Iterator[Partial]:
        """Open a place to write a delivery piece by piece; it is gone on leaving unless kept."""
        with _disk_faults(self.root):
            partial = Partial(self.root)
        try:
            yield partial
        finally:
            partial.discard()

    def receive(self, stream: BinaryIO) -> tuple[Path, str, int]:
        """Land everything `stream` still holds; (path, SHA-256 in hex, length in bytes)."""
        with self.partial() as partial:
            while piece := stream.read(_PIECE):
                partial.write(piece)
            return partial.keep()

    def adopt(self, path: Path) -> tuple[Path, str, int]:
        """Land a copy of a local file; the file itself is left alone.

        Raises `Refused` when there is no such readable file.
        """
        if not path.is_file():
            raise Refused(f"File {path.name}", "there is no such file", "Check the path")
        try:
            stream = path.open("rb")
        except OSError as error:
            raise Refused(
                f"File {path.name}",
                f"it cannot be read ({error.strerror})",
                "Check its permissions",
            ) from error
        with stream:
            return self.receive(stream)

    def sweep_partials(self) -> int:
        """Remove what dead processes left behind, and nothing of a living one; how many.

        The writer's lock on the file tells them apart: it dies with its holder.
        """
        swept = 0
        for path in self.root.glob(f"*{_SUFFIX}"):
            try:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink(missing_ok=True)
                    swept += 1
            except (BlockingIOError, FileNotFoundError):
                continue
        return swept


def _locked_file(root: Path) -> tuple[BinaryIO, Path]:
    """Make a new file of 0600 that this process holds the lock on."""
    while True:
        descriptor, name = tempfile.mkstemp(suffix=_SUFFIX, dir=root)
        file = os.fdopen(descriptor, "wb", buffering=_PIECE)
        fcntl.flock(file, fcntl.LOCK_EX)
        # A sweep may have come between the making and the lock, and taken the name away.
        if os.fstat(descriptor).st_nlink:
            return file, Path(name)
        file.close()


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_faults(root: Path) -> Iterator[None]:
    """Say what the disk said in the house's words."""
    try:
        yield
    except OSError as error:
        raise DiskFull(
            f"Landing folder {root}",
            f"it cannot be written ({error.strerror or type(error).__name__})",
            "Free space or correct its permissions, then run again",
        ) from error
