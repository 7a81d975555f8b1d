"""The one expected file inside a delivery, as a stream: .zip, .gz or plain, told by its bytes."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from sources.kit import unpack
from sources.kit.errors import DeliveryRefused
from sources.kit.readahead import ReadAhead
from sources.kit.zip_directory import Packed, only_member, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 32 * 1024**3
MAX_RATIO = 60.0
"""GLEIF's real files unpack to about ten times their size."""

Container = Literal["zip", "gz", "plain"]

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_GZIP = b"\x1f\x8b"
_FOREIGN = {
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"(\xb5/\xfd": "a Zstandard file",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"SQLite format 3": "a database",
    b"\xff\xfe": "UTF-16 text where UTF-8 is expected",
    b"\xfe\xff": "UTF-16 text where UTF-8 is expected",
}
_SNIFFED_BYTES = 512
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_CSV, _XML = ".csv", ".xml"


@dataclass(frozen=True)
class Contents:
    """What a file turned out to be: `name` of the rows' file, and where its bytes lie."""

    name: str
    container: Container
    packed: Packed | None = None


def contents(path: Path, *, suffix: str = ".csv", max_members: int = 1) -> Contents:
    """Tell what `path` holds, by its first bytes, not by its name.

    `name` is the zip's member, or the name inside the gzip header, or the file's own. Raises
    `DeliveryRefused` for anything that is not exactly one file of `suffix`, safely named.
    """
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    if not head:
        raise DeliveryRefused(f"File {path.name}", "it is empty", _expected(suffix))
    if head.startswith(_ZIP):
        member = only_member(path, suffix=suffix, max_members=max_members)
        return Contents(member.name, "zip", member)
    if head.startswith(_GZIP):
        return Contents(_gzip_name(head) or path.name, "gz")
    _check_text(head, f"File {path.name}", suffix, outer=True)
    return Contents(path.name, "plain")


@contextmanager
def open_member(
    path: Path,
    *,
    suffix: str = ".csv",
    max_bytes: int = MAX_BYTES,
    max_ratio: float = MAX_RATIO,
    max_members: int = 1,
) -> Iterator[tuple[str, ReadAhead]]:
    """Open the one file in `path`: its name and its unpacked bytes, read ahead in a thread.

    Use the stream's `chunks()` for speed, or `read(n)`. Limits are enforced while bytes come out
    (`max_ratio` from 64 MiB on). Raises `DeliveryRefused`: at once for a wrong file, from the
    read that meets it for damage, a false length, a wrong checksum or too much of anything.
    """
    found = contents(path, suffix=suffix, max_members=max_members)
    meter = unpack.Meter(f"File {printable(found.name)}", max_bytes, max_ratio)
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        stream = stack.enter_context(ReadAhead(_unpacked(file, path, found, meter)))
        head = stream.peek(_SNIFFED_BYTES)
        if not head:
            raise DeliveryRefused(meter.thing, "it is empty", unpack.FETCH_AGAIN)
        _check_text(head, meter.thing, suffix, outer=False)
        yield found.name, stream


def _unpacked(file: BinaryIO, path: Path, found: Contents, meter: unpack.Meter) -> Iterator[bytes]:
    """Unpack, checked against all that the container states about them."""
    if found.packed is None:
        pieces = unpack.packed(file, path.stat().st_size, meter)
        read = unpack.gunzipped if found.container == "gz" else unpack.stored
        yield from read(pieces, meter)
        return
    member = found.packed
    file.seek(member.offset)
    pieces = unpack.packed(file, member.packed_bytes, meter)
    read = unpack.deflated if member.is_deflated else unpack.stored
    yield from unpack.verified(read(pieces, meter), meter, member.byte_count, member.checksum)


def _check_text(head: bytes, thing: str, suffix: str, *, outer: bool) -> None:
    """Refuse what plainly is not rows of text; the header row is judged by the parser."""
    cure = _expected(suffix)
    if head.startswith((*_ZIP, _GZIP)):
        raise DeliveryRefused(thing, "it is an archive inside an archive", cure)
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise DeliveryRefused(thing, f"it is {what}", cure)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") and (suffix != _XML or b"<html" in text[:256].lower()):
        form = suffix.removeprefix(".").upper()
        raise DeliveryRefused(thing, f"it is a web page or XML, not {form}", cure)
    if text.startswith((b"{", b"[")) and suffix == _CSV:
        raise DeliveryRefused(thing, "it is JSON, not CSV", cure)
    if _BINARY.search(head):
        kind = "neither zip, gzip nor text" if outer else "not text"
        raise DeliveryRefused(thing, f"its contents are {kind}", cure)


def _expected(suffix: str) -> str:
    return f"Give the publisher's {suffix}.zip, or its {suffix} or {suffix}.gz"


def _gzip_name(head: bytes) -> str | None:
    """Read the file name in a gzip header (RFC 1952, FNAME), without any folder."""
    start = 10
    flags = head[3] if len(head) > start else 0
    if flags & 4:
        start += 2 + int.from_bytes(head[start : start + 2], "little")
    end = head.find(b"\0", start)
    if not flags & 8 or end <= start:
        return None
    name = head[start:end].decode("latin-1").replace("\\", "/").rsplit("/", 1)[-1]
    return name if name.isprintable() and name.strip(".") else None
