"""Who a record is about: natural, possibly natural, or not a person; and lines that name one.

The rules are data with citations (`persons.toml`); nothing is guessed from personal names.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import columns
from sources.kit.columns import NATURAL, NONE, POSSIBLE
from sources.kit.flat import flat, truths


@dataclass(frozen=True)
class Minimised:
    """A frame after data minimisation.

    `table` holds what `record` may hold. `personal` has one row a value that lives apart:
    `ordinal`, `source_key`, `field`, `value`. `touched` (bool) tells rows that lost anything.
    """

    table: pa.Table
    personal: pa.Table
    touched: np.ndarray
    care_of_count: int


@cache
def _rules() -> dict[str, Any]:
    text = resources.files("sources.kit").joinpath("persons.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def _possible_patterns() -> tuple[tuple[str, str], ...]:
    return tuple((row["rule"], _any_of(row["phrases"])) for row in _rules()["possible"])


_RE2_END, _PYTHON_END = (rf"(?{how}$|[\s!-/:-@\[-`{{-~])" for how in (":", "="))
"""Blank, sign or nothing: the word boundary of RE2 takes every letter but A to Z for a sign."""


@cache
def _any_possible() -> str:
    """A pattern that finds any phrase of any rule: most frames hold none."""
    return _any_of([phrase for row in _rules()["possible"] for phrase in row["phrases"]])


def _any_of(phrases: list[str], end: str = _RE2_END) -> str:
    """A pattern that finds any of the phrases opening a word, for RE2 unless `end` is Python's."""
    ordered = [re.escape(text) for text in sorted(phrases, key=len, reverse=True)]
    words = "|".join(text for text in ordered if text[-1].isalpha())
    signs = "".join(f"|{text}" for text in ordered if not text[-1].isalpha())
    return rf"(?i)(?:^|[\s,(;])(?:(?:{words}){end}{signs})"


def with_person_kind(table: pa.Table) -> pa.Table:
    """The frame with `person_kind` (none, possible, natural) and the `person_rule` that said so."""
    natural = _rules()["natural"]
    by_category = _is_in(table["entity_category"], natural["categories"])
    by_form = _is_in(table["legal_form"], list(natural["legal_forms"]))
    rule = pc.if_else(by_form, "legal form", pa.scalar(None, pa.string()))
    rule = pc.if_else(by_category, "entity category", rule)
    kind = pc.if_else(pc.or_(by_category, by_form), NATURAL, NONE)
    phrase = _possible_by(table["legal_name"], pc.equal(kind, NONE))
    kind = pc.if_else(pc.is_valid(phrase), POSSIBLE, kind)
    rule = pc.coalesce(rule, phrase)
    return table.append_column("person_kind", kind).append_column("person_rule", rule)


def _possible_by(names: pa.ChunkedArray, asked: pa.ChunkedArray) -> pa.Array:
    """The rule by which each name may be a person's, where `asked`; one pass finds the few."""
    found = pc.match_substring_regex(names, _any_possible())
    mask = pc.fill_null(pc.and_(found, asked), False)  # noqa: FBT003 (pyarrow's signature)
    few = names.filter(mask)
    rule = pa.nulls(len(few), pa.string())
    for name, pattern in _possible_patterns() if len(few) else ():
        rule = pc.coalesce(rule, pc.if_else(pc.match_substring_regex(few, pattern), name, None))
    nothing = pa.nulls(len(names), pa.string())
    return pc.replace_with_mask(nothing, flat(mask), flat(rule))


def _is_in(column: pa.ChunkedArray, codes: list[str]) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(codes, pa.string()))


def minimise(table: pa.Table, *, keep_natural: bool) -> Minimised:
    """Take what is personal out of the frame: care-of parts, and natural persons' particulars.

    Natural persons are left as a skeleton (LEI, country, category, status, dates). With
    `keep_natural` their other values go to `personal` instead of nowhere (GDPR Art. 5(1)(c)).
    `table` needs `person_kind`.
    """
    table, pieces, touched = _without_care_of(table)
    care_of_count = int(touched.sum())
    natural = pc.equal(table["person_kind"], NATURAL)
    is_natural = truths(natural)
    if is_natural.any():
        pieces = [_only_legal_persons(piece, table, natural, keep=keep_natural) for piece in pieces]
        blank = {}
        for name in columns.PERSONAL_OF_NATURAL:
            column = table[name]
            if column.null_count == len(column):
                continue
            if keep_natural:
                pieces.append(_piece(table, name, column, pc.and_(natural, pc.is_valid(column))))
            blank[name] = _blanked(column, is_natural)
        table = pa.table({name: blank.get(name, table[name]) for name in table.column_names})
    personal = pa.concat_tables(pieces) if pieces else _PERSONAL.empty_table()
    return Minimised(table, personal, touched | is_natural, care_of_count)


def _blanked(column: pa.ChunkedArray, rows: np.ndarray) -> pa.Array:
    """The column with null in those rows (bool): a new validity bitmap over the same bytes."""
    single = flat(column)
    if single.offset or not len(single):
        return pc.if_else(pa.array(rows), pa.scalar(None, single.type), single)
    kept = np.packbits(~rows, bitorder="little")
    validity, offsets, data = single.buffers()
    if validity is not None:
        kept &= np.frombuffer(validity, dtype=np.uint8, count=len(kept))
    return pa.StringArray.from_buffers(len(single), offsets, data, pa.py_buffer(kept.tobytes()))


_PERSONAL = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("source_key", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
    ]
)


def _piece(table: pa.Table, field: str, values: pa.ChunkedArray, mask: pa.ChunkedArray) -> pa.Table:
    chosen = values.filter(mask)
    return pa.table(
        {
            "ordinal": table["ordinal"].filter(mask),
            "source_key": table["source_key"].filter(mask),
            "field": pa.array([field] * len(chosen), pa.string()),
            "value": chosen,
        },
        schema=_PERSONAL,
    )


def _only_legal_persons(
    piece: pa.Table, table: pa.Table, natural: pa.ChunkedArray, *, keep: bool
) -> pa.Table:
    if keep:
        return piece
    ordinals = flat(table["ordinal"].filter(natural))
    return piece.filter(pc.invert(pc.is_in(piece["ordinal"], value_set=ordinals)))


@cache
def _care_of(country: str | None) -> re.Pattern[str]:
    """The pattern of a care-of part, for addresses in the country."""
    rules = _rules()["care_of"]
    only = [marker for marker, where in rules["only_in"].items() if country in where]
    return re.compile(rf"{_any_of([*rules['markers'], *only], _PYTHON_END)}[^,;]*[,;]?")


@cache
def _local_countries() -> frozenset[str]:
    where = _rules()["care_of"]["only_in"].values()
    return frozenset(country for countries in where for country in countries)


def split_care_of(line: str, country: str | None = None) -> tuple[str | None, str | None]:
    """(the line without its care-of part, the care-of part); either is None when empty."""
    part = _care_of(country if country in _local_countries() else None)
    found = " ".join(match.group(0).strip(" ,;(") for match in part.finditer(line)).strip()
    if not found:
        return line or None, None
    rest = re.sub(r"\s{2,}", " ", part.sub(" ", line)).strip(" ,;()")
    return rest or None, found


def _may_name_care_of(table: pa.Table) -> np.ndarray:
    """Rows in which any address line may hold a care-of part: one pass for all lines (bool)."""
    lines = pc.binary_join_element_wise(
        *(table[name] for name in columns.ADDRESS_LINES), "\n", null_handling="replace"
    )
    return truths(pc.match_substring_regex(lines, _anywhere()))


@cache
def _anywhere() -> str:
    """A finder for every care-of marker of every country."""
    rules = _rules()["care_of"]
    return _any_of([*rules["markers"], *rules["only_in"]])


def _without_care_of(table: pa.Table) -> tuple[pa.Table, list[pa.Table], np.ndarray]:
    """The frame's address lines without care-of parts, those parts apart, and which rows (bool).

    Vectorised passes find the few lines that may hold one; only those are looked at singly.
    """
    pieces: list[pa.Table] = []
    touched = np.zeros(table.num_rows, dtype=bool)
    maybe = np.flatnonzero(_may_name_care_of(table))
    few = table.select(["ordinal", "source_key", *_COUNTRIES, *columns.ADDRESS_LINES])
    few = few.take(pa.array(maybe))
    for name, asked in zip(columns.ADDRESS_LINES, _asked_lines(few), strict=True):
        held, rest, parts = _split_lines(few, name, asked)
        if not held:
            continue
        found = np.zeros(table.num_rows, dtype=bool)
        found[maybe[held]] = True
        cleaned = pc.replace_with_mask(
            flat(table[name]), pa.array(found), pa.array(rest, pa.string())
        )
        table = table.set_column(table.schema.get_field_index(name), name, cleaned)
        column = pa.chunked_array([pa.array(parts, pa.string())])
        chosen = few.take(pa.array(held))
        pieces.append(_piece(chosen, f"{name}_care_of", column, pc.is_valid(column)))
        touched |= found
    return table, pieces, touched


_COUNTRIES = ("legal_country", "headquarters_country")


def _asked_lines(few: pa.Table) -> list[np.ndarray]:
    """Of each address line, the rows in which it may hold a care-of part; one pass for all."""
    lines = pa.concat_arrays([flat(few[name]) for name in columns.ADDRESS_LINES])
    found = truths(pc.fill_null(pc.match_substring_regex(lines, _anywhere()), False))  # noqa: FBT003 (pyarrow's signature)
    return [np.flatnonzero(rows) for rows in found.reshape(len(columns.ADDRESS_LINES), -1)]


def _split_lines(
    few: pa.Table, name: str, asked: np.ndarray
) -> tuple[list[int], list[str | None], list[str | None]]:
    """Of the rows `asked`, those whose line has a care-of part: (which, line without it, part)."""
    rows = pa.array(asked)
    lands = few[_COUNTRIES[0 if name.startswith("legal_") else 1]].take(rows).to_pylist()
    split = [
        split_care_of(line, land)
        for line, land in zip(few[name].take(rows).to_pylist(), lands, strict=True)
    ]
    held = [(row, *both) for row, both in zip(asked.tolist(), split, strict=True) if both[1]]
    return [row for row, _, _ in held], [rest for _, rest, _ in held], [part for *_, part in held]


NOTHING_PERSONAL = _PERSONAL.empty_table()
"""Of a frame that can name nobody."""
