"""GLEIF: the Global LEI Index, level 1, as its Golden Copy publish API serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources import gleif_api, gleif_plan
from sources.gleif_files import adopt, fetch
from sources.kit.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sources.kit.card import Held, Landed, Plan
    from sources.kit.frames import Frame, Prepared, Rows
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

__all__ = ["CARD", "KEYS_AT_ONCE", "adopt", "as_held", "fetch", "fetch_keys", "plan", "rows_of"]

CARD = Card(
    source_id="gleif",
    publisher="Global Legal Entity Identifier Foundation (GLEIF)",
    database_name="Global LEI Index (Golden Copy)",
    licence="CC0 1.0 Universal",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    is_public_database=True,
    record_url_template="https://search.gleif.org/#/record/{key}",
    homepage="https://www.gleif.org",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig, hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible, fetched {retrieved}.",
    },
    contact_kinds=("post",),
    base_url="https://goldencopy.gleif.org",
    hosts=("goldencopy.gleif.org", "api.gleif.org"),
    # No limit is documented for files; the REST API allows 60 requests a minute.
    rate=1.0,
    # 3,457,357 records on 2026-10-09, about 10,000 more a week.
    expected_min=3_000_000,
    expected_max=6_000_000,
    min_ratio=0.9,
    max_ratio=1.5,
    # An LEI is never deleted, only annulled or marked as a duplicate: absence is a fault, and more
    # than a few at once are asked about in a small warehouse too.
    max_vanished=10,
    max_vanished_share=0.001,
    landing_retention="P35D",
)


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Plan what to fetch now; see `sources.gleif_plan.plan`. LEI records are never deleted."""
    return gleif_plan.plan(
        session, held, card=CARD, level="lei2", only_grows=True, is_full_wanted=is_full_wanted
    )


def rows_of(
    path: Path, prepare: Callable[[Frame], Prepared]
) -> AbstractContextManager[Rows[Prepared]]:
    """Open a landed delivery as tidy frames in the house's words; see `sources.gleif_parse`."""
    if gleif_api.is_answer(path):
        return gleif_api.rows_of(path, prepare)
    # Arrow is not light: listing sources does without it.
    from sources.gleif_parse import rows_of as open_rows

    return open_rows(path, prepare)


KEYS_AT_ONCE = gleif_api.BATCH
"""LEIs that `fetch_keys` takes at most."""


def fetch_keys(session: PoliteSession, leis: Sequence[str], landing: Landing) -> Landed | None:
    """Land what GLEIF says now on these LEIs; see `sources.gleif_api.fetch_keys`."""
    return gleif_api.fetch_keys(session, CARD, leis, landing)


def as_held(frame: Frame, held: Mapping[str, Mapping[str, str | None]]) -> Frame:
    """Take what the API only writes differently as it is held; see `sources.gleif_as_held`."""
    # Arrow is not light: listing sources does without it.
    from sources.gleif_as_held import as_held as taken

    return taken(frame, held)
