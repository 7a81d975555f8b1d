"""Enhetsregisteret's bulk files: fetched, or given by hand, and held to what they should be."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from sources.brreg_answers import are_answers
from sources.brreg_pages import ROOT
from sources.brreg_place import after_bulk, place_of
from sources.kit.card import Landed, judging
from sources.kit.errors import DeliveryRefused, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from sources.brreg_place import Place
    from sources.kit.card import Plan
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.partial import Told
    from sources.kit.session import PoliteSession

BULK_URL = f"{ROOT}/enheter/lastned"

_NAME = re.compile(
    r"enheter(?:_alle|_(?P<day>\d{4}-\d{2}-\d{2})T(?P<time>\d{2}-\d{2}-\d{2})[\d.+-]*Z?)"
    r"\.(?:json|csv)(?:\.gz)?"
)
"""As the files call themselves; the real ones also write parts of a second and an offset."""
_OF_OTHERS = ("beliggenhetsadresse.", "oppstartsdato", "rollegrupper")
"""Fields by which a file of subunits or of roles is known."""
_UNDATED = timedelta(days=7)
"""A bulk file that does not say when it was built is no older than this: it is built nightly."""
_TOLERANCE = timedelta(days=1)
"""How far ahead of our clock a publication may be dated: clocks and time zones differ."""


def check_not_ahead(published_at: datetime | None, now: datetime) -> None:
    """Refuse a publication from the future; `DeliveryRefused` names it.

    Believed, it would make everything published until then look old.
    """
    if published_at is not None and published_at > now + _TOLERANCE:
        raise DeliveryRefused(
            f"Enhetsregisteret's publication of {published_at:%Y-%m-%d %H:%M} UTC",
            f"it is dated in the future: it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC now",
            "Nothing was loaded. Set this machine's clock right, or tell Brønnøysund",
        )


def fetch_bulk(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the bulk file as it is now; its Last-Modified is its publication.

    Raises `DeliveryRefused` for a file that holds no entities, that is older than what is applied,
    or that states no date where something is.
    """
    said: list[Told] = []
    path, sha256, byte_count = session.download(
        plan.url, landing, progress=progress, hear=said.append
    )
    built = moment_stated(said[-1].last_modified) or plan.published_at
    landed = Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(plan.url),
        retrieved_at=session.now(),
        published_at=built,
        kind="full",
        record_count=None,
        member=None,
        is_publisher_host=session.is_publisher_host,
        reason=plan.reason,
    )
    place = place_of(plan.position)
    with judging(landed):
        built = _built(landed, place)
        member = _checked(path)
    position = after_bulk(place, built or landed.retrieved_at - _UNDATED).text
    return replace(landed, member=None if member == path.name else member, position=position)


def _built(landed: Landed, place: Place | None) -> datetime | None:
    """When the bulk file was built; a file older than what is applied is not loaded.

    A first file that does not say is loaded as undated, and the feed is read from long before it.
    """
    built, thing = landed.published_at, "Enhetsregisteret's bulk file"
    check_not_ahead(built, landed.retrieved_at)
    if built is None:
        if place is None:
            return None
        raise DeliveryRefused(
            thing,
            "it does not state when it was built (Last-Modified)",
            "Nothing was loaded: it may be older than what is applied. The change feed goes on",
        )
    if place is not None and built < place.applied_to:
        raise DeliveryRefused(
            thing,
            f"it is of {built:%Y-%m-%d %H:%M} UTC, older than what is applied",
            "Nothing was loaded, to go back by nothing. Run again when a newer one is built",
        )
    return built


def moment_stated(header: str | None) -> datetime | None:
    """A moment from an HTTP header in UTC, None where none can be read."""
    try:
        found = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def adopt(
    path: Path,
    landing: Landing,
    retrieved_at: datetime,
    *,
    kind: Literal["full", "delta"] | None = None,
    published_at: datetime | None = None,
) -> Landed:
    """Land a local bulk file; what is not stated is taken from the name the register gives it.

    A file that says neither is of kind `file`: a delta of unknown date. The feed's place stays as
    it is: only a plan knows what was read so far. Raises `DeliveryRefused` for a file that holds
    no entities, or is dated in the future.
    """
    name = _NAME.fullmatch(path.name)
    kept, sha256, byte_count = landing.adopt(path)
    landed = Landed(
        path=kept,
        sha256=sha256,
        byte_count=byte_count,
        url=f"file:{path.name}",
        retrieved_at=retrieved_at,
        published_at=published_at or _named_moment(name),
        kind=kind or ("full" if name else "file"),
        record_count=None,
        member=None,
        is_publisher_host=False,
    )
    with judging(landed):
        if are_answers(kept):
            raise Refused(
                f"File {path.name}",
                "it holds answers of the register's API, which are asked for anew, not given",
                "Run `sourcenote ingest brreg` without --file, or give a bulk file",
            )
        check_not_ahead(landed.published_at, retrieved_at)
        member = _checked(kept)
    return replace(landed, member=path.name if member == kept.name else member)


def _named_moment(name: re.Match[str] | None) -> datetime | None:
    if name is None or not name["day"]:
        return None
    try:
        return datetime.fromisoformat(f"{name['day']}T{name['time'].replace('-', ':')}+00:00")
    except ValueError:
        return None


def _checked(path: Path) -> str:
    """The member's name, once its first entities have shown that it is a file of entities."""
    # Arrow is not light: planning does without it.
    from sources.brreg_rows import rows_of

    with rows_of(path, lambda frame: frame) as rows:
        first = next(iter(rows.frames), None)
        if first is None:
            return rows.member
        keys = first.table["source_key"]
        if keys.null_count == len(keys):
            raise _other("its entries have no organisation number")
        if any(name.startswith(_OF_OTHERS) for name in first.names):
            raise _other("it is the register's file of something else: subunits, or roles")
        return rows.member


def _other(cause: str) -> DeliveryRefused:
    return DeliveryRefused(
        "Enhetsregisteret's bulk file",
        cause,
        "Give the file of `enheter/lastned` or `enheter/lastned/csv`",
    )
