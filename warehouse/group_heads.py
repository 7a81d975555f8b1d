"""Who heads a company's group, by the relationships in force: what makes two of them one family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.group_history import relationships
from warehouse.read_group import ULTIMATE
from warehouse.schema import record
from warehouse.segment_group import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

_AT_ONCE = 500
_MOST_STEPS = 20
"""Parents of parents that are followed: longer chains are of no group that reports to GLEIF."""


def heads(connection: Connection, leis: Iterable[str]) -> dict[str, str]:
    """Each LEI's head of group: its ultimate parent, else its parents' parent; itself without one.

    Where relationships lead in a circle, its first LEI by the alphabet heads all of it.
    """
    asked = list(dict.fromkeys(leis))
    parents: dict[str, str] = {}
    looked: set[str] = set()
    further = asked
    for _ in range(_MOST_STEPS):
        if not further:
            break
        looked.update(further)
        found = _parents(connection, further)
        parents |= found
        further = sorted({end for end in found.values() if end not in looked})
    return {lei: _head(lei, parents) for lei in asked}


def _parents(connection: Connection, leis: Sequence[str]) -> dict[str, str]:
    """LEI to the parent it states; the ultimate one where it states both."""
    found: dict[str, str] = {}
    for start in range(0, len(leis), _AT_ONCE):
        which = record.c.start_lei.in_(leis[start : start + _AT_ONCE])
        for row in connection.execute(relationships(None, kinds=KINDS).where(which)):
            if row.relationship_type == ULTIMATE or row.start_lei not in found:
                found[row.start_lei] = row.end_lei
    return {child: parent for child, parent in found.items() if child != parent}


def _head(lei: str, parents: dict[str, str]) -> str:
    way = [lei]
    while (above := parents.get(way[-1])) is not None:
        if above in way:
            return min(way[way.index(above) :])
        way.append(above)
    return way[-1]
