"""`sourcenote up` as a process of its own, with everything it starts; killed, stopped, asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from standing import asked

from sources.kit.sample import BundledSample
from warehouse.engine import open_warehouse, writing
from warehouse.schema import run

ROOT = Path(__file__).parents[2]
OFF = tuple(
    f"ingest-{name}"
    for name in ("gleif-rr", "gleif-repex", "gleif-codes", "brreg", "cvr", "ariregister", "prh")
)
SECONDS = 150.0


def until(found: Callable[[], Any], seconds: float = SECONDS, what: str = "") -> Any:
    """What `found` says once it says anything; fails after a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.2)
    message = f"nothing came of it within {seconds:.0f} s: {what or found}"
    raise AssertionError(message)


def children(pid: int) -> set[int]:
    """Every living process below this one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    level = {pid}
    while level := {child for child, parent in parents.items() if parent in level}:
        found |= level
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that are still there, whoever is their parent now."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def gone(pids: set[int]) -> bool:
    """Whether none of them is there any more."""
    return not alive(pids)


class Service:
    """One `up` and what it said."""

    def __init__(self, home: Path, environ: dict[str, str], *options: str) -> None:
        self._home = home
        self._said = (home / f"up-{time.monotonic_ns()}.log").open("w+")
        free = ("--port=0", "--portal-port=0")
        line = [sys.executable, "-m", "flows.cli", "up", "--json", *free, *options]
        self.process = subprocess.Popen(
            line,
            cwd=home,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,
        )
        self._text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._text += line

    def ready(self) -> dict[str, Any]:
        """The document, once everything answers."""

        def found() -> dict[str, Any] | None:
            if self.process.poll() is not None:
                message = f"it ended ({self.process.returncode}): {self._text} {self.errors()}"
                raise AssertionError(message)
            try:
                document: dict[str, Any] = json.loads(self._text)
            except ValueError:
                return None
            return document

        return dict(until(found, what="the service being up"))

    def document(self) -> dict[str, Any]:
        """The document of a service that has ended."""
        self._reader.join(SECONDS)
        return dict(json.loads(self._text))

    def errors(self) -> str:
        """Everything that went to standard error."""
        return Path(self._said.name).read_text()

    def close(self) -> None:
        """Let go of its output."""
        self._reader.join(SECONDS)
        if self.process.stdout:
            self.process.stdout.close()
        self._said.close()

    def below(self) -> set[int]:
        """Its processes, itself apart."""
        return children(self.process.pid)

    def kill(self) -> set[int]:
        """End it as the kernel would; returns the processes it had."""
        had = self.below()
        self.process.kill()
        self.process.wait(SECONDS)
        return had

    def stop(self, number: int = signal.SIGTERM, *, whole_group: bool = False) -> int:
        """Ask it to stop, alone or with all it started; its exit code."""
        (os.killpg if whole_group else os.kill)(self.process.pid, number)
        return self.process.wait(SECONDS)


@contextmanager
def service(home: Path, environ: dict[str, str], *options: str) -> Iterator[Service]:
    """An `up` that is gone at the end, whatever happens."""
    found = Service(home, environ, *options)
    try:
        yield found
    finally:
        had = found.below()
        if found.process.poll() is None:
            found.process.kill()
            found.process.wait(SECONDS)
        for pid in alive(had):
            os.kill(pid, signal.SIGKILL)
        found.close()


def environment(home: Path, url: str) -> dict[str, str]:
    """What `up` reads: a home and a warehouse, and nothing of this test's Prefect."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PREFECT_")}
    return {
        **kept,
        "SOURCENOTE_HOME": str(home),
        "SOURCENOTE_CONFIG": str(home / "sourcenote.toml"),
        "SOURCENOTE_WAREHOUSE_URL": url,
        "PYTHONPATH": str(ROOT),
    }


def ledger(url: str) -> list[tuple[str, str]]:
    """Every run of the warehouse: flow and state."""
    rows = asked(url, "SELECT flow, state FROM run ORDER BY run_id")
    return [(row["flow"], row["state"]) for row in rows]


def age(url: str, flow: str, *, days: int) -> None:
    """Let every run of the flow have been that long ago."""
    engine = open_warehouse(url)
    ago = datetime.now(UTC) - timedelta(days=days)
    with writing(engine) as connection:
        connection.execute(run.update().where(run.c.flow == flow).values(started_at=ago))
    engine.dispose()


def configure(home: Path, base_url: str, **lines: str) -> None:
    """The example configuration with a stand-in and a schedule; other sources are off."""
    config = home / "sourcenote.toml"
    text = config.read_text("utf-8").partition("# --- of the test")[0]
    told = dict.fromkeys(OFF, "off") | {
        name.replace("_", "-"): cron for name, cron in lines.items()
    }
    schedule = "\n".join(f'{name} = "{cron}"' for name, cron in told.items())
    config.write_text(
        f'{text}# --- of the test\n[sources.gleif]\nbase_url = "{base_url}"\n'
        f"[schedule]\n{schedule}\n",
        "utf-8",
    )


def persons_of(sample: BundledSample) -> set[str]:
    """Names of the sample that are persons': no part of Prefect may know them."""
    import csv
    import io

    rows = csv.DictReader(io.StringIO(sample.csv.decode(), newline=""))
    return {
        row["Entity.LegalName"]
        for row in rows
        if row["Entity.EntityCategory"] == "SOLE_PROPRIETOR" and row["Entity.LegalName"]
    }
