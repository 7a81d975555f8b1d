"""Around every answer: the headers that keep it to itself, and no error that tells about a link."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from portal.pages import headers, plain

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger(__name__)


class Guard:
    """ASGI middleware; it stands before the server's own error log, which prints traces."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass HTTP on, with our headers on the answer; an error becomes a plain 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                MutableHeaders(scope=message).update(headers())
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except ClientDisconnect:
            return  # the visitor left before asking for anything
        except Exception as error:  # noqa: BLE001 (said below)
            # Any error at all: its text may hold the path, and the path is somebody's link.
            _LOG.error("request_failed error=%s", type(error).__name__)
            if not is_begun:
                answer = PlainTextResponse(plain("failed.text"), 500)
                await answer(scope, receive, send_guarded)
