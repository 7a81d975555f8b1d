"""What a company's production units are protected from: the stricter of two flags holds.

A production unit's contact points are never taken; but what it publishes as its own may be the
company's as well. There, protected goes before unknown, and unknown before unprotected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.cvr_names import EMAIL_ADDRESS, SITE, TELEPHONE, Entity
from sources.cvr_tables import digits
from sources.kit import nested
from sources.kit.digest import hash128
from sources.kit.flat import flat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sources.cvr_tables import Drawer

CONTACTS = (EMAIL_ADDRESS, TELEPHONE)
_NOTHING = np.empty(0, np.uint64)


@dataclass(frozen=True)
class Strictness:
    """Contact points of production units, as fingerprints (uint64, ordered) of company and value.

    `protected` are of units that want no advertising, `unclear` of units of which it is not known.
    Eight bytes each: they fit into memory whatever the number of units.
    """

    protected: np.ndarray
    unclear: np.ndarray

    def applied(
        self, entity: Entity, numbers: pa.Array, values: pa.Array, flags: pa.Array
    ) -> pa.Array:
        """Each contact point's flag: its company's (`numbers`, `flags`), or the unit's if stricter.

        All of one length; numbers and values may be null.
        """
        if not len(self.protected) + len(self.unclear):
            return flags
        marks = _marks(entity, numbers, values)
        unsaid = pc.if_else(pa.array(np.isin(marks, self.unclear)), None, flags)
        is_open = pc.equal(flags, pa.scalar(value=False))
        weaker = pc.if_else(is_open, unsaid, flags)
        return pc.if_else(pa.array(np.isin(marks, self.protected)), pa.scalar(value=True), weaker)


NO_SITES = Strictness(_NOTHING, _NOTHING)


def strictness(drawers: Iterable[Drawer]) -> Strictness:
    """What the production units in these drawers ask for, each with all that is said of it."""
    protected, unclear = [_NOTHING], [_NOTHING]
    for drawer in drawers:
        flags = drawer.protection()
        numbers = digits(drawer.column(SITE.kept[0]))
        for entity in CONTACTS:
            of, table = drawer.rows(entity)
            marks = _marks(entity, numbers.take(pa.array(of)), flat(table["vaerdi"]))
            said = flags.take(pa.array(of))
            protected.append(marks[nested.is_true(said)])
            unclear.append(marks[nested.is_true(pc.is_null(said))])
    return Strictness(np.unique(np.concatenate(protected)), np.unique(np.concatenate(unclear)))


def _marks(entity: Entity, numbers: pa.Array, values: pa.Array) -> np.ndarray:
    """A fingerprint for each company and value, however the value is spaced or capitalised."""
    plain = pc.utf8_lower(pc.replace_substring_regex(values, r"\s+", ""))
    texts = pc.binary_join_element_wise(numbers, plain, f"\x1f{entity.name}\x1f")
    return hash128(pc.fill_null(texts, ""))[:, 0]
