"""A register's rejected entries with their contact points: told as text, and told again as a frame.

Their publisher's bytes are removed after the load, so what is to be tried again is kept whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import columns
from sources.kit.csv_blocks import Block, Parsed
from sources.kit.register_days import days
from sources.kit.register_frame import EMAIL, PHONE, WEBSITE, Points, RegisterFrame, register_frame
from sources.kit.shapes import AD_PROTECTED, CONTACT_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DAYS = ("valid_from", "valid_until")


def told_contacts(frame: RegisterFrame, rows: Sequence[int]) -> dict[int, str]:
    """JSON text of the contact points of these rows, as published; rows without any are left out.

    Each is an object of `kind`, `original`, and where it has them `valid_from`, `valid_until` (ISO
    dates) and `ad_protected` (true, false).
    """
    found: dict[int, list[dict[str, Any]]] = {}
    if not rows:
        return {}
    is_asked = pc.is_in(frame.contacts["ordinal"], value_set=pa.array(rows, pa.int64()))
    for point in frame.contacts.filter(is_asked).to_pylist():
        row = point.pop("ordinal")
        told = {name: value for name, value in point.items() if value is not None}
        dated = {name: told[name].isoformat() for name in _DAYS if name in told}
        found.setdefault(row, []).append(told | dated)
    return {row: json.dumps(points, ensure_ascii=False) for row, points in found.items()}


def retold(rows: Sequence[Mapping[str, str]], home: str) -> RegisterFrame:
    """The frame of entries given as texts by field; `home` is their register's country.

    What the register said against protection was said then: it is told again as not known, so that
    the register has to say it anew. The rows stand in no file; see `sources.kit.retold`.
    """
    names = ("source_key", *columns.PUBLISHED)
    found = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    table = pa.table(found)
    listed = [
        (place, point)
        for place, row in enumerate(rows)
        for point in json.loads(row.get(CONTACT_POINTS, "[]"))
    ]
    points = [_points(kind, listed) for kind in (EMAIL, PHONE, WEBSITE)]
    flags = _still_protected(row.get(AD_PROTECTED.name) == "true" for row in rows)
    origin = Parsed(table, Block(b"", 0))
    return register_frame(found, points, origin, home=home, ad_protected=flags)


def _points(kind: str, listed: Sequence[tuple[int, Mapping[str, Any]]]) -> Points:
    few = [(place, point) for place, point in listed if point["kind"] == kind]

    def told(name: str) -> pa.Array:
        return pa.array([point.get(name) for _, point in few], pa.string())

    return Points(
        kind=kind,
        rows=np.array([place for place, _ in few], dtype=np.int64),
        originals=told("original"),
        valid_from=days(told("valid_from")),
        valid_until=days(told("valid_until")),
        ad_protected=_still_protected(bool(point.get(AD_PROTECTED.name)) for _, point in few),
    )


def _still_protected(said: Iterable[bool]) -> pa.Array:
    """True where it was said, else null: nobody has said no lately."""
    return pa.array([True if one else None for one in said], pa.bool_())
