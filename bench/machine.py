"""What a figure was measured on: processor, memory, versions, and how busy the machine was."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("sourcenote", "pyarrow", "adbc-driver-sqlite", "psycopg", "great_expectations")
_KIB, _MB = 1024, 1_000_000


def describe() -> dict[str, str]:
    """The machine and the software, as a reader of the table wants them."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "machine": f"{_processor()}, {usable_cores()} cores, {memory:.0f} GiB memory",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": f"{packages}, SQLite {sqlite3.sqlite_version}",
    }


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float:
    """Runnable processes over the last minute; more than the cores means that we had company."""
    return round(os.getloadavg()[0], 2)


def peak_mb() -> float:
    """The most memory this process has held resident, MB (10^6 bytes).

    Linux's own mark of this program, because ru_maxrss starts from what the parent held at fork.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * _KIB / _MB, 1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most * (1 if sys.platform == "darwin" else _KIB) / _MB, 1)


def cpu_seconds() -> float:
    """Processor time of this process and its ended children so far."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
