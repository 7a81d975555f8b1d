"""Rows told again from their kept texts: a frame like one that was read from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sources.kit import columns, tidy
from sources.kit.csv_blocks import Block, Parsed
from sources.kit.frames import Frame
from sources.kit.identity import with_person_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def retold(rows: Sequence[Mapping[str, str]]) -> Frame:
    """The frame of rows given as published texts by field, `source_key` among them.

    A field that a row does not name is absent. The rows stand in no file, so the frame knows no
    byte offsets: none of them may be rejected any more.
    """
    names = ("source_key", *columns.PUBLISHED)
    table = pa.table(
        {name: pa.chunked_array([[row.get(name) for row in rows]], pa.string()) for name in names}
    )
    tidied = with_person_kind(tidy.with_moments(table))
    ordinals = pa.array(np.arange(len(rows), dtype=np.int64))
    return Frame(tidied.append_column("ordinal", ordinals), Parsed(table, Block(b"", 0)))
