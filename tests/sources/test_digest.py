"""A record's fingerprint moves with what is kept of it, and with nothing else."""

from __future__ import annotations

import ingesting
import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from ingesting import company, lei

from sources.kit import columns
from sources.kit.digest import (
    as_bytes,
    canonical_texts,
    hash128,
    kept_texts,
    key_print,
    row_digests,
)
from sources.kit.identity import minimise

CLOSE = st.text("/09:AZ[`aoøp", min_size=20, max_size=20)
"""As long as an LEI, of letters that stand at the bounds of those it may have."""
KEYS = st.lists(
    st.one_of(st.integers(1, 99).map(lei), st.from_regex(r"[0-9A-Z]{20}", fullmatch=True), CLOSE)
    | st.text(st.characters(codec="utf-8"), max_size=22),
    max_size=8,
)
FIELDS = st.lists(
    st.one_of(st.none(), st.text("abø ", min_size=1, max_size=3)), min_size=3, max_size=3
)


def digests(*rows: ingesting.Row, keep_natural: bool = False) -> list[bytes]:
    """As a load takes them: over the kept fields, after minimisation."""
    table = ingesting.tidied(*rows)
    texts = canonical_texts(table, columns.PUBLISHED)
    least = minimise(table, keep_natural=keep_natural)
    kept = kept_texts(texts, least.table, least.touched, columns.PUBLISHED)
    found = row_digests(kept, least.personal)
    return as_bytes(found).to_pylist()


def sole_trader(**changes: str) -> ingesting.Row:
    return company(1, entity_category="SOLE_PROPRIETOR", **changes)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=6), st.integers(0, 3))
def test_hash_is_xxh3_128_of_each_text(texts, skipped) -> None:
    found = hash128(pa.array(texts, pa.string()).slice(skipped))
    expected = [xxhash.xxh3_128_digest(text.encode()) for text in texts[skipped:]]
    assert as_bytes(found).to_pylist() == expected


def test_bytes_come_back_as_the_same_halves() -> None:
    found = hash128(pa.array(["a", "b"]))
    packed = b"".join(as_bytes(found).to_pylist())
    assert np.array_equal(np.frombuffer(packed, dtype=">u8").reshape(-1, 2), found)


@given(KEYS, st.integers(0, 3))
def test_keys_are_told_apart_whatever_stands_beside_them(keys, skipped) -> None:
    found = [tuple(one) for one in key_print(pa.array(keys, pa.string()).slice(skipped)).tolist()]
    alone = [tuple(key_print(pa.array([key])).tolist()[0]) for key in keys[skipped:]]
    assert found == alone
    assert len(set(found)) == len(set(keys[skipped:]))


def test_keys_that_are_no_lei_have_their_hash() -> None:
    keys = pa.array(["12345678", lei(1).lower(), "", f"{lei(1)}:{lei(2)}", "ø" * 10])
    assert np.array_equal(key_print(keys), hash128(keys))
    assert not np.array_equal(key_print(pa.array([lei(1)])), hash128(pa.array([lei(1)])))


@given(FIELDS, FIELDS)
def test_rows_are_alike_only_when_every_field_is(one, other) -> None:
    """A value that moves to the next field, or from empty to absent, is another content."""
    table = pa.table(
        {
            f"f{n}": pa.array(pair, pa.string())
            for n, pair in enumerate(zip(one, other, strict=True))
        }
    )
    first, second = canonical_texts(table, table.column_names).to_pylist()
    assert (first == second) == (one == other)


def test_absent_is_unlike_empty() -> None:
    table = pa.table({"a": ["", None], "b": ["x", "x"]})
    first, second = canonical_texts(table, ["a", "b"]).to_pylist()
    assert first != second


@pytest.mark.parametrize("field", columns.PUBLISHED)
def test_every_kept_field_counts(field) -> None:
    first, again, changed = digests(company(1), company(1), company(1, **{field: "another"}))
    assert first == again
    assert first != changed


def test_the_key_and_the_neighbours_do_not() -> None:
    alone = digests(company(1))
    other_key = {"legal_name": company(1)["Entity.LegalName"], "registration_number": "99000001"}
    beside = digests(company(2), company(1), company(3, **other_key))
    assert [beside[1], beside[2]] == alone * 2


def test_what_is_dropped_of_a_person_is_not_fingerprinted() -> None:
    first, renamed, moved, lapsed = digests(
        sole_trader(legal_name="Anna Prøve"),
        sole_trader(legal_name="Bo Prøve"),
        sole_trader(legal_address_line="Prøvegade 9", registration_number="1"),
        sole_trader(lei_status="LAPSED"),
    )
    assert first == renamed == moved
    assert first != lapsed


def test_kept_in_full_a_person_is() -> None:
    first, renamed = digests(
        sole_trader(legal_name="Anna Prøve"),
        sole_trader(legal_name="Bo Prøve"),
        keep_natural=True,
    )
    assert first != renamed


def test_a_changed_care_of_line_is_a_change() -> None:
    plain, first, second, elsewhere = digests(
        company(1, headquarters_address_line="Prøvegade 1"),
        company(1, headquarters_address_line="c/o Anna Prøve, Prøvegade 1"),
        company(1, headquarters_address_line="c/o Bo Prøve, Prøvegade 1"),
        company(
            1, headquarters_address_line="Prøvegade 1", headquarters_mail_routing="c/o Anna Prøve"
        ),
    )
    assert len({plain, first, second, elsewhere}) == 4


def test_no_rows_are_no_trouble() -> None:
    assert hash128(pa.array([], pa.string())).shape == (0, 2)
    assert as_bytes(np.empty((0, 2), np.uint64)).to_pylist() == []


def test_values_that_live_apart_stand_behind_the_text_in_their_order() -> None:
    """Records are held by these digests: another order or sign would make every one a change."""
    personal = pa.table(
        {
            "ordinal": pa.array([2, 0, 2], pa.int64()),
            "source_key": ["c", "a", "c"],
            "field": ["phone", "line", "email"],
            "value": ["+1", "c/o B", "x@y.example"],
        }
    )
    texts = ["a\tA", "b\tB", "c\tC"]
    told = ["a\tA\tline=c/o B\t", "b\tB", "c\tC\temail=x@y.example\tphone=+1\t"]
    found = row_digests(pa.array(texts), personal)
    assert found.tolist() == hash128(pa.array(told)).tolist()
