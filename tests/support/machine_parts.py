"""Machine parts that tests need and a machine may lack: found by name, or skipped by name."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

SKIPPED_PARTS = pytest.StashKey[dict[str, str]]()


def skip(config: pytest.Config, part: str, reason: str) -> NoReturn:
    """Skip the test and have the closing summary name `part` with its reason."""
    config.stash[SKIPPED_PARTS][part] = reason
    pytest.skip(f"{part}: {reason}")


def postgres_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl; Debian keeps the newest out of the PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    complete = (folder for folder in folders if (folder / "pg_ctl").exists())
    return next(complete, None)


def chromium_program() -> Path | None:
    """Return a Chromium that starts; some systems ship a script that only names a package."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found and _answers([found, "--version"]):
            return Path(found)
    return None


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _version(folder: Path) -> float:
    number = re.fullmatch(r"\d+(\.\d+)?", folder.parent.name)
    return float(number.group()) if number else 0.0
