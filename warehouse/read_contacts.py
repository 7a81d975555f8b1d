"""What is held of contact points beside their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.schema import shared_mail_domain as shared

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def shared_domains(connection: Connection, source_id: str) -> list[str]:
    """Mail domains that the source's newest full file showed to be shared, sorted."""
    query = sa.select(shared.c.mail_domain).where(shared.c.source_id == source_id)
    return list(connection.scalars(query.order_by(shared.c.mail_domain)))
