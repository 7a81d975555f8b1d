"""Which sources there are: every module in `sources/` that has a card, found by its folder."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import sources
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from types import ModuleType


def catalogue() -> dict[str, ModuleType]:
    """Source id to module, in the order of their ids.

    `gleif_columns` is part of `gleif`, not a source, and is left for `gleif` to import.
    """
    names = {module.name for module in pkgutil.iter_modules(sources.__path__) if not module.ispkg}
    found: dict[str, ModuleType] = {}
    for name in sorted(names):
        if any(name.startswith(f"{other}_") for other in names):
            continue
        module = importlib.import_module(f"{sources.__name__}.{name}")
        if hasattr(module, "CARD"):
            found[module.CARD.source_id] = module
    return dict(sorted(found.items()))


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
