"""Reads a level 1 delivery as tidy frames in the house's words, its bytes as a stream."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sources.gleif_columns import MAPPED, check_header, unknown_columns
from sources.kit import tidy
from sources.kit.archive import open_member
from sources.kit.csv_blocks import Block, Parsed, parse_blocks, row_blocks, split_header
from sources.kit.errors import DeliveryRefused
from sources.kit.identity import with_person_kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Frame:
    """At most 100,000 rows: record fields, `source_key`, `ordinal`, `person_kind`, `person_rule`.

    `ordinal` numbers the delivery's readable rows from 0. `origin` knows where each row's bytes
    stand and which rows were misshapen.
    """

    table: pa.Table
    origin: Parsed


@dataclass(frozen=True)
class Rows:
    """An opened delivery: the member's name, columns this mapping does not know, and frames."""

    member: str
    unknown: list[str]
    frames: Iterator[Frame]


@contextmanager
def rows_of(path: Path) -> Iterator[Rows]:
    """Open a landed delivery (.csv.zip, .csv or .csv.gz); raises `DeliveryRefused` while reading
    when it is broken, or at once when a published column is missing.
    """
    with open_member(path) as (member, stream):
        blocks = row_blocks(stream.chunks())
        first = next(blocks, None)
        if first is None:
            raise DeliveryRefused(
                "GLEIF level 1 file", "it is empty", "Fetch the delivery again"
            )
        names, rest = split_header(first)
        check_header(names)
        yield Rows(member, unknown_columns(names), _frames(chain([rest], blocks), names))


def _frames(blocks: Iterator[Block], names: list[str]) -> Iterator[Frame]:
    start = 0
    for parsed in parse_blocks(blocks, names, MAPPED):
        rows = parsed.table.num_rows
        table = with_person_kind(tidy.with_moments(parsed.table))
        ordinals = pa.array(np.arange(start, start + rows, dtype=np.int64))
        yield Frame(table.append_column("ordinal", ordinals), parsed)
        start += rows
