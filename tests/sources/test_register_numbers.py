"""Numbers of registers meet in one form; what cannot be one of its register's joins nothing."""

from __future__ import annotations

import tomllib
from importlib import resources

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit.number_spaces import key_of
from sources.kit.register_numbers import RegisterKeys, keys_of

DATA = tomllib.loads(
    resources.files("sources.kit").joinpath("register_numbers.toml").read_text("utf-8")
)
CODES = [code for space in DATA["space"] for code in space["authorities"]]


def keys(*pairs: tuple[str | None, str | None]) -> RegisterKeys:
    authorities, numbers = zip(*pairs, strict=True) if pairs else ((), ())
    return keys_of(pa.array(authorities, pa.string()), pa.array(numbers, pa.string()))


@pytest.mark.parametrize(
    ("authority", "typed", "number"),
    [
        ("RA000472", "999 999 999", "999999999"),
        ("RA000473", "NO 999999999 MVA", "999999999"),
        ("RA000170", "DK-10 00 00 09", "10000009"),
        ("RA000188", "9999999-2", "9999999-2"),
        ("RA000188", "FI99999992", "9999999-2"),
        ("RA000188", "199999-8", "0199999-8"),
        ("RA000544", "559999-9999", "5599999999"),
        ("RA000546", "16 859999-9999", "8599999999"),
        ("RA000181", "19999999", "19999999"),
        ("RA000423", "LV 4999 9999 999", "49999999999"),
        ("RA000430", "399999999", "399999999"),
        ("RA000025", "0999.999.999", "0999999999"),
        ("RA000025", "BE 999.999.999", "0999999999"),
        ("RA000192", "999 999 999 R.C.S. Prøve", "999999999"),
        ("RA000549", "CHE-999.999.999", "CHE999999999"),
        ("RA000548", "999999999", "CHE999999999"),
        ("RA000585", "4999999", "04999999"),
        ("RA000585", "oc39999", "OC039999"),
        ("RA000586", "NI999999", "NI999999"),
        ("RA000587", "sc999999", "SC999999"),
        ("RA000463", "9999999", "09999999"),
        ("RA000484", "999999", "0000999999"),
        ("RA000017", "FN 099999 x", "99999X"),
        ("RA000017", "99999x", "99999X"),
        ("RA000001", "hrb-12 345", "HRB12345"),
        ("RA000472", "９９９９９９９９９", "999999999"),
    ],
)
def test_a_number_has_one_form(authority, typed, number) -> None:
    found = key_of(authority, typed)
    assert found is not None
    assert found[1] == number
    assert key_of(*found) == found


@pytest.mark.parametrize(
    ("authority", "typed"),
    [
        ("RA000472", "99999999"),
        ("RA000170", "123"),
        ("RA000544", "900101-1239"),
        ("RA000423", "01019012345"),
        ("RA000586", "099999"),
        ("RA000587", "099999"),
        ("RA000463", "0"),
        ("RA000484", "000"),
        ("RA000001", " - "),
        ("RA000001", "000"),
        ("RA888888", "99999999"),
        ("RA999999", "99999999"),
        ("", "99999999"),
        (None, "99999999"),
        ("RA000170", None),
        ("RA000170", ""),
    ],
)
def test_what_cannot_be_the_registers_joins_nothing(authority, typed) -> None:
    assert key_of(authority, typed) is None


@pytest.mark.parametrize(
    ("group", "typed"),
    [
        (("RA000472", "RA000473"), "999 999 999"),
        (("RA000544", "RA000545", "RA000546", "RA000735"), "556677-8899"),
        (("RA000189", "RA000192", "RA001129"), "999 999 998"),
        (("RA000549", "RA000548"), "CHE-999.999.996"),
        (("RA000163", "RA000168"), "10000003"),
    ],
)
def test_registers_of_one_number_space_meet(group, typed) -> None:
    (found,) = {key_of(code, typed) for code in group}
    assert found is not None
    assert found[0] == group[0]


def test_registers_of_two_number_spaces_do_not() -> None:
    assert key_of("RA000170", "10000009") != key_of("RA000181", "10000009")
    assert len(set(CODES)) == len(CODES)
    assert all(space["citation"] for space in DATA["space"])


SOUND = [
    ("RA000472", "999999999"),
    ("RA000170", "10000009"),
    ("RA000188", "9999999-2"),
    ("RA000544", "5566778899"),
    ("RA000181", "10000001"),
    ("RA000430", "300000003"),
    ("RA000423", "40000000015"),
    ("RA000025", "0999999922"),
    ("RA000189", "999999998"),
    ("RA000549", "CHE999999996"),
    ("RA000168", "10000003"),
]


def last_digit(number: str, plus: int) -> str:
    return number[:-1] + str((int(number[-1]) + plus) % 10)


@pytest.mark.parametrize(("authority", "number"), SOUND)
def test_check_digits_tell_one_digit_from_nine_others(authority, number) -> None:
    found = keys(*((authority, last_digit(number, plus)) for plus in range(10)))
    assert found.are_checked.to_pylist() == [True] + [False] * 9
    assert found.numbers.null_count == 0


def test_where_nobody_can_check_nothing_is_said() -> None:
    found = keys(("RA000585", "04999999"), ("RA000001", "1"), ("RA000170", "1"), (None, None))
    assert found.are_checked.to_pylist() == [None] * 4


def test_no_rows_are_no_trouble() -> None:
    found = keys()
    assert (len(found.authorities), len(found.numbers), len(found.are_checked)) == (0, 0, 0)


AUTHORITIES = st.sampled_from([*CODES, "RA000001", "RA888888", "", None])
TYPED = st.one_of(
    st.none(),
    st.text("0123456789 .-", max_size=14),
    st.text("0123456789ABCSNIRFHE -", max_size=10),
    st.text(max_size=8),
)
PAIRS = st.lists(st.tuples(AUTHORITIES, TYPED), max_size=12)


@given(PAIRS, st.randoms(use_true_random=False))
def test_keys_are_their_own_keys_whatever_stands_beside_them(pairs, random) -> None:
    found = keys(*pairs)
    together = list(zip(found.authorities.to_pylist(), found.numbers.to_pylist(), strict=True))
    again = keys(*together)
    assert again.numbers.equals(found.numbers)
    assert again.authorities.equals(found.authorities)
    assert again.are_checked.equals(found.are_checked)
    order = list(range(len(pairs)))
    random.shuffle(order)
    shuffled = keys(*(pairs[row] for row in order))
    assert shuffled.numbers.to_pylist() == [together[row][1] for row in order]
    assert all((code is None) == (number is None) for code, number in together)
    assert together == [key_of(*pair) or (None, None) for pair in pairs]


def test_chunks_are_columns_too() -> None:
    codes = pa.chunked_array([["RA000472"], ["RA000170", "RA000473"]])
    numbers = pa.chunked_array([["999 999 999", "x"], ["999999999"]])
    found = keys_of(codes, numbers)
    assert found.numbers.to_pylist() == ["999999999", None, "999999999"]
    assert np.array_equal(found.authorities.is_valid(), [True, False, True])
