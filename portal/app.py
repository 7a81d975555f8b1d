"""The portal's routes: a link shows its letter's notice, its one button says stop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from notices.tokens import token_digest, verify_token
from portal.guard import Guard
from portal.letters import NO_LETTER, PATIENCE_SECONDS, LetterBox
from portal.pages import Pages, plain
from sources.kit.errors import Busy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from sources.kit.policy import Controller
    from warehouse.engine import Engine

BODY_BYTES = 64 * 1024
"""The longest body a stop may bring; it needs none."""

RETRY_AFTER_SECONDS = 60


class _Anything(PathConvertor):
    """The rest of a path, line breaks too, so that no guess is told apart by the routing."""

    regex = r"[\s\S]*"


register_url_convertor("anything", _Anything())


def make_app(
    engine: Engine,
    link_keys: Sequence[bytes],
    now: Callable[[], datetime],
    controller: Controller | None = None,
    *,
    patience: float = PATIENCE_SECONDS,
) -> Starlette:
    """Return the portal over one warehouse, whose schema must be there; the engine stays yours.

    `link_keys` sign the links, oldest first as `notices.tokens` wants them; `now` gives the UTC
    moment of a stop. What the warehouse cannot answer in `patience` seconds is answered 503.
    """
    letters = LetterBox(engine, patience)
    links = _Links(letters, tuple(link_keys), now, Pages(controller), patience)

    @asynccontextmanager
    async def closing(_: Starlette) -> AsyncIterator[None]:
        yield
        letters.close()

    app = Starlette(
        routes=[
            Route("/u/{token:anything}", links.answer, methods=["GET", "POST"]),
            Route("/healthz", _healthy, methods=["GET"]),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={404: _absent, 405: _refused_method},
        lifespan=closing,
    )
    app.router.redirect_slashes = False  # a redirect would carry the token on
    return app


class _Links:
    """Answers `/u/{token}`: looking is free of effect, and only POST says stop."""

    def __init__(
        self,
        letters: LetterBox,
        keys: tuple[bytes, ...],
        now: Callable[[], datetime],
        pages: Pages,
        patience: float,
    ) -> None:
        self._letters = letters
        self._keys = keys
        self._now = now
        self._pages = pages
        self._patience = patience

    async def answer(self, request: Request) -> Response:
        """Show the letter to GET and HEAD, stop for POST; 503 when the warehouse is not there."""
        digest = self._digest(request.path_params["token"])
        try:
            if request.method == "POST":
                return await self._stop(request, digest)
            return HTMLResponse(self._pages.letter(await self._letters.find(digest)))
        except Busy:
            return _unavailable()

    async def _stop(self, request: Request, digest: str) -> Response:
        """Stop by a link (RFC 8058, section 3.2): no cookie, no login, no redirect, no body needed.

        The answer says the same whether the token was ours. That hides nothing from the holder
        of a link, who may look at it; it keeps guesses from being worth the trouble.
        """
        try:
            body = await asyncio.wait_for(_body(request), self._patience)
        except TimeoutError:
            return PlainTextResponse(plain("slow.text"), 408)
        if body is None:
            return PlainTextResponse(plain("large.text"), 413)
        await self._letters.stop(digest, self._now())
        return HTMLResponse(self._pages.done(_asked_language(body)))

    def _digest(self, token: str) -> str:
        random16 = verify_token(token, self._keys)
        return NO_LETTER if random16 is None else token_digest(random16)


async def _body(request: Request) -> bytes | None:
    """Return the body, None as soon as it is longer than any honest one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return None
    return body


def _asked_language(body: bytes) -> str:
    """Return the language our own form asks to be answered in, else nothing: then it is all."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=4)
    except ValueError:  # a mail provider's multipart form, or anything else
        return ""
    return fields.get("language", [""])[0]


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")


def _unavailable() -> Response:
    again = {"retry-after": str(RETRY_AFTER_SECONDS)}
    return PlainTextResponse(plain("unavailable.text"), 503, again)


async def _absent(_: Request, __: Exception) -> Response:
    return PlainTextResponse(plain("absent.text"), 404)


async def _refused_method(_: Request, error: Exception) -> Response:
    allowed = (getattr(error, "headers", None) or {}).get("Allow", "GET")
    allow = {"allow": ", ".join(sorted(allowed.split(", ")))}
    return PlainTextResponse(plain("method.text"), 405, allow)
