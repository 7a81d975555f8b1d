"""Marketing protection when a list leaves: the register's own word, and no older than it may be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from listing import export, rows_of
from registering import Registers, danish, registers

FIRMS = danish("role", 3)


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        found.leis(FIRMS)
        yield found


def rechecks(manifest: dict[str, Any]) -> list[tuple[str, int, int]]:
    return [
        (one["source_id"], one["to_ask"], one["answered"]) for one in manifest["protection_recheck"]
    ]


def test_a_danish_company_leaves_on_false_alone(place: Registers, tmp_path: Path) -> None:
    before = export(place.held, None, dry_run=True)
    assert before["excluded"] == {"protection_unknown": 3}
    place.cvr.protect(FIRMS[1].number, place.held.house.now() - timedelta(days=4))
    place.cvr.publish(place.held.house.now() - timedelta(days=1))
    place.ingest("cvr")
    found = export(place.held, tmp_path / "out")
    assert (found["selected"], found["excluded"]) == (2, {"advertising_protected": 1})
    assert rechecks(found) == []
    notices = [row["full_notice"] for row in rows_of(found)]
    assert all("Det Centrale Virksomhedsregister (CVR)" in text for text in notices)
    assert all("GLEIF" in text for text in notices)
    for text in notices:
        assert "e-mailadresse" in text
        assert "om registret beskytter den mod reklame" in text
    assert all("datacvr.virk.dk" in row["source_urls"] for row in rows_of(found))


def test_an_old_false_is_asked_for_again(place: Registers, tmp_path: Path) -> None:
    place.ingest("cvr")
    place.held.later(days=8)
    assert rechecks(export(place.held, None, dry_run=True)) == []
    place.held.later(seconds=1)
    told = len(place.served.requests)
    dry = export(place.held, None, dry_run=True)
    assert rechecks(dry) == [("cvr", 3, 0)]
    assert dry["excluded"] == {"protection_unknown": 3}
    assert len(place.served.requests) == told
    place.cvr.protect(FIRMS[0].number, place.held.house.now() - timedelta(hours=1))
    found = export(place.held, tmp_path / "out")
    assert rechecks(found) == [("cvr", 3, 3)]
    assert (found["selected"], found["excluded"]) == (2, {"advertising_protected": 1})
    deliveries = place.held.ask("SELECT kind, status FROM deliveries WHERE source_id = 'cvr'")
    assert [row["kind"] for row in deliveries] == ["full", "api"]
    again = export(place.held, tmp_path / "out")
    assert rechecks(again) == []  # what was said a moment ago is young
    assert again["excluded"] == {"advertising_protected": 1, "recently_contacted": 2}


def test_a_register_that_is_down_keeps_its_companies_at_home(
    place: Registers, tmp_path: Path
) -> None:
    place.ingest("cvr")
    place.held.later(days=9)
    place.served.misbehave("unavailable")
    found = export(place.held, tmp_path / "out")
    assert found["excluded"] == {"protection_unknown": 3}
    assert rechecks(found) == [("cvr", 3, 0)]
    assert found["protection_recheck"][0]["error"]["cause"]
    assert Path(found["directory"], "rows.csv").exists()
    run = place.held.ask("SELECT state FROM runs WHERE flow = 'export'")
    assert run == [{"state": "done"}]


def test_an_error_in_an_answer_is_no_answer(place: Registers, tmp_path: Path) -> None:
    place.ingest("cvr")
    place.held.later(days=9)
    place.served.misbehave("error_200")
    found = export(place.held, tmp_path / "out")
    assert found["excluded"] == {"protection_unknown": 3}


def test_only_who_would_leave_is_asked_for(place: Registers) -> None:
    place.ingest("cvr")
    rows = [
        place.row(1, FIRMS[0], headquarters_city=""),
        place.row(2, FIRMS[1], legal_country="US", legal_region="US-NY"),
        place.row(3, FIRMS[2]),
    ]
    place.held.later(days=9)
    place.held.full(rows, place.held.house.now().date())
    assert rechecks(export(place.held, None, dry_run=True)) == [("cvr", 1, 0)]


def test_a_contact_points_own_flag_is_not_the_companys(place: Registers, tmp_path: Path) -> None:
    place.ingest("cvr")
    with place.held.house.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE contact_point SET ad_protected = TRUE")
    assert export(place.held, tmp_path / "out")["selected"] == 3


def test_a_company_its_register_has_written_off_stays_at_home(
    place: Registers, tmp_path: Path
) -> None:
    place.ingest("cvr")
    with place.held.house.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE record SET entity_status = 'INACTIVE' WHERE source_id = 'cvr'"
            f" AND source_key = '{FIRMS[0].number}'"
        )
    found = export(place.held, tmp_path / "out")
    assert found["excluded"] == {"entity_inactive": 1}


def test_whom_the_register_takes_for_a_person_stays_at_home(
    place: Registers, tmp_path: Path
) -> None:
    place.ingest("cvr")
    with place.held.house.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE record SET person_kind = 'possible', person_rule = 'estate'"
            f" WHERE source_id = 'cvr' AND source_key = '{FIRMS[0].number}'"
        )
    found = export(place.held, tmp_path / "out")
    assert found["excluded"] == {"person_review": 1}


def test_a_danish_flag_says_nothing_of_sweden(place: Registers, tmp_path: Path) -> None:
    place.leis(FIRMS, headquarters_country="SE", headquarters_region="SE-AB")
    place.ingest("cvr")
    assert export(place.held, tmp_path / "out")["excluded"] == {"protection_unknown": 3}
