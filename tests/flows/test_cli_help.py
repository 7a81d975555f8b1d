"""A command or option without help, an example or a place in the documentation fails here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from flows.cli import app
from flows.cli.global_options import EVERYWHERE
from sources.gleif_columns import IGNORED, MAPPED
from sources.kit.catalogue import catalogue

DOCS = Path(__file__).resolve().parents[2] / "docs"


def commands(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every group and command, with the words that lead to it."""
    yield path, found
    for name, one in getattr(found, "commands", {}).items():
        yield from commands(one, (*path, name))


COMMANDS = dict(commands(get_command(app)))
LEAVES = {path: one for path, one in COMMANDS.items() if not getattr(one, "commands", None)}


def test_what_is_there() -> None:
    assert {" ".join(path) for path in LEAVES} == {
        "init",
        "sources list",
        "sources show",
        "ingest",
        "import",
        "refresh",
        "status",
        "explain",
        "join list",
        "join end",
        "quarantine list",
        "quarantine show",
        "quarantine drop",
        "quarantine retry",
        "segment list",
        "segment count",
        "export",
        "suppress add",
        "suppress check",
        "deactivate",
        "delete",
        "db upgrade",
        "db check",
        "portal",
        "up",
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_says_what_it_does_with_an_example(path: tuple[str, ...]) -> None:
    one = COMMANDS[path]
    assert one.help
    assert one.epilog.startswith("Example: sourcenote ")
    assert " ".join(path) in one.epilog
    assert EVERYWHERE in one.epilog
    for parameter in one.params:
        assert parameter.help, parameter.name


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_help_loses_words_to_markup(path: tuple[str, ...]) -> None:
    """Square brackets are markup to the help's printer: what stands in them would vanish."""
    one = COMMANDS[path]
    for text in (one.help, one.epilog, *(parameter.help for parameter in one.params)):
        assert "[" not in text


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_each_command_and_option_is_documented(path: tuple[str, ...]) -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    name = " ".join(path)
    _, heading, rest = text.partition(f"## `sourcenote {name}")
    assert heading, f"docs/commands.md has no section on {name}"
    section = rest.partition("\n## ")[0]
    for parameter in LEAVES[path].params:
        for option in parameter.opts:
            if option.startswith("--") and not parameter.hidden:
                assert option in section, f"docs/commands.md: {name} {option}"


def test_the_options_of_every_command_are_documented() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    for option in ("--config", "--warehouse", "--json", "--version"):
        assert option in text


@pytest.mark.parametrize("source_id", catalogue())
def test_each_source_is_documented(source_id: str) -> None:
    text = (DOCS / "sources" / f"{source_id}.md").read_text(encoding="utf-8")
    card = catalogue()[source_id].CARD
    for fact in (card.publisher, card.licence, card.licence_url, card.base_url):
        assert fact in text


def test_every_field_taken_from_gleif_is_documented_and_every_reason() -> None:
    text = " ".join((DOCS / "sources" / "gleif.md").read_text(encoding="utf-8").split())
    for ours in MAPPED.values():
        assert f"`{ours.removeprefix('legal_').removeprefix('headquarters_')}`" in text or (
            f"`{ours}`" in text
        ), ours
    for _, reason in IGNORED:
        assert reason in text
