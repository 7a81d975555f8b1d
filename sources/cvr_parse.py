"""CVR's companies as frames, joined from Datafordeler's files on their unit in fixed memory."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.cvr_drawers import DRAWERS, put_away, take_out
from sources.cvr_entities import (
    COMPANY,
    ENTITIES,
    PLACE,
    UNIT,
    Entity,
    check_complete,
    current_rows,
)
from sources.cvr_frame import NO, Drawer, company_frame
from sources.kit import nested
from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from sources.kit.register_frame import RegisterFrame

Prepared = TypeVar("Prepared")

FRAME_ROWS = 100_000


@dataclass
class _Found:
    """What reading the files brought besides rows: counts by reason, unknown columns."""

    dropped: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)
    broken: list[np.ndarray] = field(default_factory=list)


@contextmanager
def joined_frames(
    files: Mapping[str, Path], workspace: Path, prepare: Callable[[RegisterFrame], Prepared]
) -> Iterator[Generator[Prepared]]:
    """The companies of a weekly delivery as frames of at most 100,000, each `prepare`d.

    `files` are the landed downloads by their entity's name. Rows wait in files under `workspace`,
    which are removed at the end, whatever the end is. The first frame carries what was dropped
    and the misshapen rows. Raises `DeliveryRefused` naming an entity that is missing or broken.
    """
    given = dict(files)
    check_complete(given)
    with TemporaryDirectory(dir=workspace, prefix="cvr-") as folder:
        found = _Found()
        for entity in ENTITIES:
            if entity.name in given:
                rows = _kept_rows(given[entity.name], entity, found)
                put_away(rows, Path(folder), entity.name)
        frames = _frames(Path(folder), found)
        yield (prepare(frame) for frame in frames)


def _kept_rows(path: Path, entity: Entity, found: _Found) -> Iterator[pa.Table]:
    """The rows to be joined: of a unit, holding now, and not secret."""
    for read in current_rows(path, entity):
        found.dropped["ended"] += read.ended
        found.unknown |= read.unknown
        if entity is COMPANY:
            found.broken.append(read.misshapen)
        else:
            found.dropped["misshapen"] += len(read.misshapen)
        rows = read.rows
        if "hemmelig" in rows.column_names:
            is_open = _is_open(flat(rows["hemmelig"]))
            found.dropped["secret"] += int((~is_open).sum())
            rows = rows.filter(pa.array(is_open)).drop_columns(["hemmelig"])
        has_unit = pc.is_valid(rows[UNIT])
        yield rows.filter(has_unit).combine_chunks()


def _is_open(secret: pa.Array) -> np.ndarray:
    """Rows that are plainly not secret: a flag that cannot be read is taken for one."""
    flag = pc.utf8_lower(nested.filled(secret))
    return nested.is_true(pc.or_kleene(pc.is_null(flag), pc.is_in(flag, value_set=NO)))


def _frames(folder: Path, found: _Found) -> Iterator[RegisterFrame]:
    broken = np.concatenate(found.broken) if found.broken else np.empty(0, np.int64)
    dropped = found.dropped
    for drawer in range(DRAWERS):
        companies = take_out(folder, COMPANY.name, drawer)
        others = {e.name: take_out(folder, e.name, drawer) for e in ENTITIES if e is not COMPANY}
        if companies is None:
            strangers = (table.num_rows for table in others.values() if table is not None)
            dropped["not_of_a_company"] += sum(strangers)
            continue
        known = flat(companies[UNIT])
        for name, table in others.items():
            if table is not None:
                of_company = pc.is_in(table[UNIT], value_set=known)
                dropped["not_of_a_company"] += table.num_rows - pc.sum(of_company).as_py()
                others[name] = table.filter(of_company).combine_chunks()
        for start in range(0, companies.num_rows, FRAME_ROWS):
            piece = companies.slice(start, FRAME_ROWS)
            yield company_frame(Drawer(piece, others), broken, dropped, frozenset(found.unknown))
            broken, dropped = np.empty(0, np.int64), Counter()
    if dropped.total() or len(broken):
        yield company_frame(Drawer(_nobody(), {}), broken, dropped, frozenset(found.unknown))


def _nobody() -> pa.Table:
    nothing = pa.array([], pa.string())
    names = (UNIT, *COMPANY.kept, *COMPANY.optional)
    return pa.table(dict.fromkeys(names, nothing) | {PLACE: pa.array([], pa.int64())})
