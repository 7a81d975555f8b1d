"""How much is held, known without counting: moved in the transactions that bring and delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.schema import company, holding, record
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

_COMPANY, _RECORD = "company", "record "


def add(connection: Connection, source_id: str, *, records: int, companies: int) -> None:
    """So many records of the source, and companies, are held more (or, below 0, fewer)."""
    _move(connection, f"{_RECORD}{source_id}", records)
    _move(connection, _COMPANY, companies)


def _move(connection: Connection, name: str, count: int) -> None:
    if not count:
        return
    upsert(connection, holding, [{"name": name, "row_count": 0}], keys=("name",), updates=())
    connection.execute(
        holding.update().where(holding.c.name == name).values(row_count=holding.c.row_count + count)
    )


def let_go(connection: Connection, record_ids: Sequence[int], company_id: int) -> None:
    """Take off those of these records, and that company, that are held; called as they go."""
    by_source = (
        sa.select(record.c.source_id, sa.func.count())
        .where(record.c.record_id.in_(record_ids))
        .group_by(record.c.source_id)
    )
    for source_id, count in connection.execute(by_source).all():
        _move(connection, f"{_RECORD}{source_id}", -count)
    held = sa.select(sa.func.count()).where(company.c.company_id == company_id)
    _move(connection, _COMPANY, -(connection.scalar(held) or 0))


def companies(connection: Connection) -> int:
    """Companies held."""
    query = sa.select(holding.c.row_count).where(holding.c.name == _COMPANY)
    return connection.scalar(query) or 0


def records(connection: Connection) -> dict[str, int]:
    """Records held of each source that ever brought one, by source id."""
    rows = connection.execute(sa.select(holding).where(holding.c.name.startswith(_RECORD)))
    return {row.name.removeprefix(_RECORD): row.row_count for row in rows}
