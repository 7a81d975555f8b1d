"""CVR's files given by hand: a zip of them, or a list that was landed with them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal

from sources import cvr_manifest
from sources.cvr_manifest import Part
from sources.cvr_names import BY_NAME, MOST_MEMBERS, check_complete
from sources.kit.card import Landed
from sources.kit.errors import Refused
from sources.kit.landing import local_file

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sources.kit.landing import Landing

_MEMBER = re.compile(
    r"(?:.*/)?(?:CVR_V\d+_)?(?P<entity>[A-Za-z-]+?)"
    r"(?P<total>_TotalDownload_(?:csv|json)_Current_(?P<generation>\d+))?\.(?:csv|json)",
    re.IGNORECASE,
)
_BY_LOWER = {name.lower(): name for name in BY_NAME}
_PIECE = 1024 * 1024


def adopt(
    path: Path,
    landing: Landing,
    retrieved_at: datetime,
    *,
    kind: Literal["full", "delta"] | None = None,
    published_at: datetime | None = None,
) -> Landed:
    """Land local files: `path` is a zip that holds them, or a list with the files beside it.

    A zip's members are the files as Datafordeler names them, unpacked, or `Navn.csv`. Files that
    say that they are a total of one generation are a full delivery; its date has to be stated.
    Raises `Refused` for a `path` that is neither, `DeliveryRefused` for files that are missing.
    """
    parts = _beside(path, landing) if path.suffix.lower() == ".json" else _in_zip(path, landing)
    listed, sha256, _ = cvr_manifest.land(landing, parts)
    generations = {part.generation for part in parts}
    is_total = len(generations) == 1 and None not in generations
    places = dict.fromkeys(cvr_manifest.place(landing.root, part) for part in parts)
    return Landed(
        path=listed,
        sha256=sha256,
        byte_count=sum(place.stat().st_size for place in places),
        url=f"file:{path.name}",
        retrieved_at=retrieved_at,
        published_at=published_at,
        kind=kind or ("full" if is_total else "file"),
        record_count=None,
        member=path.name,
        is_publisher_host=False,
        parts=tuple(places),
    )


def _in_zip(path: Path, landing: Landing) -> list[Part]:
    """The files in a zip, which is landed once all are there: of a refused one no bytes stay."""
    # Unpacking brings isal along: `--help` and `status` do without it.
    from sources.kit.zip_directory import member_names

    local_file(path).close()
    named = [
        (entity, name, said["generation"])
        for name in member_names(path, max_members=MOST_MEMBERS)
        if (said := _MEMBER.fullmatch(name)) and (entity := _BY_LOWER.get(said["entity"].lower()))
    ]
    check_complete(entity for entity, _, _ in named)
    _, sha256, size = landing.adopt(path)
    return [
        Part(entity, name, int(number) if number else None, sha256, None, size, name)
        for entity, name, number in named
    ]


def _beside(path: Path, landing: Landing) -> list[Part]:
    """The files that a list names, from where it lies or from a landing it lies in.

    They are landed once all are found.
    """
    parts = cvr_manifest.read(path)
    check_complete(part.entity for part in parts)
    there: dict[Path, None] = {}
    for part in parts:
        places = (
            path.parent / f"{part.sha256}.bin",
            cvr_manifest.place(path.parent.parent, part),
            path.parent / part.name.replace("/", "_"),
        )
        found = next((place for place in places if place.is_file()), None)
        if found is None or _sha256(found) != part.sha256:
            raise Refused(
                f"File {path.name}",
                f"the file it names for {part.entity} is not beside it, or is another one",
                "Put the files into the list's folder, under the digests it names (DIGEST.bin)",
            )
        there[found] = None
    for found in there:
        landing.adopt(found)
    return parts


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
