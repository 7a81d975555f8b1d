"""A register's one whole file at one address: planned by its headers, fetched, or given by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from sources.kit.card import Landed, Plan, judging
from sources.kit.errors import DeliveryRefused, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sources.kit.card import Card, Held
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.partial import Told
    from sources.kit.session import PoliteSession

SUFFIX = ".json"
AGAIN_AFTER = timedelta(hours=20)
"""A file that bears no date is fetched again after so long: once a day, whatever the minute."""
_TOLERANCE = timedelta(days=1)
"""How far ahead of our clock a publication may be dated: clocks and time zones differ."""
_DAY = "%Y%m%d"


@dataclass(frozen=True)
class Snapshot:
    """A register's whole file: where it is, and what its name and its member's name look like.

    `named` is a pattern of such names, whose group `day` (YYYYMMDD), where it has one, is the day
    of publication. `siblings` is one of the publisher's files that are not this one.
    """

    card: Card
    url: str
    named: str
    siblings: str = "(?!)"

    @property
    def thing(self) -> str:
        """What a refusal calls it."""
        return f"the file of {self.card.publisher}"


@dataclass(frozen=True)
class Stated:
    """What a server says of a file: its publication (UTC) and its length in bytes, or None."""

    published_at: datetime | None
    size: int | None


def stated(headers: Mapping[str, str]) -> Stated:
    """Read `Last-Modified` and `Content-Length` (RFC 9110, 8.6, 8.8.2); what is odd is absent."""
    length = headers.get("Content-Length", "")
    size = int(length) if length.isascii() and length.isdigit() else 0
    return Stated(_moment(headers.get("Last-Modified", "")), size or None)


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def check_not_ahead(thing: str, published_at: datetime | None, now: datetime) -> None:
    """Refuse a publication from the future: believed, all that follows would look old."""
    if published_at is not None and published_at > now + _TOLERANCE:
        raise DeliveryRefused(
            thing,
            f"it is dated {published_at:%Y-%m-%d %H:%M} UTC, and it is only "
            f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC now",
            "Nothing was loaded. Set this machine's clock right, or tell the publisher",
        )


def plan(
    session: PoliteSession, file: Snapshot, held: Held | None, *, is_full_wanted: bool = False
) -> Plan:
    """Plan what to fetch now, from the file's headers (HEAD): the file, or nothing.

    A file without a date was published when it is retrieved, and is asked for again when what is
    held is a day old. Companies that have come to state a number of the register since then are
    in the same file, so it is fetched again for them. Raises `DeliveryRefused` for a publication
    dated in the future.
    """
    found = stated(session.head(file.url))
    check_not_ahead(file.thing, found.published_at, session.now())
    held_at = held.published_at if held else None
    is_current, why = _judged(found.published_at, held_at, session.now())
    if is_current and held is not None and held.missing:
        is_current = False
        why = f"companies state numbers of it that are not held yet: {len(held.missing)} or more"
    if is_full_wanted:
        is_current, why = False, "a full file was asked for"
    return Plan(
        source_id=file.card.source_id,
        kind="up_to_date" if is_current else "full",
        url=file.url,
        published_at=found.published_at,
        size=found.size,
        record_count=None,
        window=None,
        reason=why,
        held_at=held_at,
    )


def _judged(
    published_at: datetime | None, held_at: datetime | None, now: datetime
) -> tuple[bool, str]:
    """Whether what is held is the newest there is, and why."""
    if held_at is None:
        return False, "nothing is held yet"
    if published_at is None:
        age = now - held_at
        hours = f"{age.total_seconds() / 3600:.0f} h"
        why = f"the file bears no date, and what is held was fetched {hours} ago"
        is_fresh = age < AGAIN_AFTER
        return is_fresh, f"{why}: less than a day" if is_fresh else why
    if published_at > held_at:
        return False, "a newer publication is there"
    if published_at == held_at:
        return True, "the newest publication is already held"
    return True, "what is held is newer than what is published"


def fetch(
    session: PoliteSession,
    file: Snapshot,
    plan: Plan,
    landing: Landing,
    *,
    progress: Progress | None = None,
) -> Landed:
    """Land the planned file; `progress` is told (bytes so far, bytes in all).

    Raises `Refused` for a plan of nothing, `DeliveryRefused` for what is no zip of one JSON file.
    """
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.archive import contents

    if plan.kind == "up_to_date":
        cause = f"there is nothing to fetch: {plan.reason}"
        raise Refused(file.card.publisher, cause, "Ask for a full file")
    told: list[Told] = []
    kept = session.download(plan.url, landing, progress=progress, hear=told.append)
    landed = _landed(kept, session.address(plan.url), session.now())
    # It may have been published anew since it was planned: the answer itself says what came.
    dated = next((_moment(one.last_modified or "") for one in told), None)
    landed = replace(
        landed,
        published_at=dated or plan.published_at or landed.retrieved_at,
        kind="full",
        is_publisher_host=session.is_publisher_host,
        reason=plan.reason,
    )
    with judging(landed):
        check_not_ahead(file.thing, landed.published_at, landed.retrieved_at)
        found = contents(landed.path, suffix=SUFFIX)
        if found.container != "zip":
            raise DeliveryRefused(
                file.thing, "what came is not a zip archive", "Run again; if it stays, tell them"
            )
    return replace(landed, member=found.name)


def adopt(
    file: Snapshot,
    path: Path,
    landing: Landing,
    retrieved_at: datetime,
    *,
    kind: Literal["full", "delta"] | None = None,
    published_at: datetime | None = None,
) -> Landed:
    """Land a local file (.zip, .json, .json.gz); what is not stated is taken from its names.

    A file whose name and member's name are not the publisher's is of kind `file`: a delta of
    unknown date. Raises `Refused` for another file of the publisher, `DeliveryRefused` for one that
    is no archive or text at all, or is dated in the future.
    """
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.archive import contents

    _check_sibling(file, path.name)
    landed = _landed(landing.adopt(path), f"file:{path.name}", retrieved_at)
    landed = replace(landed, kind=kind or "file", published_at=published_at)
    with judging(landed):
        found = contents(landed.path, suffix=SUFFIX)
    member = path.name if found.name == landed.path.name else found.name
    _check_sibling(file, member)
    names = [said for name in (member, path.name) if (said := re.fullmatch(file.named, name))]
    landed = replace(
        landed,
        member=member,
        kind=kind or ("full" if names else "file"),
        published_at=published_at or next((day for said in names if (day := _day(said))), None),
    )
    with judging(landed):
        check_not_ahead(file.thing, landed.published_at, retrieved_at)
    return landed


def _landed(kept: tuple[Path, str, int], url: str, retrieved_at: datetime) -> Landed:
    path, sha256, byte_count = kept
    return Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=url,
        retrieved_at=retrieved_at,
        published_at=None,
        kind="file",
        record_count=None,
        member=None,
        is_publisher_host=False,
    )


def _check_sibling(file: Snapshot, name: str) -> None:
    if re.fullmatch(file.siblings, name):
        raise Refused(
            f"File {name}",
            "it is another one of the publisher's files",
            f"Give the one that {file.url} serves",
        )


def _day(said: re.Match[str]) -> datetime | None:
    text = said.groupdict().get("day")
    try:
        return datetime.strptime(text, _DAY).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
