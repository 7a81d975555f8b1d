"""What retention deleted is not taken again: the same value of the same record stays away.

Kept as keyed hashes of (source, key, field, value), so a new value of the same record is a new
acquisition, with its own notice duty and its own clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.privacy.suppression import KEY_PURPOSE
from warehouse.schema import not_retaken
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import pyarrow as pa
    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys


def _text(*parts: str) -> str:
    return "value:" + "\x1f".join(parts)


@dataclass(frozen=True)
class NotRetaken:
    """The hashes in force at one moment; every key version is tried."""

    keys: Keys
    hashes: frozenset[str]

    @classmethod
    def read(cls, connection: Connection, keys: Keys) -> NotRetaken:
        """All of them; they are as few as the values retention ever deleted."""
        rows = connection.execute(sa.select(not_retaken.c.subject_hash))
        return cls(keys, frozenset(row.subject_hash for row in rows))

    def keeps_away(self, source_id: str, personal: pa.Table) -> np.ndarray:
        """Which of the values (`source_key`, `field`, `value`) are not to be taken (bool)."""
        import numpy as np  # status and explain do without it

        if not self.hashes:
            return np.zeros(personal.num_rows, dtype=bool)
        columns = (personal[name].to_pylist() for name in ("source_key", "field", "value"))
        return np.array(
            [self._is_held(_text(source_id, *parts)) for parts in zip(*columns, strict=True)],
            dtype=bool,
        )

    def _is_held(self, text: str) -> bool:
        macs = self.keys.macs(KEY_PURPOSE, text).values()
        return any(digest in self.hashes for digest in macs)


def remember(connection: Connection, keys: Keys, now: datetime, *parts: str) -> None:
    """Keep one deleted value away: `parts` are source, key, field and value."""
    version, digest = keys.mac(KEY_PURPOSE, _text(*parts))
    upsert(
        connection,
        not_retaken,
        [{"subject_hash": digest, "key_version": version, "since_at": now}],
        keys=("subject_hash",),
        updates=(),
    )
