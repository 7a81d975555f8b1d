"""Published moments as UTC and as calendar days, in every form that stands in one file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit import columns
from sources.kit.tidy import utc, with_moments

STEMS = ("creation", "expiration", "initial_registration", "last_update", "next_renewal")


def seconds(*texts: str | None) -> list[int | None]:
    return utc(pa.chunked_array([pa.array(texts, pa.string())])).to_pylist()


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


def tidied(**published: str | None) -> dict[str, object]:
    names = dict.fromkeys(columns.PUBLISHED) | published
    table = pa.table({name: pa.array([text], pa.string()) for name, text in names.items()})
    return with_moments(table).to_pylist()[0]


def test_the_forms_of_one_file() -> None:
    assert seconds(
        "2024-05-04T00:00:00+02:00",
        "2024-05-04T13:30:05.042Z",
        "2024-05-04T13:30:05Z",
        "2024-05-03T20:00:00-05:00",
        None,
    ) == [
        at(2024, 5, 3, 22),
        at(2024, 5, 4, 13, 30, 5),
        at(2024, 5, 4, 13, 30, 5),
        at(2024, 5, 4, 1),
        None,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-04", at(2024, 5, 4)),
        ("2024-05-04T13:30:05", at(2024, 5, 4, 13, 30, 5)),
        ("2024-05-04T13:30:05.1234567Z", at(2024, 5, 4, 13, 30, 5)),
        ("2024-13-04T00:00:00Z", None),
        ("2023-02-29T00:00:00Z", None),
        ("2024-05-04T25:00:00Z", None),
        ("04/05/2024", None),
        ("20240504", None),
        ("NULL", None),
        ("", None),
        ("tomorrow", None),
    ],
)
def test_other_forms(text, expected) -> None:
    assert seconds(text) == [expected]


DAYS = st.dates(date(1000, 1, 2), date(9998, 1, 1))
FORMS = [
    "{0:%Y-%m-%d}",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}Z",
    "{0:%Y-%m-%d} {0:%H:%M:%S}Z",
    "{0:%Y-%m-%d}T{0:%H:%M}Z",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}.5Z",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}.123456789Z",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}.042+02:00",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}-0930",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}+02",
    "{0:%Y-%m-%d}T{0:%H:%M:%S}X",
    "{0:%Y-%m-%d}Z",
]
TEXT = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.builds(
        lambda form, day, time: form.format(datetime.combine(day, time)),
        st.sampled_from(FORMS),
        DAYS,
        st.times(),
    ),
)


@given(st.lists(TEXT, max_size=6))
def test_a_value_is_read_alike_whatever_stands_beside_it(texts) -> None:
    assert seconds(*texts) == [seconds(text)[0] for text in texts]


@given(DAYS, st.times(), st.integers(-14 * 60, 14 * 60))
def test_utc_is_what_the_calendar_says(day, time, minutes) -> None:
    zone = timezone(timedelta(minutes=minutes))
    moment = datetime.combine(day, time.replace(microsecond=0), zone)
    assert seconds(moment.isoformat()) == [int(moment.timestamp())]


def test_a_local_midnight_keeps_its_day_while_utc_moves() -> None:
    row = tidied(next_renewal_published="2024-05-04T00:00:00+02:00")
    assert row["next_renewal_date"] == date(2024, 5, 4)
    assert row["next_renewal_at"] == at(2024, 5, 3, 22)
    assert row["next_renewal_published"] == "2024-05-04T00:00:00+02:00"


def test_an_evening_in_the_west_keeps_its_day_too() -> None:
    row = tidied(initial_registration_published="2024-12-31T23:00:00-05:00")
    assert row["initial_registration_date"] == date(2024, 12, 31)
    assert row["initial_registration_at"] == at(2025, 1, 1, 4)


@pytest.mark.parametrize("stem", STEMS)
def test_an_unreadable_date_is_null_and_stays_as_published(stem) -> None:
    row = tidied(**{f"{stem}_published": "32 May"})
    assert row[f"{stem}_at"] is None
    assert row.get(f"{stem}_date") is None
    assert row[f"{stem}_published"] == "32 May"


@pytest.mark.parametrize("stem", ["creation", "expiration"])
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("9940-05-04T00:00:00Z", False),
        ("0019-05-04T00:00:00Z", False),
        ("2101-01-01T00:00:00Z", False),
        ("0999-12-31T23:59:59Z", False),
        ("1000-01-01T00:00:00Z", True),
        ("2100-12-31T23:59:59Z", True),
        ("1583-11-30T00:00:00Z", True),
    ],
)
def test_a_year_that_cannot_be_is_recorded_as_null(stem, text, kept) -> None:
    row = tidied(**{f"{stem}_published": text})
    assert (row[f"{stem}_at"] is not None) is kept
    assert row[f"{stem}_published"] == text


def test_year_9940_elsewhere_is_no_crash_and_left_to_the_checks() -> None:
    row = tidied(next_renewal_published="9940-05-04T00:00:00Z")
    assert row["next_renewal_at"] == at(9940, 5, 4)
    assert row["next_renewal_date"] == date(9940, 5, 4)


def test_every_derived_column_comes() -> None:
    assert set(tidied()) == set(columns.NAMES)
