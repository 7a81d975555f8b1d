"""The files a run loads, above all a full file and the same one a day later, made once and kept.

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
from types import ModuleType

from bench import picked
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


@dataclass(frozen=True)
class FullInputs:
    """The golden copy, the repeat, the deltas in their order, and the small golden copy."""

    whole: Input
    changed: Input
    deltas: tuple[Input, ...]
    small: Input


def inputs(folder: Path, rows: int, seed: int = 1) -> tuple[Input, Input]:
    """The full file of `rows` companies and the one a day later with 1 % of them changed."""
    folder.mkdir(parents=True, exist_ok=True)
    return (
        _full(folder, rows, seed, share=0.0, published_at=PUBLISHED),
        _full(folder, rows, seed, share=CHANGED_SHARE, published_at=PUBLISHED + timedelta(days=1)),
    )


def full_inputs(
    folder: Path, rows: int, *, small_rows: int, delta_rows: int, seed: int = 1
) -> FullInputs:
    """What `inputs` makes, deltas of `delta_rows` a day apart, and `small_rows` of the companies.

    Every company that a delta changes is in the small golden copy too.
    """
    whole, changed = inputs(folder, rows, seed)
    of = ("bench.picked", "--rows", str(rows), "--seed", str(seed))
    deltas = []
    for number in range(1, picked.DELTAS + 1):
        name = f"{rows}-{seed}-delta-{number}-{delta_rows}-{_generator(picked)}"
        asked = (*of, "--delta", str(number), "--delta-rows", str(delta_rows))
        deltas.append(_kept(folder, name, asked, PUBLISHED + timedelta(days=1 + number)))
    small = f"{rows}-{seed}-small-{small_rows}-{_generator(picked)}"
    asked = (*of, "--small", str(small_rows))
    return FullInputs(whole, changed, tuple(deltas), _kept(folder, small, asked, PUBLISHED))


def _full(folder: Path, rows: int, seed: int, *, share: float, published_at: datetime) -> Input:
    asked = ("bench.generate", "--rows", str(rows), "--seed", str(seed))
    name = f"{rows}-{seed}-{share}-{_generator()}"
    return _kept(folder, name, (*asked, "--changed-share", str(share)), published_at)


def _kept(folder: Path, name: str, asked: tuple[str, ...], published_at: datetime) -> Input:
    """The file of that name, made by the module and the options asked for when it is not there."""
    path = folder / f"{name}.csv.zip"
    facts = path.with_suffix(".json")
    if not (path.exists() and facts.exists()):
        made = path.with_suffix(".part.zip")
        # In a process of its own: what generating takes must not count as anybody's memory.
        subprocess.run(
            [sys.executable, "-m", asked[0], made, *asked[1:], "--facts", facts],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        made.replace(path)
    return Input(path=path, published_at=published_at, **json.loads(facts.read_text("utf-8")))


def _generator(*others: ModuleType) -> str:
    """A mark of the generator's own code: another generator makes other files."""
    files = sorted(Path(sample.__file__).parent.glob("sample*"))
    files += [Path(str(other.__file__)) for other in others]
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]
