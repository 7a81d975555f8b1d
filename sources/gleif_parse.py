"""Reads a level 1 delivery as tidy frames in the house's words, its bytes as a stream."""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sources.gleif_columns import MAPPED, check_header, unknown_columns
from sources.kit import tidy
from sources.kit.archive import open_member
from sources.kit.csv_blocks import parse_blocks, row_blocks, split_header
from sources.kit.errors import DeliveryRefused
from sources.kit.frames import Frame, Prepared, Rows
from sources.kit.identity import with_person_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sources.kit.csv_blocks import Parsed


@contextmanager
def rows_of(path: Path, prepare: Callable[[Frame], Prepared]) -> Iterator[Rows[Prepared]]:
    """Open a landed delivery (.csv.zip, .csv or .csv.gz).

    Raises `DeliveryRefused`: at once when a published column is missing, while reading when the
    file is broken.

    `prepare` runs on each frame in a worker thread; it must not depend on other frames.
    """

    def finish(parsed: Parsed) -> Prepared:
        return prepare(_tidied(parsed))

    with open_member(path) as (member, stream):
        blocks = row_blocks(stream.chunks())
        first = next(blocks, None)
        if first is None:
            raise DeliveryRefused("GLEIF level 1 file", "it is empty", "Fetch the delivery again")
        names, rest = split_header(first)
        check_header(names)
        frames = parse_blocks(chain([rest], blocks), names, MAPPED, finish)
        with closing(frames):
            yield Rows(member, unknown_columns(names), frames)


def _tidied(parsed: Parsed) -> Frame:
    table = with_person_kind(tidy.with_moments(parsed.table))
    ordinals = pa.array(np.arange(parsed.table.num_rows, dtype=np.int64))
    return Frame(table.append_column("ordinal", ordinals), parsed)
