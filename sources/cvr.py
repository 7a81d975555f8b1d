"""CVR: Denmark's central business register (Erhvervsstyrelsen), as Datafordeler serves it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sources import cvr_lookup, cvr_manifest, cvr_plan
from sources.cvr_adopt import adopt
from sources.cvr_feed import fetch_feed
from sources.cvr_files import fetch_files
from sources.cvr_graphql import MOST_IN_A_LIST
from sources.cvr_names import AUTHORITY, HOME
from sources.kit.card import Card
from sources.kit.errors import DeliveryRefused, Refused
from sources.kit.frames import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sources.kit.card import Held, Landed, Plan
    from sources.kit.download import Progress
    from sources.kit.frames import Prepared
    from sources.kit.landing import Landing
    from sources.kit.register_frame import RegisterFrame
    from sources.kit.session import PoliteSession

__all__ = [
    "API_KEY_PARAMETER",
    "CARD",
    "KEYS_AT_ONCE",
    "adopt",
    "as_held",
    "fetch",
    "fetch_keys",
    "parts_of",
    "plan",
    "rows_of",
]

CARD = Card(
    source_id="cvr",
    publisher="Erhvervsstyrelsen (Danish Business Authority)",
    database_name="Det Centrale Virksomhedsregister (CVR)",
    licence="Creative Commons Attribution 4.0 International (CC BY 4.0), naming the source: "
    "Det Centrale Virksomhedsregister, Erhvervsstyrelsen",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_public_database=True,
    record_url_template="https://datacvr.virk.dk/enhed/virksomhed/{key}",
    homepage="https://datacvr.virk.dk",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig, hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible, fetched {retrieved}.",
    },
    contact_kinds=("post", "email", "phone"),
    base_url="https://api.datafordeler.dk",
    hosts=("api.datafordeler.dk", "graphql.datafordeler.dk"),
    # No limit is published.
    rate=5.0,
    # 870,000 companies that are not ceased stood in the files of August 2026.
    expected_min=600_000,
    expected_max=3_000_000,
    min_ratio=0.9,
    max_ratio=1.5,
    authority_codes=(AUTHORITY,),
    landing_retention="P0D",
    shape="register",
    home=HOME,
    has_protection_flag=True,
)

API_KEY_PARAMETER = "apiKey"
"""The name under which the publisher wants its key in every address's query."""

KEYS_AT_ONCE = MOST_IN_A_LIST
"""CVR numbers that `fetch_keys` takes at most."""


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Plan what to fetch now; see `sources.cvr_plan.plan`."""
    return cvr_plan.plan(session, held, is_full_wanted=is_full_wanted)


def fetch(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the weekly files, or what the event feed names; see `sources.cvr_files`, `.cvr_feed`."""
    if plan.kind == "up_to_date":
        raise Refused("CVR", f"there is nothing to fetch: {plan.reason}", "Ask for a full file")
    take = fetch_feed if plan.kind == "feed" else fetch_files
    return take(session, plan, landing, progress=progress)


@contextmanager
def rows_of(path: Path, prepare: Callable[[RegisterFrame], Prepared]) -> Iterator[Rows[Prepared]]:
    """Open a landed delivery as frames of companies with their contact points.

    `path` is the list of the weekly files, which stand beside it, or a file of answers.
    """
    # Arrow is not light: listing sources does without it.
    from sources import cvr_answer_rows
    from sources.cvr_parse import joined_frames

    if not cvr_manifest.is_manifest(path):
        with cvr_answer_rows.rows_of(path, prepare) as rows:
            yield rows
        return
    files = cvr_manifest.files_of(path)
    with joined_frames(files, path.parent.parent, prepare) as (unknown, frames):
        yield Rows("CVR", unknown, frames)


def parts_of(path: Path) -> tuple[Path, ...]:
    """The files beside a landed list that it names and that are still there; else none."""
    try:
        parts = cvr_manifest.read(path) if cvr_manifest.is_manifest(path) else []
    except DeliveryRefused:  # no list of ours: what it says is nobody's to follow
        parts = []
    places = {cvr_manifest.place(path.parent.parent, part) for part in parts}
    return tuple(sorted(place for place in places if place.is_file()))


def fetch_keys(session: PoliteSession, numbers: Sequence[str], landing: Landing) -> Landed | None:
    """Land what CVR says now on these numbers; see `sources.cvr_lookup.fetch_keys`.

    There is no cheaper question for the protection alone: it needs the units first, and an answer
    without the rest would take away what is held.
    """
    return cvr_lookup.fetch_keys(session, numbers, landing)


def as_held(frame: RegisterFrame, held: Mapping[str, Mapping[str, str | None]]) -> RegisterFrame:
    """Take what an answer cannot say as it is held; see `sources.cvr_as_held`."""
    # Arrow is not light: listing sources does without it.
    from sources.cvr_as_held import as_held as taken

    return taken(frame, held)
