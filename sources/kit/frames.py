"""What every source's `rows_of` hands on: frames of tidy rows that know where their bytes stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from sources.kit.csv_blocks import Parsed

Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class Frame:
    """At most 100,000 rows: record fields, `source_key`, `ordinal`, `person_kind`, `person_rule`.

    `ordinal` numbers the frame's readable rows from 0. `origin` knows where each row's bytes stand
    and which rows were misshapen.
    """

    table: pa.Table
    origin: Parsed


@dataclass(frozen=True)
class Rows(Generic[Prepared]):
    """An opened delivery.

    `member` is the file's name, `unknown` lists columns this mapping does not know, `frames` come
    in order, each as `prepare` made it.
    """

    member: str
    unknown: list[str]
    frames: Iterator[Prepared]
