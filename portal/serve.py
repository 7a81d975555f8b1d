"""Serves the portal on this machine only; a reverse proxy with TLS stands before it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

HOST = "127.0.0.1"
_HEADER_BYTES = 16 * 1024
_SECONDS_TO_FINISH = 30


def serve(app: Starlette, port: int, tell: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted; `tell` gets the address once it takes connections.

    Port 0 takes a free one. Raises `Refused` for a port that is taken or not allowed.
    """
    with listen(port) as listener:
        if tell:
            tell(address_of(listener))
        server(app).run(sockets=[listener])


def listen(port: int) -> socket.socket:
    """Return a socket that already takes connections on the loopback address."""
    # Only with the protocol named does asyncio send at once; else an answer waits up to 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        cause = getattr(error, "strerror", None) or "it is no port number"
        raise Refused(f"port {port}", cause, "Choose another with --port") from None
    listener.listen()
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the base URL that a socket of ours answers at."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


def server(app: Starlette) -> uvicorn.Server:
    """Return a server that logs no request: a path under /u/ is somebody's link."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="warning",  # below it uvicorn would trace requests with their paths
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        ws="none",
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )
    return uvicorn.Server(config)
