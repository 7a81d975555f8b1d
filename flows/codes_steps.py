"""A delivery of code lists: read, held to the delivery rules, loaded whole or not at all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from checks.rules import BY_NAME
from checks.verdicts import QUARANTINED
from flows.deliver import bounds, facts_of, record_refusal
from flows.ingest_report import Report
from sources.kit.catalogue import source
from sources.kit.errors import DeliveryRefused
from warehouse import codes

if TYPE_CHECKING:
    from flows.house import House
    from sources.kit.card import Landed
    from sources.kit.code_words import Codes
    from warehouse.load_shapes import DeliveryFacts


def load_codes(house: House, run_id: int, source_id: str, landed: Landed) -> Report:
    """Load one landed delivery of code lists.

    Raises `DeliveryRefused` after recording the refusal. The one-writer lock must be held.
    """
    facts = facts_of(house, run_id, landed, source_id)
    try:
        found: Codes = source(source_id).codes_of(landed.path)
        _check(house, facts, landed, found)
    except DeliveryRefused as refusal:
        record_refusal(house, facts, landed, refusal)
        raise
    merged = codes.load(house.engine, facts, found)
    return Report(
        source_id=source_id,
        status=merged.status,
        kind=facts.kind,
        reason="the same bytes were loaded before" if facts.is_repeat else "loaded",
        delivery_id=merged.delivery_id,
        published_at=facts.published_at,
        sha256=facts.sha256,
        counts=merged.counts,
        quarantined_by_rule=dict(Counter(one.rule for one in found.rejected)),
        unknown_columns=found.unknown,
    )


def _check(house: House, facts: DeliveryFacts, landed: Landed, found: Codes) -> None:
    """The rules on whole deliveries, and that neither list is missing."""
    rows = found.entry_count
    verdicts = np.zeros(rows, dtype=np.uint32)
    verdicts[: len(found.rejected)] = QUARANTINED
    broken = [
        f"{name} does not hold ({BY_NAME[name].meaning})"
        for name, holds in bounds(house, facts, landed, rows, verdicts).items()
        if not holds
    ]
    if not found.forms or not found.authorities:
        broken.append("one of its two lists is empty")
    if broken:
        raise DeliveryRefused(
            f"delivery {facts.sha256[:12]} of {facts.card.source_id}",
            f"{'; '.join(broken)}: it holds {rows} entries",
            "Nothing was loaded. Fetch it again",
        )
