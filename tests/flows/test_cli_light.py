"""What asks the warehouse a question answers at once: it imports no library of frames (issue 3)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("pandas", "pyarrow", "numpy", "great_expectations", "prefect")
ASK = f"""
import sys
from flows.cli import main
code = main(sys.argv[1:])
print("imported:", *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "asked",
    [
        ("status",),
        ("sources",),
        ("segment", "list"),
        ("segment", "count", "lapsed"),
        ("segment", "count", "no-lei"),
        ("explain", "506700TEST0000000139"),
    ],
    ids=" ".join,
)
def test_a_question_imports_no_frames(tmp_path: Path, asked: tuple[str, ...]) -> None:
    run(tmp_path, "init", "--example")
    told = run(tmp_path, *asked)
    assert told.stderr.splitlines()[-1] == "imported:"


def run(folder: Path, *asked: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")))
    return subprocess.run(
        [sys.executable, "-c", ASK, *asked],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
