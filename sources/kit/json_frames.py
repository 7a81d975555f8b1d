"""Blocks of a JSON array parsed a few ahead in threads, and gathered into frames.

What is done to a frame costs nearly as much for a thousand rows as for five thousand, and a block
of long items holds few: so neighbours are made one frame once their texts are let go of.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

from sources.kit.errors import DeliveryRefused
from sources.kit.json_rows import Parsed, Reading, parse_block

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from concurrent.futures import Future

    from sources.kit.json_blocks import Block, ItemBlocks
    from sources.kit.json_shape import Shape

Finished = TypeVar("Finished")

WORKERS = 2
FRAME_ROWS = 8192
"""Rows that are one frame, or the first block more."""


def parse_blocks(
    blocks: ItemBlocks, shape: Shape, key: str, finish: Callable[[Parsed], Finished]
) -> Generator[Finished]:
    """`parse_block` over the blocks in their order, then `finish` over `FRAME_ROWS` or more.

    Both run a few ahead in threads.
    """
    first = next(blocks, None)
    if first is None:
        return
    reading = Reading.fitted(first, shape, key)
    ahead: deque[Future[Finished]] = deque()
    with (
        ThreadPoolExecutor(WORKERS, thread_name_prefix="json") as pool,
        closing(_parsed(pool, first, blocks, reading)) as parsed,
    ):
        try:
            for some in _gathered(parsed):
                ahead.append(pool.submit(finish, some))
                if len(ahead) > WORKERS:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _parsed(
    pool: ThreadPoolExecutor, first: Block, blocks: ItemBlocks, reading: Reading
) -> Generator[Parsed]:
    """Every block parsed, in order."""
    ahead: deque[tuple[Block, Future[Parsed]]] = deque()
    try:
        block: Block | None = first
        while block is not None or ahead:
            if block is not None:
                ahead.append((block, pool.submit(parse_block, block, reading)))
            if block is None or len(ahead) > WORKERS:
                yield from _finished(ahead, blocks)
            block = next(blocks, None)
    finally:
        for _, future in ahead:
            future.cancel()


def _finished(ahead: deque[tuple[Block, Future[Parsed]]], blocks: ItemBlocks) -> Iterator[Parsed]:
    """What became of the first block; when it was not cut rightly, all that are ahead go back."""
    block, future = ahead[0]
    try:
        made = future.result()
    except DeliveryRefused:
        if block.is_exact:
            raise
        for _, later in ahead:
            later.cancel()
        blocks.take_back([one for one, _ in ahead])
        ahead.clear()
    else:
        ahead.popleft()
        yield made


def _gathered(parsed: Iterator[Parsed]) -> Iterator[Parsed]:
    """Neighbours together, of at least `FRAME_ROWS` but for the last ones."""
    some: list[Parsed] = []
    for one in parsed:
        some.append(one)
        if sum(each.row_count for each in some) >= FRAME_ROWS:
            yield _together(some)
            some = []
    if some:
        yield _together(some)


def _together(some: Sequence[Parsed]) -> Parsed:
    if len(some) == 1:
        return some[0]
    firsts = accumulate((each.row_count for each in some), initial=0)
    return Parsed(
        rows=pa.concat_arrays([each.rows for each in some]),
        starts=np.concatenate([each.starts for each in some]),
        misshapen=tuple(
            (first + item, fields)
            for first, each in zip(firsts, some, strict=False)
            for item, fields in each.misshapen
        ),
        names=frozenset().union(*(each.names for each in some)),
    )
