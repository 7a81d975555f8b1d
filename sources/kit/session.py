"""One polite session with one publisher: says who it is, waits, retries, and stays on its hosts."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import requests
import urllib3

from sources.kit.api_errors import said_by
from sources.kit.connection import connect, reason
from sources.kit.download import Transfer
from sources.kit.errors import DeliveryRefused, NotThere, SourceUnavailable
from sources.kit.hosts import Hosts, origin, shown
from sources.kit.partial import Wanted
from sources.kit.patience import RETRIED_STATUSES, Manners, Patience, Setback
from sources.kit.secret import SecretQuery
from sources.kit.strict_json import document

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from sources.kit.card import Card
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.partial import Told
    from sources.kit.secret import Secret

Answer = TypeVar("Answer")

MOST_HOPS = 5
LARGEST_JSON_BYTES = 64 * 1024 * 1024
_PIECE = 1024 * 1024
_GONE = frozenset({404, 410})
_REFUSING = frozenset({401, 403})
_TAKES_NO_HEAD = frozenset({405, 501})
_TOO_MANY = 429
_GLANCE_SECONDS = 10.0


@dataclass(frozen=True)
class _Question:
    """What is asked at an address: how, with which headers, and what is posted.

    `also` are statuses that are answers beside 200; with `may_be_bare` they need no body.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes | None = None
    also: frozenset[int] = frozenset()
    may_be_bare: bool = False


class PoliteSession:
    """Requests to one source, for use in a `with` block.

    `now` is asked for the moment something was retrieved. `base_url` replaces scheme, host and
    port of every request. `secret_query` goes into each address as it is dialled, never into one
    that is told, kept, or led to on another host. Every call raises `SourceUnavailable` when the
    source does not answer after all attempts, and `DeliveryRefused` when what it answers cannot be
    used.
    """

    def __init__(
        self,
        card: Card,
        now: Callable[[], datetime],
        *,
        base_url: str | None = None,
        manners: Manners | None = None,
        secret_query: Mapping[str, Secret] | None = None,
    ) -> None:
        self.card = card
        self.now = now
        self.is_publisher_host = base_url is None
        self._manners = manners or Manners()
        self._hosts = Hosts(card.source_id, card.hosts, base_url)
        self._secrets = SecretQuery(secret_query)
        self._session = connect(card, self._manners)
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        """Use the session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._session.close()

    def address(self, url: str) -> str:
        """Find the address really dialled for a published `url`."""
        return self._hosts.address(url)

    def follow(self, url: str, link: str) -> str:
        """Find where a `link` in the answer from `url` leads; `DeliveryRefused` if foreign."""
        return self._hosts.redirected(self.address(url), link)

    def head(self, url: str, *, is_glance: bool = False) -> Mapping[str, str]:
        """Fetch the response headers of `url`, by case-insensitive name.

        There are none where HEAD is not taken (405, 501). `is_glance`: one short attempt, for what
        the caller can do without.
        """

        def attempt(patience: Patience) -> Mapping[str, str]:
            question = _Question("HEAD", {}, also=_TAKES_NO_HEAD)
            with self._exchange(question, url, patience) as response:
                return {} if response.status_code in _TAKES_NO_HEAD else response.headers

        if not is_glance:
            return self._persist(url, attempt)
        seconds = min(_GLANCE_SECONDS, self._manners.read_timeout)
        return self._persist(url, attempt, replace(self._manners, attempts=1, read_timeout=seconds))

    def get_json(self, url: str) -> Any:  # noqa: ANN401 - JSON is any of its types
        """Fetch the JSON document at `url`: UTF-8, at most 64 MiB, no duplicate keys, no NaN."""
        return self.get_answer(url)[1]

    def get_answer(self, url: str) -> tuple[bytes, Any]:
        """Fetch what `get_json` fetches, with its bytes."""
        return self._answer(_Question("GET", {}), url)[1:]

    def ask(self, url: str, *, also: Collection[int] = ()) -> tuple[int, bytes, Any]:
        """Fetch what `get_answer` fetches, with its status: 200, or one `also` taken as an answer.

        The document of such another status is None where its body is empty.
        """
        question = _Question("GET", {}, also=frozenset(also), may_be_bare=True)
        return self._answer(question, url)

    def post_json(
        self, url: str, posted: Mapping[str, Any], *, also: frozenset[int] = frozenset()
    ) -> tuple[bytes, Any]:
        """Ask by POST with a JSON document, which must change nothing: it is retried like a GET.

        Gives bytes and document of the answer, those of a status in `also` too.
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps(posted, ensure_ascii=False).encode()
        return self._answer(_Question("POST", headers, body, also), url)[1:]

    def _answer(self, question: _Question, url: str) -> tuple[int, bytes, Any]:
        def attempt(patience: Patience) -> tuple[int, bytes]:
            body = bytearray()
            with self._exchange(question, url, patience) as response:
                for piece in _pieces(response, patience, decode=True):
                    body += piece
                    if len(body) > LARGEST_JSON_BYTES:
                        raise self._unusable(url, f"its answer is over {LARGEST_JSON_BYTES} bytes")
            is_bare = question.may_be_bare and response.status_code in question.also
            if not body.strip() and not is_bare:
                raise Setback("its answer is empty", is_refusal=True)
            return response.status_code, bytes(body)

        status, body = self._persist(url, attempt)
        try:
            return status, body, document(body) if body.strip() else None
        except ValueError as error:
            raise self._unusable(url, str(error)) from None

    def download(
        self,
        url: str,
        landing: Landing,
        *,
        expected_size: int | None = None,
        progress: Progress | None = None,
        hear: Callable[[Told], None] | None = None,
    ) -> tuple[Path, str, int]:
        """Fetch a file into the landing; (path, SHA-256 in hex, length in bytes).

        `expected_size` is held to exactly; `hear` is given what the server said of the file.
        Interrupted downloads resume where the server honours `Range`, those of a run that died too
        (`sources.kit.partial`). One download at a time: the publisher states no limit, so the
        least is taken.
        """
        address = self.address(url)
        wanted = Wanted(self.card.source_id, address, expected_size)
        with self._one_at_a_time, landing.partial(wanted) as partial:
            transfer = Transfer(shown(address), partial, expected_size, progress)

            def attempt(patience: Patience) -> None:
                question = _Question("GET", transfer.headers())
                with self._exchange(question, url, patience) as response:
                    transfer.take(response, _pieces(response, patience, decode=False))

            self._persist(url, attempt)
            if hear is not None:
                hear(transfer.told)
            return partial.keep()

    def _persist(
        self, url: str, attempt: Callable[[Patience], Answer], manners: Manners | None = None
    ) -> Answer:
        """Attempt until it succeeds or patience ends."""
        patience = Patience(shown(self.address(url)), manners or self._manners)
        while True:
            patience.begin_attempt()
            try:
                return attempt(patience)
            except Setback as setback:
                fault = setback
            patience.wait_after(fault)

    def _exchange(self, question: _Question, url: str, patience: Patience) -> requests.Response:
        """One request, its redirects followed by hand so that every hop is checked first."""
        first = address = self.address(url)
        for _ in range(MOST_HOPS + 1):
            # A key is for the host that was asked, not for one that it names.
            is_home = origin(address) == origin(first)
            dialled = self._secrets.added(address) if is_home else address
            response = self._send(question, dialled, patience)
            target = self._session.get_redirect_target(response)
            if target is None:
                return self._accepted(question, response, address)
            response.close()
            address = self._hosts.redirected(address, self._secrets.taken_out(target))
        raise SourceUnavailable(
            shown(url), f"it redirects more than {MOST_HOPS} times", "Try again later"
        )

    def _send(self, question: _Question, dialled: str, patience: Patience) -> requests.Response:
        try:
            return self._session.request(
                question.method,
                dialled,
                data=question.body,
                headers=dict(question.headers),
                timeout=patience.timeouts(),
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            cause = reason(error)
        # Outside the handler: the error quotes the address with its key, and is not handed on.
        raise Setback(cause)

    def _accepted(
        self, question: _Question, response: requests.Response, address: str
    ) -> requests.Response:
        """Pass a response that can be read; to a resume 206 continues and 416 means start over."""
        status = response.status_code
        is_resuming = "Range" in question.headers and status in {206, 416}
        if status == 200 or is_resuming or status in question.also:  # noqa: PLR2004 - HTTP
            return response
        cause = self._secrets.hidden(f"it answers HTTP {status}{said_by(response)}")
        response.close()
        if status in RETRIED_STATUSES:
            raise Setback(
                cause,
                retry_after=response.headers.get("Retry-After"),
                is_crowded=status == _TOO_MANY,
            )
        kind = NotThere if status in _GONE else SourceUnavailable
        refusal = kind(shown(address), cause, _cure_of(status, has_key=bool(self._secrets)))
        refusal.status = status
        raise refusal

    def _unusable(self, url: str, cause: str) -> DeliveryRefused:
        return DeliveryRefused(
            shown(self.address(url)),
            cause,
            "Try again later, or load a file fetched by hand with `sourcenote ingest --file`",
        )


def _cure_of(status: int, *, has_key: bool) -> str:
    if status in _REFUSING and has_key:
        return "See that the source's API key is right, and that it may read this"
    return "Run again; if it stays, the publisher has closed this address or its way to be asked"


def _pieces(response: requests.Response, patience: Patience, *, decode: bool) -> Iterator[bytes]:
    """Yield the body as it arrives: read1 returns what is there, so a trickle is noticed."""
    while True:
        try:
            piece = response.raw.read1(_PIECE, decode_content=decode)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Setback(reason(error)) from None
        if not piece:
            return
        patience.received(len(piece))
        yield piece
