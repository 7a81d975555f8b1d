"""A company whose record joins another one's LEI: shown once, and itself again when that ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ingesting import csv_bytes, lei
from registering import Registers, danish, registers, scope

from sources.kit.policy import NoLei

FIRMS = danish("role", 3)
MAIL = str(FIRMS[1].value_of("email"))


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    """FIRMS[0] has an LEI; the others are companies of the register alone."""
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        scope(found.held, NoLei(country="DK"))
        found.leis(FIRMS[:1])
        found.ingest("cvr")
        yield found


def restate(place: Registers, firm: int, day: str) -> None:
    """The company with the LEI states the number of another firm from that day on."""
    place.held.later(days=1)
    row = place.row(1, FIRMS[firm], last_update_published=f"{day}T06:00:00Z")
    place.held.ingest(csv_bytes([row]), "delta", day)


def shown(place: Registers) -> dict[str, str | None]:
    rows = place.held.ask("SELECT registration_number, lei FROM prospects ORDER BY company_id")
    return {row["registration_number"]: row["lei"] for row in rows}


def unproven(place: Registers) -> int:
    query = (
        "SELECT count(*) FROM prospects p WHERE p.legal_name IS NOT NULL AND NOT EXISTS (SELECT 1"
        " FROM origins o WHERE o.company_id = p.company_id AND o.field = 'legal_name')"
    )
    return int(place.held.one(query))


def states(place: Registers) -> list[str]:
    rows = place.held.ask("SELECT state FROM contact_points WHERE value = :mail", mail=MAIL)
    return [row["state"] for row in rows]


def test_a_company_that_joined_another_is_shown_there_alone(place: Registers) -> None:
    assert shown(place) == {FIRMS[0].number: lei(1), FIRMS[1].number: None, FIRMS[2].number: None}
    restate(place, 1, "2026-11-03")
    # Nobody states the first firm's number any more, and it never was a company of its own.
    for _ in range(2):
        assert shown(place) == {FIRMS[1].number: lei(1), FIRMS[2].number: None}
        assert unproven(place) == 0
        assert states(place) == ["active"]
        place.held.deactivate()  # the empty company's end is nothing to its record


def test_it_is_itself_again_when_nobody_states_its_number(place: Registers) -> None:
    restate(place, 1, "2026-11-03")
    place.held.deactivate()
    restate(place, 0, "2026-11-04")
    place.held.deactivate()
    assert shown(place) == {FIRMS[0].number: lei(1), FIRMS[1].number: None, FIRMS[2].number: None}
    told = place.held.ask(
        "SELECT state, has_email, sources FROM prospects WHERE registration_number = :number",
        number=FIRMS[1].number,
    )
    assert [(row["state"], bool(row["has_email"]), row["sources"]) for row in told] == [
        ("active", True, "cvr")
    ]
    assert states(place) == ["active"]
