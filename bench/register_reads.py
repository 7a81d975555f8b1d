"""A register's file read in three ways: bare, into Python objects, and as the product's frames."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from sources.kit.register_frame import RegisterFrame

_JSON_BYTES = 1 << 20
"""Objects take ten times their text in memory."""
MAX_RATIO = 200.0
"""Files of a few dozen texts unpack to more than a publisher's do."""


def bare(parser: ModuleType, path: Path) -> dict[str, Any]:
    """Unpacked in the product's thread, cut at whole objects, the kept fields parsed; no more."""
    import pyarrow as pa
    from pyarrow import json as pa_json

    from sources.kit.archive import open_member
    from sources.kit.json_blocks import ItemBlocks
    from sources.kit.json_rows import Reading
    from sources.kit.json_shape import arrow_type

    rows = byte_count = 0
    options = None
    with open_member(path, suffix=".json", max_ratio=MAX_RATIO) as (_, stream):
        for block in ItemBlocks(stream.chunks()):
            if options is None:
                kinds = Reading.fitted(block, parser.SHAPE, parser.KEY).kinds
                schema = pa.schema([("rows", pa.list_(arrow_type(parser.SHAPE, kinds)))])
                options = pa_json.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="ignore"
                )
            table = pa_json.read_json(
                pa.BufferReader(block.text),
                pa_json.ReadOptions(use_threads=False, block_size=len(block.text) + 1),
                options,
            )
            rows += len(table["rows"].chunk(0).flatten())
            byte_count += len(block.text)
    return {"rows": rows, "bytes": byte_count}


def frames(parser: ModuleType, path: Path) -> dict[str, Any]:
    """The frames as `sources` hands them on, counted."""

    def counts(frame: RegisterFrame) -> tuple[int, int]:
        return frame.table.num_rows, frame.contacts.num_rows

    rows = contacts = 0
    with parser.json_frames(path, counts) as (_, found):
        for one, points in found:
            rows, contacts = rows + one, contacts + points
    return {"rows": rows, "more": f"{contacts} contact points"}


def objects(path: Path) -> dict[str, Any]:
    """Unpacked and cut as for `bare`, every item made a Python object by the standard library."""
    from sources.kit.archive import open_member
    from sources.kit.json_blocks import ItemBlocks

    rows = 0
    with open_member(path, suffix=".json", max_ratio=MAX_RATIO) as (_, stream):
        for block in ItemBlocks(stream.chunks(), size=_JSON_BYTES):
            rows += len(json.loads(block.text)["rows"])
    return {"rows": rows}
