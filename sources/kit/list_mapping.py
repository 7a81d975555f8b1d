"""Which of a list's columns mean which of our fields: read from a mapping file, or guessed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sources.kit.errors import Refused
from sources.kit.own_lists import implied_authority, plain

if TYPE_CHECKING:
    from collections.abc import Mapping as Values
    from collections.abc import Sequence
    from pathlib import Path

    from sources.kit.own_lists import OwnList

_TEXTS = ("date_format", "encoding", "separator", "sheet")
_KEYS = (*_TEXTS, "decimal_comma", "ignore", "columns", "constants")
_EXAMPLE = 'Write it like: [columns] "Faktura nr" = "event_reference"; see docs/commands.md'


@dataclass(frozen=True)
class Mapping:
    """Their columns and our fields, and how their file is written.

    `columns`: our field to their header; `constants`: our field to the value every row has.
    `ignored` are headers that are dropped on purpose. `date_format` is written with YYYY, MM, DD,
    HH, mm and ss; None is told by the file, like `encoding`, `separator` and `sheet`.
    """

    columns: Values[str, str]
    constants: Values[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    date_format: str | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    has_decimal_comma: bool = False
    is_guessed: bool = False

    def dropped(self, header: Sequence[str]) -> list[str]:
        """Columns that are neither mapped nor ignored, in their order."""
        known = {*self.columns.values(), *self.ignored}
        return [name or "(without a name)" for name in header if name not in known]

    def as_toml(self) -> str:
        """The mapping file that says the same."""
        lines = [f"{name} = {_quoted(text)}" for name in _TEXTS if (text := getattr(self, name))]
        if self.has_decimal_comma:
            lines.append("decimal_comma = true")
        if self.ignored:
            lines.append(f"ignore = [{', '.join(map(_quoted, self.ignored))}]")
        fields: dict[str, list[str]] = {}
        for name, header in self.columns.items():
            fields.setdefault(header, []).append(name)
        lines += ["", "[columns]"]
        for header, names in fields.items():
            ours = [_quoted(name) for name in names]
            said = ours[0] if len(ours) == 1 else f"[{', '.join(ours)}]"
            lines.append(f"{_quoted(header)} = {said}")
        if self.constants:
            lines += ["", "[constants]"]
            lines += [f"{name} = {_quoted(text)}" for name, text in self.constants.items()]
        return "\n".join(lines).lstrip("\n") + "\n"


def read_mapping(path: Path, own: OwnList) -> Mapping:
    """Read a mapping file; `Refused` names everything in it that is not a mapping of this list."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise _wrong(path, error.strerror or "it cannot be read") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise _wrong(path, "it is not TOML") from None
    faults = _shapes(given)
    if faults:
        raise _wrong(path, "; ".join(faults))
    columns = _columns(path, given.get("columns", {}))
    constants = {name: _constant(value) for name, value in given.get("constants", {}).items()}
    faults = [
        f"{name} is no field of {own.code}; it has {', '.join(own.fields)}"
        for name in (*columns, *constants)
        if name not in own.fields
    ]
    faults += [f"{name} is mapped and constant" for name in constants if name in columns]
    if faults:
        raise _wrong(path, "; ".join(faults))
    return Mapping(
        columns=columns,
        constants=constants,
        ignored=tuple(map(str, given.get("ignore", ()))),
        has_decimal_comma=bool(given.get("decimal_comma", False)),
        date_format=given.get("date_format"),
        encoding=given.get("encoding"),
        separator=given.get("separator"),
        sheet=given.get("sheet"),
    )


def _shapes(given: Values[str, Any]) -> list[str]:
    """What of the file is not of the kind it must be."""
    faults = [f"{key} is no key of a mapping" for key in given if key not in _KEYS]
    faults += [f"{name} is no text" for name in _TEXTS if not isinstance(given.get(name, ""), str)]
    tables = ("columns", "constants")
    faults += [
        f"{name} is no table" for name in tables if not isinstance(given.get(name, {}), dict)
    ]
    if not isinstance(given.get("ignore", []), list):
        faults.append("ignore is no list")
    if len(str(given.get("separator", ","))) != 1:
        faults.append("separator is not one character")
    return faults


def _columns(path: Path, given: Values[str, Any]) -> dict[str, str]:
    """Our field to their header; a column may stand for two of our fields."""
    columns: dict[str, str] = {}
    for header, said in given.items():
        names = said if isinstance(said, list) else [said]
        if not all(isinstance(name, str) for name in names):
            raise _wrong(path, f"{header!r} is mapped to no field")
        for name in names:
            if name in columns:
                raise _wrong(path, f"two columns are mapped to {name}")
            columns[name] = " ".join(header.split())
    return columns


def _constant(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def guess(header: Sequence[str], own: OwnList) -> Mapping:
    """The likeliest mapping by the header's words alone; to be shown, and confirmed by a person."""
    by_word: dict[str, str] = {}
    for name in header:
        by_word.setdefault(plain(name), name)
    columns: dict[str, str] = {}
    for one in own.fields.values():
        found = next((by_word[word] for word in one.words if word in by_word), None)
        if found is not None and found not in columns.values():
            columns[one.name] = found
    constants = {}
    number = columns.get("registration_number")
    if number is not None and "registration_authority" not in columns:
        authority = implied_authority(number)
        if authority is not None:
            constants["registration_authority"] = authority
    return Mapping(columns, constants, is_guessed=True)


def check_fits(mapping: Mapping, header: Sequence[str], own: OwnList) -> None:
    """Refuse a mapping whose columns the file does not have, or that leaves out a needed field."""
    absent = [name for name in mapping.columns.values() if name not in header]
    given = {*mapping.columns, *mapping.constants}
    needed = [one.name for one in own.fields.values() if one.is_needed and one.name not in given]
    faults = [f"the file has no column {name!r}" for name in dict.fromkeys(absent)]
    faults += [f"no column is mapped to {name}" for name in needed]
    if faults:
        raise Refused(f"mapping of {own.code}", "; ".join(faults), f"{_EXAMPLE} and --mapping-out")


def with_date_format(mapping: Mapping, date_format: str | None) -> Mapping:
    """The mapping with the date format that was found in the file."""
    return replace(mapping, date_format=mapping.date_format or date_format)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'


def _wrong(path: Path, cause: str) -> Refused:
    return Refused(f"mapping {path.name}", cause, _EXAMPLE)
