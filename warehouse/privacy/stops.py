"""The stops in force at one moment, and whom they cover: at load, at selection and at writing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.numbers import register_key
from warehouse.privacy import following
from warehouse.privacy.suppression import KEY_PURPOSE, Kind, canonical, subject_hash
from warehouse.schema import followed_stop, suppression

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys

Row = dict[str, Any]


@dataclass(frozen=True)
class Stops:
    """The stops in force at one moment, by key version; `covers` tries every version.

    `roots` maps every keyed hash on the list, or that a stop led to, to its stop; `own` are those
    on the list; `followed` is where the stops lead by what is held now.
    """

    keys: Keys
    roots: Mapping[str, int]
    own: frozenset[str]
    followed: following.Followed
    has_registers: bool

    @classmethod
    def read(cls, connection: Connection, keys: Keys) -> Stops:
        """Every stop on companies; an unreadable list raises, and nothing may leave without it."""
        led_to = connection.execute(
            sa.select(followed_stop.c.subject_hash, followed_stop.c.suppression_id)
        )
        roots = {row.subject_hash: row.suppression_id for row in led_to}
        stops = connection.execute(
            sa.select(suppression.c.subject_hash, suppression.c.suppression_id)
        )
        own = {row.subject_hash: row.suppression_id for row in stops}
        rows, held = following.stopped_and_held(connection)
        found = following.closure(connection, rows, held, partial(_is_listed, keys, own))
        has_registers = bool(found.numbers) or _has_registers(connection)
        return cls(keys, roots | own, frozenset(own), found, has_registers)

    def covers(self, leis: Sequence[str | None]) -> np.ndarray:
        """Which LEIs are stopped (bool), none where there is none; free while the list is empty."""
        import numpy as np  # status and explain do without it

        if not self.roots:
            return np.zeros(len(leis), dtype=bool)
        found = [lei is not None and self.root("lei", lei) is not None for lei in leis]
        return np.array(found, dtype=bool)

    def covers_registers(
        self, authorities: Sequence[str | None], numbers: Sequence[str | None]
    ) -> np.ndarray:
        """Which (register, number) are a stopped company's (bool), however they are typed."""
        import numpy as np

        if not self.has_registers:
            return np.zeros(len(numbers), dtype=bool)
        pairs = zip(authorities, numbers, strict=True)
        found = (register_key(authority, number) for authority, number in pairs)
        return np.array([bool(key and self.root("register", key)) for key in found], dtype=bool)

    def register_check(
        self,
    ) -> Callable[[Sequence[str | None], Sequence[str | None]], np.ndarray] | None:
        """`covers_registers`, or None while no stop is on any number: rows are then not asked."""
        return self.covers_registers if self.has_registers else None

    def covers_value(self, kind: Kind, value: str) -> bool:
        """Whether one value of any kind is stopped."""
        return self.root(kind, canonical(kind, value)) is not None

    def hashes(self, leis: Sequence[str]) -> list[str]:
        """Each LEI's hash under the newest key."""
        return [subject_hash(self.keys, "lei", lei)[1] for lei in leis]

    def follow(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime
    ) -> None:
        """Write where stops lead now: from stopped companies held, and from a delivery's `rows`.

        `rows` state `following.STATED` of stopped companies, taken or not.
        """
        held, roots = following.stopped_and_held(connection)
        for row in rows:
            root = self.root("lei", row["source_key"])
            key = register_key(row["registration_authority"], row["registration_number"])
            root = root or (self.root("register", key) if key else None)
            if root is not None:
                roots.setdefault(row["source_key"], root)
        arrived = [row for row in rows if row["source_key"] in roots]
        is_own = partial(_is_listed, self.keys, self.own)
        found = following.closure(connection, [*arrived, *held], roots, is_own)
        following.write(connection, self.keys, found, now)

    def path(self, lei: str, register: str | None = None) -> list[Row]:
        """How stops lead to a company: `how` and `from` (an LEI), from the stopped one onwards.

        Empty when no stop leads there. `register` is its `register_key`.
        """
        step = self.followed.leis.get(lei)
        if step is None:
            step = self.followed.numbers.get(register or "")
            if step is not None and step.via == lei:
                return []
        path: list[Row] = []
        while step is not None and len(path) <= len(self.followed.leis):
            path.insert(0, {"how": step.path, "from": step.via})
            step = self.followed.leis.get(step.via)
        return path

    def root(self, kind: str, value: str) -> int | None:
        """The stop that covers a value in its one form (kind `register`: `register_key`)."""
        step = {"lei": self.followed.leis, "register": self.followed.numbers}.get(kind, {})
        if value in step:
            return step[value].suppression_id
        digests = self.keys.macs(KEY_PURPOSE, f"{kind}:{value}")
        return next((self.roots[one] for one in digests.values() if one in self.roots), None)


def _is_listed(keys: Keys, digests: Collection[str], lei: str) -> bool:
    """Whether the LEI itself is among these keyed hashes."""
    return any(one in digests for one in keys.macs(KEY_PURPOSE, f"lei:{lei}").values())


def _has_registers(connection: Connection) -> bool:
    """Whether a stop leads to a register's number, or is on one: of a company without an LEI."""
    return any(
        connection.scalar(
            sa.select(table.c.suppression_id).where(table.c.kind == "register").limit(1)
        )
        is not None
        for table in (followed_stop, suppression)
    )
