"""National registers in the state of the house: contact points, joins, and how late we are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.schedule_steps import GRACE, lines_of
from sources.kit.catalogue import catalogue
from warehouse import joins, runs

if TYPE_CHECKING:
    from collections.abc import Collection

    from flows.house import House

    Connection = Any  # only the warehouse names SQLAlchemy

_SHAPE = "register"


def beside(
    house: House, connection: Connection, loaded: Collection[str]
) -> dict[str, dict[str, Any]]:
    """By register of which anything was `loaded`: `contact_points`, `joins`, and how late we are.

    `last_reached_at` is when its last ingest that came to its end began, also one that found
    nothing newer; `overdue_since` is when the schedule wanted the next, None while there is time.
    """
    ids = [
        module.CARD.source_id
        for module in catalogue().values()
        if module.CARD.shape == _SHAPE and module.CARD.source_id in loaded
    ]
    if not ids:
        return {}
    counted, reached = joins.counts(connection, ids), runs.last_done(connection, "ingest")
    crons = {line.source_id: line.cron for line in lines_of(house) if line.source_id}
    found = {}
    for source_id in ids:
        points = counted[source_id].pop("contact_points")
        last, cron = reached.get(source_id), crons.get(source_id)
        due = cron.due_after(last) if last and cron else None
        found[source_id] = {
            "contact_points": points,
            "joins": counted[source_id],
            "last_reached_at": last,
            "overdue_since": due if due and house.now() - due > GRACE else None,
        }
    return found
