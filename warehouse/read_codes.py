"""Codes in words: what a legal form or a register is called, now or at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.schema import delivery, legal_form, registration_authority

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection


def names(
    connection: Connection, codes: Iterable[str], moment: datetime | None = None
) -> dict[str, str]:
    """What legal forms and registers of these codes are called, by code; unknown ones are left out.

    A register's short name is ours and has no dates. The words are those of the views
    `legal_forms` and `registration_authorities`.
    """
    wanted = sorted(set(codes))
    form, register = legal_form, registration_authority
    ships = register.alias()
    called = sa.func.coalesce(
        ships.c.short_name,
        register.c.local_name,
        register.c.international_name,
        register.c.local_organisation,
        register.c.international_organisation,
    )
    same = sa.and_(ships.c.code == register.c.code, ships.c.version == 0)
    queries = (
        sa.select(form.c.code, form.c.local_name).where(
            form.c.code.in_(wanted), form.c.place == 0, _in_force(form, moment)
        ),
        sa.select(register.c.code, called)
        .select_from(register.outerjoin(ships, same))
        .where(register.c.code.in_(wanted), _in_force(register, moment)),
    )
    rows = [row for query in queries for row in connection.execute(query)]
    return {row[0]: row[1] for row in rows if row[1] is not None}


def _in_force(table: sa.Table, moment: datetime | None) -> sa.ColumnElement[bool]:
    if moment is None:
        return table.c.until_at.is_(None)
    is_later = sa.or_(table.c.until_at.is_(None), table.c.until_at > moment)
    return sa.and_(table.c.since_at <= moment, is_later)


def counts(connection: Connection) -> dict[str, int]:
    """Codes that deliveries brought, by the source that brought them."""
    found: dict[str, int] = {}
    for table in (legal_form, registration_authority):
        query = (
            sa.select(delivery.c.source_id, sa.func.count(sa.distinct(table.c.code)))
            .join(delivery, delivery.c.delivery_id == table.c.delivery_id)
            .where(table.c.until_at.is_(None))
            .group_by(delivery.c.source_id)
        )
        for source_id, number in connection.execute(query):
            found[source_id] = found.get(source_id, 0) + int(number)
    return found
