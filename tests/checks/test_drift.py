"""The bounds of drift: how far a share may lie from what is usual before it is noted."""

from __future__ import annotations

import pytest

from checks.drift import bounds, drifts
from sources.kit.profile import Profile


def a_profile(filled: int, of: int = 1_000_000, kind: str = "full") -> Profile:
    counts = dict.fromkeys(
        ("records_quarantined", "records_out_of_scope", "records_suppressed", "records_minimised"),
        0,
    )
    return Profile(kind, of, {"city": filled}, {**counts, "records_in": of})


@pytest.mark.parametrize(
    ("past", "now", "is_told"),
    [
        ([500_000] * 5, 509_000, False),  # under a hundredth of the rows
        ([500_000] * 5, 511_000, True),
        ([2_000] * 5, 2_900, False),  # a rare field: under a thousandth of the rows
        ([5_000] * 5, 0, True),  # a rare field that is gone
        ([1_000_000] * 5, 999_100, False),
        ([1_000_000] * 5, 998_900, True),
        ([500_000, 500_000, 500_000, 508_000, 500_000], 520_000, False),  # it has moved before
        ([500_000] * 2, 0, False),  # too little history
    ],
)
def test_the_bounds(past: list[int], now: int, is_told: bool) -> None:
    told = drifts(a_profile(now), [a_profile(one) for one in past])
    assert bool(told) is is_told


def test_a_handful_of_rows_says_little() -> None:
    past = [a_profile(5, of=10, kind="delta")] * 5
    assert drifts(a_profile(8, of=10, kind="delta"), past) == []


def test_every_bound_has_its_reason() -> None:
    assert all(len(part["reason"]) > 40 for part in bounds().values())
