"""CVR's landed answers as frames, by the same code as its files."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sources.cvr_answers import records
from sources.cvr_entities import holding
from sources.cvr_frame import company_frame
from sources.cvr_lookup import NUMBER, root_of
from sources.cvr_names import COMPANY, ENTITIES, PLACE, SITE, Entity
from sources.cvr_sites import strictness
from sources.cvr_tables import Drawer, without_repeated, without_secrets
from sources.kit.frames import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sources.cvr_answers import Record
    from sources.kit.frames import Prepared
    from sources.kit.register_frame import RegisterFrame

BATCHES = 20
"""Batches of a hundred companies in one frame."""
_BY_ROOT = {root_of(entity): entity for entity in ENTITIES}


@contextmanager
def rows_of(path: Path, prepare: Callable[[RegisterFrame], Prepared]) -> Iterator[Rows[Prepared]]:
    """Open landed answers; `absent` are the numbers asked for that CVR has no company of."""
    frames = (prepare(group.frame()) for group in _groups(path) if group.has_companies)
    yield Rows("CVR answers", [], frames, absent=_absent(path))


def _absent(path: Path) -> tuple[str, ...]:
    asked: dict[str, None] = {}
    found = set()
    for record in records(path):
        asked |= dict.fromkeys(record.asked or ())
        if record.batch is not None and record.root == root_of(COMPANY):
            found |= {str(node[NUMBER]).zfill(8) for node in record.nodes()}
    return tuple(number for number in asked if number not in found)


@dataclass
class _Group:
    """What some batches say: each entity's nodes, and where those of companies begin."""

    nodes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)

    @property
    def has_companies(self) -> bool:
        """Whether there is a row for a frame."""
        return bool(self.nodes.get(COMPANY.name))

    def take(self, record: Record) -> None:
        """Add an answer."""
        entity, nodes = _BY_ROOT[record.root], record.nodes()
        self.nodes.setdefault(entity.name, []).extend(nodes)
        if entity is COMPANY:
            self.places += [record.offset + _place(record.body, node) for node in nodes]

    def frame(self) -> RegisterFrame:
        """The companies of the group."""
        dropped: Counter[str] = Counter()
        tables = {}
        for entity in ENTITIES:
            table = _table(entity, self.nodes.get(entity.name, []))
            if entity is COMPANY:
                table = table.append_column(PLACE, pa.array(self.places, pa.int64()))
            rows, ended = holding(table, entity)
            tables[entity.name], secret = without_secrets(rows)
            dropped += Counter(ended=ended, secret=secret)
        sites = strictness([Drawer(tables[SITE.name], tables)])
        companies = Drawer(without_repeated(tables[COMPANY.name]), tables)
        return company_frame(companies, np.empty(0, np.int64), dropped, frozenset(), sites)


def _groups(path: Path) -> Iterator[_Group]:
    group, begun = _Group(), 0
    for record in records(path):
        if record.asked is not None:
            begun += 1
            if begun > BATCHES:
                yield group
                group, begun = _Group(), 1
        elif record.batch is not None:
            group.take(record)
    yield group


def _table(entity: Entity, nodes: list[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {
            name: pa.array([_text(node.get(name)) for node in nodes], pa.string())
            for name in entity.read
        }
    )


def _text(value: object) -> str | None:
    """A value as the CSV files write it."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _place(body: bytes, node: dict[str, Any]) -> int:
    """Where an answer names a company's unit."""
    return max(body.find(f'"{node.get(COMPANY.unit)}"'.encode()), 0)
