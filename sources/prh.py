"""Finland's PRH: the YTJ open data, version 3, whole in one zip a day and company by company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sources import prh_api
from sources.kit import snapshots
from sources.kit.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sources.kit.card import Held, Landed, Plan
    from sources.kit.download import Progress
    from sources.kit.frames import Prepared, Rows
    from sources.kit.landing import Landing
    from sources.kit.register_frame import RegisterFrame
    from sources.kit.session import PoliteSession

HOME, AUTHORITY = "FI", "RA000188"
"""The register's country, and GLEIF's code for it."""

CARD = Card(
    source_id="prh",
    publisher="Patentti- ja rekisterihallitus (PRH)",
    database_name="YTJ avoin data",
    licence="Creative Commons Attribution 4.0 International (CC BY 4.0), naming the source: "
    "Patentti- ja rekisterihallitus, YTJ",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_public_database=True,
    record_url_template="https://tietopalvelu.ytj.fi/yritys/{key}",
    homepage="https://avoindata.prh.fi",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig (CC BY 4.0), "
        "hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible (CC BY 4.0), "
        "fetched {retrieved}.",
    },
    contact_kinds=("post", "website"),
    base_url="https://avoindata.prh.fi",
    hosts=("avoindata.prh.fi",),
    # 300 requests a minute are for all users together; these are 120.
    rate=2.0,
    # 461,000 companies in July 2026; the API counted 819,000, those that have ceased included.
    expected_min=350_000,
    expected_max=1_500_000,
    min_ratio=0.9,
    max_ratio=1.5,
    # Who leaves the register leaves the file; the rows bound it.
    max_vanished_share=0.1,
    # The names of sole traders may stand in it.
    landing_retention="P0D",
    authority_codes=(AUTHORITY,),
    shape="register",
    home=HOME,
)

FILE = snapshots.Snapshot(
    card=CARD,
    url=f"{CARD.base_url}/opendata-ytj-api/v3/all_companies",
    named=r"data_(?P<day>\d{8})\.json(?:\.gz)?|all_companies(?:\.json)?(?:\.zip|\.gz)?",
)
KEYS_AT_ONCE = prh_api.BATCH
"""Business IDs that `fetch_keys` takes at most."""


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Plan what to fetch now: the whole file when it is newer; see `sources.kit.snapshots.plan`."""
    return snapshots.plan(session, FILE, held, is_full_wanted=is_full_wanted)


def fetch(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the planned file; see `sources.kit.snapshots.fetch`."""
    return snapshots.fetch(session, FILE, plan, landing, progress=progress)


def adopt(
    path: Path,
    landing: Landing,
    retrieved_at: datetime,
    *,
    kind: Literal["full", "delta"] | None = None,
    published_at: datetime | None = None,
) -> Landed:
    """Land a local file. Its member is called by the day of publication.

    See `sources.kit.snapshots.adopt`.
    """
    return snapshots.adopt(FILE, path, landing, retrieved_at, kind=kind, published_at=published_at)


def rows_of(
    path: Path, prepare: Callable[[RegisterFrame], Prepared]
) -> AbstractContextManager[Rows[Prepared]]:
    """Open a landed delivery as frames in the house's words; see `sources.prh_parse`."""
    # Arrow is not light: listing sources does without it.
    from sources import prh_answers, prh_parse

    if prh_api.are_answers(path):
        return prh_answers.rows_of(path, prepare)
    return prh_parse.rows_of(path, prepare)


def fetch_keys(session: PoliteSession, numbers: Sequence[str], landing: Landing) -> Landed | None:
    """Land what PRH says now on these business IDs; see `sources.prh_api.fetch_keys`."""
    return prh_api.fetch_keys(session, numbers, landing)


def as_held(frame: RegisterFrame, held: Mapping[str, Mapping[str, str | None]]) -> RegisterFrame:
    """The frame as it is: the API writes nothing otherwise than the file does."""
    del held
    return frame
