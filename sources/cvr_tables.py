"""Units of CVR beside all that the other files say of them, as Arrow tables to look it up in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.cvr_names import PLACE, PROTECTION, UNIT, WITHHELD, Entity
from sources.kit import nested
from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Mapping

YES, NO = pa.array(["true", "1"]), pa.array(["false", "0"])
"""How the files write a truth; anything else is unknown."""
_READABLE = pa.concat_arrays([YES, NO])


@dataclass(frozen=True)
class Drawer:
    """Units (companies or production units), and the other files' rows among which theirs are."""

    units: pa.Table
    others: Mapping[str, pa.Table | None]

    def column(self, name: str) -> pa.Array:
        """A column of the units' own file."""
        return flat(self.units[name])

    def rows(self, entity: Entity) -> tuple[np.ndarray, pa.Table]:
        """(place of the unit (int64), row) of the entity's rows that are about one of these."""
        table = self.others.get(entity.name)
        if table is None:
            table = nothing_of(entity)
        places = pc.index_in(flat(table[UNIT]), value_set=flat(self.units[UNIT]))
        there = pc.is_valid(places)
        of = places.filter(there).to_numpy(zero_copy_only=False).astype(np.int64)
        return of, table.filter(there).combine_chunks()

    def first(self, of: np.ndarray, table: pa.Table, wanted: np.ndarray) -> dict[str, pa.Array]:
        """Each unit's first wanted row of those, as columns; null without one."""
        place = nested.first_of(self.units.num_rows, of, wanted)
        return {name: flat(table[name]).take(place) for name in table.column_names}

    def unreadable_protection(self) -> int:
        """How many rows on these units' protection say something that is neither yes nor no."""
        _, table = self.rows(PROTECTION)
        value = pc.drop_null(pc.utf8_lower(nested.filled(flat(table["vaerdi"]))))
        return len(value) - int(pc.sum(pc.is_in(value, value_set=_READABLE)).as_py() or 0)

    def protection(self) -> pa.Array:
        """Each unit's advertising protection: true if any row says so, false if all say no.

        Null where the register says nothing that can be read (CVR-loven § 19: unknown is never no).
        """
        of, table = self.rows(PROTECTION)
        value = pc.utf8_lower(nested.filled(flat(table["vaerdi"])))
        says_yes = nested.is_true(pc.is_in(value, value_set=YES))
        says_no = nested.is_true(pc.is_in(value, value_set=NO))
        yes, no, unclear = (
            np.bincount(of[rows], minlength=self.units.num_rows) > 0
            for rows in (says_yes, says_no, ~says_yes & ~says_no)
        )
        return pa.array(yes, mask=~yes & (~no | unclear))


def nothing_of(entity: Entity) -> pa.Table:
    """The entity's table without a row, as it is once secret rows are gone."""
    names = (UNIT, *entity.kept, *(name for name in entity.optional if name != WITHHELD))
    return pa.table(dict.fromkeys(names, pa.array([], pa.string())))


def without_secrets(rows: pa.Table) -> tuple[pa.Table, int]:
    """The rows that are plainly not secret, and how many were: unreadable is taken for secret."""
    if WITHHELD not in rows.column_names:
        return rows, 0
    flag = pc.utf8_lower(nested.filled(flat(rows[WITHHELD])))
    is_open = nested.is_true(pc.or_kleene(pc.is_null(flag), pc.is_in(flag, value_set=NO)))
    kept = rows.filter(pa.array(is_open)).drop_columns([WITHHELD])
    return kept, rows.num_rows - kept.num_rows


def without_repeated(units: pa.Table) -> pa.Table:
    """The rows of a units' file, of those that say the same the first alone, in their order.

    What the other files say of a unit is told of one row: beside it a second would seem another
    company. Rows that differ stay, for the rule on keys to judge.
    """
    names = [name for name in units.column_names if name != PLACE]
    if pc.count_distinct(units[UNIT]).as_py() == units.num_rows:
        return units
    numbered = units.append_column("row", pa.array(np.arange(units.num_rows)))
    firsts = flat(numbered.group_by(names).aggregate([("row", "min")])["row_min"])
    return units.take(pa.array(np.sort(firsts.to_numpy()))).combine_chunks()


def digits(numbers: pa.Array) -> pa.Array:
    """CVR numbers in their one form: eight digits and nothing between."""
    return pc.replace_substring_regex(numbers, r"[^0-9]+", "")
