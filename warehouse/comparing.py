"""What a delivery's rows would become, found by comparing alone: nothing is staged or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit import columns
from sources.kit.shapes import AD_PROTECTED
from warehouse.held import UNKNOWN
from warehouse.load_known import read_known
from warehouse.schema import contact_point, record, record_number
from warehouse.sorting import QUARANTINED, SUPERSEDED, Sorter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from sqlalchemy.engine import Connection, Engine

    from sources.kit.keys import Keys
    from warehouse.load_shapes import DeliveryFacts
    from warehouse.sorting import Arrived

_BATCH = 500


def outcomes(
    engine: Engine, facts: DeliveryFacts, keys: Keys, frames: Iterable[Arrived]
) -> np.ndarray:
    """Each row's outcome code (`warehouse.sorting`), as a load right now would find it."""
    known = read_known(engine, facts.card.source_id, keys, facts.asked)
    published = facts.published_at
    sorter = Sorter(
        held=known.held,
        published=UNKNOWN if published is None else int(published.timestamp()),
        is_stopped=known.stops.covers,
        is_register_stopped=known.stops.register_check(),
        is_again=facts.is_again,
    )
    for frame in frames:
        sorter.sort(frame)
    superseded, conflicts = sorter.repeated(conflict_is_fatal=facts.kind == "full")
    found = sorter.outcomes.whole()
    found[superseded], found[conflicts] = SUPERSEDED, QUARANTINED
    return found


def held_records(
    connection: Connection, source_id: str, keys: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """By source key: person kind and published fields of the records held on these keys.

    What names a person lives elsewhere and is not among them.
    """
    names = ("source_key", "person_kind", *columns.PUBLISHED, AD_PROTECTED.name)
    found = {}
    for start in range(0, len(keys), _BATCH):
        query = sa.select(*(record.c[name] for name in names)).where(
            record.c.source_id == source_id,
            record.c.source_key.in_(keys[start : start + _BATCH]),
        )
        for row in connection.execute(query).mappings():
            found[row["source_key"]] = dict(row)
    return found


def held_contacts(
    connection: Connection, source_id: str, keys: Sequence[str]
) -> dict[str, set[tuple[str, str]]]:
    """By source key: (kind, value) of the contact points that the source still publishes."""
    found: dict[str, set[tuple[str, str]]] = {}
    for start in range(0, len(keys), _BATCH):
        query = (
            sa.select(record.c.source_key, contact_point.c.kind, contact_point.c.value)
            .join(contact_point, contact_point.c.record_id == record.c.record_id)
            .where(
                record.c.source_id == source_id,
                record.c.source_key.in_(keys[start : start + _BATCH]),
                contact_point.c.withdrawn_at.is_(None),
            )
        )
        for row in connection.execute(query):
            found.setdefault(row.source_key, set()).add((row.kind, row.value))
    return found


def numbers_of(connection: Connection, leis: Sequence[str]) -> list[tuple[str, str, str]]:
    """(space, number, LEI) of every register's number that the records held on these LEIs state."""
    found: list[tuple[str, str, str]] = []
    names = ("number_space", "number", "source_key")
    for start in range(0, len(leis), _BATCH):
        query = (
            sa.select(*(record_number.c[name] for name in names))
            .join(record, record.c.record_id == record_number.c.record_id)
            .where(record.c.source_key.in_(leis[start : start + _BATCH]))
            .order_by(record_number.c.number_space, record_number.c.number)
        )
        found += [(row[0], row[1], row[2]) for row in connection.execute(query)]
    return found
