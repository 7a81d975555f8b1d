"""A delivery that cannot be right loads nothing, says why, and leaves everything as it was."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from ingesting import COLUMNS, OUTCOMES, Ingesting, company, csv_bytes, outcomes

from sources.kit.errors import DeliveryRefused
from sources.kit.policy import SourceSettings

FOUR = [company(n) for n in range(4)]


# Bounds: a full file far from the last one, or not what was listed, loads nothing.


def refused(place: Ingesting, match: str, act: Callable[[], object]) -> None:
    """The act is refused with this cause, and leaves everything as it was."""
    before, held = place.state(), place.tables("source_cursor")
    refusals = place.one("SELECT count(*) FROM deliveries WHERE status = 'refused'")
    with pytest.raises(DeliveryRefused, match=match):
        act()
    assert place.state() == before
    assert place.tables("source_cursor") == held
    found = place.ask("SELECT * FROM deliveries WHERE status = 'refused' ORDER BY delivery_id")
    assert len(found) == refusals + 1
    assert found[-1]["records_in"] == sum(found[-1][f"records_{name}"] for name in OUTCOMES)
    (run,) = place.ask("SELECT state, message FROM runs ORDER BY run_id DESC LIMIT 1")
    assert run["state"] == "refused"
    assert re.search(match, run["message"])


def test_a_full_file_far_from_the_last_one_is_refused(place) -> None:
    rows = [company(n) for n in range(20)]
    place.full(rows, "2026-10-01")
    for count in (17, 31):
        others = [company(n) for n in range(count)]
        refused(
            place,
            rf"size_fits_last_full does not hold .*: it holds {count} rows",
            lambda others=others: place.full(others, "2026-10-02"),
        )
    assert outcomes(place.full(rows[:18], "2026-10-03")) == {"unchanged": 18}
    assert outcomes(place.full([company(n) for n in range(27)], "2026-10-04"))["new"] == 7


def test_a_delta_may_be_of_any_size(place) -> None:
    place.full([company(n) for n in range(20)], "2026-10-01")
    assert outcomes(place.delta([company(0)], "2026-10-02")) == {"unchanged": 1}
    assert outcomes(place.delta([company(n) for n in range(50)], "2026-10-03"))["new"] == 30


def test_bounds_of_the_owner_replace_the_cards(place) -> None:
    place.change(sources={"gleif": SourceSettings(min_ratio=0.2, max_ratio=3)})
    place.full(FOUR, "2026-10-01")
    assert outcomes(place.full(FOUR[:1], "2026-10-02")) == {"unchanged": 1}


def test_a_record_count_other_than_listed_is_refused(place) -> None:
    content = csv_bytes(FOUR)
    for listed in (3, 5):
        refused(
            place,
            rf"record_count_fits does not hold .*it holds 4 rows; the publisher listed {listed}",
            lambda listed=listed: place.load(content, "full", "2026-10-01", record_count=listed),
        )
    assert outcomes(place.load(content, "full", "2026-10-01", record_count=4)) == {"new": 4}


def test_the_cards_bounds_hold_for_downloads_from_the_publisher_only(place) -> None:
    content = csv_bytes(FOUR)
    refused(
        place,
        "size_fits_card does not hold",
        lambda: place.load(content, "full", "2026-10-01", is_publisher_host=True),
    )
    assert outcomes(place.load(content, "delta", "2026-10-01", is_publisher_host=True)) == {
        "new": 4
    }


def test_a_header_alone_is_refused(place) -> None:
    refused(place, "delivery_is_not_empty", lambda: place.full([], "2026-10-01"))


def test_a_delivery_that_is_mostly_bad_is_refused(place) -> None:
    rows = [company(n, legal_name="" if n < 501 else "Navn") for n in range(1000)]
    place.full([company(7)], "2026-10-01")
    refused(place, "most_rows_are_sound", lambda: place.delta(rows, "2026-10-02"))
    assert outcomes(place.delta([company(1), *rows[1:]], "2026-10-02"))["quarantined"] == 500


HEADER = csv_bytes([]).decode().strip()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (csv_bytes(FOUR, COLUMNS[1:]), r"1 of the 338 published columns are missing: LEI"),
        (csv_bytes(FOUR, [*COLUMNS, "LEI"]), r"stand twice: LEI"),
        (csv_bytes(FOUR) + b'"never closed\r\n', r"is never closed"),
        (b"<html><body>Sorry</body></html>", r"web page|HTML"),
    ],
    ids=["missing", "doubled", "unclosed", "html"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_what_cannot_be_read_loads_nothing(place, content, match, is_first) -> None:
    if not is_first:
        place.full([company(1, legal_name="Holdt A/S")], "2026-10-01")
    refused(place, match, lambda: place.ingest(content, "delta", "2026-10-02"))
    assert outcomes(place.delta(FOUR, "2026-10-03")) in ({"new": 4}, {"new": 3, "changed": 1})
