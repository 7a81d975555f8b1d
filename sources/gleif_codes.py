"""GLEIF's code lists: legal forms (ISO 20275) and registration authorities, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sources.gleif_files import check_not_ahead
from sources.kit import json_api
from sources.kit.card import Card, Held, Landed, Plan, judging
from sources.kit.code_words import SHAPE
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sources.kit.code_words import Codes
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

CARD = Card(
    source_id="gleif-codes",
    publisher="Global Legal Entity Identifier Foundation (GLEIF)",
    database_name="GLEIF code lists: legal forms (ISO 20275) and registration authorities",
    licence="CC0 1.0 Universal",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    is_public_database=True,
    record_url_template="https://www.gleif.org/en/about-lei/code-lists#{key}",
    homepage="https://www.gleif.org",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig, hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible, fetched {retrieved}.",
    },
    contact_kinds=(),
    base_url="https://api.gleif.org",
    hosts=("api.gleif.org",),
    # 60 requests a minute: https://www.gleif.org/en/lei-data/gleif-api
    rate=1.0,
    # 3,819 names of about 3,400 forms in 2023, and about 1,050 registers.
    expected_min=3_000,
    expected_max=20_000,
    min_ratio=0.9,
    max_ratio=1.5,
    landing_retention="P35D",
    shape=SHAPE,
)

LISTS = ("entity-legal-forms", "registration-authorities")
_MOST_PAGES = 200
"""Of one list: 40,000 codes at 200 a page, ten times what there are."""


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Both lists, whole, every time: they are some 25 answers, and nothing says what is new."""
    del session, is_full_wanted
    reason = "nothing is held yet" if held is None else "the lists are fetched whole, and compared"
    return Plan(CARD.source_id, "full", f"{CARD.base_url}/api/v1/", None, None, None, None, reason)


def fetch(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land every page of both lists, one after the other."""
    found: list[json_api.Page] = []
    done = 0
    for name in LISTS:
        url = f"{plan.url}{name}?page%5Bsize%5D=200"
        for page in json_api.pages(session, url, most=_MOST_PAGES):
            found.append(page)
            done += len(page.body)
            if progress:
                progress(done, None)
    path, sha256, byte_count = json_api.land(landing, found)
    landed = Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(plan.url),
        retrieved_at=session.now(),
        published_at=json_api.publication(found),
        kind="full",
        record_count=sum(len(page.data) for page in found),
        member="codes.json",
        is_publisher_host=session.is_publisher_host,
    )
    with judging(landed):
        check_not_ahead(landed.published_at, landed.retrieved_at)
    return landed


def adopt(
    path: Path,
    landing: Landing,
    retrieved_at: datetime,
    *,
    kind: Literal["full", "delta"] | None = None,
    published_at: datetime | None = None,
) -> Landed:
    """Land a local file of the API's answers, one after the other; their date is in them."""
    if kind == "delta":
        raise Refused(f"File {path.name}", "code lists come whole", "Leave --kind out")
    kept, sha256, byte_count = landing.adopt(path)
    return Landed(
        path=kept,
        sha256=sha256,
        byte_count=byte_count,
        url=f"file:{path.name}",
        retrieved_at=retrieved_at,
        published_at=published_at or json_api.publication(json_api.landed_pages(kept)),
        kind="full",
        record_count=None,
        member=path.name,
        is_publisher_host=False,
    )


def codes_of(path: Path) -> Codes:
    """What a landed delivery says; see `sources.gleif_codes_entries`."""
    from sources.gleif_codes_entries import read

    return read(json_api.landed_pages(path))
