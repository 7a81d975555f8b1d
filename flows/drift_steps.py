"""Drift: how a delivery differs from its source's earlier ones, for the report and for `status`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from checks.drift import bounds, drifts
from warehouse import drift
from warehouse.engine import reading

if TYPE_CHECKING:
    from flows.house import House

    Connection = Any  # only the warehouse names SQLAlchemy


def of_delivery(connection: Connection, delivery_id: int) -> list[dict[str, Any]]:
    """What of a loaded delivery lies outside its source's own history, as plain values."""
    now, *earlier = drift.profiles(connection, delivery_id, bounds()["history"]["deliveries"]) or (
        None,
    )
    return [] if now is None else [asdict(one) for one in drifts(now, earlier)]


def drift_of(house: House, delivery_id: int | None) -> list[dict[str, Any]]:
    """The same for a delivery that was just loaded (None: nothing was)."""
    if delivery_id is None:
        return []
    with reading(house.engine) as connection:
        return of_delivery(connection, delivery_id)


def of_last_deliveries(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """The same of each source's last full file or delta, by source id."""
    newest = drift.latest_with_profile(connection)
    return {source: of_delivery(connection, key) for source, key in sorted(newest.items())}
