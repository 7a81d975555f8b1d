"""What is held, and what has ended, is known without a look at every row; and exactly."""

from __future__ import annotations

from datetime import date

import pytest
from breaking import COMMITTED, PLACES, Died
from counted import counted, told
from ingesting import Ingesting, company, moment

from warehouse import read_status
from warehouse.engine import reading, writing
from warehouse.privacy.retention import plan_moves, policy
from warehouse.privacy.retention_companies import statuses_ending
from warehouse.schema import METADATA


def ended(number: int, status: str = "RETIRED") -> dict[str, str]:
    at = moment("2026-10-01")
    return company(number, lei_status=status, last_update_published=at)


def test_twins_and_bad_rows_are_not_counted(place) -> None:
    twin = company(2, legal_name="Tvilling A/S")
    place.full([company(1), company(2), twin, company(3, legal_name="")], "2026-11-01")
    assert told(place) == counted(place) == {"gleif": 1, "companies": 1}
    place.delta([company(2), company(4)], "2026-11-02")
    assert told(place) == counted(place) == {"gleif": 3, "companies": 3}


@pytest.mark.parametrize("where", sorted(PLACES))
def test_a_load_that_dies_counts_all_or_nothing(place, where) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    with pytest.raises(Died), PLACES[where]():
        place.delta([company(1, legal_name="Anden A/S"), company(3)], "2026-11-02")
    assert told(place) == counted(place)
    assert told(place)["companies"] == (3 if where in COMMITTED else 2)


def test_what_is_deleted_is_counted_no_more(place) -> None:
    place.full([ended(1), ended(2), *(company(n) for n in range(10, 90))], "2026-11-01")
    place.deactivate()
    place.at(date(2029, 1, 1)).delete()
    assert told(place) == counted(place) == {"gleif": 80, "companies": 80}


def due(place: Ingesting) -> tuple[int, int]:
    """Companies to make inactive: as `status` counts them, and as the run would plan it."""
    policies, today = place.house.settings.retention, place.house.now().date()
    statuses = statuses_ending(policy(policies, "company_public"))
    with reading(place.house.engine) as connection:
        said = read_status.to_deactivate(connection, statuses, vanished=True, as_of=today)
        return said["companies"], len(plan_moves(connection, policies, today).deactivated)


def test_what_deactivate_would_do_is_what_it_does(wide) -> None:
    lines = [ended(1), ended(2, "MERGED"), *(company(n) for n in range(3, 7))]
    wide.full(lines, "2026-11-01")
    assert due(wide) == (2, 2)
    wide.deactivate()
    assert due(wide) == (0, 0)
    # One is back, one more ended, one is absent twice, and one more absent one has ended.
    again = company(1, last_update_published=moment("2026-11-02"))
    wide.later(days=1).full([again, *lines[1:4], ended(5)], "2026-11-02")
    assert due(wide) == (1, 1)
    wide.later(days=1).full([again, *lines[1:4]], "2026-11-03")
    wide.later(days=1).full([again, *lines[1:4]], "2026-11-04")
    assert due(wide) == (2, 2)
    wide.deactivate()
    assert due(wide) == (0, 0)


def test_a_record_that_leads_no_company_ends_none(place) -> None:
    place.full([ended(1), ended(2), company(3)], "2026-11-01")
    first, second = (place.prospect(n)["company_id"] for n in (1, 2))
    tables = METADATA.tables
    company_of, links = tables["company"], tables["company_record"]
    with writing(place.house.engine) as connection, connection.begin_nested() as taken_back:
        # The first record joins the second company, and its own goes.
        connection.execute(
            links.update()
            .where(links.c.company_id == first)
            .values(company_id=second, reason="same number")
        )
        connection.execute(company_of.delete().where(company_of.c.company_id == first))
        said = read_status.to_deactivate(
            connection, ("RETIRED",), vanished=True, as_of=date(2026, 11, 3)
        )
        taken_back.rollback()
    assert said["companies"] == 1
