"""The environment of the peer that is no package of ours: made once, from a pinned list."""

from __future__ import annotations

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

PINNED = Path(__file__).with_name("peers.txt")


class NotInstalled(Exception):
    """The peer could not be installed, and why."""


def python_of(folder: Path, pinned: Path = PINNED) -> Path:
    """A Python that has what `pinned` lists; installed into `folder` when it is not there yet.

    Raises `NotInstalled` with the end of what pip said. A half-made environment is made again.
    """
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = sha256(pinned.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-input", "--no-deps", "--require-hashes", "-r", str(pinned)])
    stamp.write_text(wanted, encoding="ascii")
    return python


def version_of(python: Path, package: str) -> str:
    """The version of a package in that environment."""
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    return _run([str(python), "-c", asked]).strip()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        message = lines[-1] if lines else f"{command[0]} ended with {done.returncode}"
        raise NotInstalled(message)
    return done.stdout
