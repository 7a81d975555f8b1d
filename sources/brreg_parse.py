"""Enhetsregisteret's entities as frames: the bulk file in JSON or CSV, entities of its API."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.brreg import ENHETSREGISTERET, FORETAKSREGISTERET, HOME
from sources.brreg_fields import (
    CSV_LACKS,
    CSV_NAMES,
    IGNORED_PATTERN,
    KEY,
    SHAPE,
    SIZE,
)
from sources.kit import csv_blocks, nested
from sources.kit.archive import open_member
from sources.kit.errors import DeliveryRefused
from sources.kit.flat import flat
from sources.kit.json_blocks import BLOCK_BYTES
from sources.kit.json_shape import paths, struct_of
from sources.kit.register_files import json_frames as open_frames
from sources.kit.register_frame import (
    ACTIVE,
    EMAIL,
    PHONE,
    WEBSITE,
    Points,
    RegisterFrame,
    address,
    counted,
    either,
    ended_or,
    legal_form,
    register_frame,
    unknown_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from sources.kit.frames import Origin
    from sources.kit.json_rows import Parsed

Prepared = TypeVar("Prepared")

_LINES = ("address_line", "address_line_1", "address_line_2", "address_line_3")
_CONTACTS = (
    ("epostadresse", EMAIL),
    ("telefon", PHONE),
    ("mobil", PHONE),
    ("hjemmeside", WEBSITE),
)


def json_frames(
    path: Path, prepare: Callable[[RegisterFrame], Prepared], *, size: int = BLOCK_BYTES
) -> AbstractContextManager[tuple[str, Generator[Prepared]]]:
    """The bulk file `/enheter/lastned` as frames; see `sources.kit.register_files`."""
    return open_frames(path, SHAPE, KEY, frame_of, prepare, size=size)


def frame_of(parsed: Parsed) -> RegisterFrame:
    """A block of entities as they stand in the bulk file."""
    return _frame(parsed.rows, parsed, parsed.names)


@contextmanager
def csv_frames(
    path: Path, prepare: Callable[[RegisterFrame], Prepared]
) -> Iterator[tuple[str, Generator[Prepared]]]:
    """The bulk file `/enheter/lastned/csv` as frames; it names no deleted entities."""
    with open_member(path) as (member, stream):
        blocks = csv_blocks.row_blocks(stream.chunks())
        first = next(blocks, None)
        if first is None:
            raise _refused("its CSV file is empty")
        names, rest = csv_blocks.split_header(first)
        wanted = _csv_columns(names)

        def finish(parsed: csv_blocks.Parsed) -> Prepared:
            rows = _nested(SHAPE, parsed.table, "")
            return prepare(_frame(rows, parsed, frozenset(names) - {*wanted}))

        frames = csv_blocks.parse_blocks(chain([rest], blocks), names, wanted, finish)
        with closing(frames):
            yield member, frames


def frame_of_entities(
    found: Sequence[Mapping[str, Any]], origin: Origin, names: frozenset[str]
) -> RegisterFrame:
    """Entities that are in memory, each of the published shape; `names` are their fields' paths.

    A deleted entity has its `slettedato`, and little else.
    """
    return _frame(struct_of(SHAPE, found), origin, names)


def unknown(names: frozenset[str]) -> list[str]:
    """Those of a frame's `names` that are neither kept nor listed as ignored."""
    return unknown_names(names, (*paths(SHAPE), *CSV_NAMES.values()), IGNORED_PATTERN)


def _frame(rows: pa.StructArray, origin: Origin, names: frozenset[str]) -> RegisterFrame:
    number = pc.replace_substring_regex(rows.field(KEY), r"\s+", "")
    business, postal = (_address(rows, name) for name in ("forretningsadresse", "postadresse"))
    found = {
        "source_key": number,
        "legal_name": rows.field("navn"),
        **address("legal_", business, HOME),
        # Letters go to the headquarters address: where the register has a postal one, there.
        **address("headquarters_", either(postal, business), HOME),
        "registration_authority": pc.if_else(
            pc.equal(pc.fill_null(rows.field("registrertIForetaksregisteret"), ""), "true"),
            FORETAKSREGISTERET,
            ENHETSREGISTERET,
        ),
        "registration_number": number,
        "legal_jurisdiction": pc.coalesce(rows.field("underlagtLovgivningLandKode"), HOME),
        **legal_form("brreg", nested.child(rows, "organisasjonsform", "kode")),
        "entity_status": ended_or(rows.field("slettedato"), pa.repeat(ACTIVE, len(rows))),
        "creation_published": pc.coalesce(
            rows.field("stiftelsesdato"), rows.field("registreringsdatoEnhetsregisteret")
        ),
        "expiration_published": rows.field("slettedato"),
    }
    every = np.arange(len(rows), dtype=np.int64)
    points = [Points(kind, every, rows.field(name)) for name, kind in _CONTACTS]
    frame = register_frame(found, points, origin, home=HOME, names=names)
    return replace(frame, employees=partial(counted, rows.field(SIZE)))


def _address(rows: pa.StructArray, name: str) -> dict[str, pa.Array]:
    lines = nested.nth(nested.child(rows, name, "adresse"), len(_LINES))
    places = {"postal_code": "postnummer", "city": "poststed", "country": "landkode"}
    return dict(zip(_LINES, lines, strict=True)) | {
        ours: nested.child(rows, name, theirs) for ours, theirs in places.items()
    }


def _csv_columns(names: list[str]) -> dict[str, str]:
    """The CSV's columns that are kept, to their paths; refuses a header that lacks one."""
    wanted = {
        CSV_NAMES.get(path, path): path
        for path in (found.removesuffix("[]") for found in paths(SHAPE))
        if path not in CSV_LACKS
    }
    missing = [name for name in wanted if name not in names]
    if missing not in ([], [SIZE]):
        raise _refused(f"its CSV lacks the columns {', '.join(missing)}")
    return {name: path for name, path in wanted.items() if name in names}


def _nested(shape: Any, table: pa.Table, path: str) -> pa.Array:  # noqa: ANN401 (a shape or a part of one)
    """A flat table as the struct array that the JSON gives; a text where JSON has lines is one."""
    if isinstance(shape, dict):
        parts = {
            name: _nested(part, table, f"{path}.{name}" if path else name)
            for name, part in shape.items()
        }
        return pa.StructArray.from_arrays(list(parts.values()), list(parts))
    if path not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    column = flat(table[path])
    if isinstance(shape, list):
        ends = pa.array(np.arange(len(column) + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(ends, column)
    return column


def _refused(cause: str) -> DeliveryRefused:
    return DeliveryRefused(
        "Enhetsregisteret", cause, "Nothing of it was loaded. Try again, or tell Brønnøysund"
    )
