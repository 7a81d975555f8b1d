"""No test speaks to another machine: a socket that leaves the loopback is an error, not a wait."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest


class NetworkForbiddenError(RuntimeError):
    """A test reached for another machine; no OSError, so that no retry can swallow it."""


def forbid(patch: pytest.MonkeyPatch) -> None:
    """Let Python's sockets and name look-ups reach this machine only, as long as `patch` holds."""
    lookup = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **keywords: Any) -> Any:
        _require_loopback(host)
        return lookup(host, *arguments, **keywords)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    patch.setattr(socket.socket, "connect", _guarded("connect"))
    patch.setattr(socket.socket, "connect_ex", _guarded("connect_ex"))
    patch.setattr(socket.socket, "sendto", _guarded("sendto"))


def _guarded(name: str) -> Any:
    original = getattr(socket.socket, name)

    def method(self: socket.socket, *arguments: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _require_loopback(arguments[-1][0])  # the address comes last in all three
        return original(self, *arguments)

    return method


def _require_loopback(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return
    try:
        allowed = ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        allowed = False
    if not allowed and name not in {"0.0.0.0", "::"}:  # noqa: S104  asked about, never bound
        message = f"a test reached for {name}; only this machine is there"
        raise NetworkForbiddenError(message)
