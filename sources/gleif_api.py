"""Level 1 by GLEIF's REST API: LEIs asked for in batches, the answers as frames like a file's.

The fields are those of the CSV (`sources.gleif_columns`), so that a record says the same either
way; `sources.gleif_as_held` sees to what the API writes differently. Source: answers of
https://api.gleif.org/api/v1/lei-records, and https://documenter.getpostman.com/view/7679680.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from sources.gleif_files import check_not_ahead
from sources.kit import json_api
from sources.kit.card import Card, Landed, judging
from sources.kit.errors import DeliveryRefused
from sources.kit.frames import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sources.kit.frames import Frame, Prepared
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

URL = "https://api.gleif.org/api/v1/lei-records"
BATCH = 200
"""LEIs in one request at most, and records on one page at most."""


def fetch_keys(
    session: PoliteSession, card: Card, leis: Sequence[str], landing: Landing
) -> Landed | None:
    """Land what the API says on at most `BATCH` LEIs, whole; None when it knows none of them.

    Raises `DeliveryRefused` for an answer without its publication, or about other LEIs than those
    asked for: then the filter was not understood, and anything could be in it.
    """
    if not 0 < len(leis) <= BATCH:
        message = f"a batch holds 1 to {BATCH} LEIs, not {len(leis)}"
        raise ValueError(message)
    query = f"filter[lei]={','.join(leis)}&page[size]={BATCH}&page[cursor]=*"
    url = f"{URL}?{quote(query, safe='=&,*')}"
    # A page holds at least one record, and one more may come to say that it was the last.
    found = list(json_api.pages(session, url, most=len(leis) + 1))
    record_count = sum(len(page.data) for page in found)
    if not record_count:
        return None
    path, sha256, byte_count = json_api.land(landing, found)
    landed = Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(URL),
        retrieved_at=session.now(),
        published_at=json_api.publication(found),
        kind="api",
        record_count=record_count,
        member="lei-records.json",
        is_publisher_host=session.is_publisher_host,
        asked=tuple(leis),
    )
    with judging(landed):
        check_not_ahead(landed.published_at, landed.retrieved_at)
        _check(card, found, landed)
    return landed


def _check(card: Card, found: Sequence[json_api.Page], landed: Landed) -> None:
    asked = set(landed.asked or ())
    answered = [entry.get("id") for page in found for entry in page.data if isinstance(entry, dict)]
    cause = ""
    if landed.published_at is None:
        cause = "it does not state its publication (meta.goldenCopy.publishDate)"
    elif unasked := [lei for lei in answered if lei not in asked]:
        cause = f"{len(unasked)} of its {len(answered)} records are on LEIs that were not asked for"
    if cause:
        raise DeliveryRefused(
            f"the answer of {card.publisher}'s API", cause, "Nothing of it was loaded. Try again"
        )


def is_answer(path: Path) -> bool:
    """Whether a landed delivery is an answer of the API rather than a file."""
    with path.open("rb") as stream:
        return stream.read(1) == b"{"


@contextmanager
def rows_of(path: Path, prepare: Callable[[Frame], Prepared]) -> Iterator[Rows[Prepared]]:
    """Open a landed answer; see `sources.gleif.rows_of`. A page is a frame."""
    # Arrow is not light: planning and fetching do without it.
    from sources.gleif_api_records import frame_of, unknown_names

    found = json_api.landed_pages(path)
    frames = (prepare(frame_of(page)) for page in found if page.data)
    yield Rows("lei-records.json", unknown_names(found), frames)
