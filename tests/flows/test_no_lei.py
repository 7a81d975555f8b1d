"""Companies without an LEI: taken where [scope] says so, counted, exported under their register."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ingesting import csv_bytes, lei
from listing import export, rows_of, stop
from registering import Registers, danish, registers, scope

from sources.kit.policy import NoLei
from warehouse import segments

FIRMS = danish("role", 3)
ALL_DANISH = NoLei(country="DK")


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        scope(found.held, ALL_DANISH)
        found.leis(FIRMS[:1])
        yield found


def count(place: Registers, name: str = "no-lei", **options: object) -> int:
    house = place.held.house
    chosen = segments.select(
        name,
        house.now().date(),
        registers=("brreg", "cvr"),
        **options,  # type: ignore[arg-type]
    )
    return segments.count(house.engine, chosen).candidates


def test_only_what_scope_names_is_taken(place: Registers) -> None:
    scope(place.held)
    report = place.ingest("cvr")
    assert report.counts["records_out_of_scope"] == 2
    assert count(place) == 0
    scope(place.held, NoLei(country="NO"), NoLei(country="DK", legal_forms=("XXXX",)))
    assert place.ingest("cvr", is_full_wanted=True).counts["records_out_of_scope"] == 2
    scope(place.held, ALL_DANISH)
    place.ingest("cvr", is_full_wanted=True)
    assert (count(place), count(place, "all")) == (2, 1)
    assert count(place, countries=("NO",)) == 0


def test_a_form_is_named_by_its_code_or_in_the_registers_own_word(place: Registers) -> None:
    for form in ("80", "H8VP"):  # anpartsselskab, in CVR's word and by ISO 20275
        scope(place.held, NoLei(country="DK", legal_forms=(form,)))
        report = place.ingest("cvr", is_full_wanted=True)
        assert report.counts["records_out_of_scope"] == 0


def test_size_is_asked_where_the_register_says_it(place: Registers) -> None:
    brreg = place.by_id["brreg"]
    living = [one for one in brreg.entities.values() if one["organisasjonsform"]["kode"] == "AS"]
    for nth, one in enumerate(living[:2]):
        one["antallAnsatte"] = (9, 10)[nth]
    brreg.publish_bulk(place.held.house.now() - timedelta(hours=1))
    scope(place.held, NoLei(country="NO", legal_forms=("AS",), min_employees=10))
    assert place.ingest("brreg").counts["records_new"] == 1


def test_a_list_of_them_names_their_register(place: Registers, tmp_path: Path) -> None:
    place.ingest("cvr")
    found = export(place.held, tmp_path / "out", segment="no-lei")
    assert (found["candidates"], found["selected"]) == (2, 2)
    assert found["filter"] == {"days": None, "countries": []}
    by_name = {row["legal_name"]: row for row in rows_of(found)}
    for firm in FIRMS[1:]:
        row = by_name[firm.name]
        assert (row["lei"], row["country"]) == ("", "DK")
        assert row["source_names"].startswith("Det Centrale Virksomhedsregister (CVR)")
        assert row["source_urls"] == f"https://datacvr.virk.dk/enhed/virksomhed/{firm.number}"
        assert "GLEIF" not in row["full_notice"]
        assert "LEI-kode" not in row["full_notice"].partition("\n")[0]
        assert row["obtained_on"] == "2026-11-02"
    page = Path(found["directory"], "notices", "da.html").read_text("utf-8")
    assert not any(firm.number in page or firm.name in page for firm in FIRMS)
    left = place.held.ask("SELECT fields FROM disclosures")
    assert all("lei" not in row["fields"].split(",") for row in left)


def test_a_stop_by_a_letters_link_holds_after_the_company_is_gone(
    place: Registers, tmp_path: Path
) -> None:
    place.ingest("cvr")
    found = export(place.held, tmp_path / "out", segment="no-lei")
    stop(place.held, rows_of(found)[0]["unsubscribe_url"])
    again = export(place.held, tmp_path / "out", segment="no-lei")
    assert again["excluded"] == {"suppressed": 1, "recently_contacted": 1}
    with place.held.house.engine.begin() as connection:
        for table in ("company_stop", "contact_change", "contact_point", "change"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        for table in ("company_record", "company", "record_number", "record"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    report = place.ingest("cvr", is_full_wanted=True)
    assert report.counts["records_suppressed"] == 1
    assert count(place) == 2  # the one that had an LEI is not known to have one now


def test_a_company_that_gets_an_lei_leaves_the_segment(place: Registers) -> None:
    place.ingest("cvr")
    assert count(place) == 2
    before = place.held.house.now()
    place.held.later(days=1)
    row = place.row(2, FIRMS[1], last_update_published="2026-11-03T08:00:00Z")
    place.held.ingest(csv_bytes([row]), "delta", "2026-11-03")
    assert (count(place), count(place, "all")) == (1, 2)
    assert count(place, known_at=before) == 2
    assert count(place, known_at=before - timedelta(days=2)) == 0
    shown = place.held.prospect(2)
    assert shown is not None
    assert set(shown["sources"].split(",")) == {"cvr", "gleif"}
    told = place.held.ask("SELECT company_id FROM prospects WHERE lei = :lei", lei=lei(2))
    assert len(told) == 1
