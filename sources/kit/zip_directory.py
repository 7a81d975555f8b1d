"""A zip's directory, believed in nothing: one member, plainly named, where it says it is."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sources.kit.errors import DeliveryRefused
from sources.kit.unpack import damaged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_UTF8_FLAG, _ENCRYPTED_FLAGS = 0x800, 0x1 | 0x40
_LARGEST_DIRECTORY = 1024 * 1024
_CURE = "Check where it came from; give the archive as the publisher serves it"


@dataclass(frozen=True)
class Packed:
    """Where a member's compressed bytes lie in the zip, and what it states about them."""

    name: str
    offset: int
    packed_bytes: int
    byte_count: int
    checksum: int
    is_deflated: bool


def printable(name: str) -> str:
    """Make a name from outside fit for one line of an error text."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= 80 else plain[:77] + "..."  # noqa: PLR2004 - one line


def only_member(path: Path, *, suffix: str, max_members: int) -> Packed:
    """Find the one member of the zip at `path` whose name ends in `suffix`.

    Raises `DeliveryRefused` for a broken directory, more than `max_members` members, unsafe or
    repeated names, links, folders, encryption, and compression other than deflate.
    """
    thing = f"Zip {path.name}"
    with _DirectoryReader(io.FileIO(path)) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                info = _chosen(archive.infolist(), thing, suffix, max_members)
                return _located(file, info, thing)
        except (zipfile.BadZipFile, struct.error, ValueError, OverflowError, NotImplementedError):
            raise damaged(thing, "it is cut short or not a sound zip archive") from None


def member_names(path: Path, *, max_members: int) -> list[str]:
    """The names of the members of the zip at `path`; raises `DeliveryRefused` as `only_member`."""
    thing = f"Zip {path.name}"
    with _DirectoryReader(io.FileIO(path)) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                infos = _safe(archive.infolist(), thing, max_members)
        except (zipfile.BadZipFile, struct.error, ValueError, OverflowError, NotImplementedError):
            raise damaged(thing, "it is cut short or not a sound zip archive") from None
    return [info.filename for info in infos]


class _DirectoryReader(io.BufferedReader):
    """A file that zipfile cannot be talked into reading whole, or before its beginning."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if offset < 0 and whence == io.SEEK_SET:
            message = "offset before the beginning"
            raise zipfile.BadZipFile(message)
        return super().seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_DIRECTORY:
            message = "directory too large"
            raise zipfile.BadZipFile(message)
        return super().read(_LARGEST_DIRECTORY if size is None or size < 0 else size)


def _safe(infos: list[zipfile.ZipInfo], thing: str, max_members: int) -> list[zipfile.ZipInfo]:
    if not infos:
        raise DeliveryRefused(thing, "it holds no file", _CURE)
    for info in infos:
        cause = _unsafe(info)
        if cause:
            raise DeliveryRefused(thing, f"its member {printable(info.filename)!r} {cause}", _CURE)
    if len(infos) > max_members:
        cause = f"it holds {len(infos)} files where {max_members} is expected ({_listed(infos)})"
        raise DeliveryRefused(thing, cause, _CURE)
    if len({info.filename for info in infos}) < len(infos):
        raise DeliveryRefused(thing, f"it repeats a name ({_listed(infos)})", _CURE)
    return infos


def _chosen(
    infos: list[zipfile.ZipInfo], thing: str, suffix: str, max_members: int
) -> zipfile.ZipInfo:
    infos = _safe(infos, thing, max_members)
    fitting = [info for info in infos if info.filename.lower().endswith(suffix)]
    if len(fitting) != 1:
        cause = f"it holds {len(fitting)} files that end in {suffix} ({_listed(infos)})"
        raise DeliveryRefused(thing, cause, _CURE)
    return fitting[0]


def _listed(infos: Iterable[zipfile.ZipInfo]) -> str:
    names = [printable(info.filename) for info in infos]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")  # noqa: PLR2004 - one line


def _unsafe(info: zipfile.ZipInfo) -> str | None:
    """Say what forbids reading this member; nothing is ever written by its name all the same."""
    # zipfile may show another name than the one stored (NUL, Unicode path field): judge both.
    for name in (info.orig_filename, info.filename):
        cause = _unsafe_name(name)
        if cause:
            return cause
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if info.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        return "is not a file"
    if info.flag_bits & _ENCRYPTED_FLAGS:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        # bzip2 and LZMA give no bound on memory for one step, and no publisher uses them.
        return f"is compressed by method {info.compress_type}; deflate is expected"
    return None


def _unsafe_name(name: str) -> str | None:
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        return "has an absolute name"
    if ".." in PurePosixPath(name.replace("\\", "/")).parts:
        return "climbs out of its folder"
    if not name.isprintable() or "\\" in name:
        return "has characters in its name that do not belong there"
    return None


def _located(file: io.BufferedReader, info: zipfile.ZipInfo, thing: str) -> Packed:
    """Where the member's bytes begin, from its local header, which must agree on the name."""
    file.seek(info.header_offset)
    fields = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    signature, flags, method, name_length, extra_length = (fields[i] for i in (0, 2, 3, 9, 10))
    name = file.read(name_length).decode("utf-8" if flags & _UTF8_FLAG else "cp437")
    if signature != b"PK\x03\x04" or name != info.orig_filename:
        raise damaged(thing, "its directory and its member do not agree")
    if flags & _ENCRYPTED_FLAGS or method != info.compress_type:
        raise damaged(thing, "its directory and its member do not agree")
    offset = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    if offset + info.compress_size > file.seek(0, io.SEEK_END):
        raise damaged(thing, "it is cut short: its member reaches past its end")
    return Packed(
        name=info.filename,
        offset=offset,
        packed_bytes=info.compress_size,
        byte_count=info.file_size,
        checksum=info.CRC,
        is_deflated=info.compress_type == zipfile.ZIP_DEFLATED,
    )
