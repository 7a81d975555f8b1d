"""Segment `group-sibling`: companies that share a parent with one whose LEI is due, by index."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.read_group import DIRECT, ULTIMATE, in_force
from warehouse.schema import record

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.sql.elements import ColumnElement

KINDS = (DIRECT, ULTIMATE)
"""Relationships that make a group; who manages a fund is not its family."""


def is_sibling_of_one_due(
    source_id: str, lei: ColumnElement[str], renewal: ColumnElement[date], start: date, days: int
) -> ColumnElement[bool]:
    """Companies (`lei`, `renewal`) not due themselves, whose sibling's renewal falls in the window.

    The window runs from `start` to `days` later, both included. Siblings have the same direct, or
    the same ultimate, parent by relationships in force. `source_id` is the source of the LEIs.
    """
    window = (start, start + timedelta(days=days))
    own, due, sibling = record.alias("own"), record.alias("due"), record.alias("sibling")
    parents = (
        sa.select(own.c.end_lei, own.c.relationship_type)
        .join(due, sa.and_(due.c.source_key == own.c.start_lei, due.c.source_id == source_id))
        .where(
            own.c.end_lei.is_not(None),
            own.c.relationship_type.in_(KINDS),
            *in_force(own),
            due.c.lei_status == "ISSUED",
            due.c.next_renewal_date.between(*window),
        )
        .distinct()
        .subquery()
    )
    siblings = (
        sa.select(sibling.c.start_lei)
        .join(
            parents,
            sa.and_(
                sibling.c.end_lei == parents.c.end_lei,
                sibling.c.relationship_type == parents.c.relationship_type,
            ),
        )
        .where(*in_force(sibling))
    )
    return sa.and_(sa.not_(renewal.between(*window)), lei.in_(siblings))
