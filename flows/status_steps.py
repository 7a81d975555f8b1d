"""The state of the house in one document: what is held, how old, what is due or went wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flows import drift_steps, schedule_steps, status_registers
from flows.up_lock import is_service_up
from sources.kit.catalogue import catalogue
from warehouse import read_own_lists, read_sources, read_status
from warehouse.engine import reading
from warehouse.privacy import deletion
from warehouse.privacy.retention import policy
from warehouse.privacy.retention_companies import VANISHED, statuses_ending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from flows.house import House
    from sources.kit.card import Card
    from sources.kit.policy import RetentionPolicy

    Connection = Any  # only the warehouse names SQLAlchemy

_TROUBLES_SHOWN = 5
_SECONDS_AN_HOUR = 3600
_NO_REGISTER: dict[str, Any] = dict.fromkeys(
    ("contact_points", "joins", "last_reached_at", "overdue_since")
)
"""What is told of national registers alone, once something of them was loaded."""


def status(house: House) -> dict[str, Any]:
    """Return everything `sourcenote status` shows; reads only."""
    with reading(house.engine) as connection:
        return {
            "as_of": house.now(),
            "is_example": house.settings.is_example,
            "sources": sources(house, connection),
            "companies": read_status.companies(connection),
            "own_lists": read_own_lists.held(connection),
            "vanished": read_status.vanished(connection),
            "drift": drift_steps.of_last_deliveries(connection),
            "stops": read_status.stops_held(connection),
            "retention": _retention(house, connection, house.now().date()),
            "service": {
                "is_up": is_service_up(house.settings.home),
                "schedule": schedule_steps.positions(house, connection),
            },
            "troubled_runs": read_status.troubled_runs(connection, _TROUBLES_SHOWN),
            "unfinished_exports": read_status.unfinished_exports(connection),
        }


def sources(house: House, connection: Connection | None = None) -> list[dict[str, Any]]:
    """Return the catalogue: each source's card, and what has arrived from it.

    Without a connection (no warehouse yet) every source is one that nothing was loaded of.
    """
    if connection is None:
        return [
            {**_source(house, module.CARD, {}, {}, {}, {}, {}), **_NO_REGISTER}
            for module in catalogue().values()
        ]
    last = read_sources.last_deliveries(connection)
    refused = read_sources.last_deliveries(connection, refused=True)
    cursors = read_sources.cursors(connection)
    records = read_sources.record_counts(connection)
    quarantine = dict(read_sources.quarantine_counts(connection))
    beside = status_registers.beside(house, connection, set(last))
    return [
        {
            **_source(house, module.CARD, last, refused, cursors, records, quarantine),
            **_NO_REGISTER,
            **beside.get(module.CARD.source_id, {}),
        }
        for module in catalogue().values()
    ]


def _source(
    house: House,
    card: Card,
    last: dict[str, Any],
    refused: dict[str, Any],
    cursors: dict[str, Any],
    records: dict[str, int],
    quarantine: dict[str, tuple[int, int]],
) -> dict[str, Any]:
    delivery = last.get(card.source_id)
    turned_away = refused.get(card.source_id)
    is_later = delivery is None or (
        turned_away is not None and turned_away["delivery_id"] > delivery["delivery_id"]
    )
    open_rows, known = quarantine.get(card.source_id, (0, 0))
    cursor = cursors.get(card.source_id)
    return {
        "source_id": card.source_id,
        "publisher": card.publisher,
        "database_name": card.database_name,
        "licence": card.licence,
        "is_public_database": card.is_public_database,
        "contact_kinds": list(card.contact_kinds),
        "last_delivery": _delivery(delivery),
        "age_hours": _age(house, delivery),
        "published_at": cursor["published_at"] if cursor else None,
        "records": records.get(card.source_id, 0),
        "quarantine": {"open": open_rows, "alarming": open_rows - known, "known": known},
        "refused_since": _delivery(turned_away) if turned_away and is_later else None,
    }


def _delivery(row: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("delivery_id", "kind", "status", "reason", "published_at", "retrieved_at")
    counts = ("records_in", "records_new", "records_changed", "records_vanished")
    return {name: row[name] for name in (*names, *counts)} if row else None


def _age(house: House, delivery: dict[str, Any] | None) -> float | None:
    """Hours since publication, or since retrieval where no publication is stated."""
    if delivery is None:
        return None
    since: datetime = delivery["published_at"] or delivery["retrieved_at"]
    return round((house.now() - since).total_seconds() / _SECONDS_AN_HOUR, 1)


def _retention(house: House, connection: Connection, today: date) -> dict[str, Any]:
    """What is due by today; overdue is what was due by yesterday, so that a night was missed."""
    policies = house.settings.retention
    row = policy(policies, "company_public")
    overdue = _to_delete(connection, policies, today - timedelta(days=1))
    return {
        "deactivate_due": {
            **read_status.to_deactivate(
                connection,
                statuses_ending(row),
                vanished=VANISHED in row.inactive_when,
                as_of=today,
            ),
            "own_rows": read_own_lists.to_deactivate(connection, today),
        },
        "delete_due": _to_delete(connection, policies, today),
        "delete_overdue": overdue,
        "overdue": sum(overdue.values()),
    }


def _to_delete(
    connection: Connection, policies: Sequence[RetentionPolicy], day: date
) -> dict[str, int]:
    aside = deletion.aside_due(connection, policies, day)
    return {
        **read_status.to_delete(connection, day),
        "own_rows": read_own_lists.to_delete(connection, day),
        "quarantined_rows": aside["quarantined_row"],
    }
