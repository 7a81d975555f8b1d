"""The two files every round loads: a full file, and the same one a day later, made once and kept.

They are kept under `var/bench/inputs` by rows, seed and generator, so that a second run starts at
once. A file is made under another name and moved into place, so a broken one is never reused.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

from sources.kit import sample
from sources.kit.sample import SAMPLE_DAY

ROOT = Path(__file__).resolve().parents[1]
CHANGED_SHARE = 0.01
PUBLISHED = datetime.combine(SAMPLE_DAY, time(8), UTC)
"""When the first file was published; the changed one is a day later."""


@dataclass(frozen=True)
class Input:
    """One file: what it holds, and when it was published and would be fetched (UTC)."""

    path: Path
    rows: int
    byte_count: int
    zip_byte_count: int
    changed_rows: int
    published_at: datetime

    @property
    def retrieved_at(self) -> datetime:
        """Two hours after its publication."""
        return self.published_at + timedelta(hours=2)


def inputs(folder: Path, rows: int, seed: int = 1) -> tuple[Input, Input]:
    """The full file of `rows` companies and the one a day later with 1 % of them changed."""
    folder.mkdir(parents=True, exist_ok=True)
    return (
        _kept(folder, rows, seed, share=0.0, published_at=PUBLISHED),
        _kept(folder, rows, seed, share=CHANGED_SHARE, published_at=PUBLISHED + timedelta(days=1)),
    )


def _kept(folder: Path, rows: int, seed: int, *, share: float, published_at: datetime) -> Input:
    path = folder / f"{rows}-{seed}-{share}-{_generator()}.csv.zip"
    facts = path.with_suffix(".json")
    if not (path.exists() and facts.exists()):
        made = path.with_suffix(".part.zip")
        # In a process of its own: what generating takes must not count as anybody's memory.
        subprocess.run(
            [
                *(sys.executable, "-m", "bench.generate", made, "--rows", str(rows)),
                *("--seed", str(seed), "--changed-share", str(share), "--facts", facts),
            ],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        made.replace(path)
    return Input(path=path, published_at=published_at, **json.loads(facts.read_text("utf-8")))


def _generator() -> str:
    """A mark of the generator's own code: another generator makes other files."""
    folder = Path(sample.__file__).parent
    code = b"".join(file.read_bytes() for file in sorted(folder.glob("sample*")))
    return sha256(code).hexdigest()[:8]
