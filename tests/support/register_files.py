"""Registers' files in their published shapes, of invented companies, for the parsers' tests."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HOLDS = {
    "virkningFra": "2020-01-01T00:00:00.000000+01:00",
    "virkningTil": "",
    "registreringFra": "2020-01-01T00:00:00.000000+01:00",
    "registreringTil": "",
}
"""The ends of a CVR row that holds now."""


class Nowhere:
    """The place of rows that stand in no file."""

    misshapen: tuple[tuple[int, int], ...] = ()
    row_count = 0

    def row_offsets(self):
        raise NotImplementedError

    misshapen_offsets = row_offsets


def gzipped(path: Path, found: Any) -> Path:
    path.write_bytes(gzip.compress(json.dumps(found, ensure_ascii=False, indent=2).encode()))
    return path


def zipped(path: Path, member: str, content: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
    return path


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def cvr_file(folder: Path, entity: str, rows: Sequence[Mapping[str, object]], kind="csv") -> Path:
    """A Datafordeler download; rows hold now unless they say otherwise."""
    whole = [{**HOLDS, **row} for row in rows]
    content = csv_text(whole) if kind == "csv" else json.dumps(whole)
    member = f"CVR_V2_{entity}_TotalDownload_{kind}_Current_1.{kind}"
    return zipped(folder / f"{entity}.{kind}.zip", member, content)


def told(row: Mapping[str, object]) -> dict[str, object]:
    """The row without what is null."""
    return {name: value for name, value in row.items() if value is not None}


def points(frame) -> list[tuple[int, str, str]]:
    """(company's place, kind, text) of a frame's contact points."""
    return [(row["ordinal"], row["kind"], row["original"]) for row in frame.contacts.to_pylist()]
