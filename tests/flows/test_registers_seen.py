"""What people see of national registers: `refresh`, `status`, `sources`, the page of `ingest`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingesting import lei, quiet
from registering import Registers, danish, registers, scope

from flows import refresh_steps
from flows.cli import ingest_page, refresh_page, status
from flows.cli.paper import Paper
from flows.refresh_report import Report
from flows.status_steps import status as state_of
from sources.kit.errors import SourcenoteError
from sources.kit.policy import NoLei
from sources.kit.sample_cvr import unit_id
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_api import Api, ApiStandIn

FIRMS = danish("role", 3)
MAIL = str(FIRMS[0].value_of("email"))


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        scope(found.held, NoLei(country="DK"))
        found.leis(FIRMS[:2])
        found.ingest("cvr")
        yield found


@pytest.fixture
def light(sqlite_url: str, tmp_path: Path) -> Iterator[Registers]:
    """On SQLite only: for what no database decides."""
    with registers(sqlite_url, tmp_path, FIRMS) as found:
        found.leis(FIRMS[:2])
        yield found


def refresh(place: Registers, *numbers: int, dry_run: bool = False) -> Report:
    """GLEIF's API answers as the file did."""
    with ExitStack() as stack:
        api = stack.enter_context(
            ApiStandIn(Api(place.held.house.now() - timedelta(hours=1), retry_after="0"))
        )
        rows = [place.row(n, firm) for n, firm in enumerate(FIRMS[:2], 1)]
        api.api.rows = {row["LEI"]: row for row in rows}
        request = refresh_steps.request_for([lei(n) for n in numbers], base_url=api.base_url)
        return refresh_steps.run(place.held.house, request, quiet, dry_run=dry_run)


def test_refresh_asks_the_registers_too(
    place: Registers, capsys: pytest.CaptureFixture[str]
) -> None:
    place.held.later(hours=3)
    now = place.held.house.now()
    place.cvr.set_value("e-mailadresse", unit_id(FIRMS[0].number), "kontakt@ny-firma.example", now)
    place.cvr.protect(FIRMS[0].number, now)
    for dry_run in (True, False):
        report = refresh(place, 1, 2, dry_run=dry_run)
        assert [answer.outcome for answer in report.answers] == ["unchanged", "unchanged"]
        (cvr,) = report.registers
        assert (cvr.source_id, cvr.error, len(cvr.deliveries)) == ("cvr", None, not dry_run)
        by_number = {answer.source_key: answer for answer in cvr.answers}
        changed, same = by_number[FIRMS[0].number], by_number[FIRMS[1].number]
        assert (changed.outcome, changed.lei, same.outcome) == ("changed", lei(1), "unchanged")
        assert changed.contacts == {"email": {"came": 1, "went": 1}}
        assert changed.changes == [{"field": "ad_protected", "before": "false", "after": "true"}]
        document = report.as_json()
        assert "ny-firma" not in json.dumps(document, default=str)
        refresh_page.show(Paper(), {**document, "quarantine_rules": {}})
        said = capsys.readouterr().out
        assert "email: 1 came, 1 went" in said
        assert "ny-firma" not in said
    held = place.held.ask("SELECT value FROM contact_points WHERE company_id = 1")
    assert {row["value"] for row in held} == {MAIL, "kontakt@ny-firma.example"}


def test_a_register_that_is_down_takes_nothing_from_gleifs_answer(place: Registers) -> None:
    place.held.later(hours=3)
    place.served.misbehave("unavailable")
    report = refresh(place, 1)
    assert [answer.outcome for answer in report.answers] == ["unchanged"]
    (cvr,) = report.registers
    assert ([answer.outcome for answer in cvr.answers], cvr.error is None) == (["not_asked"], False)


def source_of(place: Registers, source_id: str) -> dict[str, Any]:
    found = state_of(place.held.house)["sources"]
    return next(one for one in found if one["source_id"] == source_id)


def test_status_counts_what_registers_bring(
    place: Registers, capsys: pytest.CaptureFixture[str]
) -> None:
    cvr = source_of(place, "cvr")
    assert cvr["joins"] == {"joined": 2, "without_lei": 1, "ambiguous": 0}
    assert cvr["contact_points"] == 3
    assert cvr["overdue_since"] is None
    assert source_of(place, "brreg")["joins"] is None
    assert source_of(place, "gleif")["contact_points"] is None
    status._show(Paper(), state_of(place.held.house))
    assert "National registers" in capsys.readouterr().out


def test_a_register_that_is_down_for_a_week_is_shown_and_costs_nobody(
    place: Registers, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = place.held.house.now()
    place.served.misbehave("unavailable")
    for _ in range(7):
        place.held.later(days=1)
        with pytest.raises(SourcenoteError):
            place.ingest("cvr")
        place.held.deactivate()
    cvr = source_of(place, "cvr")
    assert cvr["last_reached_at"] == reached
    assert reached < cvr["overdue_since"] < reached + timedelta(days=1)
    assert place.held.one("SELECT count(*) FROM prospects WHERE state <> 'active'") == 0
    assert place.held.one("SELECT count(*) FROM contact_points WHERE state = 'active'") == 3
    status._show(Paper(), state_of(place.held.house))
    said = " ".join(capsys.readouterr().out.split())
    assert "cvr was last reached 2026-11-02 10:00 UTC and has been due since" in said


def test_the_page_of_ingest_counts_in_words(
    light: Registers, capsys: pytest.CaptureFixture[str]
) -> None:
    report = light.ingest("cvr").as_json()
    report["recalls"] = [
        {
            "export_id": "20261101-ab",
            "recipient": "own",
            "recipient_name": "Fjordlys LEI ApS",
            "company_id": 7,
        }
    ]
    report |= {"quarantine_rules": {}, "alarming": 0}
    ingest_page.show(Paper(), report)
    said = " ".join(capsys.readouterr().out.split())
    assert "Mended, kept out, dropped" in said
    assert "kept out: not a contact point that can be used" in said
    assert "phone: no such number" in said
    assert "Lists to recall" in said
    assert "Fjordlys LEI ApS (own)" in said
    assert not any(one.value in said for firm in FIRMS for one in firm.contacts)


def test_the_sample_has_what_these_tests_rest_on() -> None:
    assert len({firm.number for firm in FIRMS}) == len(FIRMS)
    assert bundled_registers().firms["cvr"]
