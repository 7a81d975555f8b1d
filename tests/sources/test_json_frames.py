"""Blocks are gathered into frames, and every item's place is told, whichever way it was found."""

from __future__ import annotations

import json

import pytest

from sources.kit import json_frames, json_rows
from sources.kit.json_blocks import ItemBlocks
from sources.kit.json_frames import parse_blocks
from sources.kit.json_rows import Parsed
from sources.kit.json_shape import TEXT

SHAPE = {"key": TEXT, "place": {"name": TEXT}}
ITEMS = [{"key": str(number), "place": {"name": "ø" * (number % 7)}} for number in range(200)]


def frames(content: bytes, size: int = 1_000) -> list[Parsed]:
    pieces = [content[start : start + 100] for start in range(0, len(content), 100)]
    blocks = ItemBlocks(pieces, size=size)
    return list(parse_blocks(blocks, SHAPE, "key", lambda parsed: parsed))


def key_at(content: bytes, offset: int) -> str:
    found, _ = json.JSONDecoder().raw_decode(content[offset:].decode())
    return str(found["key"])


def test_neighbours_are_one_frame_and_the_last_ones_another(monkeypatch) -> None:
    monkeypatch.setattr(json_frames, "FRAME_ROWS", 60)
    found = frames(json.dumps(ITEMS, indent=2).encode())
    sizes = [frame.row_count for frame in found]
    assert sum(sizes) == len(ITEMS)
    assert len(sizes) > 2
    assert min(sizes[:-1]) >= 60
    keys = [row["key"] for frame in found for row in frame.rows.to_pylist()]
    assert keys == [one["key"] for one in ITEMS]


def test_a_misshapen_item_of_a_later_block_keeps_its_place_in_the_frame() -> None:
    texts = [json.dumps(one) for one in ITEMS]
    texts[3] = texts[150] = "7"
    content = ("[" + ",\n".join(texts) + "]").encode()
    (frame,) = frames(content)
    assert frame.misshapen == ((3, 0), (150, 0))
    assert [content[at : at + 2] for at in frame.misshapen_offsets()] == [b"7,", b"7,"]
    rows = [row["key"] for row in frame.rows.to_pylist()]
    assert [key_at(content, at) for at in frame.row_offsets()] == rows
    assert frame.names == {"key", "place.name"}


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("is_first", [True, False])
def test_items_that_all_begin_alike_are_placed_without_the_scanner(
    monkeypatch, indent, is_first
) -> None:
    given = ITEMS if is_first else [{"place": one["place"], "key": one["key"]} for one in ITEMS]
    content = json.dumps(given, indent=indent, ensure_ascii=False).encode()
    monkeypatch.setattr(json_rows, "spans", None)
    (frame,) = frames(content)
    assert [key_at(content, at) for at in frame.row_offsets()] == [one["key"] for one in given]


@pytest.mark.parametrize(
    "items",
    [
        ['{"key": "1"}', '{ "key": "2"}', '{"key": "3"}'],
        ['{"key": "1"}', '{"place": null, "key": "2"}', '{"key": "3"}'],
        ['{"place": {"name": "x"}, "key": "1"}', '{"key": "2"}', '{"other": [{"key": "3"}]}'],
        ['{"other": {"place": 5}, "key": "1"}', '{"place": {"other": 5}, "key": "2"}'],
        ['{"key": "}, {\\"key\\""}', '{"key": "2"}'],
        ['{"key": "1"}'],
    ],
)
@pytest.mark.parametrize("between", [",", ", \n ", " ,"])
def test_items_that_do_not_are_placed_all_the_same(items, between) -> None:
    content = ("[ " + between.join(items) + "\n]").encode()
    (frame,) = frames(content)
    assert [content[at:].startswith(item.encode()) for at, item in
            zip(frame.row_offsets(), items, strict=True)] == [True] * len(items)  # fmt: skip
