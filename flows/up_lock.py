"""One standing service a state folder, and no process of it that outlives it."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from multiprocessing import parent_process
from typing import TYPE_CHECKING

from sources.kit.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SERVICE, _PARTS = "up.lock", "up.members.lock"
_SECONDS_TO_DIE = 30.0
_BETWEEN_LOOKS = 0.1


@contextmanager
def only_service(home: Path) -> Iterator[None]:
    """Hold the state folder for one service; `Busy` when another has it.

    Waits until the processes of one that was killed have noticed and are gone.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _opened(home / _SERVICE) as service, _opened(home / _PARTS) as parts:
        if not _taken(service, LOCK_EX):
            raise Busy(
                f"state folder {home}",
                "another `sourcenote up` is running on it",
                "Stop that one first, or give this one another SOURCENOTE_HOME",
            )
        until = time.monotonic() + _SECONDS_TO_DIE
        while not _taken(parts, LOCK_EX):
            if time.monotonic() > until:
                raise Busy(
                    f"state folder {home}",
                    "processes of an earlier `sourcenote up` are still ending",
                    "Wait a minute and run it again",
                )
            time.sleep(_BETWEEN_LOOKS)
        flock(parts, LOCK_UN)
        yield


def is_service_up(home: Path) -> bool:
    """Whether a service runs on the state folder now."""
    if not (home / _SERVICE).exists():
        return False
    with _opened(home / _SERVICE) as service:
        return not _taken(service, LOCK_SH)


def belong_to_service(home: Path) -> None:
    """Make this process a part of the service: counted while it lives, gone when its parent is."""
    # Held until this process ends: nobody closes it.
    parts = os.open(home / _PARTS, os.O_CREAT | os.O_RDWR, 0o600)
    flock(parts, LOCK_SH)
    end_with_parent()


def end_with_parent() -> None:
    """End this process when the one that started it is gone, however that ended.

    As by `kill -9`: what was being written is rolled back, which every flow is tested to survive.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _taken(descriptor: int, kind: int) -> bool:
    try:
        flock(descriptor, kind | LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
