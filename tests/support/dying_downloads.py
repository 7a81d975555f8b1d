"""Downloads of a process that is killed in the middle of a body, and servers to do it to."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripted_server import Answer, head, wants_from

from sources.kit.landing import Landing

ROOT = Path(__file__).resolve().parents[2]
PATH = "/storage/f.zip?api_key=Planted-4711"
DATA = random.Random(2).randbytes(3_000_000)
CUT = 1_234_567
BEGINS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sources.gleif import CARD
from sources.kit.landing import Landing
from sources.kit.session import PoliteSession
base, path, folder, size = sys.argv[1:]
with PoliteSession(CARD, lambda: datetime.now(UTC), base_url=base) as session:
    session.download(
        CARD.base_url + path, Landing(Path(folder)), expected_size=int(size) or None
    )
"""


def parts(landing: Landing) -> list[Path]:
    return sorted(landing.root.glob("*.part"))


@contextmanager
def beginning(
    url: str, landing: Landing, received: int, size: int = len(DATA), path: str = PATH
) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has received that many bytes and waits for more; killed at the end."""
    line = [sys.executable, "-c", BEGINS, url, path, str(landing.root), str(size)]
    child = subprocess.Popen(line, cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while sum(part.stat().st_size for part in parts(landing)) < received:
            assert time.monotonic() < until
            assert child.poll() is None
            time.sleep(0.01)
        yield child
    finally:
        child.kill()
        child.wait(10)


def killed(url: str, landing: Landing, received: int, **wanted: int | str) -> None:
    with beginning(url, landing, received, **wanted):  # type: ignore[arg-type]
        pass


def hangs(*lines: str, data: bytes = DATA, cut: int = CUT) -> Answer:
    """Announce all of it, send a part, and then nothing until the client is gone."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(head(len(data), *lines) + data[:cut])
        connection.recv(1)

    return answer


def rest(*lines: str, data: bytes = DATA) -> Answer:
    """Answer a Range request as a good server does, a plain one with the whole."""

    def answer(connection: socket.socket, request: str) -> None:
        start = wants_from(request)
        for line in request.splitlines():
            if line.startswith("If-Range: ") and not any(
                line.partition(": ")[2] in known for known in lines
            ):
                start = None
        if start is None:
            connection.sendall(head(len(data), *lines) + data)
            return
        stated = f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}"
        body = data[start:]
        connection.sendall(head(len(body), stated, *lines, status="206 Partial Content") + body)

    return answer
