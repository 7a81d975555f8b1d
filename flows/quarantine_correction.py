"""One corrected value of a rejected row: which field, in whose name, and why."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sources.kit.catalogue import source
from sources.kit.columns import change_name
from sources.kit.errors import Refused
from sources.kit.identity_numbers import without_personal_numbers
from sources.kit.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.house import House

_PUBLISHED = tuple(dict.fromkeys(name for shape in SHAPES.values() for name in shape.published))
_FIELDS = {change_name(name): name for name in _PUBLISHED} | {name: name for name in _PUBLISHED}
"""The words of `prospects` and of the rejected row itself, each with the row's own."""
_KEYS = ("lei", "source_key", "start_lei", "relationship_type", "exception_category")
"""Of a relationship or an exception the LEI it is about, and what it says of it."""
_TAKEN_BACK = ("retracted_published", "retracted_date")
_NOBODY = "the holder of this warehouse"


@dataclass(frozen=True)
class Correction:
    """Published field to its corrected text (None: absent), and the reason."""

    values: dict[str, str | None]
    reason: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The corrected fields in the words of `prospects`."""
        return tuple(change_name(name) for name in self.values)


def read_correction(given: Sequence[str], reason: str | None) -> Correction | None:
    """Read `FIELD=VALUE`s and their reason; None when nothing is corrected.

    Raises `Refused` for a field that is none, for the key, for a value shaped like a personal
    number, and for a reason that is missing or holds an e-mail address. No value is repeated.
    """
    if not given:
        if reason is not None:
            raise Refused("--reason", "nothing is corrected", "Give --set FIELD=VALUE with it")
        return None
    _check_reason(reason)
    values: dict[str, str | None] = {}
    for text in given:
        named, equals, value = text.partition("=")
        if not equals:
            raise Refused("--set", "it has no equals sign", "Give it as FIELD=VALUE")
        field = _field(named.strip())
        if field in values:
            raise Refused(f"--set {named.strip()}", "it is given twice", "Give it once")
        if without_personal_numbers(value) != value:
            raise Refused(
                f"--set {named.strip()}",
                "the value holds what is shaped like a personal number",
                "Such numbers are never kept: leave it out",
            )
        values[field] = value.strip() or None
    return Correction(values, str(reason).strip())


def check_fields(correction: Correction, source_id: str) -> None:
    """Refuse a field that records of this source do not have."""
    shape = SHAPES[source(source_id).CARD.shape]
    strange = [name for name in correction.values if name not in shape.published]
    if strange:
        raise Refused(
            f"--set {change_name(strange[0])}",
            f"a row of {source_id} has no such field",
            "Fields are those that `quarantine show` lists",
        )


def apply(correction: Correction, row: dict[str, str]) -> dict[str, str]:
    """The row with the correction in it; `Refused` where it says that already."""
    same = [name for name, value in correction.values.items() if row.get(name) == value]
    if same:
        raise Refused(
            f"--set {change_name(same[0])}",
            "the publisher said just that",
            "Correct what differs, or retry the row as it is",
        )
    changed = {**row, **correction.values}
    return {name: value for name, value in changed.items() if value is not None}


def corrected_by(house: House) -> str:
    """Whose word a correction is: the controller's."""
    controller = house.settings.controller
    return controller.name if controller else _NOBODY


def _field(named: str) -> str:
    if named in _KEYS:
        raise Refused(
            f"--set {named}",
            "the key says whose record it is; another key is another company's",
            "Wait for the publisher to correct it, or drop the entry",
        )
    if named in _TAKEN_BACK:
        raise Refused(
            f"--set {named}",
            "whether a record was taken back is its publisher's word",
            "Wait for the publisher to correct it, or drop the entry",
        )
    if named not in _FIELDS:
        near = difflib.get_close_matches(named, _FIELDS, n=1)
        raise Refused(
            f"--set {named}",
            "there is no such field" + (f"; did you mean {near[0]}?" if near else ""),
            "Fields are those that `quarantine show` lists, or columns of `prospects`",
        )
    return _FIELDS[named]


def _check_reason(reason: str | None) -> None:
    if not (reason or "").strip():
        raise Refused("--reason", "it is missing", "Say in a few words how you know")
    if "@" in str(reason):
        raise Refused(
            "--reason", "it holds an e-mail address", "Reasons are kept in clear: leave it out"
        )
