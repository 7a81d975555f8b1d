"""The processes of the standing service: Prefect's server, the runner of flows, the portal.

Each tells its parent when it is ready, and ends when told to, or when the parent is gone. Signals
are the parent's to hear: a terminal and a service manager send them to every process at once, and
then the server would go before the flow that still has something to tell it.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.up_lock import belong_to_service
from sources.kit.errors import SourcenoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    import uvicorn

STOP = "stop"
_DEAF_TO = (signal.SIGINT, signal.SIGTERM)
_SECONDS_TO_FINISH = 5
_SECONDS_TO_STOP = 30.0
_BETWEEN_LOOKS = 0.25
_SERVER_LOG = "error"


@dataclass(frozen=True)
class Told:
    """What a part says once: what it offers (`facts`), or why it will not start (`refusal`)."""

    facts: dict[str, Any]
    refusal: tuple[str, str, str] | None = None


def prefect_server(line: Connection, home: Path, port: int) -> None:
    """Prefect's own server, on this machine only, its state under our state folder."""
    with _part(line, home):
        from flows import settings
        from portal.serve import HOST, address_of, listen

        listener = listen(port)
        settings.enter_environment(home)
        settings.announce_server(HOST, listener.getsockname()[1])
        import uvicorn
        from prefect.server.api.server import create_app

        config = uvicorn.Config(
            create_app(final=True),
            log_level=_SERVER_LOG,
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
        server = uvicorn.Server(config)
        facts = {"address": address_of(listener)}
        _until_told(line, facts, lambda: server.run(sockets=[listener]), lambda: _leave(server))


def portal_server(line: Connection, home: Path, port: int) -> None:
    """The page behind the signed links."""
    with _part(line, home):
        from flows.house import house
        from flows.settings import load
        from flows.suppress_steps import link_keys
        from portal.app import make_app
        from portal.serve import address_of, listen, server

        with house(load(None)) as opened, listen(port) as listener:
            keys, controller = link_keys(opened.keys), opened.settings.controller
            serving = server(make_app(opened.engine, keys, opened.now, controller))
            facts = {"address": address_of(listener)}
            _until_told(
                line, facts, lambda: serving.run(sockets=[listener]), lambda: _leave(serving)
            )


def flow_runner(line: Connection, home: Path, api_url: str) -> None:
    """The runner: makes up for what was missed, then starts every flow when it is due."""
    with _part(line, home):
        from flows import settings

        settings.enter_environment(home, api_url)
        from flows.up_runner import Serving

        serving = Serving()
        _until_told(line, serving.prepare(), serving.run, serving.stop)


def _leave(server: uvicorn.Server) -> None:
    server.should_exit = True


def _until_told(
    line: Connection, facts: dict[str, Any], work: Callable[[], None], stop: Callable[[], None]
) -> None:
    """Do the work beside, where no library takes our signals, until the parent says stop."""
    thread = threading.Thread(target=work, name="work", daemon=True)
    thread.start()
    line.send(Told(facts))
    while thread.is_alive():
        if line.poll(_BETWEEN_LOOKS):
            stop()
            thread.join(_SECONDS_TO_STOP)
            return


@contextmanager
def _part(line: Connection, home: Path) -> Iterator[None]:
    """A process that says why it could not start instead of printing it."""
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _DEAF_TO)  # blocked while we were being started
    belong_to_service(home)
    try:
        yield
    except SourcenoteError as error:
        line.send(Told({}, (error.thing, error.cause, error.cure)))
    finally:
        line.close()
