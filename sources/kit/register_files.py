"""A register's file of one JSON array, opened as frames in the house's words."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from sources.kit.archive import MAX_RATIO, open_member
from sources.kit.json_blocks import BLOCK_BYTES, ItemBlocks
from sources.kit.json_frames import parse_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from sources.kit.json_rows import Parsed
    from sources.kit.json_shape import Shape
    from sources.kit.register_frame import RegisterFrame

Prepared = TypeVar("Prepared")


@contextmanager
def json_frames(
    path: Path,
    shape: Shape,
    key: str,
    frame_of: Callable[[Parsed], RegisterFrame],
    prepare: Callable[[RegisterFrame], Prepared],
    *,
    size: int = BLOCK_BYTES,
    max_ratio: float = MAX_RATIO,
) -> Iterator[tuple[str, Generator[Prepared]]]:
    """The member's name and its frames in their order, each as `prepare` made it in a thread.

    `path` is a .zip, .gz or plain .json, told by its bytes. Raises `DeliveryRefused`: at once for
    a wrong file, from the frame that meets it for damage.
    """
    with open_member(path, suffix=".json", max_ratio=max_ratio) as (member, stream):
        blocks = ItemBlocks(stream.chunks(), size=size)
        frames = parse_blocks(blocks, shape, key, lambda parsed: prepare(frame_of(parsed)))
        with closing(frames):
            yield member, frames
