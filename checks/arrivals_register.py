"""Before loading: a national register's entries against their rules, vectorised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from checks import arrivals, codes
from checks.arrivals import listed, readable
from sources.kit.flat import flat, truths

if TYPE_CHECKING:
    import pyarrow as pa

    from checks.arrivals import Verdicts


def judge_entries(
    table: pa.Table, texts: pa.Array, *, are_checked: pa.Array, is_ambiguous: np.ndarray
) -> Verdicts:
    """One boolean array a row rule; True where the rule holds.

    `table` is a register's frame whose `source_key` is the number in its one form, null where it is
    none; `are_checked` tells of its check digits (null: nobody knows), `is_ambiguous` (bool) which
    numbers are stated by several companies' LEI records.
    """
    return {
        "text_is_readable": readable(texts),
        "number_is_well_formed": truths(pc.is_valid(flat(table["source_key"]))),
        "key_is_unique": np.ones(table.num_rows, dtype=bool),
        "legal_name_is_present": truths(arrivals.present(table["legal_name"])),
        "countries_are_known": listed(table["legal_country"], codes.COUNTRY, absent=True)
        & listed(table["headquarters_country"], codes.COUNTRY, absent=True),
        "join_is_unambiguous": ~is_ambiguous,
        "number_check_digits_hold": truths(arrivals.or_absent(are_checked)),
        **arrivals.common_notes(table),
    }
