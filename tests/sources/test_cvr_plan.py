"""What is fetched of CVR: one complete generation, or the feed, or nothing; never older files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from cvr_served import BUILT, NOON, Served, held_after, served

from sources.cvr_names import NEEDED
from sources.kit.card import Held
from sources.kit.errors import DeliveryRefused, SourceUnavailable

WEEK = timedelta(days=7)


@pytest.fixture
def cvr(tmp_path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def test_nothing_held_is_the_newest_generation(cvr: Served) -> None:
    plan = cvr.plan()
    assert (plan.kind, plan.published_at, plan.window) == ("full", BUILT, "generation 525")
    assert plan.reason == "nothing is held yet: generation 525"
    assert plan.size is not None
    assert plan.record_count is None


def test_csv_is_preferred_and_json_taken_where_there_is_no_csv(cvr: Served) -> None:
    listed = cvr.fetch()
    assert ".csv" not in str(listed.parts)
    text = listed.path.read_text()
    assert text.count("_csv_") == 8
    for file in cvr.register._files:
        if file.entry["entityName"] == "Virksomhed" and "_csv_" in file.entry["fileName"]:
            file.entry["typeOfData"] = "Temporal"
    text = cvr.fetch().path.read_text()
    assert (text.count("_csv_"), text.count("_json_")) == (7, 1)


def test_a_generation_that_is_not_complete_is_passed_over(cvr: Served) -> None:
    cvr.register.without = {"Adressering"}
    cvr.publish(NOON - timedelta(hours=2))
    plan = cvr.plan()
    assert plan.window == "generation 525"
    assert plan.passed_over == (("generation 526", "it lacks Adressering"),)
    landed = cvr.fetch()
    assert "_526" not in landed.path.read_text()
    assert landed.published_at == BUILT


def test_no_two_generations_are_ever_mixed(cvr: Served) -> None:
    """Each of the two lacks what the other has: neither is completed from the other."""
    for file in cvr.register._files:
        if file.entry["entityName"] == "Navn":
            file.entry["entityName"] = "Telefaxnummer"
    cvr.register.without = {"Adressering"}
    cvr.publish(NOON - timedelta(hours=2))
    assert cvr.plan().size is None
    with pytest.raises(DeliveryRefused, match=r"different generations \(.*Adressering 525"):
        cvr.fetch()
    assert list(cvr.landing.root.glob("??/*.bin"))  # the files that came whole wait for the next


def test_what_is_needed_goes_before_what_may_lack(cvr: Served) -> None:
    for file in cvr.register._files:
        if file.entry["entityName"] == "Reklamebeskyttelse":
            file.entry["entityName"] = "Telefaxnummer"
    cvr.register.without = {"Adressering"}
    cvr.publish(NOON - timedelta(hours=2))
    assert cvr.plan().window == "generation 525"


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_file_is_named(cvr: Served, name: str) -> None:
    cvr.register._files.clear()
    cvr.register.without = {name}
    cvr.publish(BUILT + timedelta(hours=1))
    assert f"{name} is not listed" in cvr.plan().reason
    with pytest.raises(DeliveryRefused, match=f"files are missing: {name} is neither listed"):
        cvr.fetch()


def test_an_empty_listing_is_refused(cvr: Served) -> None:
    cvr.register.now = NOON + 2 * WEEK
    with pytest.raises(DeliveryRefused, match="it lists none of Virksomhed, Navn"):
        cvr.plan()


@pytest.mark.parametrize(
    "said",
    [
        {"md5Hash": None}, {"md5Hash": "x" * 32}, {"fileSizeInBytes": "9"}, {"fileName": ""},
        {"generationNumber": None}, {"pointInTime": "soon", "generationTime": None},
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_checked_is_refused(cvr: Served, said: dict[str, object]) -> None:
    cvr.register.spoil("Navn", **said)
    with pytest.raises(DeliveryRefused, match="its entry of Navn does not state"):
        cvr.plan()


def test_files_from_the_future_are_refused(cvr: Served) -> None:
    cvr.publish(NOON + timedelta(days=2))
    with pytest.raises(DeliveryRefused, match="dated in the future"):
        cvr.plan()


def test_a_newer_generation_is_fetched_and_an_older_one_never(cvr: Served) -> None:
    known = held_after(cvr.fetch())
    assert cvr.plan(known).kind == "up_to_date"
    ahead = replace(known, published_at=BUILT + timedelta(days=1))
    assert cvr.plan(ahead).kind == "up_to_date"
    forced = cvr.plan(ahead, is_full_wanted=True)
    assert forced.kind == "up_to_date"
    assert "older than what is applied, and loading it would go back" in forced.reason
    assert cvr.plan(known, is_full_wanted=True).kind == "full"
    cvr.publish(NOON - timedelta(hours=1))
    newer = cvr.plan(ahead)
    assert (newer.kind, newer.window) == ("full", "generation 526")
    assert newer.position == known.position


def test_a_moment_is_told_as_the_warehouse_keeps_it(cvr: Served) -> None:
    """In whole seconds: the same files must not look newer than they are held."""
    cvr.publish(BUILT + timedelta(hours=1, microseconds=414_615))
    assert cvr.plan().published_at == BUILT + timedelta(hours=1)


def test_between_weeks_the_feed_is_read(cvr: Served) -> None:
    known = held_after(cvr.fetch())
    plan = cvr.plan(known)
    assert f"the event feed tells nothing after {known.position}" in plan.reason
    cvr.register.protect("10000000", NOON)
    assert cvr.plan(known).kind == "feed"


def test_numbers_that_are_missing_are_looked_up_beside_it(cvr: Served) -> None:
    known = held_after(cvr.fetch(), missing=("12345678", "12345678", "87654321"))
    plan = cvr.plan(known)
    assert (plan.kind, plan.keys) == ("feed", ("12345678", "87654321"))
    assert plan.position == known.position
    assert "2 more numbers are asked for" in plan.reason


def test_without_a_place_the_feed_waits_for_the_next_files(cvr: Served) -> None:
    plan = cvr.plan(Held(BUILT))
    assert plan.kind == "up_to_date"
    assert "no place in the event feed is known" in plan.reason


def test_every_page_of_the_listing_is_read(cvr: Served, monkeypatch) -> None:
    monkeypatch.setattr("sources.kit.standin_cvr._PER_PAGE", 7)
    assert cvr.plan().window == "generation 525"
    pages = [path for path in cvr.paths() if "PageNumber" in path]
    assert len(pages) == 2


@pytest.mark.parametrize("fault", ["html_200", "empty_200", "error_200", "truncated"])
def test_a_listing_that_is_none_is_refused(cvr: Served, fault: str) -> None:
    cvr.standin.misbehave(fault, on="GetAvailable")
    with pytest.raises(DeliveryRefused):
        cvr.plan()


def test_a_wrong_key_is_an_error_that_says_so(tmp_path) -> None:
    with served(tmp_path, key="wrong") as found, pytest.raises(SourceUnavailable) as raised:
        found.plan()
    assert "HTTP 401" in str(raised.value)
    assert "API key" in raised.value.cure
