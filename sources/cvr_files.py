"""CVR's weekly files fetched: each held to its length and MD5, all of one generation."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sources import cvr_listing, cvr_manifest
from sources.cvr_events import place_before
from sources.cvr_manifest import Part
from sources.cvr_names import BY_NAME
from sources.kit.card import Landed
from sources.kit.errors import DeliveryRefused, NotThere, SourceUnavailable
from sources.kit.zip_directory import printable

if TYPE_CHECKING:
    from pathlib import Path

    from sources.cvr_listing import Generation, ListedFile
    from sources.kit.card import Plan
    from sources.kit.download import Progress
    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

DOWNLOADS = 3
"""How often a file is fetched whose MD5 is not the one listed."""
_PIECE = 1024 * 1024
_NAMED = re.compile(r".*_(?P<generation>\d+)\.(?:csv|json)", re.IGNORECASE)
_NOT_GIVEN = frozenset({403, 404, 410})
"""What Datafordeler answers for an entity without a file, or that it does not know."""


def fetch_files(
    session: PoliteSession, plan: Plan, landing: Landing, *, progress: Progress | None = None
) -> Landed:
    """Land the newest generation's files, and the list that names them as the delivery.

    `progress` is told (bytes so far of all files, bytes in all or None). Raises `DeliveryRefused`
    for a file that is missing, of another generation, or not what is listed: nothing is loaded
    then, and the files that came whole are not fetched again by the next run.
    """
    newest = _as_planned(session, plan)
    position, why = _position(session, newest, plan)
    fetching = _Fetching(session, landing, newest.size, progress)
    parts = [fetching.listed(file) for file in newest.files.values()]
    unlisted = [fetching.unlisted(name) for name in newest.lacking]
    parts += [part for part in unlisted if part is not None]
    _check_generations(parts)
    path, sha256, _ = cvr_manifest.land(landing, parts)
    there = {part.entity for part in parts}
    lacking = [
        f"; {name} is missing: {entity.lacking}"
        for name, entity in BY_NAME.items()
        if name not in there
    ]
    return Landed(
        path=path,
        sha256=sha256,
        byte_count=sum(part.size for part in parts),
        url=session.address(cvr_listing.LISTING_URL),
        retrieved_at=session.now(),
        published_at=newest.as_of,
        kind="full",
        record_count=None,
        member=f"generation {newest.number}",
        is_publisher_host=session.is_publisher_host,
        reason=f"{plan.reason}{_meanwhile(newest, plan)}{why}{''.join(lacking)}",
        position=position,
        parts=tuple(dict.fromkeys(cvr_manifest.place(landing.root, part) for part in parts)),
    )


def _as_planned(session: PoliteSession, plan: Plan) -> Generation:
    """The newest generation now; refused where it is older than the one that was planned."""
    newest = cvr_listing.newest(session)
    if plan.published_at is not None and newest.as_of < plan.published_at:
        raise DeliveryRefused(
            "CVR delivery",
            f"the listing has gone back: {plan.window} was planned, {newest.number} is listed",
            "Nothing was loaded. Run again",
        )
    return newest


def _position(session: PoliteSession, newest: Generation, plan: Plan) -> tuple[str | None, str]:
    """Where the event feed is read on from after these files; asked before they are fetched."""
    try:
        return place_before(session, newest.as_of), ""
    except (SourceUnavailable, DeliveryRefused):
        why = "; the event feed did not answer"
        kept = "is read on from where it was" if plan.position else "is not read until next week"
        return plan.position, f"{why}, and {kept}"


def _meanwhile(newest: Generation, plan: Plan) -> str:
    """What came out between the plan and the download."""
    if newest.as_of == plan.published_at:
        return ""
    return f"; generation {newest.number} was published meanwhile and is the one loaded"


@dataclass
class _Fetching:
    """One delivery's downloads; `done` is how many bytes of them are there."""

    session: PoliteSession
    landing: Landing
    size: int | None
    progress: Progress | None
    done: int = field(default=0)

    def listed(self, file: ListedFile) -> Part:
        """A listed file, of its listed length and MD5."""
        found = self._landed_before(file) or self._download(file)
        self._add(file.size)
        sha256 = found.stem
        return Part(file.entity, file.name, file.generation, sha256, file.md5, file.size)

    def unlisted(self, entity: str) -> Part | None:
        """The newest file of an entity that is not listed; None where it may be missing and is."""
        try:
            path, sha256, size = self._take(cvr_listing.latest_url(entity), None)
        except (NotThere, SourceUnavailable) as error:
            if not _is_not_given(error):
                raise
            if BY_NAME[entity].may_lack:
                return None
            raise DeliveryRefused(
                "CVR delivery",
                f"files are missing: {entity} is neither listed nor given by its name",
                "Nothing was loaded. See whether Datafordeler lists it this week",
            ) from None
        self._add(size)
        name = _member(path)
        said = _NAMED.fullmatch(name)
        return Part(entity, name, int(said["generation"]) if said else None, sha256, None, size)

    def _landed_before(self, file: ListedFile) -> Path | None:
        """The same file, if a run that ended before its time has landed it."""
        for path in sorted(self.landing.root.glob("??/*.bin")):
            if path.stat().st_size == file.size and _md5(path) == file.md5:
                return path
        return None

    def _download(self, file: ListedFile) -> Path:
        for _ in range(DOWNLOADS):
            try:
                path, _, _ = self._take(file.url, file.size)
            except NotThere:
                raise NotThere(
                    f"CVR's file {printable(file.name)}",
                    "Datafordeler no longer has it: files are kept for seven days",
                    "Nothing was loaded. Run again: the listing is then read anew",
                ) from None
            if _md5(path) == file.md5:
                return path
            path.unlink(missing_ok=True)
        raise DeliveryRefused(
            f"CVR's file {printable(file.name)}",
            f"its MD5 is not the one listed, after {DOWNLOADS} downloads",
            "Nothing was loaded. Run again; if it stays, tell Datafordeler",
        )

    def _take(self, url: str, size: int | None) -> tuple[Path, str, int]:
        return self.session.download(
            url, self.landing, expected_size=size, progress=self._tell if self.progress else None
        )

    def _tell(self, done: int, _of: int | None) -> None:
        if self.progress is not None:
            self.progress(self.done + done, self.size)

    def _add(self, size: int) -> None:
        self.done += size
        self._tell(0, None)


def _is_not_given(error: SourceUnavailable) -> bool:
    return isinstance(error, NotThere) or error.status in _NOT_GIVEN


def _check_generations(parts: list[Part]) -> None:
    told = {part.generation for part in parts if part.generation is not None}
    if len(told) > 1:
        listed = ", ".join(
            f"{part.entity} {part.generation}" for part in parts if part.generation is not None
        )
        raise DeliveryRefused(
            "CVR delivery",
            f"its files are of different generations ({listed})",
            "Nothing was loaded: a join would lose companies. Run again when all are published",
        )


def _member(path: Path) -> str:
    """The name of the file in a zip; a name of its own where it is none."""
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.archive import contents

    found = contents(path)
    return printable(found.name) if found.container == "zip" else path.name


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
