"""A weekly delivery of several files as one small list that names them by digest.

The list is what is landed as the delivery; the files stand beside it in the same landing. It holds
no address and no key, and the same files always make the same list.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sources.cvr_names import BY_NAME, EntityFile
from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sources.kit.landing import Landing

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One entity's file: its publisher's `name`, digests in hex, `size` in bytes.

    `generation` and `md5` are None where not stated; `member` is its place in a zip of several.
    """

    entity: str
    name: str
    generation: int | None
    sha256: str
    md5: str | None
    size: int
    member: str | None = None


def land(landing: Landing, parts: Iterable[Part]) -> tuple[Path, str, int]:
    """Land the list of the parts; (path, SHA-256 in hex, length in bytes of the list itself)."""
    ordered = sorted(parts, key=lambda part: part.entity)
    text = json.dumps([asdict(part) for part in ordered], ensure_ascii=False, indent=1)
    return landing.receive(io.BytesIO(text.encode()))


def read(path: Path) -> list[Part]:
    """The parts that a list names; `DeliveryRefused` for anything that is no such list."""
    try:
        with path.open("rb") as stream:
            parts = [Part(**entry) for entry in json.loads(stream.read(_LARGEST_BYTES))]
        if all(_is_sound(part) for part in parts) and parts:
            return parts
    except (ValueError, TypeError, RecursionError):
        pass
    raise DeliveryRefused(
        f"File {path.name}",
        "it is not a list of CVR's files",
        "Give the list that was landed with them, or a zip of the files",
    )


def is_manifest(path: Path) -> bool:
    """Whether a landed file is such a list, rather than answers of the look-up."""
    with path.open("rb") as stream:
        return stream.read(1) == b"["


def place(root: Path, part: Part) -> Path:
    """Where a part stands in a landing."""
    return root / part.sha256[:2] / f"{part.sha256}.bin"


def files_of(path: Path) -> dict[str, EntityFile]:
    """The files of the list landed at `path`, by entity; `DeliveryRefused` when one is not there.

    A part is removed as soon as it is loaded: a list alone cannot be loaded again.
    """
    root = path.parent.parent
    found = {part.entity: EntityFile(place(root, part), part.member) for part in read(path)}
    gone = [name for name, file in found.items() if not file.path.is_file()]
    if gone:
        raise DeliveryRefused(
            "CVR delivery",
            f"its files are no longer in the landing: {', '.join(gone)}",
            "Fetch them again: run `sourcenote ingest cvr --full`",
        )
    return found


def _is_sound(part: Part) -> bool:
    """Whether an entry can be one of ours: nothing else is ever opened by what a list says."""
    texts = (part.name, part.sha256)
    return (
        part.entity in BY_NAME
        and all(isinstance(text, str) for text in texts)
        and _SHA256.fullmatch(part.sha256) is not None
        and isinstance(part.size, int)
        and isinstance(part.member, str | None)
    )
