"""However the bytes arrive, an array's objects are the same, and each can be found in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sources.kit.errors import DeliveryRefused
from sources.kit.json_blocks import ItemBlocks
from sources.kit.json_frames import parse_blocks
from sources.kit.json_rows import Parsed
from sources.kit.json_scan import Scanner, spans
from sources.kit.json_shape import TEXT

SHAPE = {"key": TEXT, "place": {"name": TEXT}, "lists": [{"value": TEXT}], "lines": [TEXT]}

# What a cutter trips over comes often: braces, brackets, quotes and commas, inside text and out.
TEXTS = st.text(st.sampled_from('{}[]",:\\ \nøЖ株'), max_size=10)
OBJECTS = st.fixed_dictionaries(
    {"key": TEXTS},
    optional={
        "place": st.fixed_dictionaries({"name": TEXTS, "key": TEXTS}),
        "lists": st.lists(st.fixed_dictionaries({"value": TEXTS, "key": TEXTS}), max_size=3),
        "lines": st.lists(TEXTS, max_size=3),
        "ignored": st.recursive(TEXTS | st.integers() | st.none(), st.lists, max_leaves=4),
    },
)
LAYOUT = st.sampled_from([{"indent": 4}, {"indent": None}, {"separators": (",", ":")}])


MISLEADING = [
    {"key": ""},
    {"key": "}}"},
    {"key": "{", "lines": ["{"], "lists": [
        {"key": "{", "value": ""}, {"key": "}}", "value": ""}, {"key": "", "value": ""}]},
]  # fmt: skip
"""Objects within an object part as these do themselves, and braces inside texts make up for it."""


def cut(content: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield content[start : start + size]
        start += size
    yield content[start:]


def parsed(content: bytes, sizes: Sequence[int] = (), size: int = 1 << 20) -> list[Parsed]:
    blocks = ItemBlocks(cut(content, sizes), size=size)
    return list(parse_blocks(blocks, SHAPE, "key", lambda one: one))


def objects(parts: Sequence[Parsed]) -> list[dict[str, object]]:
    return [row for part in parts for row in part.rows.to_pylist()]


def kept(one: dict) -> dict:
    place = one.get("place")
    lists = one.get("lists")
    return {
        "key": one["key"],
        "place": place and {"name": place["name"]},
        "lists": None if lists is None else [{"value": each["value"]} for each in lists],
        "lines": one.get("lines"),
    }


@given(st.lists(OBJECTS, max_size=8), LAYOUT, st.lists(st.integers(0, 80)), st.integers(1, 300))
@example([{"key": '},{"key"'}, {"key": "}"}], {"indent": None}, [], 1)
@example(MISLEADING, {"indent": None}, [20], 1)
@settings(deadline=None)
def test_any_chunking_gives_the_same_objects(given, layout, sizes, block_size) -> None:
    content = json.dumps(given, ensure_ascii=False, **layout).encode()
    assert objects(parsed(content, sizes, block_size)) == [kept(one) for one in given]


@given(st.lists(OBJECTS, max_size=8), LAYOUT, st.lists(st.integers(0, 80)), st.integers(1, 300))
@example(MISLEADING * 3, {"indent": None}, [20, 40, 9, 30, 50, 11], 1)
@settings(deadline=None)
def test_byte_offset_points_at_the_object(given, layout, sizes, block_size) -> None:
    content = json.dumps(given, **layout).encode()
    parts = parsed(content, sizes, block_size)
    offsets = [int(at) for part in parts for at in part.row_offsets()]
    found = [json.JSONDecoder().raw_decode(content[at:].decode())[0] for at in offsets]
    assert found == given


@given(st.lists(OBJECTS, min_size=1, max_size=5), LAYOUT, st.lists(st.integers(0, 50)))
def test_the_scanner_finds_every_item_whatever_the_pieces(given, layout, sizes) -> None:
    inside = json.dumps(given, **layout).encode()[1:-1]
    whole = spans(inside, 0)
    assert [json.loads(inside[start:end]) for start, end in whole] == given
    scanner = Scanner()
    for piece in cut(inside, sizes):
        scanner.feed(piece)
    assert scanner.is_between
    assert [end for _, end in whole[:-1]] == scanner.commas().tolist()


def test_blocks_are_cut_where_the_first_objects_met() -> None:
    given = [{"key": str(number), "ignored": "x" * 90} for number in range(2000)]
    content = json.dumps(given, indent=2).encode()
    blocks = list(ItemBlocks(cut(content, [700] * 400), size=5000))
    assert len(blocks) > 30
    assert b"".join(bytes(block.items) + b"," for block in blocks)[:-1].strip() == (
        content[1:-1].strip()
    )
    starts = [content.index(bytes(block.items)) for block in blocks]
    assert [block.offset for block in blocks] == starts


@pytest.mark.parametrize(("times", "sizes"), [(1, []), (3, []), (9, [50] * 30)])
def test_a_block_that_was_cut_wrongly_is_cut_again(monkeypatch, times, sizes) -> None:
    given = MISLEADING * times
    content = json.dumps(given).encode()
    sizes = [20, len(json.dumps(MISLEADING)) - 21, *sizes]
    again = []
    real = ItemBlocks.take_back

    def spied(self, blocks) -> None:
        again.append(len(blocks))
        real(self, blocks)

    monkeypatch.setattr(ItemBlocks, "take_back", spied)
    parts = parsed(content, sizes, 1)
    assert again
    assert objects(parts) == [kept(one) for one in given]
    offsets = [int(at) for part in parts for at in part.row_offsets()]
    assert [json.JSONDecoder().raw_decode(content[at:].decode())[0] for at in offsets] == given


@pytest.mark.parametrize("content", [b"[]", b" \n[ \n]\n", b"\xef\xbb\xbf[]"])
def test_an_empty_array_has_no_blocks(content) -> None:
    assert parsed(content, [1, 1, 1]) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  ",
        b'{"error": "maintenance"}',
        b"<!DOCTYPE html><html>",
        b"null",
        b'[{"key": "1"}',
        b'[{"key": "1"}, {"key": "2"',
        b'[{"key": "1"}] trailing',
        b'[{"key": "1"}]\n[{"key": "2"}]',
        b'[{"key": "1"}], "more": [{"key": "2"}]',
        b'[{"key": "1}, {"key": "2"}]',
        b'[{"key": "1"}}]',
        b'[{"key": ["1"}]',
    ],
)
@pytest.mark.parametrize("size", [4, 1 << 20])
def test_what_is_not_one_array_is_refused(content, size) -> None:
    with pytest.raises(DeliveryRefused):
        parsed(content, [3] * 20, size)


def test_an_object_longer_than_the_bound_is_refused_by_its_place() -> None:
    content = b'[{"key": "1"}, {"key": "' + b"x" * 5000 + b'"}]'
    blocks = ItemBlocks(cut(content, [100] * 40), size=200, longest=1000)
    with pytest.raises(DeliveryRefused, match="at byte 14 is longer than 1,000 bytes: a field"):
        list(blocks)
