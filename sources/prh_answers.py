"""Landed answers of PRH's API as frames like the whole file's."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sources import prh_parse
from sources.kit.frames import Rows
from sources.kit.json_shape import MisshapenError, scalars, struct_of
from sources.prh_api import MEMBER, landed_answers, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sources.kit.frames import Prepared
    from sources.kit.register_frame import RegisterFrame


@dataclass(frozen=True)
class Places:
    """Where each company's answer stands in what was landed; a misshapen one is refused before."""

    offsets: tuple[int, ...]
    misshapen: tuple[tuple[int, int], ...] = ()

    @property
    def row_count(self) -> int:
        """Companies in the answers."""
        return len(self.offsets)

    def row_offsets(self) -> np.ndarray:
        """Byte offset of each company's answer (int64)."""
        return np.array(self.offsets, dtype=np.int64)

    def misshapen_offsets(self) -> np.ndarray:
        """None are."""
        return np.empty(0, dtype=np.int64)


@contextmanager
def rows_of(path: Path, prepare: Callable[[RegisterFrame], Prepared]) -> Iterator[Rows[Prepared]]:
    """Open landed answers, one frame in all; see `sources.prh.rows_of`.

    `Rows.absent` are the business IDs that PRH does not know.
    """
    found, offsets, absent = [], [], []
    for answer in landed_answers(path):
        companies = answer.companies()
        found += companies
        offsets += [answer.offset] * len(companies)
        absent += [] if companies else [answer.asked]
    names = frozenset(name for company in found for name, _ in scalars(company))
    try:
        rows = struct_of(prh_parse.SHAPE, found)
    except MisshapenError:
        raise refused("a company in it is not of the published shape") from None
    frame = prh_parse.frame_of_rows(rows, Places(tuple(offsets)), names)
    yield Rows(MEMBER, prh_parse.unknown(names), iter([prepare(frame)]), absent=tuple(absent))
