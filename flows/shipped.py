"""The rows the product ships with (`flows/defaults`), and how the owner's rows lie over them."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

from flows.settings_check import Row, Tables, identity

DEFAULTS = Path(__file__).parent / "defaults"
# Which file the rows of a table ship in.
SHIPPED_TABLES = {
    "channel_rule": "channel_rules.toml",
    "retention": "retention.toml",
    "protection_flag": "protection_flags.toml",
    "authority": "authorities.toml",
}
# What a rule says the law is: changed by the owner, it is no longer the version that shipped.
_SUBSTANCE = ("outcome", "citation", "verified")


@functools.cache
def shipped_rows(table: str) -> tuple[Row, ...]:
    """Return the shipped rows of one table, as written; callers do not change them."""
    with (DEFAULTS / SHIPPED_TABLES[table]).open("rb") as stream:
        return tuple(tomllib.load(stream)[table])


@functools.cache
def shared_domains() -> frozenset[str]:
    """Return the mail domains that many strangers share: never stopped as a whole."""
    with (DEFAULTS / "shared_domains.toml").open("rb") as stream:
        groups: dict[str, list[str]] = tomllib.load(stream)["shared_domain"]
    return frozenset(domain for group in groups.values() for domain in group)


def with_shipped_rows(tables: Tables) -> Tables:
    """Return the tables with the owner's rows laid over the shipped ones, key by key.

    A row of the owner's with the identity of a shipped one overrides the keys it gives; every
    other is added. What is no list of tables stays as it is, for the validation to name.
    """
    laid = dict(tables)
    for table in SHIPPED_TABLES:
        owned = tables.get(table, [])
        if isinstance(owned, list):
            laid[table] = _overlaid(table, owned)
    return laid


def _overlaid(table: str, owned: list[Any]) -> list[Any]:
    result: list[Any] = list(shipped_rows(table))
    numbers = {identity(table, row): number for number, row in enumerate(result)}
    for row in owned:
        # Popped: the same row given twice becomes two rows, and validation names it.
        number = numbers.pop(identity(table, row), None) if isinstance(row, dict) else None
        if number is None:
            result.append(row)
        else:
            result[number] = _merged(table, result[number], row)
    return result


def _merged(table: str, shipped: Row, own: Row) -> Row:
    merged = {**shipped, **own}
    is_amended = any(merged.get(key) != shipped.get(key) for key in _SUBSTANCE)
    if table == "channel_rule" and is_amended and "version" not in own:
        merged["version"] = f"{shipped['version']}+own"
    return merged
