"""Zips for the stand-in: the ordinary one, and those that no reader should trust."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from functools import lru_cache

from isal import isal_zlib

BOMB_BYTES = 10 * 1024**3
"""10 GiB of zeros."""

_MEBIBYTE = 1024**2
_DAY = (2026, 1, 1, 0, 0, 0)
"""One date for every member, so that the same content is the same zip."""


def packed(members: dict[str, bytes]) -> bytes:
    """A deflated zip of `members`, in order, whatever their names are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def symlink(name: str, target: str) -> bytes:
    """A zip whose one member is a symbolic link to `target`."""
    out = io.BytesIO()
    info = zipfile.ZipInfo(name, _DAY)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, target)
    return out.getvalue()


def _patched(archive: bytes, local_at: int, central_at: int, field: bytes) -> bytes:
    """`archive` with `field` written into its first local and its first central header."""
    changed = bytearray(archive)
    central = archive.rindex(b"PK\x01\x02")
    changed[local_at : local_at + len(field)] = field
    changed[central + central_at : central + central_at + len(field)] = field
    return bytes(changed)


def encrypted(archive: bytes) -> bytes:
    """A one-member zip that says it is encrypted (general purpose bit 0)."""
    return _patched(archive, 6, 8, struct.pack("<H", 1))


def wrong_crc(archive: bytes) -> bytes:
    """A one-member zip whose checksum does not fit its content."""
    right: int = struct.unpack_from("<I", archive, 14)[0]
    return _patched(archive, 14, 16, struct.pack("<I", right ^ 1))


@lru_cache(maxsize=1)
def _zeros() -> tuple[bytes, int]:
    """`BOMB_BYTES` zeros, deflated, and their CRC-32, without ever holding them.

    A full flush makes every mebibyte's block independent of the others, so one block repeats.
    """
    zeros = bytes(_MEBIBYTE)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = deflater.compress(zeros) + deflater.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(BOMB_BYTES // _MEBIBYTE):
        checksum = isal_zlib.crc32(zeros, checksum)
    return block * (BOMB_BYTES // _MEBIBYTE) + b"\x03\x00", checksum


def bomb(name: str, *, claimed: int = BOMB_BYTES) -> bytes:
    """A zip of some 10 MB: one member of 10 GiB of zeros, whose headers claim `claimed` bytes."""
    deflated, checksum = _zeros()
    encoded = name.encode()
    sizes = struct.pack("<HHQQ", 1, 16, claimed, len(deflated))
    common = struct.pack(
        "<HHHHHIIIHH", 45, 0, 8, 0, 0x5C21, checksum,
        0xFFFFFFFF, 0xFFFFFFFF, len(encoded), len(sizes),
    )  # fmt: skip
    local = b"PK\x03\x04" + common + encoded + sizes
    rest = struct.pack("<HHHII", 0, 0, 0, 0, 0)
    central = b"PK\x01\x02" + struct.pack("<H", 45) + common + rest + encoded + sizes
    end = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local) + len(deflated), 0
    )
    return local + deflated + central + end
