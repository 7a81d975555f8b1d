"""Which sources there are: every module in `sources/` that has a card, found by its folder."""

from __future__ import annotations

import functools
import importlib
import re
from importlib import resources
from typing import TYPE_CHECKING

import sources
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

_CARD = re.compile(r"^CARD\b[^=\n]*=", re.MULTILINE)


@functools.cache
def modules() -> Mapping[str, str]:
    """Source id to module name, without importing one: `gleif_rr.py` holds source `gleif-rr`.

    A file with a card is a source. Those without one are parts (`gleif_columns` of `gleif`): read
    as text here, because importing them may be heavy.
    """
    files = {entry.name.removesuffix(".py"): entry for entry in resources.files(sources).iterdir()}
    return {
        name.replace("_", "-"): name
        for name, entry in sorted(files.items())
        if entry.name.endswith(".py") and _CARD.search(entry.read_text("utf-8"))
    }


@functools.cache
def catalogue() -> Mapping[str, ModuleType]:
    """Source id to module, in the order of their ids."""
    names = modules().values()
    found = [importlib.import_module(f"{sources.__name__}.{name}") for name in names]
    return {module.CARD.source_id: module for module in found}


def source(source_id: str) -> ModuleType:
    """Find one source's module; raises `Refused`, naming the known ids, when there is none."""
    known = catalogue()
    if source_id not in known:
        raise Refused(
            f"Source {source_id!r}",
            "there is none of that name",
            f"Choose one of: {', '.join(known)}",
        )
    return known[source_id]
