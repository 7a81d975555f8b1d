"""Denmark from the server to the views: a flag that turns, a file that is missing, a key."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from national import NOW, National, kept_home, national

from sources.kit.errors import DeliveryRefused, SourcenoteError
from sources.kit.sample_cvr import unit_id
from sources.kit.sample_registers import Firm
from sources.kit.standin_registers import API_KEY


@pytest.fixture(scope="module")
def gleif_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept_home(tmp_path_factory.mktemp("gleif"))


@pytest.fixture
def registers(tmp_path: Path, gleif_home: Path) -> Iterator[National]:
    with national(tmp_path, gleif_home) as found:
        yield found


def firm_of(registers: National) -> Firm:
    """A company with an LEI and an e-mail address, not protected."""
    found = registers.sample.of("cvr", "role", has_lei=True)
    return next(firm for firm in found if firm.is_protected is False and not firm.ceased)


def flags(registers: National, firm: Firm) -> set[Any]:
    """What is held of its protection: the company's, and each contact point's."""
    (company,) = registers.held.ask("SELECT * FROM prospects WHERE lei = :lei", lei=firm.lei)
    points = registers.held.ask(
        "SELECT ad_protected FROM contact_point WHERE source_key = :key", key=firm.number
    )
    assert points
    return {company["ad_protected"], *(row["ad_protected"] for row in points)}


def place(registers: National) -> list[dict[str, Any]]:
    """Where the event feed is read on."""
    return registers.held.ask("SELECT position FROM source_cursor WHERE source_id = 'cvr'")


def publish(registers: National) -> None:
    """A day later a new generation of the files."""
    registers.cvr.now = registers.later(days=1)
    registers.cvr.publish(registers.cvr.now - timedelta(hours=1))


def test_a_flag_that_turns_is_held_after_the_next_feed(registers: National) -> None:
    firm = firm_of(registers)
    assert registers.ingest("cvr").kind == "full"
    assert flags(registers, firm) == {0}
    registers.cvr.protect(firm.number, registers.later(hours=1))
    report = registers.ingest("cvr")
    assert (report.kind, report.counts["records_in"]) == ("feed", 1)
    assert flags(registers, firm) == {1}
    registers.cvr.protect(firm.number, registers.later(hours=1), value=False)
    registers.ingest("cvr")
    assert flags(registers, firm) == {0}
    assert registers.ingest("cvr").status == "up_to_date"


def test_a_company_told_twice_in_the_same_words_is_loaded_once(registers: National) -> None:
    """From the files and from the look-up: it is neither quarantined nor a row too few."""
    firm = firm_of(registers)
    companies = registers.cvr.tables["Virksomhed"]
    companies += [dict(row) for row in companies if row["id"] == unit_id(firm.number)]
    publish(registers)
    report = registers.ingest("cvr")
    assert "key_is_unique" not in report.quarantined_by_rule
    assert flags(registers, firm) == {0}
    registers.cvr.protect(firm.number, registers.later(hours=1))
    report = registers.ingest("cvr")
    assert (report.kind, report.counts["records_in"]) == ("feed", 1)
    assert flags(registers, firm) == {1}


def test_events_about_nothing_we_keep_move_the_place(registers: National) -> None:
    registers.ingest("cvr")
    before = registers.held.state()
    unit = unit_id(firm_of(registers).number)
    registers.cvr.set_value("Branche", unit, "1", registers.later(hours=1))
    report = registers.ingest("cvr")
    assert (report.kind, report.counts["records_in"]) == ("feed", 0)
    assert registers.held.state() == before
    assert registers.ingest("cvr").status == "up_to_date"


def test_a_row_taken_away_is_no_longer_a_no(registers: National) -> None:
    firm = firm_of(registers)
    registers.ingest("cvr")
    unit = unit_id(firm.number)
    registers.cvr.set_value("Reklamebeskyttelse", unit, None, registers.later(hours=1))
    registers.ingest("cvr")
    assert flags(registers, firm) == {None}


def test_without_the_protection_file_nobody_is_held_unprotected(registers: National) -> None:
    firm = firm_of(registers)
    registers.cvr._files.clear()
    registers.cvr.without = {"Reklamebeskyttelse"}
    registers.cvr.publish(NOW - timedelta(hours=1))
    report = registers.ingest("cvr")
    assert "Reklamebeskyttelse is missing" in report.reason
    assert "nothing of it can be exported" in report.reason
    known = registers.held.ask("SELECT DISTINCT ad_protected FROM prospects")
    assert known == [{"ad_protected": None}]
    registers.cvr.without = set()
    publish(registers)
    registers.ingest("cvr")
    assert flags(registers, firm) == {0}


def test_a_file_that_is_not_what_is_listed_loads_nothing(registers: National) -> None:
    registers.ingest("cvr")
    before = registers.held.state()
    publish(registers)
    registers.cvr.spoil("Adressering", md5Hash="0" * 32)
    with pytest.raises(DeliveryRefused, match="MD5"):
        registers.ingest("cvr")
    assert registers.held.state() == before


def test_the_feed_and_the_next_files_say_the_same(registers: National) -> None:
    registers.ingest("cvr")
    at = registers.later(hours=1)
    for number, firm in enumerate(registers.sample.firms["cvr"][:20]):
        registers.cvr.protect(firm.number, at, value=number % 2 == 0)
        registers.cvr.set_value("e-mailadresse", unit_id(firm.number), f"ny@n{number}.example", at)
    registers.ingest("cvr")
    before = facts(registers)
    publish(registers)
    report = registers.ingest("cvr")
    assert report.kind == "full"
    assert report.counts["records_changed"] == 0
    assert facts(registers) == before


def facts(registers: National) -> list[dict[str, Any]]:
    return registers.held.ask(
        "SELECT r.source_key, r.legal_name, r.ad_protected AS company, c.kind, c.value,"
        " c.ad_protected, c.state FROM record r LEFT JOIN contact_point c"
        " ON c.record_id = r.record_id WHERE r.registration_authority = 'RA000170'"
        " ORDER BY 1, 4, 5, 7"
    )


def test_files_given_by_hand_are_loaded_and_do_not_move_the_feed(
    registers: National, tmp_path: Path
) -> None:
    registers.ingest("cvr")
    registers.cvr.protect(firm_of(registers).number, registers.later(hours=1))
    before = place(registers)
    publish(registers)
    path = tmp_path / "cvr.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in registers.cvr._files:
            if "_csv_Current_526" in file.entry["fileName"]:
                with zipfile.ZipFile(io.BytesIO(file.body)) as packed:
                    (name,) = packed.namelist()
                    archive.writestr(name, packed.read(name))
    report = registers.ingest("cvr", file=path, published_at=registers.held.house.now())
    assert (report.kind, report.counts["records_in"]) == ("full", 129)
    assert flags(registers, firm_of(registers)) == {1}
    assert place(registers) == before
    landed = registers.held.house.landing_root.rglob("*.bin")
    assert not any(b"Reklamebeskyttelse" in part.read_bytes() for part in landed)


def test_the_key_is_in_no_file_log_or_report(
    registers: National, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reports = [registers.ingest("cvr")]
    registers.cvr.protect(firm_of(registers).number, registers.later(hours=1))
    reports.append(registers.ingest("cvr"))
    registers.standin.misbehave("missing", on="_Navn_")
    publish(registers)
    with pytest.raises(SourcenoteError) as raised:
        registers.ingest("cvr")
    assert registers.holds_bytes(API_KEY) == []
    assert API_KEY not in caplog.text
    assert API_KEY not in f"{reports!r} {raised.value!r}"
