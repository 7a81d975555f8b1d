"""Personal identity numbers are found wherever they stand, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit.check_digits import digits_of, hold
from sources.kit.identity_numbers import (
    NUMBER_REMOVED,
    _formats,
    holds_personal_number,
    scrub,
    without_personal_numbers,
)
from sources.kit.personal_numbers import without_numbers

LONG = {"NO", "EE", "LV"}
"""Countries whose numbers are of eleven digits."""


def checked(stem: str, country: str, *, nth: int = 0) -> str:
    """The stem's first (nth) completion by check digits that holds to the country's rule."""
    rule = next(one.rules["check"] for one in _formats() if one.country == country)
    wanted = 10 if country == "SE" else 11
    rest = wanted - len(stem)
    every = [f"{stem}{number:0{rest}}" for number in range(10**rest)]
    held = hold(digits_of(pa.array(every)), rule)
    return [text for text, is_held in zip(every, held, strict=True) if is_held][nth]


def unchecked(stem: str, country: str) -> str:
    """A near miss: as the number, with a last digit that no country's check gives."""
    right = checked(stem, country)
    rules = [one.rules.get("check") for one in _formats() if one.country in LONG]
    rules = [rule for rule in rules if rule]
    near = [f"{right[:-1]}{last}" for last in range(10)]
    return next(text for text in near if not any(holds(text, rule) for rule in rules))


def holds(text: str, rule: dict) -> bool:
    return bool(hold(digits_of(pa.array([text])), rule)[0])


NORWEGIAN = [checked(stem, "NO") for stem in ("01019012", "41019012", "01419012", "01819012")]
BALTIC = [checked("3900101012", "EE"), checked("6010229123", "LT"), checked("0101901234", "LV")]
WRITTEN = [
    "010190-1234",
    "010190 1234",
    "010190–1234",
    "19900101-1234",
    "900101-1234",
    "900101+1234",
    "900161-1234",
    "010190-123A",
    "010190A123B",
    "010123Y123K",
    "010190 12345",
    "010190-12345",
    "323456-12345",
    # As word processors write the sign: dashes and blanks that do not break, blanks beside it.
    "010190\u20111234",
    "010190\u22121234",
    "010190\u00a01234",
    "010190 - 1234",
    "010190\u202f12345",
    "010190 \u2013 12345",
    "900101\u20111234",
    "010190\u2011123A",
    # Swedish, with the century and without a sign: the check digit tells.
    f"19{checked('900101123', 'SE')}",
]
BARE = [("0101901234", "DK"), ("32345612345", "LV"), (checked("900101123", "SE"), "SE")]


@pytest.mark.parametrize("number", [*WRITTEN, *NORWEGIAN, *BALTIC, *(one for one, _ in BARE)])
def test_personal_numbers_are_taken_out_of_texts_of_unknown_origin(number) -> None:
    assert without_personal_numbers(f"Prøve {number} AS") == f"Prøve {NUMBER_REMOVED} AS"


@pytest.mark.parametrize("number", [*WRITTEN, *NORWEGIAN, *BALTIC])
@pytest.mark.parametrize("country", ["DK", "NO", "SE", "FI", "EE", "LV", "LT", "DE"])
def test_a_neighbours_number_is_taken_out_too(number, country) -> None:
    assert without_personal_numbers(f"({number})", country) == f"({NUMBER_REMOVED})"


@pytest.mark.parametrize(("number", "country"), BARE)
def test_what_only_its_own_country_can_tell_stays_elsewhere(number, country) -> None:
    assert holds_personal_number(number, country)
    assert not holds_personal_number(number, "DE")


OTHERS = [
    "999 999 999",
    "99 99 99 99",
    "556677-8899",
    "5566778899",
    "165566778899",
    "1234567-8",
    "40003999999",
    "44103999999",
    "10999999",
    "305719999",
    "0422.999.999",
    "CHE-109.999.999",
    "2026-11-02T08:00:00Z",
    "20261102",
    "+45 99 99 99 99",
    "+37255999999",
    "+358101129999",
    "4799999999",
    "RA000170",
    "0150",
    "111 22",
    "LV-1010",
    "LT-01103",
    "5299000101901234AB42",
    "DK5000400440116243",
    "310290-1234",
    "991301-1234",
    "010190I1234",
    unchecked("01019012", "NO"),
    unchecked("3900101012", "EE"),
    unchecked("0101901234", "LV"),
]


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("country", [None, "DK", "NO", "SE", "FI", "EE", "LV", "LT"])
def test_other_numbers_stay(text, country) -> None:
    assert without_personal_numbers(f"x {text} y", country) == f"x {text} y"


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("0401234567", "FI"),
        ("0101234567", "FI"),
        ("0701234567", "SE"),
        ("0812345678", "SE"),
        ("02012345678", "GB"),
        ("040123-4567", "FI"),
        ("070123-4567", "SE"),
    ],
)
def test_phone_numbers_are_not_taken_where_digits_are_usual(phone, country) -> None:
    assert not holds_personal_number(phone, country, strict=True)


def test_strict_still_finds_what_is_written_with_its_sign_and_checks() -> None:
    norwegian, swedish = NORWEGIAN[0], checked("900101123", "SE")
    assert holds_personal_number(f"{norwegian[:6]}-{norwegian[6:]}", "NO", strict=True)
    assert not holds_personal_number(f"{norwegian[:6]} {norwegian[6:]}", "NO", strict=True)
    assert holds_personal_number(f"{swedish[:6]}-{swedish[6:]}", "DK", strict=True)
    assert not holds_personal_number(norwegian, "NO", strict=True)


def test_a_column_is_scrubbed_by_each_rows_country() -> None:
    texts = pa.array(["Prøve", None, "0101901234", "0101901234", "010190-1234 og 010190-1235"])
    countries = pa.array(["DK", "DK", "DK", "FI", None])
    found = scrub(texts, countries)
    assert found.texts.to_pylist() == [
        "Prøve",
        None,
        NUMBER_REMOVED,
        "0101901234",
        f"{NUMBER_REMOVED} og {NUMBER_REMOVED}",
    ]
    assert found.touched.tolist() == [False, False, True, False, True]
    assert found.count == 3
    assert "0101901234" not in repr(found)


def test_nothing_to_scrub() -> None:
    for texts in (["Prøve"], [], [None]):
        found = scrub(pa.array(texts, pa.string()), pa.array(["DK"] * len(texts), pa.string()))
        assert (found.texts.to_pylist(), found.count) == (texts, 0)


PIECES = st.sampled_from([*WRITTEN, *NORWEGIAN, *OTHERS, "Prøve", " ", ",", "0", "-"])


@given(st.lists(PIECES, max_size=6), st.sampled_from([None, "DK", "NO", "FI"]))
def test_once_is_enough_and_columns_agree_with_single_texts(pieces, country) -> None:
    text = "".join(pieces)
    once = without_personal_numbers(text, country)
    assert without_personal_numbers(once, country) == once
    assert not holds_personal_number(once, country)
    found = scrub(pa.array([text, text]), pa.array([country, country], pa.string()))
    assert found.texts.to_pylist() == [once, once]
    assert found.count == 2 * once.count(NUMBER_REMOVED)
    assert np.all(found.touched == (once != text))


@given(
    st.lists(st.lists(PIECES, max_size=4).map("".join) | st.none(), min_size=1, max_size=4),
    st.sampled_from(["DK", "NO", "FI"]),
)
def test_a_registers_columns_agree_with_single_texts_too(texts, country) -> None:
    columns = {"name": pa.array(texts, pa.string()), "city": pa.array(texts[::-1], pa.string())}
    cleaned, count = without_numbers(columns, country)
    once = [text and without_personal_numbers(text, country) for text in texts]
    assert cleaned["name"].to_pylist() == once
    assert cleaned["city"].to_pylist() == once[::-1]
    assert count == 2 * sum(new != old for new, old in zip(once, texts, strict=True))
