"""Datafordeler's CVR files, one a kind of fact: what is kept of each, and the rows that hold now.

Source: Datafordeler, CVR register, file downloads per entity (CSV or JSON, Current or Temporal).
A row holds only while both `virkningTil` and `registreringTil` are empty.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.cvr_names import COMPANY, ENDS, IGNORED, MOST_MEMBERS, PLACE, UNIT, Entity, EntityFile
from sources.kit import csv_blocks, json_frames, nested
from sources.kit.archive import open_member
from sources.kit.errors import DeliveryRefused
from sources.kit.flat import flat
from sources.kit.json_blocks import ItemBlocks
from sources.kit.json_shape import TEXT
from sources.kit.register_frame import unknown_names

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from sources.kit.json_rows import Parsed
    from sources.kit.readahead import ReadAhead

_SNIFFED_BYTES = 512
_IGNORED = "|".join(f"(?:{pattern})" for pattern, _ in IGNORED)


@dataclass(frozen=True)
class Read:
    """Rows of one block that hold now (text columns, `unit` and `place`), and what was not kept.

    `ended` counts rows with an end; `misshapen` are the offsets of rows that were none (int64).
    """

    rows: pa.Table
    ended: int
    misshapen: np.ndarray
    unknown: frozenset[str] = frozenset()


def current_rows(file: EntityFile, entity: Entity) -> Iterator[Read]:
    """The file's rows that hold now, block by block; see `Read`.

    Raises `DeliveryRefused` for a file that is broken or lacks a column.
    """
    suffix = (file.member or _suffix(file.path)).lower()
    most = MOST_MEMBERS if file.member else 1
    with open_member(file.path, suffix=suffix, max_members=most) as (_, stream):
        is_json = suffix.endswith(".json")
        reads = _from_json(stream, entity) if is_json else _from_csv(stream, entity)
        with closing(reads):
            yield from reads


def _suffix(path: Path) -> str:
    """What the file holds: a zip names its member near its start, plain text shows itself."""
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    is_json = b".json" in head if head.startswith(b"PK") else head.lstrip()[:1] == b"["
    return ".json" if is_json else ".csv"


def _from_csv(stream: ReadAhead, entity: Entity) -> Generator[Read]:
    blocks = csv_blocks.row_blocks(stream.chunks())
    first = next(blocks, None)
    if first is None:
        raise _refused(entity, "it is empty")
    names, rest = csv_blocks.split_header(first)
    _check_columns(names, entity)
    wanted = {name: name for name in entity.read if name in names}
    unknown = _unknown(names, entity)
    yield from csv_blocks.parse_blocks(
        chain([rest], blocks),
        names,
        wanted,
        lambda parsed: _read(parsed.table, parsed, entity, unknown),
    )


def _from_json(stream: ReadAhead, entity: Entity) -> Generator[Read]:
    shape = dict.fromkeys(entity.read, TEXT)

    def finish(parsed: Parsed) -> Read:
        # A name that is null may be left out; without its unit a row can be joined to nothing.
        if parsed.names and entity.unit not in parsed.names:
            raise _refused(entity, f"it lacks the name {entity.unit}")
        table = pa.Table.from_struct_array(parsed.rows)
        return _read(table, parsed, entity, _unknown(parsed.names, entity))

    blocks = ItemBlocks(stream.chunks())
    yield from json_frames.parse_blocks(blocks, shape, entity.unit, finish)


def _read(
    table: pa.Table,
    parsed: csv_blocks.Parsed | Parsed,
    entity: Entity,
    unknown: frozenset[str],
) -> Read:
    misshapen = parsed.misshapen_offsets() if parsed.misshapen else np.empty(0, np.int64)
    # Only a company's own row is ever pointed at; finding the places costs a pass over the block.
    if entity is COMPANY:
        table = table.append_column(PLACE, pa.array(parsed.row_offsets()))
    rows, ended = holding(table, entity)
    return Read(rows, ended, misshapen, unknown)


def holding(table: pa.Table, entity: Entity) -> tuple[pa.Table, int]:
    """The rows that hold now, in the entity's columns, and how many have an end."""
    ends = [name for name in ENDS if name in table.column_names]
    holds = np.ones(table.num_rows, dtype=bool)
    for name in ends:
        holds &= ~_is_given(table, name)
    kept = table.filter(pa.array(holds)).drop_columns(ends)
    for name in entity.optional:
        if name not in kept.column_names:
            kept = kept.append_column(name, pa.nulls(kept.num_rows, pa.string()))
    names = [UNIT if name == entity.unit else name for name in kept.column_names]
    places = [PLACE] if entity is COMPANY else []
    ordered = kept.rename_columns(names).select([UNIT, *entity.kept, *entity.optional, *places])
    return ordered, int((~holds).sum())


def _is_given(table: pa.Table, name: str) -> np.ndarray:
    return nested.is_true(pc.is_valid(nested.filled(flat(table[name]))))


def _check_columns(names: list[str] | frozenset[str], entity: Entity) -> None:
    # One end without the other is a file that was changed, not one without ends.
    ends = ENDS if {*ENDS} & {*names} else ()
    missing = [name for name in dict.fromkeys((*entity.needed, *ends)) if name not in names]
    if missing:
        raise _refused(entity, f"it lacks the columns {', '.join(missing)}")


def _unknown(names: list[str] | frozenset[str], entity: Entity) -> frozenset[str]:
    found = unknown_names(names, entity.read, _IGNORED)
    return frozenset(f"{entity.name}.{name}" for name in found)


def _refused(entity: Entity, cause: str) -> DeliveryRefused:
    return DeliveryRefused(
        f"CVR file {entity.name}", cause, "Nothing was loaded. Fetch it again, or tell Datafordeler"
    )
