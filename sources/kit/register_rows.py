"""A register's opened file as rows: fields nobody knows are named, a field that is gone is refused.

A publisher of JSON leaves out what is empty, so that a renamed field looks like an empty one: it is
missed where what stands beside it is there, and where a large file has no contact point at all.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sources.kit.errors import DeliveryRefused
from sources.kit.frames import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sources.kit.frames import Prepared
    from sources.kit.register_frame import RegisterFrame

    Opened = AbstractContextManager[tuple[str, Generator[Any]]]

MANY = 1_000
"""In so many companies at least one has a contact point."""


@contextmanager
def told_rows(
    open_frames: Callable[[Callable[[RegisterFrame], Prepared]], Opened],
    prepare: Callable[[RegisterFrame], Prepared],
    *,
    unknown: Callable[[frozenset[str]], list[str]],
    needed: Sequence[str],
) -> Iterator[Rows[Prepared]]:
    """Open `open_frames` as rows; `Rows.unknown` is complete once the frames are all read.

    `needed` are paths of fields as in `sources.kit.json_shape.paths`. Raises `DeliveryRefused`
    behind the last frame when one of them is nowhere, although others beside it are.
    """
    seen = _Seen()

    def noted(frame: RegisterFrame) -> Prepared:
        seen.note(frame)
        return prepare(frame)

    names: list[str] = []
    with open_frames(noted) as (member, frames):

        def checked() -> Iterator[Prepared]:
            yield from frames
            names.extend(unknown(frozenset(seen.names)))
            seen.check(member, needed)

        yield Rows(member, names, checked())


class _Seen:
    """What was met of a file so far; frames come from several threads."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._sizes: list[tuple[int, int]] = []

    def note(self, frame: RegisterFrame) -> None:
        self.names.update(frame.names)
        self._sizes.append((frame.table.num_rows, frame.contacts.num_rows))

    def check(self, member: str, needed: Sequence[str]) -> None:
        missing = [path for path in needed if self._is_missed(path)]
        companies, contacts = (sum(sizes) for sizes in zip((0, 0), *self._sizes, strict=True))
        cause = f"published fields are missing: {', '.join(missing)}" if missing else ""
        if not missing and companies >= MANY and not contacts:
            cause = f"none of its {companies:,} companies has a contact point"
        if cause:
            raise DeliveryRefused(
                f"File {member}",
                cause,
                "Nothing was loaded. Compare the file with the publisher's description",
            )

    def _is_missed(self, path: str) -> bool:
        """Whether the object that should hold it is there, and it is not."""
        above, _, _ = path.rpartition(".")
        beside = f"{above}." if above else ""
        is_beside = any(name.startswith(beside) for name in self.names)
        below = (f"{path}.", f"{path}[]")
        return is_beside and not any(name == path or name.startswith(below) for name in self.names)
