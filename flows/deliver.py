"""What a delivery is held to: its facts, the source's bounds, and what is in scope."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.verdicts import QUARANTINED
from flows.known_registers import registers
from sources.kit.catalogue import source
from sources.kit.flat import flat, truths
from warehouse import deliveries
from warehouse.load_shapes import DeliveryFacts
from warehouse.privacy.retention import due_on_arrival, personal_dates, policy
from warehouse.privacy.retention_companies import statuses_ending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.rules import Rule
    from flows.house import House
    from sources.kit.card import Card, Landed
    from sources.kit.errors import SourcenoteError
    from sources.kit.shapes import Shape

_FEW = 1000
"""Below this many rows a share of bad ones says nothing about the delivery."""

_BY_HAND = "run again, and if it stays, fetch the file by hand and load it with --file"
_CURES = {
    "record_count_fits": _BY_HAND,
    "size_fits_card": _BY_HAND,
    "size_fits_last_full": "if the publisher's file is right, set [sources.{source_id}] min_ratio "
    "and max_ratio for one run",
}
_OTHERWISE = "run again, and if it stays, tell the publisher"
"""What helps against a delivery rule that does not hold; a list that is wrong binds no file."""


def card_of(house: House, source_id: str) -> Card:
    """The source's card, with what the owner changed of it in [sources.ID]."""
    card: Card = source(source_id).CARD
    changed = house.settings.sources.get(source_id)
    if changed is None:
        return card
    names = (
        *("landing_retention", "rate", "min_ratio", "max_ratio"),
        *("max_vanished", "max_vanished_share"),
    )
    given = {name: getattr(changed, name) for name in names}
    return replace(card, **{name: value for name, value in given.items() if value is not None})


def facts_of(house: House, run_id: int, landed: Landed, source_id: str) -> DeliveryFacts:
    """What the loader needs to know of the bytes before it counts their rows."""
    row = policy(house.settings.retention, "person_public")
    known = deliveries.loaded_as(house.engine, source_id, landed.sha256)
    earlier = [published for kind, published in known if kind == landed.kind]
    dated = [published for _, published in known if published is not None]
    inactive_after, delete_after = personal_dates(row, landed.retrieved_at.date())
    return DeliveryFacts(
        card=card_of(house, source_id),
        run_id=run_id,
        kind=landed.kind,
        url=landed.url,
        published_at=landed.published_at or max(dated, default=None),
        retrieved_at=landed.retrieved_at,
        byte_count=landed.byte_count,
        sha256=landed.sha256,
        personal_inactive_after=inactive_after,
        personal_delete_after=delete_after,
        moves_cursor=_moves_cursor(house, landed, source_id, earlier),
        is_repeat=bool(earlier) and not _is_published_anew(landed, dated, source_id),
        is_again=landed.published_at in dated if landed.published_at else bool(known),
        asked=landed.asked,
        registers=registers(),
        position=landed.position,
    )


def _is_published_anew(landed: Landed, dated: Sequence[datetime], source_id: str) -> bool:
    """Whether a register itself publishes the same bytes again, later: what they lack is missing.

    A snapshot in which nothing has changed confirms the one before, absences among it.
    """
    published = landed.published_at
    if source_id not in registers() or landed.is_by_hand or published is None:
        return False
    return all(published > earlier for earlier in dated)


def _moves_cursor(
    house: House, landed: Landed, source_id: str, earlier: Sequence[datetime | None]
) -> bool:
    """Whether nothing is missing between what is applied and this delivery.

    A delta must reach back to what is applied; of a file given by hand its name says how far. The
    same bytes given again under another date say nothing of that date.
    """
    published = landed.published_at
    if published is None or (landed.is_by_hand and earlier and published not in earlier):
        return False
    if landed.kind in {"full", "feed"}:
        return True
    held = deliveries.position(house.engine, source_id)
    if landed.kind != "delta" or landed.reach is None or held is None:
        return False
    return held.published_at is not None and published - landed.reach <= held.published_at


def record_refusal(
    house: House, facts: DeliveryFacts, landed: Landed, refusal: SourcenoteError
) -> None:
    """Keep the refused delivery in the ledger; from here on the refusal calls it by its name."""
    deliveries.refuse(house.engine, facts, refusal.cause)
    refusal.thing = refusal.thing.replace(landed.path.name, landed.name)


def bounds(
    house: House,
    facts: DeliveryFacts,
    landed: Landed,
    rows: int,
    verdicts: np.ndarray,
) -> dict[str, bool]:
    """Each delivery rule's verdict: True where it holds."""
    card = facts.card
    held = deliveries.position(house.engine, card.source_id)
    last_full = held.full_record_count if held and facts.kind == "full" else None
    bad = int(np.count_nonzero(verdicts & QUARANTINED))
    is_own_full = facts.kind == "full" and landed.is_publisher_host
    return {
        "record_count_fits": landed.record_count in (None, rows),
        "delivery_is_not_empty": rows > 0
        or (facts.kind in {"delta", "feed"} and landed.record_count == 0),
        "size_fits_last_full": last_full is None
        or last_full * card.min_ratio <= rows <= last_full * card.max_ratio,
        "size_fits_card": not is_own_full or card.expected_min <= rows <= card.expected_max,
        "most_rows_are_sound": rows < _FEW or bad * 2 <= rows,
    }


def cure_of(stops: Sequence[Rule], facts: DeliveryFacts) -> str:
    """What to do about a delivery that was stopped: a sentence without its full stop."""
    cures = dict.fromkeys(_CURES.get(rule.name, _OTHERWISE) for rule in stops)
    told = "; ".join(cures).format(source_id=facts.card.source_id)
    return told[:1].upper() + told[1:]


def has_ended(house: House, table: pa.Table) -> np.ndarray:
    """Which rows' status ends the company by policy row `company_public` (bool)."""
    ending = statuses_ending(policy(house.settings.retention, "company_public"))
    return truths(pc.is_in(table["lei_status"], value_set=pa.array(ending, pa.string())))


def scope_mask(house: House, table: pa.Table, ended: np.ndarray) -> np.ndarray:
    """Which rows may be taken (bool): in the configured countries, and not due for deletion."""
    updated = flat(table["last_update_at"].fill_null(0)).to_numpy()
    due = due_on_arrival(
        ended,
        updated.astype("datetime64[s]").astype("datetime64[D]"),
        policy(house.settings.retention, "company_public"),
        house.now().date(),
    )
    countries = house.settings.scope.countries
    if countries:
        listed = pc.is_in(table["legal_country"], value_set=pa.array(countries, pa.string()))
        due[~truths(listed)] = True
    return ~due


def relationship_scope(house: House, table: pa.Table, shape: Shape) -> np.ndarray:
    """Which rows of level 2 may be taken (bool): all but those due for deletion on arrival."""
    if "registration_status" not in shape.names:
        return np.ones(table.num_rows, dtype=bool)
    row = policy(house.settings.retention, "company_public")
    ending = pa.array(statuses_ending(row), pa.string())
    ended = truths(pc.is_in(table["registration_status"], value_set=ending))
    updated = flat(table["last_update_at"].fill_null(0)).to_numpy()
    days = updated.astype("datetime64[s]").astype("datetime64[D]")
    kept: np.ndarray = ~due_on_arrival(ended, days, row, house.now().date())
    return kept
