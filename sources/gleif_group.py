"""Reads a level 2 delivery (relationships or reporting exceptions) as tidy frames, as a stream."""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.gleif_group_columns import (
    BEHIND_A_PERSON,
    KEY_PARTS,
)
from sources.kit import tidy
from sources.kit.archive import open_member
from sources.kit.columns import NONE
from sources.kit.csv_blocks import Block, Parsed, parse_blocks, row_blocks, split_header
from sources.kit.errors import DeliveryRefused
from sources.kit.flat import flat, truths
from sources.kit.frames import Frame, Prepared, Rows
from sources.kit.shapes import OWN_PERIOD, OWN_PERIOD_TOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sources.gleif_group_columns import Layout, Repeat
    from sources.kit.shapes import Shape

_NODE_TYPES = ("start_node_type", "end_node_type")


@contextmanager
def rows_of(
    path: Path, prepare: Callable[[Frame], Prepared], layout: Layout, shape: Shape
) -> Iterator[Rows[Prepared]]:
    """Open a landed delivery (.csv.zip, .csv or .csv.gz) of that layout.

    Raises `DeliveryRefused`: at once when a published column is missing, while reading when the
    file is broken. `prepare` runs on each frame in a worker thread.
    """
    with open_member(path) as (member, stream):
        blocks = row_blocks(stream.chunks())
        first = next(blocks, None)
        if first is None:
            raise DeliveryRefused(f"GLEIF {layout.name} file", "it is empty", "Fetch it again")
        names, rest = split_header(first)
        layout.check(names)
        groups = [(repeat, layout.repeated(names, repeat)) for repeat in layout.repeats]

        def finish(parsed: Parsed) -> Prepared:
            return prepare(Frame(_tidied(parsed.table, groups, shape), parsed))

        frames = parse_blocks(chain([rest], blocks), names, layout.wanted(names), finish)
        with closing(frames):
            yield Rows(member, layout.unknown(names), frames)


def retold(rows: Sequence[Mapping[str, str]], shape: Shape) -> Frame:
    """The frame of rejected rows given as their kept texts by field, `source_key` among them.

    It knows no byte offsets; see `sources.kit.retold`.
    """
    names = ("source_key", *shape.published, *_NODE_TYPES)
    read = {
        name: pa.chunked_array([[row.get(name) for row in rows]], pa.string()) for name in names
    }
    if "exception_references" in read:
        read["exception_references"] = _without_people(read)
    texts = pa.table(read)
    if "relationship_periods" in read:
        period = pc.extract_regex(read["relationship_periods"], OWN_PERIOD_TOLD)
        for field, name in enumerate(("start", "end")):
            given = pc.struct_field(period, [field])
            day = tidy.calendar_day(given, pc.is_valid(tidy.utc(_or_null(given))))
            read[f"relationship_{name}_date"] = day
    read["person_kind"] = pa.repeat(NONE, len(rows))
    read["person_rule"] = pa.nulls(len(rows), pa.string())
    read["ordinal"] = pa.array(np.arange(len(rows), dtype=np.int64))
    return Frame(tidy.with_moments(pa.table(read), shape.fields), Parsed(texts, Block(b"", 0)))


def _or_null(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _tidied(table: pa.Table, groups: list[tuple[Repeat, list[int]]], shape: Shape) -> pa.Table:
    """The shape's fields, `source_key`, `ordinal`, and who it is about: never a person."""
    read = {name: table[name] for name in table.column_names}
    nothing = pa.nulls(table.num_rows, pa.string())
    read.setdefault("retracted_published", pa.chunked_array([nothing]))
    for repeat, numbers in groups:
        read[repeat.field] = _as_one_text(table, repeat, numbers)
    if "exception_references" in read:
        read["exception_references"] = _without_people(read)
    elif "relationship_periods" in read:
        read |= _own_period(table, groups[0][1])
    read["source_key"] = pc.binary_join_element_wise(
        read["start_lei"], read[KEY_PARTS[shape.name]], ":"
    )
    read["person_kind"] = pa.repeat(NONE, table.num_rows)
    read["person_rule"] = nothing
    read["ordinal"] = pa.array(np.arange(table.num_rows, dtype=np.int64))
    groupless = {name: column for name, column in read.items() if "." not in name}
    return tidy.with_moments(pa.table(groupless), shape.fields)


def _as_one_text(table: pa.Table, repeat: Repeat, numbers: list[int]) -> pa.Array:
    """Every group of the row as one text, as published; null where the row has none."""
    absent = pa.scalar(None, pa.string())
    found = pa.nulls(table.num_rows, pa.string())
    for n in numbers:
        first, *others = (flat(table[column]) for column in repeat.columns(n))
        text, has = first.fill_null(""), pc.is_valid(first)
        for between, part in zip(repeat.between, others, strict=True):
            text = pc.binary_join_element_wise(text, part.fill_null(""), between)
            has = pc.or_(has, pc.is_valid(part))
        text = pc.if_else(has, text, absent)
        both = pc.and_(pc.is_valid(found), has)
        if truths(both).any():
            joined = pc.binary_join_element_wise(found.fill_null(""), text.fill_null(""), "; ")
            found = pc.if_else(both, joined, pc.coalesce(found, text))
        elif truths(has).any():
            found = pc.coalesce(found, text)
    return found


def _own_period(table: pa.Table, numbers: list[int]) -> dict[str, pa.ChunkedArray]:
    """First and last calendar day of the relationship's own period, where they can be read."""
    absent = pa.scalar(None, pa.string())
    found = {}
    for name, theirs in (("start", "startDate"), ("end", "endDate")):
        given = pc.coalesce(
            *(
                pc.if_else(
                    pc.equal(table[f"Relationship.Period.{n}.periodType"], OWN_PERIOD),
                    table[f"Relationship.Period.{n}.{theirs}"],
                    absent,
                )
                for n in numbers
            )
        )
        day = tidy.calendar_day(given, pc.is_valid(tidy.utc(given)))
        found[f"relationship_{name}_date"] = day
    return found


def _without_people(read: dict[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """References without those that stand beside a reason that speaks of people."""
    pattern = "|".join(BEHIND_A_PERSON)
    personal = pc.match_substring_regex(read["exception_reasons"].fill_null(""), pattern)
    return pc.if_else(personal, pa.scalar(None, pa.string()), read["exception_references"])
