"""As of any moment the warehouse says what it said at that moment: values, origins, counts, SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import look_back
import pyarrow as pa
import pytest
from ingesting import Ingesting, Row, company, lei

from flows import explain_steps
from flows.as_of import moment_of
from sources.kit import columns
from sources.kit.errors import Refused
from sources.kit.tidy import with_moments
from warehouse import segments
from warehouse.engine import writing
from warehouse.history import rewound
from warehouse.schema import change

FIRST = datetime(2026, 11, 2, 10, tzinfo=UTC)
DAYS = 9
NUMBERS = range(7)
SHOWN = [shown for shown, _ in columns.SHOWN]

CHOICES: dict[str, tuple[str, ...]] = {
    "legal_name": ("Prøvefirma A/S", "Prøve Fonden", "Пример ООД"),
    "lei_status": ("ISSUED", "ISSUED", "LAPSED", "RETIRED"),
    "next_renewal_published": (
        "2026-11-20T00:00:00Z",
        "2026-12-31T23:30:00-05:00",
        "2027-03-01T00:00:00+14:00",
    ),
    "legal_country": ("DK", "SE"),
    "legal_region": ("", "DK-84"),
    "legal_city": ("Prøveby", "Prøvehavn"),
    "legal_postal_code": ("", "0999", "0998"),
    "creation_published": ("", "1999-04-01T00:00:00+02:00", "2001-01-01"),
    "registration_number": ("99000001", "99000002"),
    "successor_lei_1": ("", lei(90)),
}


def a_row(draw: Random, number: int, day: int) -> Row:
    chosen = {name: draw.choice(values) for name, values in CHOICES.items()}
    return company(number, **chosen, last_update_published=f"2026-10-{day + 1:02d}T08:00:00Z")


def a_delivery(place: Ingesting, draw: Random, day: int, world: dict[int, Row]) -> None:
    """Most rows stay as they are; some change, come, or are missing from a full file."""
    for number in NUMBERS:
        if number not in world or draw.random() < 0.4:
            world[number] = a_row(draw, number, day)
    there = [world[number] for number in NUMBERS if draw.random() < 0.6] or [world[0]]
    kind = draw.choice(["full", "full", "delta"])
    published = date(2026, 11, 2) + timedelta(days=day)
    deliver = place.full if kind == "full" else place.delta
    deliver([*there, company(50 + day)], published)


def prospects(place: Ingesting) -> list[tuple[str, ...]]:
    names = ", ".join(f"CAST({name} AS text)" for name in ("company_id", "lei", *SHOWN))
    rows = place.ask(f"SELECT {names} FROM prospects WHERE NOT is_natural_person")
    return sorted(tuple(str(value) for value in row.values()) for row in rows)


def prospects_then(place: Ingesting, day: date) -> list[tuple[str, ...]]:
    rows = place.ask(look_back.on(look_back.PROSPECTS, day))
    names = ("company_id", "lei", *SHOWN)
    return sorted(tuple(str(row[name]) for name in names) for row in rows)


def counts(place: Ingesting, day: date, **options: Any) -> dict[str, int]:
    found = {
        name: segments.count(place.house.engine, segments.select(name, day, **options)).held
        for name in ("renewal-due", "lapsed", "all")
    }
    danish = segments.select("all", day, countries=("dk",), **options)
    return {**found, "DK": segments.count(place.house.engine, danish).held}


def told(place: Ingesting, as_of: datetime | None = None) -> dict[str, Any]:
    """What `explain` says of every company, as a reader gets it."""
    found = {}
    for number in (*NUMBERS, 50):
        answer = explain_steps.explain(place.house, lei(number), as_of)
        found[lei(number)] = answer["companies"]
    return found


def but_absences(answer: list[dict[str, Any]], kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The companies without what leaves no trace: how long an absence was that has ended.

    Of a record that was missing once then, no more is known of when it was last seen.
    """
    missing_once = kept and kept[0]["records"][0]["absent_count"] == 1
    found = []
    for one in answer:
        records = [{**record, "absent_count": None} for record in one["records"]]
        values = [
            {**value, **({"last_seen_at": None} if missing_once else {})} for value in one["values"]
        ]
        found.append({**one, "records": records, "values": values})
    return found


@pytest.mark.parametrize("seed", range(2))
def test_every_moment_is_told_as_it_was(wide: Ingesting, seed: int) -> None:
    """Kept answers of each day, asked for again after all that came later."""
    draw, kept = Random(seed), []
    world: dict[int, Row] = {}
    for day in range(DAYS):
        wide.at(FIRST + timedelta(days=day))
        a_delivery(wide, draw, day, world)
        today = wide.house.now().date()
        kept.append((wide.house.now(), prospects(wide), counts(wide, today), told(wide)))
    assert len({repr(values) for _, values, _, _ in kept}) == DAYS
    vanished = wide.one("SELECT count(*) FROM changes WHERE field = 'vanished_at'")
    assert vanished > 0
    for moment, shown, counted, answers in kept:
        day = moment.date()
        assert prospects_then(wide, day) == shown
        end = moment_of(wide.house, day)
        assert counts(wide, day, known_at=end) == counted
        for key, answer in told(wide, end).items():
            assert but_absences(answer, answers[key]) == but_absences(answers[key], answers[key])
    assert told(wide, wide.house.now()) == kept[-1][3]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T00:00:00Z",
        "2026-12-31T23:30:00-05:00",
        "2024-06-01T13:30:05.042Z",
        "2024-06-01T13:30:05.9999999Z",
        "1969-12-31T23:59:58.5Z",
        "1850-01-01T00:00:00+00:20",
        "0001-01-01T00:00:00Z",
        "2101-01-01T00:00:00Z",
        "2001-01-01",
        "2001-01-01T10:00:00",
        "1999-04-01 00:00:00+02",
    ],
)
@pytest.mark.parametrize("stem", ["creation", "next_renewal", "last_update"])
def test_a_moment_is_read_as_the_loader_reads_it(stem: str, text: str) -> None:
    column = pa.chunked_array([pa.array([text], pa.string())])
    names = {f"{stem}_at", f"{stem}_date"} & set(columns.BY_NAME)
    fields = [columns.BY_NAME[name] for name in sorted(names)]
    (read,) = with_moments(pa.table({f"{stem}_published": column}), fields).to_pylist()
    step = {"field": f"{stem}_date", "delivery_id": 2, "changed_at": FIRST, "old_value": text}
    held = {f"{stem}_published": "2027-01-01T00:00:00Z", **dict.fromkeys(names)}
    then = rewound(held, [step], FIRST - timedelta(days=1))
    at = then[f"{stem}_at"]
    assert (at and at.timestamp()) == read[f"{stem}_at"]
    assert then.get(f"{stem}_date") == read.get(f"{stem}_date")


def test_before_the_first_delivery_there_was_nothing(wide: Ingesting) -> None:
    wide.full([company(1)], "2026-11-01")
    before = FIRST - timedelta(days=1)
    answer = explain_steps.explain(wide.house, lei(1), before)
    assert (answer["is_held"], answer["companies"]) == (False, [])
    assert answer["first_held_at"] == wide.house.now()
    assert set(counts(wide, before.date(), known_at=before).values()) == {0}
    assert prospects_then(wide, before.date()) == []


def test_a_moment_within_a_day_is_its_own(wide: Ingesting) -> None:
    wide.at(FIRST).full([company(1, legal_name="Før")], "2026-11-01")
    wide.at(FIRST + timedelta(hours=4)).delta([company(1, legal_name="Efter")], "2026-11-02")

    def name(hours: float) -> str:
        (found,) = explain_steps.explain(wide.house, lei(1), FIRST + timedelta(hours=hours))[
            "companies"
        ]
        return str(found["name"])

    assert [name(hours) for hours in (0, 3.99, 4, 5)] == ["Før", "Før", "Efter", "Efter"]


def test_the_future_is_not_known(wide: Ingesting) -> None:
    wide.at(FIRST)
    assert moment_of(wide.house, FIRST.date()) == datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC)
    with pytest.raises(Refused, match="is to come"):
        moment_of(wide.house, FIRST.date() + timedelta(days=1))


def test_the_state_goes_by_its_dates(wide: Ingesting) -> None:
    wide.at(FIRST).full([company(1), company(2)], "2026-11-02")
    ended = company(1, lei_status="RETIRED", last_update_published="2026-11-03T06:00:00Z")
    wide.later(days=1).delta([ended], "2026-11-03")
    wide.later(days=1).deactivate()

    def state(day: date) -> tuple[str, str]:
        rows = wide.ask(look_back.on(look_back.PROSPECTS, day))
        (by_sql,) = [row["state"] for row in rows if row["lei"] == lei(1)]
        end = moment_of(wide.house, day)
        (found,) = explain_steps.explain(wide.house, lei(1), end)["companies"]
        return by_sql, found["retention"]["state"]

    assert state(date(2026, 11, 2)) == ("active", "active")
    assert state(date(2026, 11, 3)) == ("inactive", "inactive")


def test_what_is_erased_stays_gone_whatever_the_date(wide: Ingesting) -> None:
    """A company that is deleted; one that turns out to be a person, whose name goes everywhere."""
    wide.at(FIRST).full([company(1), company(2, legal_name="Jens Eksempel")], "2026-11-02")
    person = company(2, legal_name="Jens Eksempel", entity_category="SOLE_PROPRIETOR")
    gone = company(1, lei_status="RETIRED", last_update_published="2026-11-03T06:00:00Z")
    wide.later(days=1).delta([person, gone], "2026-11-03")
    wide.later(days=800).deactivate()
    wide.delete()
    assert explain_steps.explain(wide.house, lei(1), FIRST)["companies"] == []
    (person_then,) = prospects_then(wide, FIRST.date())
    assert set(person_then[1:]) == {lei(2), "None"}
    assert counts(wide, FIRST.date(), known_at=FIRST)["all"] == 1
    (found,) = explain_steps.explain(wide.house, lei(2), FIRST)["companies"]
    assert "Jens" not in repr(found)
    assert (found["name"], found["person_kind"]) == (None, "natural")


def test_an_old_value_that_retention_removed_is_told_as_removed(wide: Ingesting) -> None:
    for day, name in enumerate(["Et", "To", "Tre"]):
        wide.at(FIRST + timedelta(days=day)).delta([company(1, legal_name=name)], "2026-11-02")
    with writing(wide.house.engine) as connection:
        connection.execute(change.update().values(old_value=None))
    (found,) = explain_steps.explain(wide.house, lei(1), FIRST + timedelta(days=1))["companies"]
    (name,) = [value for value in found["values"] if value["field"] == "legal_name"]
    assert (name["value"], name["is_removed"]) == (None, True)
