"""What asks the warehouse a question answers at once: it imports no library of frames (issue 3)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from our_command import SAMPLE_MOMENT, copy_filled

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
        ("explain", "a changed company"),
        ("explain", "a company due"),
    ],
    ids=" ".join,
)
def test_a_question_imports_no_frames(tmp_path: Path, asked: tuple[str, ...]) -> None:
    known = copy_filled(tmp_path)
    keys = {"a changed company": known.changed, "a company due": known.due[0]}
    line = [keys.get(word, word) for word in asked]
    where = f"--warehouse=sqlite:///{tmp_path / 'sourcenote.db'}"
    told = subprocess.run(
        [sys.executable, "-c", ASK, *line, where, f"--now={SAMPLE_MOMENT:%FT%TZ}"],
        cwd=tmp_path,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "SOURCENOTE_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr.splitlines()[-1] == "imported:"
