"""Where settings come from: the file's tables over what ships, and the environment over both."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, InitSettingsSource

from flows.settings_check import FILE_TABLES, Tables, without_blanks
from flows.shipped import with_shipped_rows
from sources.kit.errors import SettingsInvalid

_API_KEY = re.compile(r"SOURCENOTE_(\w+)_API_KEY")


def read_toml(path: Path, *, may_be_missing: bool) -> Tables:
    """Return the tables of the file; SettingsInvalid, without a value, when they cannot be read."""
    try:
        # utf-8-sig: some editors put a byte order mark first, which TOML does not know.
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        if may_be_missing:
            return {}
        raise SettingsInvalid(
            str(path), ["the file is not there; `sourcenote init` writes one"]
        ) from None
    except UnicodeDecodeError:
        raise SettingsInvalid(str(path), ["the file is not UTF-8 text; save it as such"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(str(path), [f"the file is not TOML: {error}"]) from None
    except OSError as error:
        raise SettingsInvalid(str(path), [f"the file cannot be read: {error.strerror}"]) from None


class FileSource(InitSettingsSource):
    """The tables of `sourcenote.toml`, over the rows that ship."""

    def __init__(self, settings_cls: type[BaseSettings], tables: Tables) -> None:
        known = {name: tables[name] for name in tables if name in FILE_TABLES}
        # Blanks go first: a blank `expires_on` must not take the shipped expiry away.
        super().__init__(settings_cls, with_shipped_rows(without_blanks(known)))


class EnvironSource(InitSettingsSource):
    """The five variables of the public interface, and the sources' API keys."""

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        given: Mapping[str, str],
        tables: Tables,
    ) -> None:
        named = {
            "home": given.get("SOURCENOTE_HOME"),
            "secret_file": given.get("SOURCENOTE_SECRET_FILE"),
            "prefect_api_url": given.get("PREFECT_API_URL"),
        }
        found: dict[str, Any] = {key: value for key, value in named.items() if value}
        if "SOURCENOTE_WAREHOUSE_URL" in given:
            found["warehouse"] = {"url": given["SOURCENOTE_WAREHOUSE_URL"]}
        super().__init__(settings_cls, {**found, "api_keys": _api_keys(given, tables)})


def _api_keys(given: Mapping[str, str], tables: Tables) -> dict[str, str]:
    usual = {name: _API_KEY.fullmatch(name) for name in given}
    keys = {found[1].lower(): given[name] for name, found in usual.items() if found}
    held = tables.get("sources")
    for source_id, row in held.items() if isinstance(held, dict) else ():
        name = row.get("api_key_env") if isinstance(row, dict) else None
        if isinstance(name, str) and name in given:
            keys[source_id] = given[name]
    return keys
