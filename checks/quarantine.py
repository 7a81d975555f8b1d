"""Rejected rows as they are kept: the rule, the place, and the filtered text of mapped columns."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import pyarrow as pa

from checks.lei import WELL_FORMED
from checks.rules import MISSHAPEN
from sources.kit import columns
from sources.kit.identity import NATURAL, without_personal_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

_QUIET_STATUS = ("ANNULLED", "DUPLICATE")
"""Statuses of records whose faults are known and come again in every full file."""


def rejected(
    table: pa.Table,
    rows: Sequence[int],
    rules: Sequence[Sequence[str]],
    offsets: np.ndarray,
) -> pa.Table:
    """One line for each (row, rule): key, rule, digest, content (JSON), byte offset, alarming.

    `rows` are places in `table`, `rules` what each broke, `offsets` where each row of the table
    starts in the member. Natural persons are kept as a skeleton here as everywhere.
    """
    chosen = table.take(pa.array(rows, pa.int64())).to_pylist()
    lines = []
    for record, row, broken in zip(chosen, rows, rules, strict=True):
        content = _content(record)
        shared = {
            "source_key": _key(record["source_key"] or ""),
            "content_digest": hashlib.blake2b(content.encode(), digest_size=16).digest(),
            "content": content,
            "byte_offset": int(offsets[row]),
            "is_alarming": record["lei_status"] not in _QUIET_STATUS,
        }
        lines += [{"rule": rule, **shared} for rule in broken]
    return pa.Table.from_pylist(lines, schema=_SCHEMA)


def misshapen(fields_found: Sequence[int], offsets: Sequence[int]) -> pa.Table:
    """Rows with too few or too many fields: nothing of them can be named, so nothing is kept."""
    contents = [json.dumps({"fields_found": found}) for found in fields_found]
    return pa.Table.from_pylist(
        [
            {
                "source_key": "",
                "rule": MISSHAPEN,
                "content_digest": hashlib.blake2b(
                    f"{content} at {offset}".encode(), digest_size=16
                ).digest(),
                "content": content,
                "byte_offset": int(offset),
                "is_alarming": True,
            }
            for content, offset in zip(contents, offsets, strict=True)
        ],
        schema=_SCHEMA,
    )


_SCHEMA = pa.schema(
    [
        ("source_key", pa.string()),
        ("rule", pa.string()),
        ("content_digest", pa.binary()),
        ("content", pa.string()),
        ("byte_offset", pa.int64()),
        ("is_alarming", pa.bool_()),
    ]
)


def _key(text: str) -> str:
    """The key as sent; what is no LEI may be anything, a personal number too."""
    return text if re.fullmatch(WELL_FORMED, text) else _filtered(text)[:64]


def _filtered(text: str) -> str:
    return without_personal_numbers(text).replace("\x00", "�")


def _content(record: Mapping[str, object]) -> str:
    is_natural = record["person_kind"] == NATURAL
    kept = columns.SKELETON if is_natural else columns.PUBLISHED
    values = {
        name: _filtered(str(record[name]))
        for name in columns.PUBLISHED
        if name in kept and record[name] is not None
    }
    return json.dumps(values, ensure_ascii=False)
