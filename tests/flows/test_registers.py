"""Four national registers from their servers to the views: counts, origins, removal, silence."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from national import REGISTERS, National, kept_home, national
from our_command import runner

from flows import ingest_run
from sources.kit.errors import DeliveryRefused, SourcenoteError, SourceUnavailable


@pytest.fixture(scope="module")
def gleif_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept_home(tmp_path_factory.mktemp("gleif"))


@pytest.fixture(scope="module")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept_home(tmp_path_factory.mktemp("registers"), *REGISTERS)


@pytest.fixture
def registers(tmp_path: Path, gleif_home: Path) -> Iterator[National]:
    """GLEIF's sample held, and nothing of the registers yet."""
    with national(tmp_path, gleif_home) as found:
        yield found


@pytest.fixture
def filled(tmp_path: Path, full_home: Path) -> Iterator[National]:
    """GLEIF's sample held, and all four registers."""
    with national(tmp_path, full_home) as found:
        yield found


def contacts(registers: National, source_id: str) -> list[dict[str, Any]]:
    return registers.held.ask(
        "SELECT * FROM contact_points WHERE source_id = :id ORDER BY company_id, kind, value",
        id=source_id,
    )


def test_every_contact_value_has_its_origin_in_its_own_register(filled: National) -> None:
    for source_id in REGISTERS:
        assert contacts(filled, source_id)
    lacking = filled.held.ask(
        "SELECT c.contact_id FROM contact_points c LEFT JOIN origins o"
        " ON o.company_id = c.company_id AND o.contact_id = c.contact_id"
        " AND o.source_id = c.source_id AND o.field = c.kind WHERE o.contact_id IS NULL"
    )
    assert lacking == []
    incomplete = filled.held.ask(
        "SELECT * FROM origins WHERE contact_id IS NOT NULL AND (publisher IS NULL OR"
        " record_url IS NULL OR licence IS NULL OR delivery_sha256 IS NULL OR retrieved_at IS NULL)"
    )
    assert incomplete == []


def test_what_a_company_shows_has_an_origin_whichever_registers_it_is_in(
    filled: National,
) -> None:
    (columns,) = filled.held.ask("SELECT * FROM prospects LIMIT 1")
    origins = {
        (row["company_id"], row["field"]) for row in filled.held.ask("SELECT * FROM origins")
    }
    ours = {
        "company_id",
        "is_natural_person",
        "has_email",
        "has_phone",
        "has_post",
        "sources",
        "state",
    }
    ours |= {
        "first_seen_at",
        "last_changed_at",
        "inactive_since",
        "inactive_reason",
        "delete_after",
    }
    for row in filled.held.ask("SELECT * FROM prospects"):
        shown = [name for name in columns if name not in ours and row[name] is not None]
        assert [name for name in shown if (row["company_id"], name) not in origins] == []


@pytest.mark.parametrize("source_id", REGISTERS)
def test_the_same_publication_again_changes_nothing(registers: National, source_id: str) -> None:
    registers.ingest(source_id)
    before = registers.held.state()
    registers.ingest(source_id, is_full_wanted=True)
    assert registers.held.state() == before


def test_marketing_protection_has_three_states(filled: National) -> None:
    by_lei = {row["lei"]: row["ad_protected"] for row in filled.held.ask("SELECT * FROM prospects")}
    sample = filled.sample
    told = {
        case: {by_lei[firm.lei] for firm in firms if "sole" not in firm.cases}
        for case in ("protected", "flagless")
        if (firms := sample.of("cvr", case, has_lei=True))
    }
    assert told == {"protected": {1}, "flagless": {None}}
    foreign = filled.held.ask(
        "SELECT DISTINCT ad_protected FROM prospects WHERE country IN ('NO', 'EE', 'FI')"
    )
    assert foreign == [{"ad_protected": None}]


def test_personal_numbers_are_nowhere(
    registers: National, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reports = registers.everything()
    assert registers.sample.planted
    for number in registers.sample.planted:
        assert registers.holds_bytes(number) == []
        assert number not in caplog.text
        assert number not in repr(reports)


def test_what_is_removed_for_good_is_erased_to_the_bytes_and_its_lists_recalled(
    registers: National,
) -> None:
    registers.ingest("brreg")
    firm = next(one for one in registers.sample.of("brreg", "role", has_lei=True))
    value = str(firm.value_of("email"))
    assert registers.holds_bytes(value) != []
    at = registers.later(hours=1)
    registers.brreg.remove(firm.number, at)
    report = registers.ingest("brreg")
    assert report.counts["records_retracted"] >= 1
    assert registers.holds_bytes(value) == []
    assert registers.held.ask("SELECT * FROM record WHERE source_key = :key", key=firm.number) == []
    (company,) = registers.held.ask("SELECT * FROM prospects WHERE lei = :lei", lei=firm.lei)
    assert company["sources"] == "gleif"
    reasons = registers.held.ask("SELECT DISTINCT reason FROM deletion_log")
    assert {"reason": "source_erased"} in reasons


def test_what_is_deleted_in_the_register_goes_inactive(registers: National) -> None:
    registers.ingest("brreg")
    firm = next(one for one in registers.sample.of("brreg", "role", has_lei=True))
    at = registers.later(hours=1)
    registers.brreg.delete(firm.number, at)
    registers.ingest("brreg")
    registers.held.deactivate()
    states = {row["state"] for row in of_company(registers, firm.lei)}
    assert states == {"inactive"}


def test_the_command_says_how_many_contact_points_it_made_inactive(
    registers: National,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    registers.ingest("brreg")
    firm = next(one for one in registers.sample.of("brreg", "role", has_lei=True))
    registers.brreg.delete(firm.number, registers.later(hours=1))
    registers.ingest("brreg")
    count = len(of_company(registers, firm.lei))
    run = runner(tmp_path, monkeypatch, capsys, f"sqlite:///{tmp_path / 'warehouse.db'}")
    page = run("deactivate", now=registers.held.house.now().isoformat()).text
    counted = re.search(r"contact points made inactive +([0-9]+)", page)
    assert counted
    assert int(counted[1]) >= count > 0


def test_an_absence_is_believed_after_two_snapshots_and_acts_after_its_grace(
    registers: National,
) -> None:
    registers.ingest("ariregister")
    firm = next(one for one in registers.sample.of("ariregister", "role", has_lei=True))
    registers.ariregister.drop(firm.number)
    for vanished in (0, 1):
        registers.ariregister.publish(registers.later(days=1))
        report = registers.ingest("ariregister")
        assert report.counts["records_vanished"] == vanished
    registers.later(days=29)
    registers.held.deactivate()
    assert {row["state"] for row in of_company(registers, firm.lei)} == {"active"}
    registers.later(days=1)
    registers.held.deactivate()
    assert {row["state"] for row in of_company(registers, firm.lei)} == {"inactive"}


def test_a_snapshot_that_shrank_is_refused_and_nothing_vanishes(registers: National) -> None:
    registers.ingest("ariregister")
    before = registers.held.state()
    registers.ariregister.publish(registers.later(days=1), share=0.85)
    with pytest.raises(DeliveryRefused, match="size_fits_last_full"):
        registers.ingest("ariregister")
    assert registers.held.state() == before


@pytest.mark.parametrize("source_id", REGISTERS)
def test_an_error_inside_a_200_loads_nothing(registers: National, source_id: str) -> None:
    registers.standin.misbehave("error_200")
    with pytest.raises(SourcenoteError):
        registers.ingest(source_id)
    assert contacts(registers, source_id) == []


def test_a_flag_that_flips_is_known_by_the_next_feed(registers: National) -> None:
    registers.ingest("cvr")
    firm = next(
        one for one in registers.sample.of("cvr", "role", has_lei=True) if one.is_protected is False
    )
    said = "SELECT ad_protected FROM prospects WHERE lei = :lei"
    assert registers.held.one(said, lei=firm.lei) == 0
    registers.cvr.protect(firm.number, registers.later(hours=1))
    assert registers.ingest("cvr").kind == "feed"
    assert registers.held.one(said, lei=firm.lei) == 1
    assert {row["ad_protected"] for row in points_of(registers, firm.lei)} <= {1}


def points_of(registers: National, lei: str | None) -> list[dict[str, Any]]:
    return registers.held.ask(
        "SELECT c.* FROM contact_point c JOIN company_record l ON l.record_id = c.record_id"
        " JOIN prospects p ON p.company_id = l.company_id WHERE p.lei = :lei",
        lei=lei,
    )


def of_company(registers: National, lei: str | None) -> list[dict[str, Any]]:
    return registers.held.ask(
        "SELECT c.* FROM contact_points c JOIN prospects p ON p.company_id = c.company_id"
        " WHERE p.lei = :lei",
        lei=lei,
    )


def test_a_register_that_is_down_for_a_week_makes_nothing_inactive(
    filled: National, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.held.deactivate()
    before = filled.held.state()
    filled.standin.misbehave("unavailable")
    monkeypatch.setattr("sources.kit.patience.time.sleep", lambda _seconds: None)
    for _ in range(7):
        filled.later(days=1)
        with pytest.raises(SourceUnavailable):
            filled.ingest("ariregister")
        assert set(filled.held.deactivate()["counts"].values()) == {0}
    assert filled.held.state() == before


def test_bytes_received_of_registers_with_persons_do_not_stay(filled: National) -> None:
    landed = list(filled.held.house.landing_root.rglob("*.bin"))
    shas = {row["sha256"]: row["source_id"] for row in filled.held.ask("SELECT * FROM deliveries")}
    assert {shas.get(path.stem) for path in landed} <= {"gleif"}


def test_all_ingests_a_register_after_what_its_rows_join() -> None:
    found = ingest_run.ids("all")
    assert set(found[-len(REGISTERS) :]) == set(REGISTERS)
