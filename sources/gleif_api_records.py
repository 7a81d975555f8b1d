"""The API's record in the words of the CSV's columns: every name mapped, ignored, or reported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sources.kit import columns, tidy
from sources.kit.errors import DeliveryRefused
from sources.kit.frames import Frame
from sources.kit.identity import with_person_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sources.kit.json_api import Page

_ADDRESS = {
    "language": "address_language",
    "addressNumber": "address_number",
    "addressNumberWithinBuilding": "address_number_within_building",
    "mailRouting": "mail_routing",
    "city": "city",
    "region": "region",
    "country": "country",
    "postalCode": "postal_code",
}
_LINES = ("address_line", "address_line_1", "address_line_2", "address_line_3")
_ADDRESSES = {"entity.legalAddress": "legal_", "entity.headquartersAddress": "headquarters_"}

MAPPED: dict[str, str] = {
    "lei": "source_key",
    "entity.legalName.name": "legal_name",
    "entity.legalName.language": "legal_name_language",
    **{
        f"{place}.{theirs}": f"{prefix}{ours}"
        for place, prefix in _ADDRESSES.items()
        for theirs, ours in _ADDRESS.items()
    },
    "entity.registeredAt.id": "registration_authority",
    "entity.registeredAt.other": "registration_authority_other",
    "entity.registeredAs": "registration_number",
    "entity.jurisdiction": "legal_jurisdiction",
    "entity.category": "entity_category",
    "entity.subCategory": "entity_subcategory",
    "entity.legalForm.id": "legal_form",
    "entity.legalForm.other": "legal_form_other",
    "entity.status": "entity_status",
    "entity.creationDate": "creation_published",
    "entity.expiration.date": "expiration_published",
    "entity.expiration.reason": "expiration_reason",
    "registration.initialRegistrationDate": "initial_registration_published",
    "registration.lastUpdateDate": "last_update_published",
    "registration.status": "lei_status",
    "registration.nextRenewalDate": "next_renewal_published",
    "registration.managingLou": "managing_lou",
    "registration.corroborationLevel": "validation_sources",
    "registration.validatedAt.id": "validation_authority",
    "registration.validatedAs": "validation_authority_number",
    "conformityFlag": "conformity",
}
MAY_LACK = {"conformityFlag": "conformity"}
"""Names that whole answers lack (those of 2023 do); what is held then stays."""

_LISTS = {f"{place}.addressLines[]": f"{prefix}lines" for place, prefix in _ADDRESSES.items()} | {
    "entity.successorEntities[].lei": "successors"
}
_IGNORED = re.compile(
    r"entity\.(otherNames|transliteratedOtherNames|otherAddresses|transliteratedOtherAddresses)\b.*"
    r"|entity\.(associatedEntity|eventGroups)\b.*"
    r"|entity\.successorEntity\..*|entity\.successorEntities\[\]\.name"  # the list has them all
    r"|registration\.validatedAt\.other|registration\.otherValidationAuthorities\b.*"
    r"|(bic|mic|ocid|qcc|spglobal)(\[\])?"  # third parties' codes are not under CC0
)
"""For the reasons that `sources.gleif_columns.IGNORED` gives for the same columns."""


@dataclass(frozen=True)
class Answered:
    """Where a page's records stand, which were unreadable, and what each of the others lacks."""

    offsets: np.ndarray
    misshapen: tuple[tuple[int, int], ...]
    unreadable: tuple[str | None, ...]
    lacking: tuple[frozenset[str], ...]

    @property
    def row_count(self) -> int:
        """All records of the page, the unreadable ones included."""
        return len(self.offsets)

    def row_offsets(self) -> np.ndarray:
        """Byte offset in what was landed of each readable record (int64)."""
        return np.delete(self.offsets, [row for row, _ in self.misshapen])

    def misshapen_offsets(self) -> np.ndarray:
        """Byte offset in what was landed of each unreadable record (int64)."""
        found: np.ndarray = self.offsets[[row for row, _ in self.misshapen]]
        return found


class _UnreadableError(Exception):
    """A record is not of the shape that a record has."""


def frame_of(page: Page) -> Frame:
    """One page as a frame; a record of another shape is misshapen.

    Raises `DeliveryRefused` when records lack a name that all answers had so far: what it meant
    would otherwise pass for removed.
    """
    rows, lacking, misshapen, unreadable = [], [], [], []
    for number, entry in enumerate(page.data):
        try:
            row, lacks = _row(entry)
        except _UnreadableError:
            misshapen.append((number, 0))
            unreadable.append(entry.get("id") if isinstance(entry, dict) else None)
        else:
            rows.append(row)
            lacking.append(lacks)
    names = ("source_key", *columns.PUBLISHED)
    table = pa.table(
        {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    )
    table = with_person_kind(tidy.with_moments(table))
    origin = Answered(
        np.array(page.offsets(), np.int64), tuple(misshapen), tuple(unreadable), tuple(lacking)
    )
    ordinals = pa.array(np.arange(len(rows), dtype=np.int64))
    return Frame(table.append_column("ordinal", ordinals), origin)


def _row(entry: Any) -> tuple[dict[str, str | None], frozenset[str]]:  # noqa: ANN401 - JSON
    attributes = entry.get("attributes") if isinstance(entry, dict) else None
    if not isinstance(attributes, dict) or attributes.get("lei") != entry.get("id"):
        raise _UnreadableError
    row: dict[str, str | None] = {}
    lacking = set()
    for path, name in MAPPED.items():
        is_there, value = _at(attributes, path)
        if is_there:
            row[name] = _text(value)
        elif path in MAY_LACK:
            lacking.add(name)
        else:
            raise _lacks(path)
    for place, prefix in _ADDRESSES.items():
        row |= _numbered(_LINES, prefix, _list(attributes, f"{place}.addressLines"))
    successors = _list(attributes, "entity.successorEntities")
    if not all(isinstance(one, dict) for one in successors):
        raise _UnreadableError
    # The CSV has room for five, so more are not kept from there either.
    leis = [one["lei"] for one in successors if one.get("lei")]
    row |= {f"successor_lei_{n}": _text(lei) for n, lei in enumerate(leis[:5], 1)}
    return row, frozenset(lacking)


def _at(attributes: dict[str, Any], path: str) -> tuple[bool, Any]:
    """(whether the name is there, its value); below an object that is null all is null."""
    found: Any = attributes
    for step in path.split("."):
        if found is None:
            return True, None
        if not isinstance(found, dict):
            raise _UnreadableError
        if step not in found:
            return False, None
        found = found[step]
    return True, found


def _list(attributes: dict[str, Any], path: str) -> list[Any]:
    is_there, found = _at(attributes, path)
    if not is_there:
        raise _lacks(path)
    if not isinstance(found, list | None):
        raise _UnreadableError
    return found or []


def _numbered(names: tuple[str, ...], prefix: str, values: list[Any]) -> dict[str, str | None]:
    if len(values) > len(names):
        raise _UnreadableError
    return {f"{prefix}{name}": _text(value) for name, value in zip(names, values, strict=False)}


def _text(value: Any) -> str | None:  # noqa: ANN401 - JSON is any of its types
    """The text; an empty one is absent, as in the CSV."""
    if value is not None and not isinstance(value, str):
        raise _UnreadableError
    return value or None


def _lacks(path: str) -> DeliveryRefused:
    return DeliveryRefused(
        "GLEIF's API",
        f"a record lacks {path!r}, which every record had so far",
        "Nothing was loaded. If GLEIF renamed it, extend sources/gleif_api_records.py",
    )


def unknown_names(found: Iterable[Page]) -> list[str]:
    """Names in the answers that are neither mapped nor ignored: dropped, and reported."""
    known = {*MAPPED, *_LISTS}
    names = {
        name
        for page in found
        for entry in page.data
        if isinstance(entry, dict)
        for name in _leaves(entry.get("attributes"), "")
    }
    return sorted(name for name in names - known if not _IGNORED.fullmatch(name))


def _leaves(node: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON is any of its types
    """Names of all values with something in them, lists marked by []."""
    if isinstance(node, dict):
        for name, below in node.items():
            yield from _leaves(below, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for below in node:
            yield from _leaves(below, f"{path}[]")
    elif node is not None:
        yield path
