"""Texts are trimmed and emptied the same, whether their bytes show that there is nothing to do."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit import nested

SIGNS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("éÅ \u00a0\u2003\u3000\x85\t")
TEXTS = st.lists(st.none() | st.text(SIGNS, max_size=4), max_size=8)


def the_long_way(texts: pa.Array) -> list[str | None]:
    return [text or None for text in pc.utf8_trim_whitespace(texts).to_pylist()]


@given(TEXTS)
def test_filled_is_trimmed_and_never_empty(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    assert nested.filled(column).to_pylist() == the_long_way(column)
    part = column.slice(1, 3)
    assert nested.filled(part).to_pylist() == the_long_way(part)


def test_every_white_space_is_seen() -> None:
    spaces = [
        sign
        for sign in map(chr, (*range(0xD800), *range(0xE000, 0x11000)))
        if pc.utf8_trim_whitespace(pa.array([sign]))[0].as_py() == ""
    ]
    assert len(spaces) > 20
    for sign in spaces:
        for text in (sign, f"{sign}a", f"a{sign}", f"é{sign}"):
            found = nested.filled(pa.array(["b", text]))
            assert found.to_pylist() == ["b", text.strip(sign) or None]


@pytest.mark.parametrize("texts", [["a", "Øb", None, "bé", "Å"], [None, None], []])
def test_tidy_columns_are_handed_on_as_they_are(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    assert nested.filled(column) is column
