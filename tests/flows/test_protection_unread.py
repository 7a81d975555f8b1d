"""Protection a register has not said: not answered on, kept out by a rule, of no known day."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from listing import export, rows_of
from registering import Registers, danish, registers

from sources.kit import sample_cvr
from sources.kit.sample_cvr import unit_id

FIRMS = danish("role", 3)
MIDDLE = unit_id(FIRMS[1].number)


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        found.leis(FIRMS)
        found.ingest("cvr")
        yield found


def by_hand(place: Registers, folder: Path) -> Path:
    """The week's files as somebody keeps them: in one zip, under Datafordeler's names."""
    path = folder / "week.zip"
    with zipfile.ZipFile(path, "w") as kept:
        for entity, rows in place.cvr.tables.items():
            name = f"CVR_V2_{entity}_TotalDownload_csv_Current_500"
            archive = sample_cvr.archive(name, "csv", rows, place.cvr.columns[entity])
            with zipfile.ZipFile(io.BytesIO(archive)) as one:
                (member,) = one.namelist()
                kept.writestr(member, one.read(member))
    return path


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


@pytest.mark.parametrize("days", [None, 30])
def test_a_file_given_by_hand_speaks_of_its_own_day(
    place: Registers, tmp_path: Path, days: int | None
) -> None:
    old = by_hand(place, tmp_path)  # nobody is protected yet
    place.cvr.protect(FIRMS[1].number, place.held.house.now())
    publish(place)
    at = place.held.house.now()
    place.held.later(hours=1)
    place.ingest("cvr", file=old, published_at=days and at - timedelta(days=days))
    place.served.misbehave("unavailable")
    reason = "advertising_protected" if days else "protection_unknown"
    names, excluded = leave(place, tmp_path)
    assert (len(names), excluded) == (2, {reason: 1})


def test_what_is_asked_after_such_a_file_counts_again(place: Registers, tmp_path: Path) -> None:
    old = by_hand(place, tmp_path)
    place.cvr.protect(FIRMS[1].number, place.held.house.now())
    publish(place)
    place.cvr.set_value("Reklamebeskyttelse", MIDDLE, False, place.held.house.now())
    place.ingest("cvr", file=old)
    assert leave(place, tmp_path)[1] == {}
    place.held.later(days=1)
    place.served.misbehave("unavailable")
    assert leave(place, tmp_path)[1] == {"recently_contacted": 3}
