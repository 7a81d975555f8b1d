"""What goes along when a company is deleted: the relationships and exceptions that name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.schema import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection


def group_records(connection: Connection, leis: Sequence[str]) -> list[int]:
    """Records of relationships that start or end at these LEIs, and of their exceptions."""
    found = (
        sa.select(record.c.record_id).where(end.in_(leis))
        for end in (record.c.start_lei, record.c.end_lei)
    )
    return list(connection.scalars(sa.union(*found)))
