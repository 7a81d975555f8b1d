"""What is held by a real count, beside what the warehouse says without counting."""

from __future__ import annotations

from ingesting import Ingesting

from warehouse import holdings
from warehouse.engine import reading

Counts = dict[str, int]


def counted(place: Ingesting) -> Counts:
    """Companies, and records of each source, row by row."""
    rows = place.ask("SELECT source_id, count(*) AS held FROM record GROUP BY source_id")
    companies = place.one("SELECT count(*) FROM company")
    return _some({row["source_id"]: row["held"] for row in rows} | {"companies": companies})


def told(place: Ingesting) -> Counts:
    """The same as `status` says it."""
    with reading(place.house.engine) as connection:
        records, companies = holdings.records(connection), holdings.companies(connection)
    return _some(records | {"companies": companies})


def _some(counts: Counts) -> Counts:
    return {name: count for name, count in counts.items() if count}
