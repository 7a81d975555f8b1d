"""The house's secret keys: versioned, kept in a file of their own, one derived key a purpose."""

from __future__ import annotations

import hmac
import json
import os
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KEY_BYTES = 32  # 256 bits, the output size of the HMAC-SHA-256 they feed
_HASH = "sha256"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_RESTORE = "Restore the key file from its back-up; a new one would not recognise old suppressions"


@dataclass(frozen=True)
class Keys:
    """Every key version ever used, the newest by number; old ones stay readable for good.

    Hashes cannot be re-keyed, so a check tries all versions (`macs`) and a new hash is written
    under the newest (`mac`). Key bytes never show in a repr.
    """

    newest: int
    by_version: Mapping[int, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Freeze the mapping, so that a shared object cannot be changed by one of its users."""
        object.__setattr__(self, "by_version", MappingProxyType(dict(self.by_version)))

    def derive(self, purpose: str) -> Keys:
        """Return keys for one purpose; they reveal neither these keys nor another purpose's."""
        derived = {number: _derived(key, purpose) for number, key in self.by_version.items()}
        return Keys(self.newest, derived)

    def mac(self, purpose: str, text: str) -> tuple[int, str]:
        """Return the newest version's number and the text's HMAC-SHA-256 (64 hex digits)."""
        return self.newest, _mac(self.by_version[self.newest], purpose, text)

    def macs(self, purpose: str, text: str) -> dict[int, str]:
        """Return the text's HMAC-SHA-256 (64 hex digits) under every version, newest first."""
        versions = sorted(self.by_version, reverse=True)
        return {number: _mac(self.by_version[number], purpose, text) for number in versions}

    @classmethod
    def load(cls, path: Path) -> Keys:
        """Read a key file; Refused when it is missing, open to others, or not a key file."""
        try:
            with path.open("rb") as stream:
                mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
                content = stream.read()
        except FileNotFoundError:
            cure = "Run `sourcenote init`, or set SOURCENOTE_SECRET_FILE to where it is"
            raise _refused(path, "it does not exist", cure) from None
        except OSError as error:
            cure = "Let this user read it"
            raise _refused(path, error.strerror or "unreadable", cure) from None
        if mode & _OTHERS:
            cause = f"other users may use it (mode {mode:04o})"
            raise _refused(path, cause, f"Run `chmod 600 {path}`")
        return cls._read(path, content)

    @classmethod
    def create(cls, path: Path, random_bytes: Callable[[int], bytes]) -> Keys:
        """Write a new key file (mode 0600) with one key; Refused when the file is there.

        `random_bytes(n)` gives n bytes fit for keys. An existing key is never overwritten: its
        suppressions would be forgotten.
        """
        keys = cls(1, {1: random_bytes(KEY_BYTES)})
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            cure = "Keep it: what it has suppressed is known by this key only"
            raise _refused(path, "it exists already", cure) from None
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            versions = {str(number): key.hex() for number, key in keys.by_version.items()}
            json.dump({"newest": keys.newest, "keys": versions}, stream)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        return keys

    @classmethod
    def _read(cls, path: Path, content: bytes) -> Keys:
        # Nothing of the content may reach the message: it is the secret.
        try:
            held: dict[str, Any] = json.loads(content)
            by_version = {int(number): bytes.fromhex(key) for number, key in held["keys"].items()}
            newest = held["newest"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _refused(path, "it is not a key file", _RESTORE) from None
        if any(len(key) != KEY_BYTES for key in by_version.values()):
            raise _refused(path, "a key is not 256 bits long", _RESTORE)
        if newest not in by_version or newest != max(by_version):
            cause = "`newest` is not the highest version it holds"
            raise _refused(path, cause, _RESTORE)
        return cls(newest, by_version)


def _refused(path: Path, cause: str, cure: str) -> Refused:
    return Refused(f"key file {path}", cause, cure)


@lru_cache(maxsize=64)
def _derived(key: bytes, purpose: str) -> bytes:
    # One HKDF-Expand block (RFC 5869, section 2.3): our keys are uniformly random already.
    return hmac.digest(key, b"sourcenote/" + purpose.encode() + b"\x01", _HASH)


def _mac(key: bytes, purpose: str, text: str) -> str:
    return hmac.digest(_derived(key, purpose), text.encode(), _HASH).hex()
