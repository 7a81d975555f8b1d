"""One polite session with one publisher: says who it is, waits, retries, and stays on its hosts."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import TYPE_CHECKING, Any, Self, TypeVar

import requests
import urllib3
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from pyrate_limiter.limiter import SingleBucketFactory
from requests_ratelimiter import LimiterAdapter

from sources.kit.api_errors import said_by
from sources.kit.download import Transfer
from sources.kit.errors import DeliveryRefused, NotThere, SourceUnavailable
from sources.kit.hosts import Hosts, shown
from sources.kit.partial import Wanted
from sources.kit.patience import RETRIED_STATUSES, Manners, Patience, Setback
from sources.kit.strict_json import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from sources.kit.card import Card
    from sources.kit.download import Progress
    from sources.kit.landing import Landing

Answer = TypeVar("Answer")

MOST_HOPS = 5
LARGEST_JSON_BYTES = 64 * 1024 * 1024
_PIECE = 1024 * 1024
_GONE = frozenset({404, 410})
_GLANCE_SECONDS = 10.0


class PoliteSession:
    """Requests to one source, for use in a `with` block.

    `now` is asked for the moment something was retrieved. `base_url` replaces scheme, host and
    port of every request. Every call raises `SourceUnavailable` when the source does not answer
    after all attempts, and `DeliveryRefused` when what it answers cannot be used.
    """

    def __init__(
        self,
        card: Card,
        now: Callable[[], datetime],
        *,
        base_url: str | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.card = card
        self.now = now
        self.is_publisher_host = base_url is None
        self._manners = manners or Manners()
        self._hosts = Hosts(card.source_id, card.hosts, base_url)
        self._session = _http(card, self._manners)
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

        `is_glance`: one short attempt, for what the caller can do without.
        """

        def attempt(patience: Patience) -> Mapping[str, str]:
            with self._exchange("HEAD", url, patience) as response:
                return response.headers

        if not is_glance:
            return self._persist(url, attempt)
        seconds = min(_GLANCE_SECONDS, self._manners.read_timeout)
        return self._persist(url, attempt, replace(self._manners, attempts=1, read_timeout=seconds))

    def get_json(self, url: str) -> Any:  # noqa: ANN401 - JSON is any of its types
        """Fetch the JSON document at `url`: UTF-8, at most 64 MiB, no duplicate keys, no NaN."""
        return self.get_answer(url)[1]

    def get_answer(self, url: str) -> tuple[bytes, Any]:
        """Fetch what `get_json` fetches, with its bytes."""

        def attempt(patience: Patience) -> bytes:
            body = bytearray()
            with self._exchange("GET", url, patience) as response:
                for piece in _pieces(response, patience, decode=True):
                    body += piece
                    if len(body) > LARGEST_JSON_BYTES:
                        raise _unusable(url, f"its answer is over {LARGEST_JSON_BYTES} bytes")
            if not body.strip():
                raise Setback("its answer is empty", is_refusal=True)
            return bytes(body)

        body = self._persist(url, attempt)
        try:
            return body, document(body)
        except ValueError as error:
            raise _unusable(url, str(error)) from None

    def download(
        self,
        url: str,
        landing: Landing,
        *,
        expected_size: int | None = None,
        progress: Progress | None = None,
    ) -> tuple[Path, str, int]:
        """Fetch a file into the landing; (path, SHA-256 in hex, length in bytes).

        `expected_size` is held to exactly. Interrupted downloads resume where the server honours
        `Range`, those of a run that died too (`sources.kit.partial`). One download at a time: the
        publisher states no limit, so the least is taken.
        """
        address = self.address(url)
        wanted = Wanted(self.card.source_id, address, expected_size)
        with self._one_at_a_time, landing.partial(wanted) as partial:
            transfer = Transfer(shown(address), partial, expected_size, progress)

            def attempt(patience: Patience) -> None:
                with self._exchange("GET", url, patience, transfer.headers()) as response:
                    transfer.take(response, _pieces(response, patience, decode=False))

            self._persist(url, attempt)
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

    def _exchange(
        self, method: str, url: str, patience: Patience, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """One request, its redirects followed by hand so that every hop is checked first."""
        address = self.address(url)
        for _ in range(MOST_HOPS + 1):
            response = self._send(method, address, patience, headers)
            target = self._session.get_redirect_target(response)
            if target is None:
                return _accepted(response, address, is_resuming="Range" in (headers or {}))
            response.close()
            address = self._hosts.redirected(address, target)
        raise SourceUnavailable(
            shown(url), f"it redirects more than {MOST_HOPS} times", "Try again later"
        )

    def _send(
        self, method: str, address: str, patience: Patience, headers: Mapping[str, str] | None
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                address,
                headers=dict(headers or {}),
                timeout=patience.timeouts(),
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise Setback(_reason(error)) from None


@cache
def _version() -> str:
    try:
        return metadata.version("sourcenote")
    except metadata.PackageNotFoundError:
        return "0"


def _http(card: Card, manners: Manners) -> requests.Session:
    """Make a session that keeps the rate, reads no environment and takes no cookies."""
    # Its one warning, on a malformed header, quotes the address with its query.
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
    session = requests.Session()
    # Environment and .netrc are the settings' business; a stray .netrc must not send a password.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    homepage = f" (+{manners.homepage})" if manners.homepage else ""
    session.headers["User-Agent"] = f"sourcenote/{_version()}{homepage}"
    session.verify = manners.ca_bundle or True
    if manners.proxy:
        session.proxies = {"http": manners.proxy, "https": manners.proxy}
    interval = max(1, round(1000 / (manners.rate or card.rate)))
    bucket = InMemoryBucket([Rate(1, interval)])
    # A source has one budget whatever its hosts; 429 is waited for by Patience.
    limiter = Limiter(SingleBucketFactory(bucket, schedule_leak=False), buffer_ms=0)
    adapter = LimiterAdapter(limiter=limiter, per_host=False, limit_statuses=())
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _accepted(response: requests.Response, address: str, *, is_resuming: bool) -> requests.Response:
    """Pass a response that can be read; to a resume 206 continues and 416 means start over."""
    status = response.status_code
    if status == 200 or (is_resuming and status in {206, 416}):  # noqa: PLR2004 - HTTP
        return response
    cause = f"it answers HTTP {status}{said_by(response)}"
    response.close()
    if status in RETRIED_STATUSES:
        raise Setback(cause, retry_after=response.headers.get("Retry-After"))
    raise (NotThere if status in _GONE else SourceUnavailable)(
        shown(address),
        cause,
        "Run again; if it stays, the publisher has closed this address or its way to be asked",
    )


def _pieces(response: requests.Response, patience: Patience, *, decode: bool) -> Iterator[bytes]:
    """Yield the body as it arrives: read1 returns what is there, so a trickle is noticed."""
    while True:
        try:
            piece = response.raw.read1(_PIECE, decode_content=decode)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Setback(_reason(error)) from None
        if not piece:
            return
        patience.received(len(piece))
        yield piece


def _reason(error: BaseException | None) -> str:
    """Why a request failed, in words without the address: its query may hold a key."""
    seen: list[BaseException] = []
    while isinstance(error, BaseException) and error not in seen:
        seen.append(error)
        inner = getattr(error, "reason", None)
        error = (
            inner
            if isinstance(inner, BaseException)
            else next((part for part in error.args if isinstance(part, BaseException)), None)
        )
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
        (urllib3.exceptions.SSLError, "no secure connection could be made (TLS)"),
        (urllib3.exceptions.NameResolutionError, "its name could not be resolved (DNS)"),
        (urllib3.exceptions.NewConnectionError, "no connection could be made"),
        (urllib3.exceptions.TimeoutError, "it did not answer in time"),
        (requests.Timeout, "it did not answer in time"),
        (urllib3.exceptions.DecodeError, "its answer could not be decompressed"),
    )
    for kind, words in kinds:
        if any(isinstance(part, kind) for part in seen):
            return words
    return "the connection broke"


def _unusable(url: str, cause: str) -> DeliveryRefused:
    return DeliveryRefused(
        shown(url),
        cause,
        "Try again later, or load a file fetched by hand with `sourcenote ingest --file`",
    )
