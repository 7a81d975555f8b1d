"""Marketing protection a register has not said: not answered on, or in a row a rule kept out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from listing import export, rows_of
from registering import Registers, danish, registers

from sources.kit.sample_cvr import unit_id

FIRMS = danish("role", 3)
MIDDLE = unit_id(FIRMS[1].number)


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        found.leis(FIRMS)
        found.ingest("cvr")
        yield found


def publish(place: Registers) -> None:
    """A new week's files, loaded as they come."""
    place.held.later(days=7)
    place.cvr.publish(place.held.house.now())
    place.held.later(minutes=30)
    place.ingest("cvr")


def leave(place: Registers, folder: Path) -> tuple[set[str], dict[str, int]]:
    """(names on a list made now, why the others stay)."""
    found = export(place.held, folder / f"{place.held.house.now():%Y%m%d}")
    return {row["legal_name"] for row in rows_of(found)}, found["excluded"]


def test_whom_the_register_does_not_answer_on_is_not_cleared(
    place: Registers, tmp_path: Path
) -> None:
    place.held.later(days=9)
    for rows in place.cvr.tables.values():
        rows[:] = [row for row in rows if MIDDLE not in {row.get("id"), row.get("CVREnhedsId")}]
    names, excluded = leave(place, tmp_path)
    assert excluded == {"protection_unknown": 1}
    assert len(names) == 2


def test_a_row_that_a_rule_kept_out_clears_nobody(place: Registers, tmp_path: Path) -> None:
    at = place.held.house.now()
    place.cvr.set_value("Navn", MIDDLE, None, at)
    place.cvr.protect(FIRMS[1].number, at)
    publish(place)
    names, excluded = leave(place, tmp_path)
    assert excluded == {"protection_unknown": 1}
    assert len(names) == 2


def test_what_is_sound_again_counts_again(place: Registers, tmp_path: Path) -> None:
    name = next(row["vaerdi"] for row in place.cvr.tables["Navn"] if row["CVREnhedsId"] == MIDDLE)
    place.cvr.set_value("Navn", MIDDLE, None, place.held.house.now())
    publish(place)
    place.cvr.set_value("Navn", MIDDLE, name, place.held.house.now())
    publish(place)
    assert leave(place, tmp_path)[1] == {}


def test_a_number_that_became_ambiguous_clears_nobody(place: Registers, tmp_path: Path) -> None:
    place.held.later(days=1)
    rows = [place.row(n, firm) for n, firm in enumerate(FIRMS, 1)]
    rows.append(place.row(4, FIRMS[1], headquarters_address_line="Prøvegade 44"))
    place.held.full(rows, place.held.house.now().date())
    place.cvr.protect(FIRMS[1].number, place.held.house.now())
    publish(place)
    names, excluded = leave(place, tmp_path)
    assert excluded == {"protection_unknown": 2}
    assert len(names) == 2
