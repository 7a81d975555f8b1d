"""Enhetsregisteret's entities as frames: the bulk file in JSON or CSV, pages, single answers."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
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
)
from sources.kit import csv_blocks, nested
from sources.kit.archive import open_member
from sources.kit.errors import DeliveryRefused
from sources.kit.flat import flat
from sources.kit.json_blocks import BLOCK_BYTES
from sources.kit.json_shape import MisshapenError, paths, scalars, struct_of
from sources.kit.register_files import json_frames as open_frames
from sources.kit.register_frame import (
    ACTIVE,
    EMAIL,
    PHONE,
    WEBSITE,
    Points,
    RegisterFrame,
    address,
    either,
    ended_or,
    legal_form,
    register_frame,
    unknown_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from sources.kit.frames import Origin
    from sources.kit.json_rows import Parsed

Prepared = TypeVar("Prepared")

CHANGES = ("Ukjent", "Ny", "Endring", "Sletting", "Fjernet")
"""What the change feed says of an entity; `Fjernet`: copies must erase it."""
_LINES = ("address_line", "address_line_1", "address_line_2", "address_line_3")
_CONTACTS = (
    ("epostadresse", EMAIL),
    ("telefon", PHONE),
    ("mobil", PHONE),
    ("hjemmeside", WEBSITE),
)


@dataclass(frozen=True)
class Change:
    """One event of the feed: its id, when (text as published), whose number, and what happened."""

    event_id: int
    published: str
    number: str
    kind: str


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


def frame_of_answer(document: Any, origin: Origin) -> RegisterFrame:  # noqa: ANN401 (JSON is any of its types)
    """The entities of one answer: a page of `/enheter?organisasjonsnummer=…`, or one entity.

    A page that found nothing has no `_embedded`. A deleted entity has its `slettedato`. Raises
    `DeliveryRefused` for anything else, an error inside a 200 among it.
    """
    found = _listed(document, "enheter")
    if found is None:
        found = [document]
    names = frozenset(path for one in found for path, _ in scalars(one))
    try:
        rows = struct_of(SHAPE, found)
    except MisshapenError:
        raise _refused("an answer of its API is not of the published shape") from None
    if rows.field(KEY).null_count:
        raise _refused("an answer of its API holds an entity without a number")
    return _frame(rows, origin, names)


def changes_of(document: Any) -> list[Change]:  # noqa: ANN401 (JSON is any of its types)
    """The events of a page of `/oppdateringer/enheter`, as they stand; none when it is empty.

    Raises `DeliveryRefused` for an event of a kind that is not published: it could be an erasure.
    """
    try:
        return [_change(event) for event in _listed(document, "oppdaterteEnheter") or ()]
    except (KeyError, TypeError, ValueError):
        raise _refused("its change feed is not of the published shape") from None


def unknown(names: frozenset[str]) -> list[str]:
    """Those of a frame's `names` that are neither kept nor listed as ignored."""
    return unknown_names(names, (*paths(SHAPE), *CSV_NAMES.values()), IGNORED_PATTERN)


def _change(event: dict[str, Any]) -> Change:
    kind = event["endringstype"]
    if kind not in CHANGES:
        raise _refused("its change feed names a kind of event that is not published")
    return Change(
        int(event["oppdateringsid"]), str(event["dato"]), str(event["organisasjonsnummer"]), kind
    )


def _listed(document: Any, name: str) -> list[Any] | None:  # noqa: ANN401 (JSON is any of its types)
    """What a HAL page lists under the name; None when the document is no page."""
    if not isinstance(document, dict):
        raise _refused("an answer of its API is no object")
    if "page" not in document and "_embedded" not in document:
        return None
    embedded = document.get("_embedded", {})
    found = embedded.get(name, []) if isinstance(embedded, dict) else None
    if not isinstance(found, list):
        raise _refused("an answer of its API is not of the published shape")
    return found


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
    return register_frame(found, points, origin, home=HOME, names=names)


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
    if missing:
        raise _refused(f"its CSV lacks the columns {', '.join(missing)}")
    return wanted


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
