"""A key that goes into an address at the last moment, and into nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN = "***"


@dataclass(frozen=True)
class Secret:
    """A text that no repr, log or exception shows; `reveal` is for the one place that needs it."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __str__(self) -> str:
        return HIDDEN


class SecretQuery:
    """Parameters that a publisher wants in each address's query, by their names."""

    def __init__(self, secrets: Mapping[str, Secret] | None = None) -> None:
        self._secrets = dict(secrets or {})
        names = "|".join(re.escape(name) for name in self._secrets)
        self._given = re.compile(rf"(?<=[?&])(?:{names})=[^&#]*&?", re.IGNORECASE)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._secrets)

    def added(self, address: str) -> str:
        """The address to dial; it is to be kept nowhere."""
        given = "&".join(
            f"{quote(name, safe='')}={quote(secret.reveal(), safe='')}"
            for name, secret in self._secrets.items()
        )
        if not given:
            return address
        return f"{address}{'&' if '?' in address else '?'}{given}"

    def taken_out(self, link: str) -> str:
        """A link that a publisher answers with, which may repeat what it was asked with."""
        return self._given.sub("", link).rstrip("?&") if self._secrets else link

    def hidden(self, text: str) -> str:
        """A stranger's text, without any of the secrets in it, as they are or as addresses have."""
        for secret in self._secrets.values():
            plain = secret.reveal()
            for said in (plain, quote(plain, safe="")):
                text = text.replace(said, HIDDEN)
        return text
