"""What a load compares its rows with, read once before the first of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import sqlalchemy as sa

from sources.kit.memory import give_back
from warehouse.engine import reading
from warehouse.held import Held, read_held
from warehouse.numbering import Numbers, peek_number
from warehouse.privacy.following import stopped_leis
from warehouse.privacy.retaken import NotRetaken
from warehouse.privacy.stops import Stops
from warehouse.schema import record, source_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from sources.kit.keys import Keys


@dataclass(frozen=True)
class Known:
    """Records held, stops in force, values not to be retaken, and the next free numbers."""

    held: Held
    stops: Stops
    not_retaken: NotRetaken
    numbers: Numbers
    is_first: bool
    full_published_at: datetime | None
    stopped: pa.Array
    """LEIs of stopped companies now held."""


def read_known(
    engine: Engine, source_id: str, keys: Keys, asked: Sequence[str] | None = None
) -> Known:
    """Everything a load of the source needs to know; one consistent read.

    `asked`: the only source keys it can be about; of other records nothing is read.
    """
    with reading(engine) as connection:
        held = read_held(connection, source_id, asked)
        if len(held):
            give_back()
        return Known(
            held=held,
            stops=Stops.read(connection, keys),
            not_retaken=NotRetaken.read(connection, keys),
            numbers=Numbers(
                record=peek_number(connection, "record"),
                company=peek_number(connection, "company"),
                delivery=peek_number(connection, "delivery"),
            ),
            full_published_at=connection.scalar(
                sa.select(source_cursor.c.full_published_at).where(
                    source_cursor.c.source_id == source_id
                )
            ),
            stopped=pa.array(list(stopped_leis(connection)), pa.string()),
            is_first=connection.scalar(sa.select(record.c.record_id).limit(1)) is None,
        )
