"""A landed delivery of Enhetsregisteret as frames, whichever it is: a bulk file, or answers."""

from __future__ import annotations

import json
import re
import threading
from bisect import insort
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sources import brreg_parse
from sources.brreg_answers import are_answers, landed_answers
from sources.brreg_api import GONE, UNKNOWN, WRONG
from sources.brreg_feed import between
from sources.brreg_fields import SHAPE
from sources.brreg_pages import changes_of, entities_of, number_of
from sources.brreg_place import place_of
from sources.kit.archive import open_member
from sources.kit.errors import DeliveryRefused
from sources.kit.frames import Rows
from sources.kit.json_shape import MisshapenError, scalars, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sources.brreg_answers import Answer
    from sources.brreg_pages import Change
    from sources.kit.register_frame import RegisterFrame

Prepared = TypeVar("Prepared")

FRAME_ENTITIES = 5_000
"""Entities of answers in one frame: each answer alone would be a frame of few rows."""
_HEAD_BYTES = 64


@dataclass(frozen=True)
class Standing:
    """Where the entities of answers stand: byte `offsets` of all, and which were misshapen."""

    offsets: np.ndarray
    misshapen: tuple[tuple[int, int], ...]
    unreadable: tuple[str | None, ...]

    @property
    def row_count(self) -> int:
        """All entities, the misshapen ones included."""
        return len(self.offsets)

    def row_offsets(self) -> np.ndarray:
        """Byte offset in what was landed of each readable entity (int64)."""
        return np.delete(self.offsets, [row for row, _ in self.misshapen])

    def misshapen_offsets(self) -> np.ndarray:
        """Byte offset in what was landed of each misshapen entity (int64)."""
        found: np.ndarray = self.offsets[[row for row, _ in self.misshapen]]
        return found


@contextmanager
def rows_of(path: Path, prepare: Callable[[RegisterFrame], Prepared]) -> Iterator[Rows[Prepared]]:
    """Open a landed delivery; `prepare` may run in threads.

    `unknown` is complete once all frames have come. Raises `DeliveryRefused`: at once for a wrong
    file, from the frame that meets it for damage.
    """
    unknown: list[str] = []
    lock = threading.Lock()

    def noting(frame: RegisterFrame) -> Prepared:
        with lock:
            for name in brreg_parse.unknown(frame.names - {*unknown}):
                insort(unknown, name)
        return prepare(frame)

    if are_answers(path):
        erased, absent = _told_without_rows(path)
        frames = (noting(frame) for frame in _frames(path))
        yield Rows("enheter.json", unknown, frames, erased, absent)
        return
    opened = brreg_parse.json_frames if _is_array(path) else brreg_parse.csv_frames
    with ExitStack() as stack:
        member, found = stack.enter_context(opened(path, noting))
        yield Rows(member, unknown, found)


def _is_array(path: Path) -> bool:
    """Whether a bulk file is a JSON array, and not a CSV."""
    with open_member(path, suffix=".json") as (member, stream):
        head = stream.peek(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"{"):
        raise DeliveryRefused(
            f"File {member}",
            "it is one JSON object, not an array of entities",
            "Give the file of `enheter/lastned` or `enheter/lastned/csv`",
        )
    return head.startswith(b"[")


def _told_without_rows(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(numbers that copies must erase, numbers that the register does not know)."""
    erased: dict[str, None] = {}
    absent: dict[str, None] = {}
    seen: list[Change] = []
    for answer in landed_answers(path, "events"):
        if answer.about == "events":
            seen += changes_of(answer.document)
        elif answer.about == "place":
            start, end = map(place_of, answer.asked)
            if start is not None and end is not None:
                erased |= dict.fromkeys(between(seen, start, end).removed)
        elif answer.status == GONE:
            erased |= dict.fromkeys(answer.asked)
        elif answer.status in {UNKNOWN, WRONG}:
            absent |= dict.fromkeys(answer.asked)
    return tuple(erased), tuple(absent)


def _frames(path: Path) -> Iterator[RegisterFrame]:
    """The entities of the answers, some thousand a frame."""
    found: list[tuple[dict[str, Any], int]] = []
    for answer in landed_answers(path, "entities", "entity"):
        found += _placed(answer)
        if len(found) >= FRAME_ENTITIES:
            yield _frame(found)
            found = []
    if found:
        yield _frame(found)


def _placed(answer: Answer) -> Iterator[tuple[dict[str, Any], int]]:
    """(entity, byte offset of its number in what was landed)."""
    if answer.about == "entities":
        entities = entities_of(answer.document)
    else:
        entities = (
            [answer.document] if answer.body and answer.status not in {GONE, UNKNOWN, WRONG} else []
        )
    after = 0
    for entity in entities:
        key = json.dumps(entity["organisasjonsnummer"]).encode()
        match = re.compile(rb'"organisasjonsnummer"\s*:\s*' + re.escape(key)).search(
            answer.body, after
        )
        after = match.start() if match else after
        yield entity, answer.offset + after


def _frame(found: list[tuple[dict[str, Any], int]]) -> RegisterFrame:
    """One frame; an entity of another shape is misshapen, and the others are taken."""
    sound, misshapen, unreadable = [], [], []
    for row, (entity, _) in enumerate(found):
        try:
            texts(SHAPE, entity)
        except MisshapenError:
            misshapen.append((row, 0))
            unreadable.append(number_of(entity))
        else:
            sound.append(entity)
    offsets = np.array([offset for _, offset in found], np.int64)
    names = frozenset(path for entity in sound for path, _ in scalars(entity))
    origin = Standing(offsets, tuple(misshapen), tuple(unreadable))
    return brreg_parse.frame_of_entities(sound, origin, names)
