"""The file writer of the sample: header, rows, and the zip around them, in constant memory.

Layout and codes follow GLEIF's publications: 338 columns in published order, UTF-8 without BOM,
CRLF, every field quoted, about 1,450 bytes a row, sorted by LEI. No name, number or address is
taken from real records; the codes (registers, legal forms, regions) are real.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import IO, TYPE_CHECKING

from isal import isal_zlib

from sources.kit import sample_draw, sample_lei, sample_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sources.kit.sample_draw import Draw


@dataclass(frozen=True)
class SampleFacts:
    """What was written: data rows, bytes of the CSV, bytes of the zip (None without one)."""

    rows: int
    byte_count: int
    zip_byte_count: int | None
    changed_rows: int
    seed: int
    as_of: date


@lru_cache(maxsize=1)
def columns() -> tuple[str, ...]:
    """The 338 published column names, in published order."""
    text = files(__package__ or "sources.kit").joinpath("lei2_columns.txt").read_text("utf-8")
    return tuple(text.split())


def header() -> str:
    """The first line of the file, without its line end."""
    return '"' + '","'.join(columns()) + '"'


@dataclass(frozen=True)
class _Order:
    """What to write: see `write_full`."""

    rows: int
    seed: int
    as_of: int
    changed_share: float
    mix: sample_draw.Mix


def _drawn(order: _Order, prefix: int, rows: int) -> Iterator[tuple[Draw, int]]:
    """Draws that hold the issuer's first `rows` companies, with how many of each are changed."""
    for block in range(-(-rows // sample_draw.BLOCK)):
        drawn = sample_draw.draw(order.seed, prefix, block, order.as_of, order.mix)
        drawn, flags = sample_draw.changed(
            drawn, order.changed_share, order.as_of, (order.seed, prefix, block)
        )
        kept = min(sample_draw.BLOCK, rows - block * sample_draw.BLOCK)
        yield {key: values[:kept] for key, values in drawn.items()}, int(flags[:kept].sum())


def _write_rows(out: IO[bytes], order: _Order) -> tuple[int, int]:
    """Write header and rows; return (bytes written, rows changed)."""
    byte_count = out.write(header().encode() + b"\r\n")
    changed_rows = 0
    for number, prefix in enumerate(sample_lei.PREFIXES):
        share = (order.rows + len(sample_lei.PREFIXES) - 1 - number) // len(sample_lei.PREFIXES)
        for drawn, changed in _drawn(order, number, share):
            text = [line.encode() for line in sample_rows.lines(drawn, prefix)]
            byte_count += out.write(b"\r\n".join([*text, b""]))
            changed_rows += changed
    return byte_count, changed_rows


def write_full(
    out: Path | IO[bytes],
    rows: int,
    *,
    seed: int,
    as_of: date,
    zip_name: str | None = None,
    changed_share: float = 0.0,
    mix: sample_draw.Mix | None = None,
) -> SampleFacts:
    """Write a full file of `rows` companies as of `as_of` (a midnight, UTC) to a path or stream.

    The same seed and `as_of` give the same bytes, and the first companies of each issuer stay the
    same whatever `rows` is. With `zip_name` the output is a zip (ZIP64 where needed) with that one
    member, and a stream must be able to tell where it is. `changed_share` (0..1) of the companies
    get a later LastUpdateDate and a new status, name or address, as if published a day after
    `as_of`. `mix` replaces the usual shares of countries, statuses and categories. Memory stays
    constant. Raises ValueError for a country that the sample does not have.
    """
    day = sample_rows.day_number(as_of)
    order = _Order(rows, seed, day, changed_share, mix or sample_draw.Mix())
    if isinstance(out, Path):
        with out.open("wb") as stream:
            return _write(stream, order, as_of, zip_name)
    return _write(out, order, as_of, zip_name)


def _write(out: IO[bytes], order: _Order, as_of: date, zip_name: str | None) -> SampleFacts:
    if zip_name is None:
        byte_count, changed = _write_rows(out, order)
        return SampleFacts(order.rows, byte_count, None, changed, order.seed, as_of)
    info = zipfile.ZipInfo(zip_name, (as_of.year, as_of.month, as_of.day, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    start = out.tell()
    with (
        zipfile.ZipFile(out, "w") as archive,
        archive.open(info, "w", force_zip64=True) as member,
    ):
        # zipfile has no public choice of compressor, and isal is five times as fast here.
        fast = isal_zlib.compressobj(2, isal_zlib.DEFLATED, -15)
        member._compressor = fast  # type: ignore[attr-defined]  # noqa: SLF001, see above
        byte_count, changed = _write_rows(member, order)
    size = out.tell() - start
    return SampleFacts(order.rows, byte_count, size, changed, order.seed, as_of)
