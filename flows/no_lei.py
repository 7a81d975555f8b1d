"""Which of a register's companies are taken without an LEI: those that `[[scope.no_lei]]` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.columns import NATURAL
from sources.kit.flat import flat, truths
from sources.kit.register_frame import own_forms

if TYPE_CHECKING:
    from collections.abc import Callable

    from sources.kit.policy import NoLei, Scope
    from sources.kit.register_frame import RegisterFrame


def is_wanted(scope: Scope, frame: RegisterFrame, table: pa.Table, source_id: str) -> np.ndarray:
    """Which of the source's rows any row of `[[scope.no_lei]]` names (bool); natural persons never.

    Its country is that of the legal address. What the register does not say fits no condition.
    """
    wanted = np.zeros(table.num_rows, dtype=bool)
    for row in scope.no_lei:
        wanted |= _named_by(row, frame, table, source_id)
    if scope.countries and wanted.any():
        wanted &= _is_in(table["legal_country"], scope.countries)
    wanted &= ~truths(pc.equal(table["person_kind"], NATURAL))
    return wanted


def _named_by(row: NoLei, frame: RegisterFrame, table: pa.Table, source_id: str) -> np.ndarray:
    named = _is_in(table["legal_country"], [row.country])
    if row.legal_forms:
        # A register's own word for a form that has a code is kept as that code alone.
        codes = [*row.legal_forms, *own_forms(source_id, row.legal_forms)]
        coded = _is_in(table["legal_form"], codes)
        named &= coded | _is_in(table["legal_form_other"], row.legal_forms)
    if row.min_employees is not None:
        named &= _at_least(frame.employees, row.min_employees, table.num_rows)
    return named


def _is_in(column: pa.ChunkedArray, values: tuple[str, ...] | list[str]) -> np.ndarray:
    return truths(pc.is_in(flat(column), value_set=pa.array(values, pa.string())))


def _at_least(employees: Callable[[], pa.Array] | None, least: int, rows: int) -> np.ndarray:
    if employees is None:
        return np.zeros(rows, dtype=bool)
    return truths(pc.fill_null(pc.greater_equal(employees(), least), False))  # noqa: FBT003 (pyarrow's signature)
