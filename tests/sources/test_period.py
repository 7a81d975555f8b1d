"""Periods are calendar periods: months by the calendar, clamped at their end."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit.period import Period, add_period, add_to_date, parse_period


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P12M", Period(0, 12, 0)),
        ("P30D", Period(0, 0, 30)),
        ("P1Y6M2D", Period(1, 6, 2)),
        ("P0D", Period(0, 0, 0)),
    ],
)
def test_a_period_is_read(text: str, expected: Period) -> None:
    assert parse_period(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "P", "12M", "P12", "P-1M", "P1W", "PT1M", "p12m", " P12M", "P1M1Y", "P1.5Y", "P\u0661M"],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a period as P24M"):
        parse_period(text)


@pytest.mark.parametrize(
    ("start", "period", "expected"),
    [
        (date(2026, 1, 31), "P1M", date(2026, 2, 28)),
        (date(2024, 1, 31), "P1M", date(2024, 2, 29)),
        (date(2024, 2, 29), "P1Y", date(2025, 2, 28)),
        (date(2024, 2, 29), "P48M", date(2028, 2, 29)),
        (date(2026, 12, 15), "P1M", date(2027, 1, 15)),
        (date(2026, 1, 31), "P1M1D", date(2026, 3, 1)),
        (date(2026, 11, 1), "P35D", date(2026, 12, 6)),
        (date(2026, 11, 1), "P0D", date(2026, 11, 1)),
        (date(9999, 6, 1), "P24M", date.max),
        (date(9999, 12, 1), "P60D", date.max),
    ],
)
def test_a_period_is_added_by_the_calendar(start: date, period: str, expected: date) -> None:
    assert add_to_date(start, period) == expected
    assert add_period(np.array([start], dtype="datetime64[D]"), period)[0] == np.datetime64(
        expected
    )


@given(
    start=st.dates(),
    period=st.builds(
        Period,
        st.integers(0, 40),
        st.integers(0, 60),
        st.integers(0, 4000),
    ),
)
def test_the_vectorised_form_says_what_the_plain_one_says(start: date, period: Period) -> None:
    many = add_period(np.array([start, start], dtype="datetime64[D]"), period)
    assert many.dtype == np.dtype("datetime64[D]")
    assert list(many) == [np.datetime64(add_to_date(start, period))] * 2


def test_a_missing_date_stays_missing() -> None:
    assert np.isnat(add_period(np.array(["NaT"], dtype="datetime64[D]"), "P12M"))[0]
