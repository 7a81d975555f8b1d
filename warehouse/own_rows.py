"""Rows of an own list as their table has them: digest, way out, and a consent's keyed hash."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sources.kit.digest import as_bytes, hash128
from warehouse.privacy.own_lists import way_out
from warehouse.privacy.suppression import KEY_PURPOSE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from sources.kit.keys import Keys
    from sources.kit.own_lists import OwnList
    from sources.kit.policy import RetentionPolicy

Row = dict[str, Any]
PAGE = 10_000
"""Rows that are worked on together."""


@dataclass(frozen=True)
class Bytes:
    """The owner's file as received; its bytes are not kept."""

    name: str
    sha256: str
    byte_count: int
    retrieved_at: datetime


@dataclass(frozen=True)
class Import:
    """One import: which list, under whose name, by which policies, and what was judged.

    `rejected` are (reference, rules, row number, content); `dropped` the columns left out.
    """

    own: OwnList
    file: Bytes
    controller: str
    policies: Sequence[RetentionPolicy]
    keys: Keys
    run_id: int
    actor: str
    now: datetime
    rows: Sequence[Row] = field(repr=False)
    rejected: Sequence[tuple[str, tuple[str, ...], int, Mapping[str, str]]] = field(repr=False)
    superseded: int = 0
    dropped: Sequence[str] = ()


def stored(given: Import) -> list[Row]:
    """The rows as their table has them, with digest and way out; made of those given, no copies."""
    way = way_out(given.policies, given.own.code)
    known: dict[Any, Any] = {}
    rows = list(given.rows)
    for start in range(0, len(rows), PAGE):
        page = rows[start : start + PAGE]
        hashes = [_without_contact(given, row) for row in page]
        texts = [json.dumps(row, default=str, sort_keys=True, ensure_ascii=False) for row in page]
        digests = as_bytes(hash128(pa.array(texts))).to_pylist()
        for row, hashed, digest in zip(page, hashes, digests, strict=True):
            asked = (row["event_date"], way.end_of(row))
            if asked not in known:
                known[asked] = _ways(way.of(*asked), given.now.date())
            row |= {"digest": digest, **hashed, **known[asked]}
    return rows


def _ways(
    found: tuple[date | None, str | None, date | None], today: date
) -> dict[str, date | str | None]:
    inactive, reason, delete = found
    return {
        "inactive_after": inactive,
        "inactive_reason": reason,
        "delete_after": delete,
        "state": "inactive" if inactive is not None and inactive <= today else "active",
    }


def _without_contact(given: Import, row: Row) -> Row:
    """A consent's contact as a keyed hash, taken out of the row; nothing of any other list's."""
    if given.own.code != "consents":
        return {}
    value = row[row["channel"]]
    del row["email"], row["phone"]
    return _hashed(given.keys, row["channel"], value)


def _hashed(keys: Keys, kind: str, value: str) -> Row:
    """The contact as a keyed hash: asked "does this one have a consent?", and good for no list."""
    version, digest = keys.mac(KEY_PURPOSE, f"{kind}:{value}")
    every = frozenset(keys.macs(KEY_PURPOSE, f"{kind}:{value}").values())
    return {"key_version": version, "contact_hash": digest, "every_hash": every}


def is_same(before: Row, row: Row) -> bool:
    """Whether the row says what is held; a hash under an older key is the same contact."""
    hashes = row.pop("every_hash", None)
    if hashes is not None and before["contact_hash"] in hashes:
        row |= {name: before[name] for name in ("key_version", "contact_hash")}
    is_contact = hashes is None or before["contact_hash"] in hashes
    return is_contact and bytes(before["digest"]) == row["digest"]
