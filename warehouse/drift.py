"""How deliveries looked, kept and read again: counts a delivery, and how full its fields were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.columns import change_name
from sources.kit.profile import Profile
from warehouse.schema import delivery, delivery_profile
from warehouse.schema.deliveries import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection


def write_profile(
    connection: Connection, delivery_id: int, rows: int, filled: Mapping[str, int]
) -> None:
    """Keep how many of the `rows` had each field (names of `record`), in the load's transaction."""
    if filled:
        connection.execute(
            delivery_profile.insert(),
            [
                {
                    "delivery_id": delivery_id,
                    "field": change_name(name),
                    "rows": rows,
                    "filled": count,
                }
                for name, count in filled.items()
            ],
        )


def profiles(connection: Connection, delivery_id: int, earlier: int) -> list[Profile]:
    """The delivery's profile, and those of up to `earlier` loaded before it, newest first.

    Only deliveries of the same source and kind.
    """
    this = delivery.alias()
    is_like = sa.and_(
        delivery.c.source_id == this.c.source_id,
        delivery.c.kind == this.c.kind,
        delivery.c.status != "refused",
        delivery.c.delivery_id <= this.c.delivery_id,
    )
    found = connection.execute(
        sa.select(delivery)
        .select_from(this.join(delivery, is_like))
        .where(this.c.delivery_id == delivery_id)
        .where(sa.exists().where(delivery_profile.c.delivery_id == delivery.c.delivery_id))
        .order_by(delivery.c.delivery_id.desc())
        .limit(earlier + 1)
    ).mappings()
    by_id: dict[int, Any] = {row["delivery_id"]: row for row in found}
    kept = delivery_profile.c
    filled: dict[int, dict[str, int]] = {key: {} for key in by_id}
    rows: dict[int, int] = {}
    for line in connection.execute(
        sa.select(delivery_profile).where(kept.delivery_id.in_(list(by_id)))
    ):
        filled[line.delivery_id][line.field] = line.filled
        rows[line.delivery_id] = line.rows
    return [
        Profile(
            kind=row["kind"],
            rows=rows[key],
            filled=filled[key],
            counts={name: row[name] for name in ("records_in", *OUTCOMES, "records_minimised")},
        )
        for key, row in by_id.items()
    ]


def latest_with_profile(connection: Connection) -> dict[str, int]:
    """The number of the last delivery of each source that has a profile, by source id."""
    query = (
        sa.select(delivery.c.source_id, sa.func.max(delivery.c.delivery_id).label("newest"))
        .where(
            delivery.c.kind.in_(("full", "delta")),
            sa.exists().where(delivery_profile.c.delivery_id == delivery.c.delivery_id),
        )
        .group_by(delivery.c.source_id)
    )
    return {row.source_id: row.newest for row in connection.execute(query)}
