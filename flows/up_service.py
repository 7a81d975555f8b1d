"""The standing service as one process over its parts: started in order, watched, stopped whole."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from flows import settings as configuration
from flows import up_parts
from flows.up_lock import only_service
from sources.kit.errors import Refused, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

    from flows.house import House

_SECONDS_TO_START = 180.0
_SECONDS_TO_STOP = 40.0
_SPAWN = multiprocessing.get_context("spawn")
_STOPS = (signal.SIGINT, signal.SIGTERM)


class _Stopped(Exception):
    """Somebody asked the service to stop."""


@dataclass(frozen=True)
class Ports:
    """Where the service answers on this machine; 0 takes a free port."""

    prefect: int
    portal: int


@dataclass
class _Part:
    name: str
    process: SpawnProcess
    line: Connection


def serve(
    house: House, config: Path | None, ports: Ports, tell: Callable[[dict[str, Any]], None]
) -> None:
    """Run Prefect's server, the schedule and the portal until told to stop.

    `tell` gets the addresses, the schedule's lines and what was made up for, once all answer.
    SIGINT and SIGTERM stop every part. Raises `Busy` when a service runs on the state folder, and
    `Refused` or `SourceUnavailable` when a part will not start or ends by itself: the others are
    stopped, so that a service manager can start the whole again.
    """
    home = house.settings.home.resolve()
    with only_service(home), _signals() as asked:
        configuration.hand_on(house.settings, config)
        parts: list[_Part] = []
        try:
            tell(_start(parts, home, ports, asked))
            _watch(parts, asked)
        except _Stopped:
            return
        finally:
            _stop(parts)


def _start(parts: list[_Part], home: Path, ports: Ports, asked: Connection) -> dict[str, Any]:
    """Start the parts one after the other; what they tell, as one document."""
    server = _begin(parts, "Prefect server", up_parts.prefect_server, home, ports.prefect)
    address = _heard(server, parts, asked)["address"]
    api_url = f"{address}/api"
    portal = _begin(parts, "portal", up_parts.portal_server, home, ports.portal)
    portal_address = _heard(portal, parts, asked)["address"]
    runner = _begin(parts, "flow runner", up_parts.flow_runner, home, api_url)
    return {
        "prefect_ui": address,
        "prefect_api": api_url,
        "portal": portal_address,
        "home": str(home),
        **_heard(runner, parts, asked),
    }


def _begin(parts: list[_Part], name: str, work: Callable[..., None], *given: Any) -> _Part:  # noqa: ANN401 (each part's own)
    """Start one part; it is deaf to our signals from its first moment on."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=work, args=(theirs, *given), name=name)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        theirs.close()
    part = _Part(name, process, ours)
    parts.append(part)
    return part


def _heard(part: _Part, parts: list[_Part], asked: Connection) -> dict[str, Any]:
    """What the part says when it is ready; the end of any part ends the wait too."""
    _look(parts, asked, [part.line], _SECONDS_TO_START)
    try:
        told: up_parts.Told = part.line.recv()
    except EOFError:
        raise _ended(part) from None
    if told.refusal is not None:
        raise Refused(*told.refusal)
    return told.facts


def _watch(parts: list[_Part], asked: Connection) -> None:
    """Wait until somebody asks to stop, or a part ends by itself."""
    while True:
        _look(parts, asked, [], None)


def _look(
    parts: list[_Part], asked: Connection, awaited: list[Connection], seconds: float | None
) -> None:
    """Wait for one of `awaited`; raises when asked to stop, a part ended, or time is over."""
    sentinels = {part.process.sentinel: part for part in parts}
    ready = wait([asked, *awaited, *sentinels], seconds)
    if asked in ready:
        raise _Stopped
    if any(found in ready for found in awaited):
        return
    for sentinel, part in sentinels.items():
        if sentinel in ready:
            raise _ended(part)
    raise SourceUnavailable(
        "sourcenote up",
        f"a part did not answer within {_SECONDS_TO_START:.0f} s",
        "Run it again; standard error may say more",
    )


def _ended(part: _Part) -> SourceUnavailable:
    part.process.join(_SECONDS_TO_STOP)
    return SourceUnavailable(
        f"sourcenote up, {part.name}",
        f"its process ended by itself (code {part.process.exitcode})",
        "Everything was stopped. Run it again; standard error may say more",
    )


def _stop(parts: list[_Part]) -> None:
    """End every part, the last one first: a flow that runs still has its server to tell."""
    for part in reversed(parts):
        with suppress(OSError):  # it may have ended already
            part.line.send(up_parts.STOP)
        part.process.join(_SECONDS_TO_STOP)
        if part.process.exitcode is None:
            part.process.kill()
            part.process.join()
        part.line.close()


@contextmanager
def _signals() -> Iterator[Connection]:
    """A connection that has something to read once a signal asks to stop."""
    asked, ask = _SPAWN.Pipe(duplex=False)

    def note(_number: int, _frame: object) -> None:
        os.write(ask.fileno(), b"!")

    before = {number: signal.signal(number, note) for number in _STOPS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        ask.close()
        asked.close()
