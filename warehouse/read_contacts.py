"""What is held of contact points beside their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.schema import shared_mail_domain as shared

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.engine import Connection


def shared_domains(connection: Connection, source_id: str) -> list[str]:
    """Mail domains that the source's newest full file showed to be shared, sorted."""
    query = sa.select(shared.c.mail_domain).where(shared.c.source_id == source_id)
    return list(connection.scalars(query.order_by(shared.c.mail_domain)))


def count_by_source(connection: Connection) -> list[dict[str, Any]]:
    """How many contact points of how many companies, by source and kind; no value."""
    query = (
        "SELECT source_id, kind, count(*) AS points, count(DISTINCT company_id) AS companies"
        " FROM contact_points GROUP BY source_id, kind ORDER BY source_id, kind"
    )
    return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def one_of_each(connection: Connection) -> list[dict[str, Any]]:
    """Every contact point, with its origin, of the first company of each source that has any."""
    query = (
        "SELECT p.legal_name, p.country, p.ad_protected, c.kind, c.value, c.mailbox_class,"
        " o.database_name, o.record_url"
        " FROM contact_points c"
        " JOIN prospects p ON p.company_id = c.company_id"
        " JOIN origins o ON o.company_id = c.company_id AND o.contact_id = c.contact_id"
        " WHERE c.company_id IN (SELECT min(company_id) FROM contact_points GROUP BY source_id)"
        " ORDER BY p.country, p.legal_name, c.kind, c.value"
    )
    return [dict(row) for row in connection.execute(sa.text(query)).mappings()]
