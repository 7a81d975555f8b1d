"""Estonia's e-Business Register: the general data of its open data, one zip a day.

It names no change feed and no look-up; the file is read by `sources.ariregister_parse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sources.kit import snapshots
from sources.kit.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sources.kit.card import Held, Landed, Plan
    from sources.kit.download import Progress
    from sources.kit.frames import Prepared, Rows
    from sources.kit.landing import Landing
    from sources.kit.register_frame import RegisterFrame
    from sources.kit.session import PoliteSession

HOME, AUTHORITY = "EE", "RA000181"
"""The register's country, and GLEIF's code for it."""

CARD = Card(
    source_id="ariregister",
    publisher="Registrite ja Infosüsteemide Keskus (RIK)",
    database_name="e-äriregister (avaandmed)",
    licence="Creative Commons Attribution 4.0 International (CC BY 4.0), naming the source: "
    "Registrite ja Infosüsteemide Keskus, e-äriregister",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_public_database=True,
    record_url_template="https://ariregister.rik.ee/eng/company/{key}",
    homepage="https://avaandmed.ariregister.rik.ee/en",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig (CC BY 4.0), "
        "hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible (CC BY 4.0), "
        "fetched {retrieved}.",
    },
    contact_kinds=("post", "email", "phone", "website"),
    base_url="https://avaandmed.ariregister.rik.ee",
    hosts=("avaandmed.ariregister.rik.ee",),
    # No limit is published; a run asks twice.
    rate=1.0,
    # 378,000 companies in November 2026.
    expected_min=300_000,
    expected_max=600_000,
    min_ratio=0.9,
    max_ratio=1.5,
    # Who leaves the register leaves the file, at times thousands at once; the rows bound it.
    max_vanished_share=0.1,
    # Sole traders and named mailboxes stand in it.
    landing_retention="P0D",
    authority_codes=(AUTHORITY,),
    shape="register",
    home=HOME,
)

_FILES = "ettevotja_rekvisiidid__"
FILE = snapshots.Snapshot(
    card=CARD,
    url=f"{CARD.base_url}/sites/default/files/avaandmed/{_FILES}yldandmed.json.zip",
    named=rf"{_FILES}yldandmed\.json(?:\.zip|\.gz)?",
    # The basic data (lihtandmed) has no contact points, the others are about persons.
    siblings=rf"{_FILES}(?!yldandmed\.json).+",
)


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
    """Land a local file. Its name says that it is whole, not of which day.

    See `sources.kit.snapshots.adopt`.
    """
    return snapshots.adopt(FILE, path, landing, retrieved_at, kind=kind, published_at=published_at)


def rows_of(
    path: Path, prepare: Callable[[RegisterFrame], Prepared]
) -> AbstractContextManager[Rows[Prepared]]:
    """Open a landed file as frames in the house's words; see `sources.ariregister_parse`."""
    # Arrow is not light: listing sources does without it.
    from sources.ariregister_parse import rows_of as open_rows

    return open_rows(path, prepare)
