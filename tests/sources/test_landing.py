"""The landing: bytes as received, under their digest, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources.kit.errors import DeliveryRefused, Refused
from sources.kit.landing import Landing

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, tzinfo=UTC)
DATA = b"invented,rows\r\n" * 200_000


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "var" / "landing" / "gleif")


def everything(landing: Landing) -> list[Path]:
    return [path for path in landing.root.rglob("*") if path.is_file()]


def test_bytes_are_kept_unaltered_under_their_digest(landing: Landing) -> None:
    path, sha256, byte_count = landing.receive(io.BytesIO(DATA))
    assert sha256 == hashlib.sha256(DATA).hexdigest()
    assert path == landing.root / sha256[:2] / f"{sha256}.bin"
    assert path.read_bytes() == DATA
    assert byte_count == len(DATA)
    assert everything(landing) == [path]


def test_only_the_owner_may_read(landing: Landing) -> None:
    landing.root.chmod(0o755)
    umask = os.umask(0)
    try:
        path, _, _ = Landing(landing.root).receive(io.BytesIO(DATA))
    finally:
        os.umask(umask)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, landing.root)]
    assert modes == [0o600, 0o700, 0o700]


def test_the_same_bytes_land_once_and_mend_a_damaged_copy(landing: Landing) -> None:
    path, _, _ = landing.receive(io.BytesIO(DATA))
    path.write_bytes(b"rot")
    assert landing.receive(io.BytesIO(DATA))[0] == path
    assert path.read_bytes() == DATA
    assert everything(landing) == [path]


def test_a_broken_stream_leaves_nothing(landing: Landing) -> None:
    class Broken(io.RawIOBase):
        def read(self, _: int = -1) -> bytes:
            names = [path.name for path in everything(landing)]
            assert all(name.endswith(".part") for name in names)
            if self.tell():
                raise ConnectionResetError
            return DATA

        def tell(self) -> int:
            self.pieces = getattr(self, "pieces", -1) + 1
            return self.pieces

    with pytest.raises(ConnectionResetError):
        landing.receive(Broken())  # type: ignore[arg-type]
    assert everything(landing) == []


def test_a_full_disk_is_named_and_leaves_nothing(landing: Landing) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(DATA) // 2, before[1]))
    try:
        with pytest.raises(DeliveryRefused, match="cannot be written") as raised:
            landing.receive(io.BytesIO(DATA))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "Free space" in raised.value.cure
    assert everything(landing) == []


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeliveryRefused, match="cannot be written"):
        Landing(tmp_path / "file")


def test_a_local_file_is_copied_and_left_alone(landing: Landing, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_bytes(DATA)
    path, sha256, byte_count = landing.adopt(mine)
    assert path.read_bytes() == mine.read_bytes() == DATA
    assert (sha256, byte_count) == (hashlib.sha256(DATA).hexdigest(), len(DATA))


def test_what_is_no_file_is_refused(landing: Landing, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing.zip", "pipe", "."):
        with pytest.raises(Refused):
            landing.adopt(tmp_path / name)


def test_a_sweep_takes_what_the_dead_left_and_nothing_of_the_living(landing: Landing) -> None:
    kept, _, _ = landing.receive(io.BytesIO(DATA))
    program = (
        "import sys, time; from pathlib import Path; from sources.kit.landing import Landing\n"
        "with Landing(Path(sys.argv[1])).partial() as partial:\n"
        "    partial.write(b'x' * 2_000_000); print(partial.path.name, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(landing.root)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout is not None
    with child.stdout:
        theirs = landing.root / child.stdout.readline().decode().strip()
        with landing.partial() as mine:
            assert landing.sweep_partials(NOW) == 0
            assert theirs.exists()
            child.kill()
            child.wait(10)
            assert landing.sweep_partials(NOW) == 1
            assert mine.path.exists()
    assert not theirs.exists()
    assert everything(landing) == [kept]


def test_killed_at_any_moment_nothing_partial_is_visible(landing: Landing) -> None:
    program = (
        "import io, sys; from pathlib import Path; from sources.kit.landing import Landing\n"
        "landing = Landing(Path(sys.argv[1])); print('ready', flush=True)\n"
        "while True:\n"
        "    for n in range(50): landing.receive(io.BytesIO(bytes([n]) * 3_000_000))"
    )
    for trial in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(landing.root)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert child.stdout is not None
        with child.stdout:
            child.stdout.readline()
            time.sleep(0.02 + 0.037 * trial)
            child.kill()
            child.wait(10)
        for path in landing.root.rglob("*.bin"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
    landing.sweep_partials(NOW)
    assert list(landing.root.glob("*.part")) == []
    assert everything(landing)
