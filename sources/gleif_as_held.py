"""What the API only writes differently is taken as it is held, so that no change is made of it.

The API states every moment in UTC (`2023-05-03T22:00:00Z`), the files as the issuer wrote it
(`2023-05-04T00:00:00+02:00`); and some answers lack a name altogether. See docs/decisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sources.gleif_api_records import MAY_LACK, Answered
from sources.kit import columns, tidy
from sources.kit.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOMENTS = tuple(name for name in columns.PUBLISHED if name.endswith("_published"))


def as_held(frame: Frame, held: Mapping[str, Mapping[str, str | None]]) -> Frame:
    """The frame of an answer, with the held writing of the same moment and what it lacks.

    `held` is by LEI what we hold in published words; LEIs that are not held are left as they are.
    """
    if not isinstance(frame.origin, Answered):
        return frame
    table, lacking = frame.table, frame.origin.lacking
    rows = [held.get(key, {}) for key in table["source_key"].to_pylist()]
    kept = table.select(["source_key", *columns.PUBLISHED])
    for name in _MOMENTS:
        kept = _with(kept, name, _same_moment(kept[name], [row.get(name) for row in rows]))
    for name in MAY_LACK.values():
        values = [
            row.get(name) if name in lacks else value
            for row, lacks, value in zip(rows, lacking, kept[name].to_pylist(), strict=True)
        ]
        kept = _with(kept, name, pa.array(values, pa.string()))
    again = tidy.with_moments(kept)
    for name in ("person_kind", "person_rule", "ordinal"):
        again = again.append_column(name, table[name])
    return Frame(again, frame.origin)


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _same_moment(sent: pa.ChunkedArray, held: list[str | None]) -> pa.Array:
    before = pa.chunked_array([pa.array(held, pa.string())])
    pairs = zip(
        sent.to_pylist(),
        held,
        tidy.utc(sent).to_pylist(),
        tidy.utc(before).to_pylist(),
        strict=True,
    )
    values = [theirs if now is None or now != then else ours for theirs, ours, now, then in pairs]
    return pa.array(values, pa.string())
