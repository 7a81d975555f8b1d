"""What a polite session dials with: its rate, its name, and words for why it got no answer."""

from __future__ import annotations

import logging
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import TYPE_CHECKING

import requests
import urllib3
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from pyrate_limiter.limiter import SingleBucketFactory
from requests_ratelimiter import LimiterAdapter

if TYPE_CHECKING:
    from sources.kit.card import Card
    from sources.kit.patience import Manners

_TELLING = ("urllib3.connection", "urllib3.connectionpool")
"""Loggers that quote addresses with their query, at every request and at a malformed header."""


@cache
def _version() -> str:
    try:
        return metadata.version("sourcenote")
    except metadata.PackageNotFoundError:
        return "0"


def connect(card: Card, manners: Manners) -> requests.Session:
    """Make a session that keeps the rate, reads no environment and takes no cookies."""
    for name in _TELLING:
        logging.getLogger(name).addFilter(_says_nothing)
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


def _says_nothing(record: logging.LogRecord) -> bool:
    """Errors only, whatever level somebody sets: an address may hold a key."""
    return record.levelno >= logging.ERROR


def reason(error: BaseException | None) -> str:
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
