"""A disk of a few megabytes, mounted where root may, and filled up to what is to be left free."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import machine_parts
import pytest

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class SmallDisk:
    """Where it is mounted."""

    path: Path

    def leave(self, free: int) -> None:
        """Fill it until so many bytes are free."""
        self.clear()
        more = shutil.disk_usage(self.path).free - free
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(more, 1))

    def clear(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def folder(self, name: str, like: Path) -> Path:
        """A folder on it that belongs to whom `like` belongs to."""
        made, owner = self.path / name, like.stat()
        made.mkdir(mode=0o700)
        os.chown(made, owner.st_uid, owner.st_gid)
        return made


@contextmanager
def small_disk(path: Path, mebibytes: int, config: pytest.Config) -> Iterator[SmallDisk]:
    """A tmpfs at `path` (which others may enter), gone at the end; skipped by name without one."""
    path.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", str(path)]
    can = shutil.which("mount") and os.geteuid() == 0
    if not can or subprocess.run(options, capture_output=True, check=False).returncode:
        path.rmdir()
        machine_parts.skip(config, "A small disk", "this machine lets nobody mount a tmpfs")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
        path.rmdir()
