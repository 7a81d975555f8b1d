"""The command as its users start it: another process, a pipe, an interruption, and the clock."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from our_command import sample_file

COMMAND = [sys.executable, "-m", "flows.cli"]
ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "great_expectations",
    "numpy",
    "pandas",
    "prefect",
    "pyarrow",
    "pydantic_settings",
    "requests",
    "rich.table",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "SOURCENOTE_HOME": str(tmp_path / "state")}


def start(
    *line: str, environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_it_runs_as_a_module(tmp_path: Path, environment: dict[str, str]) -> None:
    done = start("--version", environment=environment, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = start("init", "--example", "--json", environment=environment, folder=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["key_file"]["path"] == str(tmp_path / "state/sourcenote.key")
    done = start("status", "--json", environment=environment, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["is_example"] is True


@pytest.mark.parametrize("line", [["--help"], ["status"]])
def test_help_and_status_take_less_than_a_second(
    tmp_path: Path, environment: dict[str, str], line: list[str]
) -> None:
    """Of processor time, which does not depend on what else runs here."""
    start("init", environment=environment, folder=tmp_path)
    taken = []
    for _ in range(5):  # a machine that is busy elsewhere makes even processor time long
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert start(*line, environment=environment, folder=tmp_path).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if taken[-1] < 1.0:
            return
    pytest.fail(f"{' '.join(line)} took {min(taken):.2f} s of processor time")


def test_nothing_heavy_is_imported_for_help(environment: dict[str, str]) -> None:
    code = f"import flows.cli, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_status_brings_neither_prefect_nor_great_expectations(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    start("init", environment=environment, folder=tmp_path)
    code = (
        "import sys; from flows.cli import main; main(['status']); "
        "print([m for m in ('prefect', 'great_expectations', 'pandas', 'pyarrow', 'requests') "
        "if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path, environment: dict[str, str]) -> None:
    start("init", environment=environment, folder=tmp_path)
    for line in (["status"], ["status", "--json"]):
        command = subprocess.Popen(
            [*COMMAND, *line],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert b"Traceback" not in command.stderr.read()
        command.stderr.close()
        assert command.wait(timeout=30) in {0, 1}


def test_an_interrupted_ingest_leaves_nothing_and_can_be_run_again(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    start("init", environment=environment, folder=tmp_path)
    path = sample_file(tmp_path)
    command = subprocess.Popen(
        [*COMMAND, "ingest", "gleif", "--file", str(path)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stderr is not None
    command.stderr.readline()  # it says that it runs directly: the ingest has begun
    time.sleep(0.5)
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (130, "")
    assert "Traceback" not in err
    state = json.loads(start("status", "--json", environment=environment, folder=tmp_path).stdout)
    assert state["companies"] == {"active": 0, "inactive": 0}
    again = start(
        "ingest", "gleif", "--file", str(path), "--json", environment=environment, folder=tmp_path
    )
    assert again.returncode == 3
    assert json.loads(again.stdout)["counts"]["records_new"] > 500


def test_the_portal_answers_and_ends_quietly(tmp_path: Path, environment: dict[str, str]) -> None:
    start("init", "--example", environment=environment, folder=tmp_path)
    command = subprocess.Popen(
        [*COMMAND, "portal", "--port", "0"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    address = command.stdout.readline().split()[-1]
    visit = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    visit.request("GET", "/healthz")
    assert visit.getresponse().status == 200
    visit.close()
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, "")
