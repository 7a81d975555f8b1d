"""Decompression as a stream, with every byte counted against the limits while it comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from isal import igzip_lib, isal_zlib

from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1024 * 1024
_PACKED_PIECE = 256 * 1024
_RATIO_FREE_BYTES = 64 * 1024 * 1024
"""The first 64 MiB may have any ratio: a small file of repeated rows packs very well."""

FETCH_AGAIN = "Fetch the file again; if it stays, tell the publisher"


@dataclass
class Meter:
    """Bytes taken in and given out of one archive, held to its limits as they flow.

    `max_bytes` caps what comes out; `max_ratio` caps out : in once 64 MiB came out. Neither
    trusts what the archive's header says.
    """

    thing: str
    max_bytes: int
    max_ratio: float
    taken: int = 0
    given: int = 0

    def give(self, chunk: bytes) -> bytes:
        """Count a chunk that came out; `DeliveryRefused` when it is too much."""
        self.given += len(chunk)
        if self.given > self.max_bytes:
            raise self._too_much(f"it unpacks to more than {self.max_bytes} bytes")
        if self.given > _RATIO_FREE_BYTES and self.given > self.max_ratio * self.taken:
            raise self._too_much(f"it unpacks to more than {self.max_ratio:g} times its size")
        return chunk

    def _too_much(self, cause: str) -> DeliveryRefused:
        return DeliveryRefused(
            self.thing, cause, "Do not open it; check where it came from and fetch it again"
        )


def packed(file: BinaryIO, byte_count: int, meter: Meter) -> Iterator[bytes]:
    """`byte_count` bytes of `file` from where it stands, in pieces; fewer if it ends early."""
    left = byte_count
    while left and (piece := file.read(min(left, _PACKED_PIECE))):
        left -= len(piece)
        meter.taken += len(piece)
        yield piece


def deflated(pieces: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Unpack a raw deflate stream, about 1 MiB at a time (RFC 1951)."""
    yield from _Stream(pieces, meter).unpacked(igzip_lib.DECOMP_DEFLATE)


def gunzipped(pieces: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Unpack a gzip file of one or more members, each checksum verified (RFC 1952)."""
    stream = _Stream(pieces, meter)
    while True:
        yield from stream.unpacked(igzip_lib.DECOMP_GZIP)
        if not stream.has_more():
            return


def stored(pieces: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Pass on what is not compressed, counted all the same."""
    for piece in pieces:
        yield meter.give(piece)


def verified(
    chunks: Iterator[bytes], meter: Meter, byte_count: int, checksum: int
) -> Iterator[bytes]:
    """Pass the chunks on, held to the length and CRC-32 that the archive states for them."""
    crc = 0
    for chunk in chunks:
        if meter.given > byte_count:
            raise damaged(meter.thing, f"it unpacks to more than the {byte_count} bytes it states")
        crc = isal_zlib.crc32(chunk, crc)
        yield chunk
    if meter.given != byte_count:
        raise damaged(meter.thing, f"it ends after {meter.given} of {byte_count} bytes")
    if crc != checksum:
        raise damaged(meter.thing, "its checksum does not fit its contents (CRC-32)")


def damaged(thing: str, cause: str) -> DeliveryRefused:
    """Make the refusal of an archive that is broken."""
    return DeliveryRefused(thing, cause, FETCH_AGAIN)


class _Stream:
    """Compressed pieces with what one stream left over for the next."""

    def __init__(self, pieces: Iterator[bytes], meter: Meter) -> None:
        self._pieces = pieces
        self._meter = meter
        self._rest = b""

    def _next(self) -> bytes:
        piece, self._rest = self._rest or next(self._pieces, b""), b""
        return piece

    def unpacked(self, flag: int) -> Iterator[bytes]:
        """One stream to its end; `DeliveryRefused` when it is broken or has no end."""
        decoder = igzip_lib.IgzipDecompressor(flag)
        while not decoder.eof:
            piece = b""
            if decoder.needs_input:
                piece = self._next()
                if not piece:
                    raise damaged(
                        self._meter.thing, "it is cut short: its compressed data has no end"
                    )
            try:
                chunk = decoder.decompress(piece, CHUNK_BYTES)
            except igzip_lib.error:  # type: ignore[misc]  # isal's stub types it as an instance
                raise damaged(self._meter.thing, "its compressed data is damaged") from None
            if chunk:
                yield self._meter.give(chunk)
        self._rest = decoder.unused_data

    def has_more(self) -> bool:
        """Tell whether anything but padding follows."""
        while piece := self._next():
            rest = piece.lstrip(b"\0")
            if rest:
                self._rest = rest
                return True
        return False
