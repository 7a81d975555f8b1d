"""What a look-up cannot say is taken as it is held: the legal form, where it has no field of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.flat import flat
from sources.kit.identity import with_person_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sources.kit.register_frame import RegisterFrame

_FORM = ("legal_form", "legal_form_other")
_PERSON = ("person_kind", "person_rule")


def as_held(frame: RegisterFrame, held: Mapping[str, Mapping[str, str | None]]) -> RegisterFrame:
    """The frame with the held form of companies it has none of; `held` is by number, in words.

    Who is a person follows from the form, and is told again.
    """
    rows = [held.get(key, {}) for key in frame.table["source_key"].to_pylist()]
    before = [pa.array([row.get(name) for row in rows], pa.string()) for name in _FORM]
    is_formless = pc.and_(*(pc.is_null(frame.table[name]) for name in _FORM))
    is_known = pc.or_(*(pc.is_valid(column) for column in before))
    taken = pc.and_(flat(is_formless), is_known)
    table = frame.table
    for name, column in zip(_FORM, before, strict=True):
        table = _with(table, name, pc.if_else(taken, column, flat(table[name])))
    again = with_person_kind(table.drop_columns(list(_PERSON)))
    for name in _PERSON:
        table = _with(table, name, pc.if_else(taken, flat(again[name]), flat(table[name])))
    return replace(frame, table=table)


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)
