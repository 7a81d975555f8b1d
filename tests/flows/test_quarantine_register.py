"""A register's rejected entries tried again, whole, once their cause has gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entries import any_length, bulk, entry, norwegian
from ingesting import ANY_LENGTH, Ingesting, csv_bytes, lei, opened, quiet
from registering import Registers, abroad, danish, registers, scope

from flows import join_steps, quarantine_steps
from flows.cli import join as join_page
from flows.cli.paper import Paper
from flows.quarantine_correction import read_correction
from flows.quarantine_retry import Choice, retry
from sources.kit.policy import NoLei

FIRMS = danish("role", 3)
NUMBER = FIRMS[0].number
MAIL = str(FIRMS[0].value_of("email"))


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    """Companies 1 and 2 both state the first firm's number."""
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        rows = [found.row(1, FIRMS[0]), found.row(2, FIRMS[0]), found.row(3, FIRMS[2])]
        found.held.ingest(csv_bytes(rows), "full", "2026-11-01")
        yield found


@pytest.fixture
def both(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path, sources=ANY_LENGTH) as found:
        yield found


@pytest.fixture
def settled(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    """The first firm is joined to company 1; then company 2 comes to state its number too."""
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        found.leis([FIRMS[0]])
        found.ingest("cvr")
        found.held.later(days=1)
        row = found.row(2, FIRMS[0], last_update_published="2026-11-03T06:00:00Z")
        found.held.ingest(csv_bytes([row]), "delta", "2026-11-03")
        yield found


def one_leaves(place: Registers) -> None:
    """Company 2's LEI turns out to be a duplicate: one company is left that states the number."""
    place.held.later(days=1)
    changed = {"lei_status": "DUPLICATE", "last_update_published": "2026-11-03T06:00:00Z"}
    place.held.ingest(csv_bytes([place.row(2, FIRMS[0], **changed)]), "delta", "2026-11-03")


def mail_of(place: Registers, company: int) -> list[str]:
    query = (
        "SELECT c.value FROM contact_points c JOIN prospects p ON p.company_id = c.company_id"
        " WHERE p.lei = :lei AND c.kind = 'email'"
    )
    return [row["value"] for row in place.held.ask(query, lei=lei(company))]


def states(place: Registers) -> list[str]:
    rows = place.held.ask("SELECT state FROM quarantined ORDER BY quarantine_id")
    return [row["state"] for row in rows]


def tried(place: Registers, **choice: Any) -> dict[str, int]:
    counts: dict[str, int] = retry(place.held.house, Choice(**(choice or {"is_all": True})), quiet)[
        "counts"
    ]
    return counts


def listed(place: Registers) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = join_steps.ambiguous(place.held.house, limit=9)["ambiguous"]
    return found


def test_an_entry_is_tried_again_with_its_contact_points(place: Registers) -> None:
    place.ingest("cvr")
    assert tried(place)["failed"] == 1
    assert mail_of(place, 1) == []
    one_leaves(place)
    assert tried(place)["passed"] == 1
    assert (mail_of(place, 1), mail_of(place, 2)) == ([MAIL], [])
    assert (states(place), listed(place)) == (["retried"], [])
    origins = place.held.ask(
        "SELECT source_id, record_url FROM origins WHERE contact_id IS NOT NULL"
        " AND field = 'email' AND company_id = 1"
    )
    assert [(row["source_id"], NUMBER in row["record_url"]) for row in origins] == [("cvr", True)]
    flag = place.held.ask("SELECT ad_protected FROM prospects WHERE lei = :lei", lei=lei(1))
    assert flag[0]["ad_protected"] is None  # the register's no has to be said anew


def test_showing_an_entrys_contact_points_is_an_event(place: Registers) -> None:
    place.ingest("cvr")
    number = int(place.held.one("SELECT quarantine_id FROM quarantined"))
    shown = quarantine_steps.show(place.held.house, number)["content"]
    assert ("email", MAIL) in [(one["kind"], one["original"]) for one in shown["contact_points"]]
    events = place.held.ask("SELECT detail FROM audit_events WHERE action = 'quarantine'")
    assert [row["detail"] for row in events] == [f'{{"shown": {number}}}']


def test_what_is_one_companys_again_is_fetched_and_settled(place: Registers) -> None:
    place.ingest("cvr")
    assert [side["lei"] for side in listed(place)[0]["sides"]] == [lei(1), lei(2)]
    one_leaves(place)
    assert [row["leads_to"] for row in listed(place)] == [1]
    place.ingest("cvr")
    assert (mail_of(place, 1), states(place)) == ([MAIL], ["retried"])


def test_both_sides_are_shown_with_their_names(
    place: Registers, capsys: pytest.CaptureFixture[str]
) -> None:
    place.ingest("cvr")
    join_page._ambiguous(Paper(), {"ambiguous": listed(place), "matching": 1})
    said = " ".join(capsys.readouterr().out.split())
    for words in (lei(1), lei(2), "Prøvefirma 1 A/S", "Firma 1 ApS", "any"):
        assert words in said


def test_a_wrong_join_that_was_ended_leaves_the_number_to_the_other(settled: Registers) -> None:
    house = settled.held.house
    settled.cvr.publish(house.now() - timedelta(hours=2))
    settled.ingest("cvr", is_full_wanted=True)
    assert (mail_of(settled, 1), states(settled)) == ([MAIL], ["open"])
    found = join_steps.end(house, lei(1), "cvr", "another company")
    (other,) = settled.held.ask("SELECT company_id FROM prospects WHERE lei = :lei", lei=lei(2))
    assert found["joined_to"] == other["company_id"]
    assert (mail_of(settled, 1), mail_of(settled, 2)) == ([], [MAIL])
    assert tried(settled)["passed"] == 1
    assert (mail_of(settled, 2), states(settled)) == ([MAIL], ["retried"])
    settled.held.later(days=1)
    settled.cvr.publish(house.now() - timedelta(hours=2))
    report = settled.ingest("cvr", is_full_wanted=True)
    assert report.quarantined_by_rule == {}


def test_an_entry_is_corrected_and_keeps_its_contact_points(
    warehouse_url: str, tmp_path: Path
) -> None:
    nameless = [abroad(FIRMS[0], name=" "), *FIRMS[1:]]
    with registers(warehouse_url, tmp_path, nameless) as place:
        scope(place.held, NoLei(country="DK"))
        place.leis(FIRMS[:1])
        assert place.ingest("cvr").quarantined_by_rule == {"legal_name_is_present": 1}
        number = int(place.held.one("SELECT quarantine_id FROM quarantined"))
        assert tried(place)["failed"] == 1
        correction = read_correction(["legal_name=Firma 1 ApS"], "asked the register")
        assert tried(place, ids=(number,), correction=correction)["passed"] == 1
        assert mail_of(place, 1) == [MAIL]


def test_of_two_rows_of_one_key_a_person_names_the_right_one(both: Ingesting) -> None:
    both.full([norwegian(1)], "2026-11-01")
    twice = [entry(1, epostadresse=f"post@{name}.example") for name in ("en", "to")]
    with any_length(both):
        bulk(both, twice, "2026-11-02")
    house = both.house
    assert retry(house, Choice(is_all=True), quiet)["counts"]["failed"] == 2
    query = "SELECT quarantine_id FROM quarantined WHERE content LIKE '%post@to.example%'"
    right = int(both.one(query))
    assert retry(house, Choice((right,)), quiet)["counts"]["passed"] == 1
    assert both.one("SELECT value FROM contact_points") == "post@to.example"
