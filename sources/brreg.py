"""Enhetsregisteret, Norway's register of legal entities: bulk file, change feed and look-ups."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sources import brreg_api, brreg_delivery, brreg_files, brreg_plan
from sources.brreg_files import adopt
from sources.kit.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sources.kit.card import Held, Landed, Plan
    from sources.kit.download import Progress
    from sources.kit.frames import Prepared, Rows
    from sources.kit.landing import Landing
    from sources.kit.register_frame import RegisterFrame
    from sources.kit.session import PoliteSession

__all__ = ["CARD", "KEYS_AT_ONCE", "adopt", "as_held", "fetch", "fetch_keys", "plan", "rows_of"]

HOME = "NO"
FORETAKSREGISTERET, ENHETSREGISTERET = "RA000472", "RA000473"
"""GLEIF's codes for the two registers that share Norway's numbers."""

CARD = Card(
    source_id="brreg",
    publisher="Brønnøysundregistrene",
    database_name="Enhetsregisteret",
    # The licence asks to be named with the publisher wherever its data is used (NLOD 2.0, 5).
    licence="Norwegian Licence for Open Government Data (NLOD) 2.0",
    licence_url="https://data.norge.no/nlod/no/2.0",
    is_public_database=True,
    record_url_template="https://virksomhet.brreg.no/nb/oppslag/enheter/{key}",
    homepage="https://www.brreg.no",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig (NLOD 2.0), "
        "hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible (NLOD 2.0), "
        "fetched {retrieved}.",
    },
    contact_kinds=("post", "email", "phone", "website"),
    base_url="https://data.brreg.no",
    hosts=("data.brreg.no",),
    # No limit is published; five a second is what we take at most.
    rate=5.0,
    # About 1.17 million entities in 2026; deleted ones are not among them.
    expected_min=1_000_000,
    expected_max=2_000_000,
    min_ratio=0.9,
    max_ratio=1.2,
    # A month of deletions that the feed was not read for is about one in a hundred.
    max_vanished_share=0.02,
    # Sole traders and contact persons are in it: the bytes go once they are loaded.
    landing_retention="P0D",
    authority_codes=(FORETAKSREGISTERET, ENHETSREGISTERET),
    shape="register",
    home=HOME,
    tells_removals=True,
)


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Plan what to fetch now; see `sources.brreg_plan.plan`."""
    return brreg_plan.plan(session, CARD.source_id, held, is_full_wanted=is_full_wanted)


def fetch(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land what is planned: the bulk file, or the feed with all that it makes us look up.

    Raises `Refused` for a plan of nothing, `DeliveryRefused` for what cannot be what was planned.
    """
    if plan.kind == "full":
        return brreg_files.fetch_bulk(session, plan, landing, progress=progress)
    return brreg_delivery.fetch_feed(session, plan, landing, progress=progress)


@contextmanager
def rows_of(path: Path, prepare: Callable[[RegisterFrame], Prepared]) -> Iterator[Rows[Prepared]]:
    """Open a landed delivery as frames in the house's words; see `sources.brreg_rows`."""
    # Arrow is not light: listing sources does without it.
    from sources.brreg_rows import rows_of as open_rows

    with open_rows(path, prepare) as rows:
        yield rows


KEYS_AT_ONCE = brreg_api.BATCH
"""Numbers that `fetch_keys` takes at most."""


def fetch_keys(session: PoliteSession, numbers: Sequence[str], landing: Landing) -> Landed | None:
    """Land what the register says now on these numbers; see `sources.brreg_api.fetch_keys`."""
    return brreg_api.fetch_keys(session, numbers, landing)


def as_held(frame: RegisterFrame, _held: Mapping[str, Mapping[str, str | None]]) -> RegisterFrame:
    """The frame as it is: the API writes every field as the bulk file does."""
    return frame
