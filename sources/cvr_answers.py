"""CVR's single answers landed as received, each behind a line that says what it answers.

The line is `{"answers": root, "batch": n, "length": bytes}`; one that begins a batch has `asked`,
the numbers that it is about. What belongs to no batch (events, units looked up) is for the record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sources.cvr_graphql import Answer
    from sources.kit.download import Progress
    from sources.kit.partial import Partial

_BREAK = b"\n"
_LONGEST_LINE = 64 * 1024


class Written:
    """Answers on their way into the landing; `progress` is told (bytes so far, None)."""

    def __init__(self, partial: Partial, progress: Progress | None = None) -> None:
        self._partial, self._progress = partial, progress
        self._batch: int | None = None
        self._batches = 0

    def begin(self, numbers: Sequence[str]) -> None:
        """Begin a batch: what comes now is about companies of these numbers."""
        self._batch, self._batches = self._batches, self._batches + 1
        self._write({"answers": "", "asked": list(numbers)}, b"")

    def end(self) -> None:
        """End the batch: what comes now is for the record."""
        self._batch = None

    def keep(self, answer: Answer) -> None:
        """Write one answer, to its last byte as it came."""
        self._write({"answers": answer.root}, answer.body)
        if self._progress is not None:
            self._progress(self._partial.size, None)

    def _write(self, said: dict[str, Any], body: bytes) -> None:
        line = said | {"batch": self._batch, "length": len(body)}
        self._partial.write(json.dumps(line).encode() + _BREAK + body + _BREAK)


@dataclass(frozen=True)
class Record:
    """One landed answer, its body `offset` bytes into the file; `asked` where it begins a batch."""

    root: str
    batch: int | None
    offset: int
    body: bytes
    asked: tuple[str, ...] | None = None

    def nodes(self) -> list[dict[str, Any]]:
        """What it says, checked when it was received."""
        found: list[dict[str, Any]] = json.loads(self.body)["data"][self.root]["nodes"]
        return found


def records(path: Path) -> Iterator[Record]:
    """The answers landed at `path`, in their order; `DeliveryRefused` for anything else."""
    with path.open("rb") as stream:
        while line := stream.readline(_LONGEST_LINE):
            try:
                said = json.loads(line)
                root, batch, length = said["answers"], said["batch"], said["length"]
                asked = said.get("asked")
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                raise _damaged(path) from None
            offset, body = stream.tell(), stream.read(length + 1)
            if len(body) != length + 1 or not body.endswith(_BREAK):
                raise _damaged(path)
            numbers = None if asked is None else tuple(asked)
            yield Record(root, batch, offset, body[:-1], numbers)


def _damaged(path: Path) -> DeliveryRefused:
    return DeliveryRefused(
        f"File {path.name}",
        "it does not hold CVR's answers as they were landed",
        "Nothing of it was loaded. Ask again",
    )
