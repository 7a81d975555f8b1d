"""The key file is private and lasting; every version it ever held still recognises its hashes."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from sources.kit.errors import Refused
from sources.kit.keys import Keys

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = b"\x01" * 32, b"\x02" * 32


@pytest.fixture
def rotated() -> Keys:
    return Keys(2, {1: OLD, 2: NEW})


def write(path: Path, content: object, mode: int = 0o600) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def test_a_created_key_file_is_private_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "sourcenote.key"
    old_mask = os.umask(0)
    try:
        created = Keys.create(path, os.urandom)
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keys.load(path) == created
    assert len(created.by_version[created.newest]) == 32


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "sourcenote.key"
    Keys.create(path, os.urandom)
    before = path.read_bytes()
    with pytest.raises(Refused, match="exists already"):
        Keys.create(path, os.urandom)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_key_file_that_others_may_use_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "k", {"newest": 1, "keys": {"1": OLD.hex()}}, mode)
    with pytest.raises(Refused, match=r"other users may use it.*chmod 600"):
        Keys.load(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"newest": 1, "keys": []}',
        {"newest": 1, "keys": {"1": "5ec2e7"}},
        {"newest": 1, "keys": {"1": "not hex 5ec2e7"}},
        {"newest": 2, "keys": {"1": OLD.hex()}},
        {"newest": 1, "keys": {"1": OLD.hex(), "2": NEW.hex()}},
        {"newest": 1, "keys": {}},
    ],
)
def test_a_broken_key_file_is_refused_without_showing_any_of_it(
    tmp_path: Path,
    content: object,
) -> None:
    with pytest.raises(Refused) as refused:
        Keys.load(write(tmp_path / "k", content))
    assert "Restore the key file" in str(refused.value)
    assert "5ec2e7" not in str(refused.value)
    assert OLD.hex() not in str(refused.value)


def test_a_missing_key_file_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="sourcenote init"):
        Keys.load(tmp_path / "none")


def test_a_hash_is_hmac_sha256_under_a_key_of_its_own_purpose(rotated: Keys) -> None:
    key = hmac.new(NEW, b"sourcenote/suppression\x01", hashlib.sha256).digest()
    expected = hmac.new(key, "æ@example.org".encode(), hashlib.sha256).hexdigest()
    assert rotated.mac("suppression", "æ@example.org") == (2, expected)
    assert rotated.derive("suppression").by_version[2] == key


def test_every_version_is_tried_the_newest_first(rotated: Keys) -> None:
    _, written_before_rotation = Keys(1, {1: OLD}).mac("suppression", "x")
    assert list(rotated.macs("suppression", "x")) == [2, 1]
    assert rotated.macs("suppression", "x")[1] == written_before_rotation


def test_purposes_do_not_share_keys(rotated: Keys) -> None:
    assert rotated.mac("suppression", "x") != rotated.mac("link", "x")
    assert rotated.derive("a").by_version[1] != rotated.derive("b").by_version[1]
    assert rotated.derive("a").by_version[1] != OLD


def test_keys_never_show_and_never_change(rotated: Keys) -> None:
    assert OLD.hex() not in repr(rotated)
    assert repr(OLD) not in repr(rotated)
    with pytest.raises(TypeError):
        rotated.by_version[3] = NEW  # type: ignore[index]
