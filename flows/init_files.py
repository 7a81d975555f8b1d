"""The files `sourcenote init` writes: the configuration with its comments, and the key file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from flows.decisions import EXAMPLE
from flows.shipped import DEFAULTS, shipped_rows
from sources.kit.errors import Refused
from sources.kit.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# From before any record a demo or test may hold to after any clock they may set.
_EXAMPLE_FROM = "2020-01-01"
_EXAMPLE_UNTIL = "2099-12-31"


class InitFiles(NamedTuple):
    """Where the two files are, and which of them this call wrote."""

    config: Path
    secret_file: Path
    is_config_new: bool
    is_key_new: bool


def write_init_files(
    config: Path,
    secret_file: Path,
    random_bytes: Callable[[int], bytes],
    *,
    example: bool = False,
    force: bool = False,
) -> InitFiles:
    """Write configuration and key file; Refused, and nothing written, when one is in the way.

    A configuration that is there is kept, and replaced only with `force`; where it is not the
    `example` that was asked for, nothing is done. A key file is never replaced: it is checked and
    kept, because old suppressions are known by it only.
    """
    text = config_text(example=example)
    is_config_new = not config.exists()
    if example and not is_config_new and not force and config.read_text(encoding="utf-8") != text:
        cure = "Run `sourcenote init` to keep it, or with --example --force to replace it"
        raise Refused(str(config), "it exists and is not the example", cure)
    is_key_new = not secret_file.exists()
    if is_key_new:
        Keys.create(secret_file, random_bytes)
    else:
        Keys.load(secret_file)
    if is_config_new or force:
        _write(config, text)
    return InitFiles(config, secret_file, is_config_new or force, is_key_new)


def config_text(*, example: bool) -> str:
    """Return what init writes: the owner's decisions open, or the complete fictional example."""
    name = "example.toml" if example else "plain.toml"
    template = (DEFAULTS / name).read_text(encoding="utf-8")
    rules = _accepted_rules() if example else _listed_rules()
    filled = template.replace("# {channel_rules}\n", rules)
    return filled.replace("# {retention}\n", _listed_retention())


def _accepted_rules() -> str:
    return "\n".join(
        "[[channel_rule]]\n"
        f'country = "{rule["country"]}"\n'
        f'channel = "{rule["channel"]}"\n'
        f'recipient_kind = "{rule["recipient_kind"]}"\n'
        f'accepted_by = "{EXAMPLE}"\n'
        f"accepted_on = {_EXAMPLE_FROM}\n"
        f"expires_on = {_EXAMPLE_UNTIL}\n"
        for rule in shipped_rows("channel_rule")
    )


def _listed_rules() -> str:
    return "".join(
        f"#   {rule['country']} {rule['channel']:5} {rule['recipient_kind']:13} "
        f"{rule['outcome']:8} {rule['citation']}\n"
        for rule in shipped_rows("channel_rule")
    )


def _listed_retention() -> str:
    return "".join(
        f"#   {row['id']:15} inactive {_inactive(row)}, "
        f"deleted {row['delete_after_inactive']} later\n"
        for row in shipped_rows("retention")
    )


def _inactive(row: dict[str, object]) -> str:
    clock = row.get("inactive_after")
    return f"after {clock}" if clock else "by event"


def _write(path: Path, text: str) -> None:
    # Beside the target and renamed: a reader sees the old file or the new one, never a half.
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
