"""Which addresses a source may be fetched from: the card's hosts, or the base_url set instead."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from sources.kit.errors import DeliveryRefused, Refused

_PORTS = {"http": 80, "https": 443}
# A backslash, a blank or a control character is read differently by different URL parsers.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of an address."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As it stands in a URL; a default port is left out."""
        return f"{self.scheme}://{self.place}"

    @property
    def place(self) -> str:
        """`host` or `host:port`, the form a card's `hosts` are written in."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


def shown(url: str) -> str:
    """Write the address without credentials, query or fragment: fit for an error text or a log."""
    parsed = _parse(url)
    if parsed is None:
        return "an address that cannot be read"
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.scheme}://{parsed.host}{port}{parsed.path or ''}"


def _parse(url: str) -> Url | None:
    """Split as urllib3 does, which is what dials; None for what is in doubt."""
    if _AMBIGUOUS.search(url):
        return None
    try:
        parsed = parse_url(url)
    except LocationParseError:
        return None
    return parsed if parsed.host and parsed.scheme in _PORTS and not parsed.auth else None


def _origin(parsed: Url) -> Origin:
    scheme = parsed.scheme or ""
    return Origin(scheme, parsed.host or "", parsed.port or _PORTS[scheme])


def origin(address: str) -> Origin | None:
    """Scheme, host and port of an address; None for one that cannot be read."""
    parsed = _parse(address)
    return None if parsed is None else _origin(parsed)


class Hosts:
    """The addresses one source may use, checked before the first request and at every hop."""

    def __init__(self, source_id: str, allowed: tuple[str, ...], base_url: str | None) -> None:
        self._source_id = source_id
        self._allowed = frozenset(host.lower() for host in allowed)
        self._base = None if base_url is None else self._base_origin(base_url)

    def _base_origin(self, base_url: str) -> Origin:
        parsed = _parse(base_url)
        if parsed is None or parsed.path not in (None, "", "/") or parsed.query or parsed.fragment:
            raise Refused(
                f"base_url of {self._source_id}",
                "it is not a plain http or https address of a host and a port",
                "Write it as http://HOST:PORT; the publisher's paths are kept",
            )
        return _origin(parsed)

    def address(self, url: str) -> str:
        """Find the address to dial for a published `url`.

        With a base_url its scheme, host and port replace those of every request. Raises
        `DeliveryRefused` for anything else that is not https on one of the card's hosts.
        """
        parsed = self._read(url, "the address it publishes")
        if self._base is not None:
            return f"{self._base}{parsed.request_uri}"
        return self._own(parsed, "the address it publishes")

    def redirected(self, current: str, location: str) -> str:
        """Find where a redirect from `current` leads; `DeliveryRefused` if that is foreign."""
        what = f"a redirect from {shown(current)}"
        parsed = self._read(urljoin(current, location), what)
        if self._base is None:
            return self._own(parsed, what)
        there = _origin(parsed)
        if there != self._base and there.place not in self._allowed:
            raise self._foreign(parsed, what)
        return f"{self._base}{parsed.request_uri}"

    def _read(self, url: str, what: str) -> Url:
        parsed = _parse(url)
        if parsed is None:
            raise DeliveryRefused(
                f"Source {self._source_id}",
                f"{what} is not a plain http or https address",
                "Nothing was fetched from there; tell the publisher, or check the base_url",
            )
        return parsed

    def _own(self, parsed: Url, what: str) -> str:
        there = _origin(parsed)
        if there.scheme != "https" or there.place not in self._allowed:
            raise self._foreign(parsed, what)
        return f"{there}{parsed.request_uri}"

    def _foreign(self, parsed: Url, what: str) -> DeliveryRefused:
        there = _origin(parsed)
        if there.place in self._allowed:
            why = "which is not https"
        elif _is_private(there.host):
            why = "a private address"
        else:
            why = "which is not one of its hosts"
        return DeliveryRefused(
            f"Source {self._source_id}",
            f"{what} leads to {there}, {why}",
            "Nothing was fetched from there; if the publisher has moved, add the host to the card",
        )


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return host == "localhost"
