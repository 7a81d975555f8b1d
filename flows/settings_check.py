"""What is wrong with a configuration, in the reader's words: its faults, where, and the cure.

Everything here works on the tables as written (nested dicts and lists), so that a fault in one row
does not hide another elsewhere. No value is ever repeated, only names: a value may be a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sources.kit import policy

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Tables = dict[str, Any]
Row = dict[str, Any]
Place = tuple[int | str, ...]


class Fault(NamedTuple):
    """One thing that is wrong: where (table, row, key), and what to do about it."""

    place: Place
    cure: str


SINGLE_TABLES: Mapping[str, type[BaseModel]] = {
    "controller": policy.Controller,
    "policy": policy.Policy,
    "links": policy.Links,
    "channel": policy.ChannelSettings,
    "warehouse": policy.WarehouseSettings,
    "scope": policy.Scope,
    "deletion_cap": policy.DeletionCap,
}
ROW_TABLES: Mapping[str, type[BaseModel]] = {
    "purpose": policy.Purpose,
    "assessment": policy.Assessment,
    "recipient": policy.Recipient,
    "channel_rule": policy.ChannelRule,
    "retention": policy.RetentionPolicy,
    "protection_flag": policy.ProtectionFlag,
    "authority": policy.Authority,
    "store": policy.Store,
}
FILE_TABLES = (*SINGLE_TABLES, *ROW_TABLES, "sources", "schedule")
# What tells a row from its neighbours. An assessment is renewed by a further row, so it may repeat.
IDENTITY: Mapping[str, tuple[str, ...]] = {
    "purpose": ("id",),
    "assessment": ("purpose", "person_category"),
    "recipient": ("id",),
    "channel_rule": ("country", "channel", "recipient_kind"),
    "retention": ("id",),
    "protection_flag": ("country",),
    "authority": ("country",),
    "store": ("id",),
}
# The owner's decisions may stay open: everything but what needs them works meanwhile.
OPEN_TABLES = frozenset(
    ("controller", "policy", "links", "purpose", "assessment", "recipient", "store"),
)
_ACCEPTANCE = ("accepted_by", "accepted_on", "expires_on")
_FROM_ENVIRONMENT = {
    "home": "it is set by SOURCENOTE_HOME",
    "secret_file": "it is set by SOURCENOTE_SECRET_FILE",
    "prefect_api_url": "it is set by PREFECT_API_URL",
}
_CURES = {
    "missing": "is missing; add it",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dict_type": 'must be a table, such as { da = "...", en = "..." }',
    "tuple_type": "must be a list",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "bool_parsing": "must be true or false",
}
_NO_DELETE_STAGE = "no policy without a delete stage: give a period such as P24M"


def rows(tables: Tables, table: str) -> Iterator[tuple[int, Row]]:
    """Yield number and row of every `[[table]]` that is a table at all."""
    held = tables.get(table)
    for number, row in enumerate(held if isinstance(held, Sequence) else ()):
        if isinstance(row, dict):
            yield number, row


def identity(table: str, row: Row) -> tuple[Any, ...] | None:
    """Return what names this row among its table's, or None when a part of it is not there."""
    parts = tuple(row.get(key) for key in IDENTITY[table])
    return parts if all(isinstance(part, str | int) for part in parts) else None


def row_label(table: str, row: Row, number: int) -> str:
    """Name a row as the reader would: `[[channel_rule]] DK post legal_person`."""
    parts = identity(table, row)
    if parts is None:
        return f"[[{table}]] number {number + 1}"
    if table == "assessment":
        return f"[[assessment]] {parts[0]}, person_category {parts[1]}"
    return f"[[{table}]] {' '.join(str(part) for part in parts)}"


def unknown_tables(tables: Tables) -> list[str]:
    """Say which tables of the file are none of ours, and which was probably meant."""
    return [
        f"[{name}] {_FROM_ENVIRONMENT.get(name, 'is not a table here')}; remove it"
        f"{did_you_mean(name, FILE_TABLES)}"
        for name in tables
        if name not in FILE_TABLES
    ]


def without_blanks(tables: Tables) -> Tables:
    """Return the tables with what the owner left blank taken out, as if it were not there.

    Blank is `""`, `[]` or `{}`. In rules and policies only the acceptance may be blank: a blank
    period there is a decision ("no clock"), and a blank outcome is an error.
    """
    kept = dict(tables)
    for table in OPEN_TABLES & kept.keys():
        value = kept[table]
        kept[table] = [_filled(row) for row in value] if isinstance(value, list) else _filled(value)
    if isinstance(kept.get("channel_rule"), list):
        kept["channel_rule"] = [
            _filled(row, _ACCEPTANCE) if isinstance(row, dict) else row
            for row in kept["channel_rule"]
        ]
    return kept


def _filled(value: object, only: Sequence[str] | None = None) -> object:
    if not isinstance(value, dict):
        return value
    inner = {key: _filled(part) if only is None else part for key, part in value.items()}
    return {
        key: part
        for key, part in inner.items()
        if (only is not None and key not in only) or part not in ("", [], {})
    }


def is_left_open(error: ErrorDetails) -> bool:
    """Say whether this error only means that the owner has not decided yet.

    A row without what names it is no open decision: nobody could be told which one it is.
    """
    place = error["loc"]
    named_by = IDENTITY.get(str(place[0]), ())
    return error["type"] == "missing" and place[0] in OPEN_TABLES and place[-1] not in named_by


def withhold(tables: Tables, errors: Sequence[ErrorDetails]) -> Tables:
    """Return the tables without the rows that are still open."""
    kept = dict(tables)
    for table in {str(error["loc"][0]) for error in errors}:
        open_rows = {error["loc"][1] for error in errors if error["loc"][0] == table}
        if table in SINGLE_TABLES:
            del kept[table]
        else:
            kept[table] = [row for n, row in enumerate(kept[table]) if n not in open_rows]
    return kept


def open_keys(tables: Tables, errors: Sequence[ErrorDetails]) -> dict[str, tuple[str, ...]]:
    """Return the keys left open by the label of their row."""
    found: dict[str, tuple[str, ...]] = {}
    for error in errors:
        where, key = _where(tables, error["loc"])
        found[where] = (*found.get(where, ()), key)
    return found


def wording(tables: Tables, error: ErrorDetails) -> str:
    """Turn one of pydantic's errors into place and cure."""
    where, key = _where(tables, error["loc"])
    return f"{where} {key}".rstrip() + f": {_cure(error, key)}"


def fault_wording(tables: Tables, fault: Fault) -> str:
    """Turn one of our faults into place and cure."""
    where, key = _where(tables, fault.place)
    return f"{where} {key}".rstrip() + f": {fault.cure}"


def _where(tables: Tables, place: Place) -> tuple[str, str]:
    table, *rest = place
    if table in ROW_TABLES and rest and isinstance(rest[0], int):
        held = tables[str(table)][rest[0]]
        label = row_label(str(table), held if isinstance(held, dict) else {}, rest[0])
        return label, _key(rest[1:])
    if table == "sources" and rest:
        return f"[sources.{rest[0]}]", _key(rest[1:])
    return f"[{table}]", _key(rest)


def _key(parts: Sequence[int | str]) -> str:
    # pydantic marks an error in a dict's key with "[key]"; the key itself says enough.
    return ".".join(str(part) for part in parts if part != "[key]")


def _cure(error: ErrorDetails, key: str) -> str:
    table, kind = str(error["loc"][0]), error["type"]
    if table == "retention" and key == "delete_after_inactive":
        return _NO_DELETE_STAGE
    if len(error["loc"]) == 1 and table in ROW_TABLES:
        return f"is a list of rows: write [[{table}]] above each"
    if len(error["loc"]) == 1 and table in FILE_TABLES:
        return f"is one table: write [{table}] above it"
    if kind == "extra_forbidden":
        return f"is not a key here; remove it{did_you_mean(key, _keys_of(table))}"
    text = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return _CURES.get(kind, text)


def _keys_of(table: str) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        **SINGLE_TABLES,
        **ROW_TABLES,
        "sources": policy.SourceSettings,
    }
    return list(models[table].model_fields) if table in models else []


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return `, or did you mean X?` when one of the known names is close, else nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f", or did you mean {close[0]}?" if close else ""
