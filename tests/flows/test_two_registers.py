"""One company in two registers: one value with two origins, and the stricter word on marketing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ingesting import csv_bytes, lei
from listing import export
from registering import Registers, danish, registers, scope

from flows.explain_steps import explain
from sources.kit.policy import NoLei
from sources.kit.sample_bundle import SAMPLE_DAY
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_brreg import Brreg

DANE = danish("role", 1)[0]
NORWEGIAN = replace(
    bundled_registers().of("brreg", "role", has_lei=True)[0], contacts=DANE.contacts
)
MAIL = str(DANE.value_of("email"))


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    """The company is Danish, gets its LEI, and then moves to Norway's register."""
    with registers(warehouse_url, tmp_path, [DANE]) as found:
        scope(found.held, NoLei(country="DK"))
        moved = Brreg([NORWEGIAN], SAMPLE_DAY)
        found.by_id["brreg"].__dict__.update(moved.__dict__)
        yield found


def in_both(place: Registers) -> dict[str, Any]:
    place.ingest("cvr")
    place.leis([DANE])
    place.held.later(days=1)
    row = place.row(1, NORWEGIAN, last_update_published="2026-11-03T06:00:00Z")
    row["Entity.RegistrationAuthority.RegistrationAuthorityID"] = "RA000472"
    place.held.ingest(csv_bytes([row]), "delta", "2026-11-03")
    place.ingest("brreg")
    shown = place.held.prospect(1)
    assert shown is not None
    assert set(shown["sources"].split(",")) == {"brreg", "cvr", "gleif"}
    return shown


def words(place: Registers) -> dict[str, str]:
    (one,) = explain(place.held.house, lei(1))["companies"]
    return {said["source_id"]: said["state"] for said in one["protection"]}


def test_one_value_has_the_origin_of_each_register(place: Registers) -> None:
    in_both(place)
    rows = place.held.ask(
        "SELECT c.contact_id, o.source_id, o.publisher FROM contact_points c JOIN origins o"
        " ON o.company_id = c.company_id AND o.contact_id = c.contact_id WHERE c.value = :mail",
        mail=MAIL,
    )
    assert sorted(row["source_id"] for row in rows) == ["brreg", "cvr"]
    assert len({row["contact_id"] for row in rows}) == len({row["publisher"] for row in rows}) == 2


@pytest.mark.parametrize("is_protected", [True, False])
def test_the_stricter_word_counts(place: Registers, tmp_path: Path, *, is_protected: bool) -> None:
    if is_protected:
        place.cvr.protect(DANE.number, place.held.house.now())
        place.cvr.publish(place.held.house.now())
    shown = in_both(place)
    said = "protected" if is_protected else "not protected"
    assert words(place) == {"brreg": "no such flag", "cvr": said}
    assert shown["ad_protected"] in {is_protected, int(is_protected)}
    found = export(place.held, tmp_path / "out")
    excluded = {"advertising_protected": 1} if is_protected else {}
    assert found["excluded"] == excluded
