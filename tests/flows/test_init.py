"""`init` leaves a configuration to fill in, or an example that works; it overwrites nothing."""

from __future__ import annotations

import re
import stat
import tomllib
from typing import TYPE_CHECKING

import pytest

from flows.init_files import config_text, write_init_files
from flows.settings import load
from flows.settings_check import FILE_TABLES
from sources.kit.errors import Refused
from sources.kit.keys import Keys

if TYPE_CHECKING:
    from pathlib import Path


def random_bytes(count: int) -> bytes:
    return b"\x07" * count


def test_init_writes_both_files_and_the_key_is_private(tmp_path: Path) -> None:
    config, key = tmp_path / "sourcenote.toml", tmp_path / "var" / "sourcenote.key"
    written = write_init_files(config, key, random_bytes)
    assert (written.is_config_new, written.is_key_new) == (True, True)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert Keys.load(key).by_version[1] == random_bytes(32)
    assert load(config, environ={}).controller is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sourcenote.toml", "var"]


def test_a_second_init_changes_nothing_and_does_not_mind(tmp_path: Path) -> None:
    config, key = tmp_path / "c.toml", tmp_path / "k"
    write_init_files(config, key, random_bytes, example=True)
    again = write_init_files(config, key, lambda n: b"\x09" * n, example=True)
    assert (again.is_config_new, again.is_key_new) == (False, False)
    assert Keys.load(key).by_version[1] == random_bytes(32)


def test_a_configuration_that_differs_is_kept_unless_forced(tmp_path: Path) -> None:
    config, key = tmp_path / "c.toml", tmp_path / "k"
    config.write_text("# mine\n")
    with pytest.raises(Refused, match="--force"):
        write_init_files(config, key, random_bytes, example=True)
    assert not key.exists()
    assert not write_init_files(config, key, random_bytes).is_config_new
    assert config.read_text() == "# mine\n"
    write_init_files(config, key, random_bytes, force=True)
    assert config.read_text(encoding="utf-8") == config_text(example=False)


def test_force_never_replaces_the_key(tmp_path: Path) -> None:
    config, key = tmp_path / "c.toml", tmp_path / "k"
    write_init_files(config, key, random_bytes)
    write_init_files(config, key, lambda n: b"\x09" * n, force=True, example=True)
    assert Keys.load(key).by_version[1] == random_bytes(32)


def test_a_key_that_others_may_read_stops_init_before_it_writes(tmp_path: Path) -> None:
    config, key = tmp_path / "c.toml", tmp_path / "k"
    Keys.create(key, random_bytes)
    key.chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        write_init_files(config, key, random_bytes)
    assert not config.exists()


def test_the_example_accepts_every_shipped_rule_by_name(tmp_path: Path) -> None:
    rows = tomllib.loads(config_text(example=True))["channel_rule"]
    assert len(rows) == 56
    assert {row["accepted_by"] for row in rows} == {"EXAMPLE"}
    assert all("outcome" not in row for row in rows)
    config = tmp_path / "c.toml"
    config.write_text(config_text(example=True), encoding="utf-8")
    settings = load(config, environ={})
    assert settings.is_example
    assert settings.scope.countries == ()
    assert [row.country for row in settings.scope.no_lei] == ["DK", "NO", "EE", "FI"]
    assert settings.links is not None
    assert settings.links.base_url == "http://127.0.0.1:8321"


def test_the_plain_file_shows_every_table_and_every_shipped_row() -> None:
    text = config_text(example=False)
    for table in set(FILE_TABLES) - {"sources", "authority", "protection_flag"}:
        assert f"[{table}]" in text
    assert "#   DK post  legal_person  opt_out  markedsføringsloven § 10" in text
    assert "#   company_public  inactive by event, deleted P24M later" in text
    assert "{channel_rules}" not in text
    assert "{retention}" not in text
    assert "EXAMPLE" not in text


def test_the_commented_blocks_of_the_plain_file_are_valid_once_filled_in(tmp_path: Path) -> None:
    commented = re.compile(r'^# (\[.+\]|\w+ = ("[^"]*"|[\d.-]+))( +#.*)?$', re.MULTILINE)
    text, blocks = commented.subn(r"\1", config_text(example=False))
    assert blocks > 15
    text = text.replace('_by = ""', '_by = "counsel"').replace('reason = ""', 'reason = "r"')
    config = tmp_path / "c.toml"
    config.write_text(text, encoding="utf-8")
    settings = load(config, environ={})
    rule = settings.rule("DK", "post", "legal_person")
    assert rule is not None
    assert rule.accepted_by == "counsel"
    assert settings.warehouse.url.startswith("postgresql+psycopg://")
