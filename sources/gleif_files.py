"""GLEIF's files, whatever their level: what their names say, and how they are landed."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sources.kit.card import Landed, judging
from sources.kit.errors import DeliveryRefused, DiskFull, NotThere, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sources.kit.card import LandedKind, Plan
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession


Level = Literal["lei2", "rr", "repex"]

FULL = "GoldenCopy"
REACHES = {
    "IntraDay": timedelta(hours=8),
    "LastDay": timedelta(hours=24),
    "LastWeek": timedelta(days=7),
    "LastMonth": timedelta(days=31),
}
"""How far back a delta of each window reaches, smallest first; each holds the smaller ones."""

_LEVELS = {"lei2": "level 1 (lei2)", "rr": "relationships (rr)", "repex": "exceptions (repex)"}
_NAME = re.compile(
    r"(?P<slot>\d{8}-\d{4})-gleif-goldencopy-(?P<level>lei2|rr|repex)-(?P<window>[a-z-]+)"
    r"\.(?P<form>csv|json|xml)(?:\.zip|\.gz)?",
    re.IGNORECASE,
)
_WINDOWS = {
    "golden-copy": FULL,
    "intra-day": "IntraDay",
    "last-day": "LastDay",
    "last-week": "LastWeek",
    "last-month": "LastMonth",
}
_TOLERANCE = timedelta(days=1)
"""How far ahead of our clock a publication may be dated: clocks and time zones differ."""


@dataclass(frozen=True)
class NamedFile:
    """What a file's name says by GLEIF's own naming: the window and the publication (UTC)."""

    kind: Literal["full", "delta"]
    window: str
    published_at: datetime

    @property
    def reach(self) -> timedelta | None:
        """How far back a delta of this name reaches."""
        return REACHES.get(self.window)


def named(name: str, level: Level = "lei2") -> NamedFile | None:
    """Read a name like `20260601-0000-gleif-goldencopy-lei2-last-day.csv.zip`.

    None for any other name; `Refused` for GLEIF's other levels and forms.
    """
    match = _NAME.fullmatch(name)
    window = _WINDOWS.get(match["window"].lower()) if match else None
    if match is None or window is None:
        return None
    if match["level"].lower() != level or match["form"].lower() != "csv":
        raise Refused(
            f"File {name}",
            f"it is not {_LEVELS[level]} in CSV form",
            f"Give the {level} .csv.zip",
        )
    try:
        published_at = datetime.strptime(match["slot"], "%Y%m%d-%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return NamedFile("full" if window == FULL else "delta", window, published_at)


def check_not_ahead(published_at: datetime | None, now: datetime) -> None:
    """Refuse a publication from the future; `DeliveryRefused` names it.

    Believed, it would make everything published until then look old.
    """
    if published_at is not None and published_at > now + _TOLERANCE:
        raise DeliveryRefused(
            f"GLEIF's publication of {published_at:%Y-%m-%d %H:%M} UTC",
            f"it is dated in the future: it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC now",
            "Nothing was loaded. Set this machine's clock right, or tell GLEIF",
        )


def fetch(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the planned file, held to its exact length; the loader holds it to `record_count`.

    `progress` is told (bytes so far, bytes in all). Raises `Refused` for a plan of nothing,
    `DeliveryRefused` for what cannot be the planned file, `NotThere` when it is gone.
    """
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.archive import contents

    if plan.kind == "up_to_date":
        raise Refused("GLEIF", f"there is nothing to fetch: {plan.reason}", "Ask for a full file")
    nothing = _nothing_of(session, plan, plan.kind)
    with _named_when_refused(nothing):
        path, sha256, byte_count = session.download(
            plan.url, landing, expected_size=plan.size, progress=progress
        )
    landed = replace(
        nothing, path=path, sha256=sha256, byte_count=byte_count, retrieved_at=session.now()
    )
    with judging(landed):
        found = contents(path)
        if found.container != "zip" and plan.url.endswith(".zip"):
            raise DeliveryRefused(
                f"GLEIF's file {landed.name}",
                "what came is not a zip archive",
                "Run again for a fresh listing; if it stays, tell GLEIF",
            )
    return replace(landed, member=found.name if found.container == "zip" else None)


def _nothing_of(session: PoliteSession, plan: Plan, kind: LandedKind) -> Landed:
    """The planned delivery as long as not a byte of it is kept."""
    return Landed(
        path=Path(plan.url.rpartition("/")[2]),
        sha256=sha256_of(b"").hexdigest(),
        byte_count=0,
        url=session.address(plan.url),
        retrieved_at=session.now(),
        published_at=plan.published_at,
        kind=kind,
        record_count=plan.record_count,
        member=None,
        is_publisher_host=session.is_publisher_host,
        reach=plan.reach,
        reason=plan.reason,
    )


@contextmanager
def _named_when_refused(nothing: Landed) -> Iterator[None]:
    """A delta that is not what is listed goes into the ledger, so that the next plan avoids it.

    There is no larger window than the full file, and a full disk is not the publisher's fault.
    """
    try:
        yield
    except DiskFull:
        raise
    except (DeliveryRefused, NotThere) as refusal:
        refusal.landed = nothing if nothing.kind == "delta" else None
        raise


def adopt(
    path: Path,
    landing: Landing,
    retrieved_at: datetime,
    *,
    level: Level = "lei2",
    kind: Literal["full", "delta"] | None = None,
    published_at: datetime | None = None,
) -> Landed:
    """Land a local file; what is not stated is taken from the publisher's file or member name.

    A file that says neither is of kind `file`: a delta of unknown date. Raises `Refused` for a
    file that by its name is another level or form, `DeliveryRefused` for one that is no archive
    or text at all, or is dated in the future.
    """
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.archive import contents

    said = named(path.name, level)
    kept, sha256, byte_count = landing.adopt(path)
    bare = Landed(
        path=kept,
        sha256=sha256,
        byte_count=byte_count,
        url=f"file:{path.name}",
        retrieved_at=retrieved_at,
        published_at=None,
        kind="file",
        record_count=None,
        member=None,
        is_publisher_host=False,
    )
    with judging(_as_stated(bare, said, kind, published_at)):
        found = contents(kept)
    member = path.name if found.name == kept.name else found.name
    landed = _as_stated(bare, said or named(member, level), kind, published_at)
    with judging(landed):
        check_not_ahead(landed.published_at, retrieved_at)
    return replace(landed, member=member)


def _as_stated(
    landed: Landed, said: NamedFile | None, kind: LandedKind | None, published_at: datetime | None
) -> Landed:
    """What somebody stated of a file goes before what its name says."""
    is_as_named = said is not None and kind in (None, said.kind)
    return replace(
        landed,
        published_at=published_at or (said.published_at if said else None),
        kind=kind or (said.kind if said else "file"),
        reach=said.reach if said and is_as_named else None,
    )
