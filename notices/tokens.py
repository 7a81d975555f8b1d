"""Signed link tokens: random, hard to forge, no personal data (privacy/notice, Unsubscribe)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from itsdangerous import Signer

from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

RANDOM_BYTES = 16
"""128 bits of randomness, the least that privacy/notice allows."""

_SALT = b"sourcenote.link"
_SHAPE = re.compile(r"([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}", re.ASCII)


def make_token(random16: bytes, keys: Sequence[bytes]) -> str:
    """Return the token for 16 random bytes: 66 URL-safe characters, signed by the newest key.

    `keys` stand oldest first (256 bits each); the signature is HMAC-SHA-256. Raises `Refused`
    without a key or with another number of random bytes.
    """
    if len(random16) != RANDOM_BYTES or not keys:
        cause = f"it needs {RANDOM_BYTES} random bytes and a key"
        raise Refused("link token", cause, "Run `sourcenote init`, which writes the key file")
    return _signed(random16, keys[-1]).decode()


def verify_token(token: str, keys: Sequence[bytes]) -> bytes | None:
    """Return the 16 random bytes of a token that one of the keys signed, else None; never raises.

    Every key is tried and compared in constant time. The one accepted spelling is the one that
    `make_token` writes: base64 that merely decodes to the same bytes is refused.
    """
    shaped = _SHAPE.fullmatch(token)
    if shaped is None:
        return None
    random16 = base64.urlsafe_b64decode(f"{shaped[1]}==")
    given = token.encode()
    matches = [hmac.compare_digest(given, _signed(random16, key)) for key in keys]
    return random16 if any(matches) else None


def token_digest(random16: bytes) -> str:
    """Return what is stored for a token: SHA-256 of its random bytes, 64 hex digits.

    A reader of the database learns no working link from it.
    """
    return hashlib.sha256(random16).hexdigest()


def _signed(random16: bytes, key: bytes) -> bytes:
    signer = Signer(key, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256)
    return signer.sign(base64.urlsafe_b64encode(random16).rstrip(b"="))
