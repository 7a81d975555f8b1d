"""What the national registers' parsers have in common: a frame of companies and one of contacts.

A parser names what its register has; what it has not is null, and what is told of persons is
settled here, the same for every register.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import columns, nested, register_days, tidy
from sources.kit.columns import NONE, POSSIBLE
from sources.kit.flat import flat, truths
from sources.kit.frames import Origin
from sources.kit.identity import with_person_kind
from sources.kit.personal_numbers import holds_number, without_numbers

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"
EMAIL, PHONE, WEBSITE = "email", "phone", "website"
FORM_UNKNOWN = "legal form not published"
_KEYS = ("source_key", "registration_number")
_DATED = ("creation", "expiration")

CONTACTS = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("kind", pa.string()),
        ("original", pa.string()),
        ("valid_from", pa.date32()),
        ("valid_until", pa.date32()),
        ("ad_protected", pa.bool_()),
    ]
)
"""One row a contact point: its company's `ordinal` in the other frame, kind, text as published,
validity, and the register's marketing protection: true, false, null where it publishes none."""


@dataclass(frozen=True)
class RegisterFrame:
    """A block's companies (`table`, as in `sources.kit.frames.Frame`) and contact points.

    `ad_protected` is each company's marketing protection: true, false, or null where the register
    publishes none. `dropped` counts what was left out by reason; `names` are the paths of the
    publisher's fields seen, for the report of unknown ones. `employees` finds each company's
    (int64), where the register says; they only decide what is taken, and are not kept.
    """

    table: pa.Table
    contacts: pa.Table
    ad_protected: pa.Array
    origin: Origin
    dropped: Mapping[str, int] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    employees: Callable[[], pa.Array] | None = None


@dataclass(frozen=True)
class Points:
    """Contact points of one kind: `rows` are their companies' places, `originals` may be null."""

    kind: str
    rows: np.ndarray
    originals: pa.Array
    valid_from: pa.Array | None = None
    valid_until: pa.Array | None = None
    ad_protected: pa.Array | None = None


def register_frame(
    found: Mapping[str, pa.Array],
    points: Sequence[Points],
    origin: Origin,
    *,
    home: str,
    dropped: Mapping[str, int] | None = None,
    names: frozenset[str] = frozenset(),
    ad_protected: pa.Array | None = None,
) -> RegisterFrame:
    """The frame of a register's columns and contact points.

    `found` maps `source_key` and any of `columns.PUBLISHED` to text of one length; `home` is the
    register's country. Personal identity numbers are taken out first; a contact point that holds
    one is dropped.
    """
    texts = {name: nested.filled(flat(column)) for name, column in found.items()}
    open_texts = {name: column for name, column in texts.items() if name not in _KEYS}
    cleaned, numbers = without_numbers(open_texts, home)
    table = _companies(texts | cleaned)
    contacts, held = _contacts(points, home)
    counts = {"personal_number": numbers + held, **(dropped or {})}
    kept = {reason: count for reason, count in counts.items() if count}
    unknown = pa.nulls(table.num_rows, pa.bool_())
    flags = unknown if ad_protected is None else ad_protected
    return RegisterFrame(table, contacts, flags, origin, kept, names)


def _companies(texts: dict[str, pa.Array]) -> pa.Table:
    count = len(texts["source_key"])
    nothing = pa.nulls(count, pa.string())
    table = pa.table(
        {name: texts.get(name, nothing) for name in ("source_key", *columns.PUBLISHED)}
    )
    for name in _DATED:
        day = register_days.days(flat(table[f"{name}_published"]))
        table = table.append_column(f"{name}_at", register_days.seconds(day))
    table = with_person_kind(tidy.with_moments(table))
    table = _with_unknown_forms(table)
    return table.append_column("ordinal", pa.array(np.arange(count, dtype=np.int64)))


def _with_unknown_forms(table: pa.Table) -> pa.Table:
    """Rows of no published form may be a person's: unknown is never no."""
    formless = pc.and_(pc.is_null(table["legal_form"]), pc.is_null(table["legal_form_other"]))
    unsure = pc.and_(formless, pc.equal(table["person_kind"], NONE))
    for name, word in (("person_kind", POSSIBLE), ("person_rule", FORM_UNKNOWN)):
        told = pc.if_else(unsure, word, table[name])
        table = table.set_column(table.schema.get_field_index(name), name, told)
    return table


def _contacts(points: Sequence[Points], home: str) -> tuple[pa.Table, int]:
    """The contact points in their companies' order, and how many held a personal number."""
    table = pa.concat_tables([_piece(one) for one in points]) if points else CONTACTS.empty_table()
    blank = pc.is_null(nested.filled(flat(table["original"])))
    table = table.filter(pc.invert(blank)).combine_chunks()
    if not table.num_rows:
        return table, 0
    bad = holds_number(flat(table["original"]), home)
    table = table.filter(pa.array(~bad))
    order = np.argsort(table["ordinal"].to_numpy(), kind="stable")
    return table.take(pa.array(order)), int(bad.sum())


def _piece(points: Points) -> pa.Table:
    count = len(points.rows)
    given = {
        "ordinal": pa.array(points.rows, pa.int64()),
        "kind": pa.repeat(points.kind, count),
        "original": points.originals,
        "valid_from": points.valid_from,
        "valid_until": points.valid_until,
        "ad_protected": points.ad_protected,
    }
    arrays = [
        pa.nulls(count, part.type) if given[part.name] is None else flat(given[part.name])
        for part in CONTACTS
    ]
    return pa.Table.from_arrays(arrays, schema=CONTACTS)


@cache
def _registers() -> dict[str, Any]:
    text = resources.files("sources.kit").joinpath("register_forms.toml").read_text("utf-8")
    return tomllib.loads(text)


def counted(texts: pa.Array) -> pa.Array:
    """Whole numbers as registers write them, as int64; null for what is none."""
    is_number = pc.match_substring_regex(texts, r"^[0-9]{1,9}$")
    return pc.cast(pc.if_else(is_number, texts, pa.scalar(None, pa.string())), pa.int64())


def own_forms(register: str, codes: Sequence[str]) -> list[str]:
    """The ISO 20275 codes of those that are the register's own words for a form, listed ones."""
    listed: dict[str, str] = _registers().get(register, {}).get("forms", {})
    return [listed[code] for code in codes if code in listed]


def coded(register: str, table: str, codes: pa.Array) -> pa.Array:
    """A register's `forms` or `statuses` in the house's codes; null for what is not listed."""
    listed: dict[str, str] = _registers()[register][table]
    places = pc.index_in(codes, value_set=pa.array(list(listed), pa.string()))
    return pa.array(list(listed.values()), pa.string()).take(places)


def unlisted(codes: pa.Array, found: pa.Array) -> dict[str, int]:
    """How many statuses a register gave that its list has not, for the frame's `dropped`."""
    is_new = pc.and_(pc.is_valid(nested.filled(codes)), pc.is_null(found))
    return {"status_not_listed": int(pc.sum(is_new).as_py() or 0)}


def legal_form(register: str, codes: pa.Array) -> dict[str, pa.Array]:
    """`legal_form` (ISO 20275), and `legal_form_other`: the register's own code without one."""
    known = coded(register, "forms", codes)
    other = pc.if_else(pc.is_null(known), codes, pa.scalar(None, pa.string()))
    return {"legal_form": known, "legal_form_other": other}


def ended_or(ended: pa.Array, status: pa.Array) -> pa.Array:
    """INACTIVE where a date of its end is published, else `status`."""
    return pc.if_else(pc.is_valid(nested.filled(ended)), INACTIVE, status)


def present(columns_of: Sequence[pa.Array]) -> np.ndarray:
    """Rows in which any of the columns has a value (bool)."""
    held = np.zeros(len(columns_of[0]), dtype=bool)
    for column in columns_of:
        held |= truths(pc.is_valid(column))
    return held


def address(prefix: str, found: Mapping[str, pa.Array], home: str) -> dict[str, pa.Array]:
    """An address's columns under `prefix`; where one is given without a country it is at home.

    Registers leave the country out of domestic addresses.
    """
    given = {name: nested.filled(flat(column)) for name, column in found.items()}
    country = given.get("country", pa.nulls(len(next(iter(given.values()))), pa.string()))
    at_home = pa.array(present(list(given.values()))) if given else pa.array([], pa.bool_())
    given["country"] = pc.if_else(pc.and_(at_home, pc.is_null(country)), home, country)
    return {f"{prefix}{name}": column for name, column in given.items()}


def either(first: Mapping[str, pa.Array], second: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Of two addresses with the same columns the first one, where it has anything, else the second.

    Never a mixture of the two.
    """
    has_first = pa.array(present([nested.filled(flat(column)) for column in first.values()]))
    return {name: pc.if_else(has_first, first[name], second[name]) for name in first}


def unknown_names(names: Iterable[str], known: Iterable[str], ignored: str) -> list[str]:
    """Fields that are neither kept nor fit the pattern of ignored ones: dropped, and reported."""
    pattern = re.compile(ignored)
    return sorted(name for name in {*names} - {*known} if not pattern.fullmatch(name))
