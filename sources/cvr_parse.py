"""CVR's companies as frames, joined from Datafordeler's files on their unit in fixed memory."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.cvr_drawers import DRAWERS, Drawers
from sources.cvr_entities import current_rows
from sources.cvr_frame import company_frame
from sources.cvr_names import (
    COMPANY,
    ENTITIES,
    PLACE,
    PROTECTION,
    SITE,
    UNIT,
    Entity,
    EntityFile,
    check_complete,
)
from sources.cvr_sites import CONTACTS, Strictness, strictness
from sources.cvr_tables import Drawer, nothing_of, without_repeated, without_secrets
from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from sources.kit.register_frame import RegisterFrame

Prepared = TypeVar("Prepared")

FRAME_ROWS = 100_000
SAID = tuple(entity for entity in ENTITIES if entity not in (COMPANY, SITE))
"""What is said of a company beside its own row."""


@dataclass
class _Found:
    """What reading the files brought besides rows: counts by reason, unknown columns."""

    dropped: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)
    broken: list[np.ndarray] = field(default_factory=list)


@contextmanager
def joined_frames(
    files: Mapping[str, EntityFile], workspace: Path, prepare: Callable[[RegisterFrame], Prepared]
) -> Iterator[tuple[list[str], Generator[Prepared]]]:
    """Unknown columns, and a weekly delivery's companies as frames of at most 100,000, `prepare`d.

    `files` are the landed downloads by their entity's name. Rows wait in nameless files under
    `workspace`. The first frame carries what was dropped and the misshapen rows. Raises
    `DeliveryRefused` naming an entity that is missing or broken.
    """
    check_complete(files)
    with Drawers(workspace) as drawers:
        found = _Found()
        for entity in ENTITIES:
            if entity.name in files:
                drawers.put_away(_kept_rows(files[entity.name], entity, found), entity.name)
        sites = strictness(_sites(drawers))
        frames = _frames(drawers, found, sites)
        yield sorted(found.unknown), (prepare(frame) for frame in frames)


def _sites(drawers: Drawers) -> Iterator[Drawer]:
    """The production units, with their contact points and flags."""
    for place in range(DRAWERS):
        units = drawers.take_out(SITE.name, place)
        if units is not None:
            names = (entity.name for entity in (*CONTACTS, PROTECTION))
            yield Drawer(units, {name: drawers.take_out(name, place) for name in names})


def _kept_rows(file: EntityFile, entity: Entity, found: _Found) -> Iterator[pa.Table]:
    """The rows to be joined: of a unit, holding now, and not secret."""
    for read in current_rows(file, entity):
        found.dropped["ended"] += read.ended
        found.unknown |= read.unknown
        if entity is COMPANY:
            found.broken.append(read.misshapen)
        else:
            found.dropped["misshapen"] += len(read.misshapen)
        rows, secret = without_secrets(read.rows)
        has_unit = pc.is_valid(rows[UNIT])
        kept = rows.filter(has_unit).combine_chunks()
        found.dropped["secret"] += secret
        found.dropped["without_unit"] += rows.num_rows - kept.num_rows
        yield kept


def _frames(drawers: Drawers, found: _Found, sites: Strictness) -> Iterator[RegisterFrame]:
    broken = np.concatenate(found.broken) if found.broken else np.empty(0, np.int64)
    dropped, unknown = found.dropped, frozenset(found.unknown)
    for place in range(DRAWERS):
        drawer, strangers = _companies(drawers, place)
        dropped["not_of_a_company"] += strangers
        for start in range(0, drawer.units.num_rows, FRAME_ROWS):
            piece = Drawer(drawer.units.slice(start, FRAME_ROWS), drawer.others)
            yield company_frame(piece, broken, dropped, unknown, sites)
            broken, dropped = np.empty(0, np.int64), Counter()
    if dropped.total() or len(broken):
        yield company_frame(Drawer(_nobody(), {}), broken, dropped, unknown)


def _companies(drawers: Drawers, place: int) -> tuple[Drawer, int]:
    """A drawer's companies with what is said of them, and how many rows are of other units."""
    companies = drawers.take_out(COMPANY.name, place)
    units = _nobody() if companies is None else without_repeated(companies)
    others, strangers = {}, 0
    for entity in (*SAID, SITE):
        table = drawers.take_out(entity.name, place)
        if table is not None:
            kept = table.filter(pc.is_in(table[UNIT], value_set=flat(units[UNIT])))
            strangers += table.num_rows - kept.num_rows
            others[entity.name] = kept.combine_chunks()
    return Drawer(units, others), strangers


def _nobody() -> pa.Table:
    return nothing_of(COMPANY).append_column(PLACE, pa.array([], pa.int64()))
