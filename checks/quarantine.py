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
from sources.kit.columns import NATURAL
from sources.kit.identity_numbers import without_personal_numbers
from sources.kit.shapes import CONTACT_POINTS, SHAPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

_QUIET_STATUS = ("ANNULLED", "DUPLICATE")
"""Statuses of records whose faults are known and come again in every full file."""
_PUBLISHED = tuple(dict.fromkeys(name for shape in SHAPES.values() for name in shape.published))
JOIN_LEIS = "join_leis"
"""Of a register's entry that could be several companies': the LEIs of all; null of any other."""
_TOLD = (*_PUBLISHED, "start_node_type", "end_node_type", JOIN_LEIS, CONTACT_POINTS)
"""Every field a row can have, and what else it is judged by: enough to judge it again."""
_SAYS = re.compile(r"|:[A-Z_-]{1,43}")


def rejected(
    table: pa.Table,
    rows: Sequence[int],
    rules: Sequence[Sequence[str]],
    offsets: np.ndarray,
) -> pa.Table:
    """One line for each (row, rule): key, rule, digest, content (JSON), what is withheld, place.

    `rows` are places in `table`, `rules` what each broke, `offsets` where each row of the table
    starts in the member. Natural persons are kept as a skeleton here as everywhere.
    """
    chosen = table.take(pa.array(rows, pa.int64())).to_pylist()
    lines = []
    for record, row, broken in zip(chosen, rows, rules, strict=True):
        content = _content(record)
        key = _key(record["source_key"] or "")
        shared = {
            "source_key": key,
            "content_digest": hashlib.blake2b(content.encode(), digest_size=16).digest(),
            "content": content,
            "withheld": _withheld(record, key),
            "byte_offset": int(offsets[row]),
            "is_alarming": _status(record) not in _QUIET_STATUS,
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
                "withheld": "shape",
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
        ("withheld", pa.string()),
        ("byte_offset", pa.int64()),
        ("is_alarming", pa.bool_()),
    ]
)


def _key(text: str) -> str:
    """The key as sent; what is no LEI may be anything, a personal number too."""
    is_lei = re.fullmatch(WELL_FORMED, text.partition(":")[0])  # of level 2: LEI:what it says
    return text if is_lei and _SAYS.fullmatch(text[20:]) else _filtered(text)[:64]


def _status(record: Mapping[str, object]) -> object:
    """RegistrationStatus, of an LEI or of a relationship."""
    return record.get("lei_status") or record.get("registration_status")


def _filtered(text: str) -> str:
    if re.fullmatch(WELL_FORMED, text):
        return text
    return without_personal_numbers(text).replace("\x00", "�")


def _withheld(record: Mapping[str, object], key: str) -> str | None:
    """Why the row cannot be told again from what is kept of it; None when it can.

    `person`: of natural persons only the skeleton is kept; `text`: a personal number was taken out,
    or the key was cut.
    """
    if record["person_kind"] == NATURAL:
        return "person"
    texts = (record.get(name) for name in _TOLD)
    is_whole = key == (record["source_key"] or "") and all(
        text is None or _filtered(str(text)) == text for text in texts
    )
    return None if is_whole else "text"


def _content(record: Mapping[str, object]) -> str:
    is_natural = record["person_kind"] == NATURAL
    kept = columns.SKELETON if is_natural else _TOLD
    values = {
        name: _filtered(str(record[name]))
        for name in _TOLD
        if name in kept and record.get(name) is not None
    }
    return json.dumps(values, ensure_ascii=False)
