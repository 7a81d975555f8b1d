"""What every source's `rows_of` hands on: frames of tidy rows that know where their bytes stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pyarrow as pa

Prepared = TypeVar("Prepared")


class Origin(Protocol):
    """Where a frame's rows stand in what was landed, and which were no rows at all.

    `misshapen` holds (row, fields found); offsets are bytes (int64), of the readable rows in their
    order and of the misshapen ones.
    """

    @property
    def misshapen(self) -> tuple[tuple[int, int], ...]: ...  # noqa: D102
    @property
    def row_count(self) -> int: ...  # noqa: D102
    def row_offsets(self) -> np.ndarray: ...  # noqa: D102
    def misshapen_offsets(self) -> np.ndarray: ...  # noqa: D102


@dataclass(frozen=True)
class Frame:
    """At most 100,000 rows: record fields, `source_key`, `ordinal`, `person_kind`, `person_rule`.

    `ordinal` numbers the frame's readable rows from 0. `origin` knows where each row's bytes stand
    and which rows were misshapen.
    """

    table: pa.Table
    origin: Origin


@dataclass(frozen=True)
class Rows(Generic[Prepared]):
    """An opened delivery.

    `member` is the file's name, `unknown` lists columns this mapping does not know, `frames` come
    in order, each as `prepare` made it. `erased` are keys whose records copies must erase (a
    register's duty of removal), `absent` keys that were asked for and that the publisher does not
    know.
    """

    member: str
    unknown: list[str]
    frames: Iterator[Prepared]
    erased: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
