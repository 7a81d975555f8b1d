"""How long commands and imports take until they answer, each a process started cold."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.databases import ROOT
from bench.machine import load_average
from bench.product import config_file
from bench.rounds import Broken, environment

HELP, STATUS = "sourcenote --help", "sourcenote status"
_PEAK = "; from bench.machine import peak_mb; print(peak_mb())"


@dataclass(frozen=True)
class Start:
    """One command's times in seconds; `peak_mb` of the imports, 0 for commands."""

    name: str
    seconds: tuple[float, ...]
    load_average: float
    peak_mb: float = 0.0

    @property
    def median(self) -> float:
        """The median time."""
        return median(self.seconds)


_COMMAND = [sys.executable, "-m", "flows.cli"]


def help_page(repeats: int = 5) -> Start:
    """`sourcenote --help`, as a user's shell starts it."""
    return measure(HELP, [*_COMMAND, "--help"], repeats)


def status(kind: str, url: str, home: Path, repeats: int = 5) -> Start:
    """`sourcenote status` on a filled warehouse."""
    return command(f"{STATUS}, {kind}", ("status",), url, home, repeats)


def command(name: str, arguments: tuple[str, ...], url: str, home: Path, repeats: int = 5) -> Start:
    """Any command on a filled warehouse, under the name that the table gives it."""
    settings = ["--config", str(config_file(home)), "--warehouse", url]
    return measure(name, [*_COMMAND, *settings, *arguments], repeats, home=home)


def imports(repeats: int = 3) -> list[Start]:
    """The interpreter, and the two libraries that are heavy to import."""
    found = []
    for name, code in (
        ("Python itself", "pass"),
        ("import prefect", "import prefect"),
        ("import great_expectations", "import great_expectations"),
    ):
        found.append(measure(name, [sys.executable, "-c", code + _PEAK], repeats, is_import=True))
    return found


def measure(
    name: str,
    command: list[str],
    repeats: int,
    *,
    home: Path | None = None,
    is_import: bool = False,
) -> Start:
    """Start the command that many times; `Broken` when it fails. An import prints its peak."""
    seconds, peak, busy = [], 0.0, load_average()
    for _ in range(repeats):
        start = time.perf_counter()
        done = subprocess.run(
            command, cwd=ROOT, env=environment(home), capture_output=True, text=True, check=False
        )
        seconds.append(time.perf_counter() - start)
        if done.returncode:
            message = f"{name} ended with {done.returncode}:\n{done.stderr[-2000:]}"
            raise Broken(message)
        peak = float(done.stdout.split()[-1]) if is_import else 0.0
    return Start(name, tuple(seconds), busy, peak)
