"""What is no object of the shape is counted with its place; all others are read all the same."""

from __future__ import annotations

import json

import pytest

from sources.kit import json_rows
from sources.kit.errors import DeliveryRefused
from sources.kit.json_blocks import ItemBlocks
from sources.kit.json_rows import Parsed, Reading, parse_block
from sources.kit.json_shape import TEXT, MisshapenError, kinds_of, struct_of

SHAPE = {"key": TEXT, "flag": TEXT, "place": {"name": TEXT}, "lists": [{"value": TEXT}]}
SOUND = [{"key": str(number), "place": {"name": "ø"}} for number in range(5)]


def read(content: bytes) -> Parsed:
    block = next(ItemBlocks([content]))
    return parse_block(block, Reading.fitted(block, SHAPE, "key"))


def among_sound(item: bytes) -> bytes:
    texts = [json.dumps(one).encode() for one in SOUND]
    return b"[" + b",\n ".join([*texts[:2], item, *texts[2:]]) + b"]"


@pytest.mark.parametrize(
    "item",
    [
        b"5",
        b"null",
        b'"text"',
        b"[]",
        b"",
        b'{"key": "x", "key": "y"}',
        b'{"place": {"name": "x", "name": "y"}}',
        b'{"key": "x", "other": NaN}',
        b'{"key": NaN}',
        b'{"key": "x", "other": [1, -Infinity]}',
        b'{"key": "\xff"}',
        b'{"key": "x", "other": "\xc3"}',
        b'{"key": "\\ud800"}',
        b'{"key": "\\u0000"}',
        b'{"key": {"name": "x"}}',
        b'{"place": "x"}',
        b'{"lists": {"value": "x"}}',
        b'{"lists": [5]}',
        b'{"key": "x",}',
        b"{'key': 'x'}",
        b'{"key": tru}',
        b'{"key": "x" "flag": "y"}',
        b'{"key": 01}',
    ],
)
def test_a_misshapen_item_is_counted_with_its_place(item) -> None:
    content = among_sound(item)
    parsed = read(content)
    assert parsed.misshapen == ((2, 0),)
    assert [row["key"] for row in parsed.rows.to_pylist()] == ["0", "1", "2", "3", "4"]
    assert parsed.row_count == len(SOUND) + 1
    at = int(parsed.misshapen_offsets()[0])
    assert content[at:].startswith(item)
    assert [json.JSONDecoder().raw_decode(content[at:].decode("latin-1"))[0]["key"] for at in
            parsed.row_offsets()] == ["0", "1", "2", "3", "4"]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "key"),
    [
        (b'{"key": 5}', "5"),
        (b'{"key": 123456789012345678901234567890}', "123456789012345678901234567890"),
        (b'{"key": true}', "true"),
        (b'{"key": 1.5}', "1.5"),
        (b'{"key": "NaN", "other": "NaN, [NaN]"}', "NaN"),
        (b'{"\\u006bey": "x"}', "x"),
        (b'{"other": {"key": "inner"}, "key": "x"}', "x"),
        (b'{"other": 1}', None),
        (b'{"key": null, "lists": null, "place": null}', None),
        (b"{}", None),
    ],
)
def test_an_item_written_otherwise_is_read(item, key) -> None:
    parsed = read(among_sound(item))
    assert parsed.misshapen == ()
    assert [row["key"] for row in parsed.rows.to_pylist()] == ["0", "1", key, "2", "3", "4"]


def test_deep_nesting_does_no_harm() -> None:
    deep = b'{"key": "x", "other": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    assert read(among_sound(deep)).row_count == len(SOUND) + 1
    wrong = b'{"key": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    assert read(among_sound(wrong)).misshapen == ((2, 0),)


def test_numbers_and_truths_of_a_whole_file_are_read_quickly_as_text(monkeypatch) -> None:
    monkeypatch.setattr(json_rows, "spans", None)  # the slow way would need it
    given = [{"key": number, "flag": number % 2 == 0} for number in range(300)]
    parsed = read(json.dumps(given, indent=1).encode())
    rows = parsed.rows.to_pylist()
    assert rows[7] == {"key": "7", "flag": "false", "place": None, "lists": None}
    assert parsed.names == {"key", "flag"}


def test_what_an_array_hides_behind_its_end_is_not_lost() -> None:
    """Arrow would read `rows` and pass over `x`: the count of keys tells."""
    with pytest.raises(DeliveryRefused, match="more text after it"):
        read(b'[{"key": "1"}], "x": [{"key": "2"}]')


def test_many_misshapen_items_are_each_found() -> None:
    items = [b"7" if number % 3 else b'{"key": "x"}' for number in range(100)]
    parsed = read(b"[" + b",".join(items) + b"]")
    assert len(parsed.rows) == 34
    assert [item for item, _ in parsed.misshapen] == [n for n in range(100) if n % 3]


def test_kinds_are_taken_from_the_first_objects_only_where_they_agree() -> None:
    given = [{"key": 1, "flag": True}, {"key": "1", "flag": None, "place": {"name": 2**70}}]
    assert {path: str(kind) for path, kind in kinds_of(SHAPE, given).items()} == {"flag": "bool"}


def test_objects_in_memory_come_as_the_parser_gives_them() -> None:
    rows = struct_of(SHAPE, [{"key": 5, "lists": [{"value": None, "more": 1}]}, {}])
    assert rows.to_pylist() == [
        {"key": "5", "flag": None, "place": None, "lists": [{"value": None}]},
        {"key": None, "flag": None, "place": None, "lists": None},
    ]
    with pytest.raises(MisshapenError):
        struct_of(SHAPE, [{"key": []}])
