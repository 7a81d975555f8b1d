"""Segment `group-sibling`: companies that share a parent with one whose LEI is due, by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.group_history import families
from warehouse.read_company import LEI_SOURCE
from warehouse.read_group import DIRECT, ULTIMATE
from warehouse.schema import record

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.sql.elements import ColumnElement

KINDS = (DIRECT, ULTIMATE)
"""Relationships that make a group; who manages a fund is not its family."""


def is_sibling_of_one_due(
    lei: ColumnElement[str], renewal: ColumnElement[date], window: tuple[date, date]
) -> ColumnElement[bool]:
    """Companies (`lei`, `renewal`) not due themselves, whose sibling's renewal falls in the window.

    Both days of the window are in it. Siblings have the same direct, or the same ultimate, parent
    by relationships in force.
    """
    due = sa.select(record.c.source_key).where(
        record.c.source_id == LEI_SOURCE,
        record.c.lei_status == "ISSUED",
        record.c.next_renewal_date.between(*window),
    )
    related = families(None, KINDS)
    siblings = siblings_of(due, related, related.alias())
    return sa.and_(sa.not_(renewal.between(*window)), lei.in_(siblings))


def siblings_of(due: sa.Select[Any], own: sa.FromClause, theirs: sa.FromClause) -> sa.Select[Any]:
    """LEIs with a parent that one of `due` (LEIs) has too, these among them.

    `own` and `theirs` are the same relationships (`warehouse.group_history.families`), once
    for those due and once for their siblings.
    """
    parents = (
        sa.select(own.c.end_lei, own.c.relationship_type)
        .where(own.c.start_lei.in_(due))
        .distinct()
        .subquery()
    )
    is_shared = sa.and_(
        theirs.c.end_lei == parents.c.end_lei,
        theirs.c.relationship_type == parents.c.relationship_type,
    )
    return sa.select(theirs.c.start_lei).join(parents, is_shared)
