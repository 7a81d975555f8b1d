"""Answers of Enhetsregisteret's API as they are landed: each as received, after a line on its own.

The line (JSON) says what was asked for, and with which status and how many bytes it was answered: a
look-up of an unknown number is a 404 without a body, and would leave no trace otherwise. The first
line has the moment of the asking, so that equal answers on two days are two deliveries.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sources.kit.errors import DeliveryRefused
from sources.kit.strict_json import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from sources.kit.partial import Partial

About = Literal["events", "place", "entities", "entity"]
"""A page of the change feed, or of a search by numbers, or one entity's look-up; and, without any
body, the two places in the feed between which its events were heeded."""

_FORM = "answers of Enhetsregisteret's API, one after the other, as received"
_MARK = f'{{"landed": "{_FORM}"'.encode()
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """One answer; `body` stands `offset` bytes into what was landed."""

    about: About
    asked: tuple[str, ...]
    status: int
    body: bytes
    offset: int

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON is any of its types
        """What the body holds, None where there is none."""
        return document(self.body) if self.body.strip() else None


class Answers:
    """Writes answers into a delivery that is on its way in; `told` hears of the bytes so far."""

    def __init__(
        self,
        partial: Partial,
        retrieved_at: datetime,
        told: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self._partial = partial
        self._told = told
        self._line({"landed": _FORM, "retrieved": retrieved_at.isoformat()})

    def add(self, about: About, asked: Sequence[str], status: int, body: bytes) -> None:
        """Append one answer, whole."""
        self._line({"about": about, "asked": list(asked), "status": status, "bytes": len(body)})
        self._partial.write(body + b"\n")
        if self._told is not None:
            self._told(self._partial.size, None)

    def _line(self, said: dict[str, Any]) -> None:
        self._partial.write(json.dumps(said).encode() + b"\n")


def are_answers(path: Path) -> bool:
    """Whether a landed delivery is answers of the API rather than a file."""
    with path.open("rb") as stream:
        return stream.read(len(_MARK)) == _MARK


def landed_answers(path: Path, *about: About) -> Iterator[Answer]:
    """The answers in their order, those `about` something else without their bodies.

    Raises `DeliveryRefused` where it is not what `Answers` wrote.
    """
    with path.open("rb") as stream:
        stream.readline(_LONGEST_LINE)
        while line := stream.readline(_LONGEST_LINE):
            try:
                said = json.loads(line)
                yield _answer(stream, said, is_wanted=said["about"] in about)
            except (ValueError, KeyError, TypeError):
                raise _damaged(path) from None


def _answer(stream: BinaryIO, said: dict[str, Any], *, is_wanted: bool) -> Answer:
    offset, length = stream.tell(), int(said["bytes"])
    body = b""
    if is_wanted:
        body = stream.read(length)
    else:
        stream.seek(length, 1)
    if stream.read(1) != b"\n" or (is_wanted and len(body) != length):
        raise ValueError
    return Answer(said["about"], tuple(said["asked"]), int(said["status"]), body, offset)


def _damaged(path: Path) -> DeliveryRefused:
    return DeliveryRefused(
        f"File {path.name}",
        "its answers of Enhetsregisteret's API are cut off or damaged",
        "Nothing of it was loaded. Run again: they are asked for anew",
    )
