"""Stages what rows bring beside their record: values of persons, numbers, contact points, stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sources.kit.flat import flat
from warehouse.load_shapes import (
    CONTACT_SCHEMA,
    NUMBER_SCHEMA,
    PERSONAL_SCHEMA,
    SUPPRESSED_SCHEMA,
)
from warehouse.schema.contacts import CONTACT_FIELD
from warehouse.sorting import CHANGED, NEW

if TYPE_CHECKING:
    from warehouse.privacy.retaken import NotRetaken
    from warehouse.privacy.stops import Stops
    from warehouse.staging import Staging


@dataclass(frozen=True)
class Placed:
    """One frame as sorted: each row's outcome and record number; `start` is its first ordinal."""

    outcome: np.ndarray
    record_ids: np.ndarray
    start: int

    def beside(self, values: pa.Table) -> tuple[pa.Table, np.ndarray]:
        """Those of the `values` whose rows are new or changed, and the rows they are of (int64)."""
        row = flat(values["ordinal"]).to_numpy()
        kept = np.isin(self.outcome[row], (NEW, CHANGED))
        return values.filter(pa.array(kept)), row[kept]

    def named(self, values: pa.Table, row: np.ndarray, schema: pa.Schema) -> pa.Table:
        """The values with their records' numbers, in the delivery's ordinals, as `schema` says."""
        given = {
            "ordinal": pa.array(row + self.start),
            "record_id": pa.array(self.record_ids[row]),
            "is_new": pa.array(self.outcome[row] == NEW),
        }
        names = schema.names
        columns = [given[name] if name in given else values[name] for name in names]
        return pa.table(columns, names=names).cast(schema)


def stage_personal(
    stage: Staging, personal: pa.Table, placed: Placed, not_retaken: NotRetaken, source_id: str
) -> None:
    """Values that name a person, but for those that retention deleted before."""
    if not personal.num_rows:
        return
    values, row = placed.beside(personal)
    kept = ~not_retaken.keeps_away(source_id, values)
    values = values.filter(pa.array(kept))
    stage.write("staged_personal", placed.named(values, row[kept], PERSONAL_SCHEMA))


def stage_numbers(stage: Staging, numbers: pa.Table, placed: Placed) -> None:
    """Registers' numbers that records with an LEI state."""
    if numbers.num_rows:
        values, row = placed.beside(numbers)
        stage.write("staged_number", placed.named(values, row, NUMBER_SCHEMA))


def stage_contacts(
    stage: Staging,
    contacts: pa.Table,
    placed: Placed,
    not_retaken: NotRetaken,
    source_id: str,
    start: int,
) -> int:
    """Contact points, but for those that retention deleted before.

    Their `place` among all that the delivery stages goes on from `start`; returns the next one.
    """
    if not contacts.num_rows:
        return start
    values, row = placed.beside(contacts)
    if not_retaken.hashes:
        fields = [f"{CONTACT_FIELD}{kind}" for kind in values["kind"].to_pylist()]
        kept = ~not_retaken.keeps_away(
            source_id, values.append_column("field", pa.array(fields, pa.string()))
        )
        values, row = values.filter(pa.array(kept)), row[kept]
    places = pa.array(np.arange(start, start + len(row)))
    values = values.append_column("place", places)
    stage.write("staged_contact", placed.named(values, row, CONTACT_SCHEMA))
    return start + len(row)


def stage_suppressed(stage: Staging, rows: pa.Table, stops: Stops) -> None:
    """Stopped companies that are not held, by keyed hash."""
    stage.write(
        "staged_suppressed",
        pa.table(
            {
                "subject_hash": stops.hashes(rows["source_key"].to_pylist()),
                "country": rows["legal_country"],
                "lei_status": rows["lei_status"],
                "next_renewal_date": rows["next_renewal_date"],
            },
            schema=SUPPRESSED_SCHEMA,
        ),
    )
