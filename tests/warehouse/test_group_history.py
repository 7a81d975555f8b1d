"""As of any moment the group is told as it was: parents, siblings, exceptions, segment, SQL."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import look_back
import pytest
from group_rows import (
    DIRECT,
    NO_DIRECT,
    NO_ULTIMATE,
    ULTIMATE,
    exception,
    ingest,
    relationship,
)
from ingesting import Ingesting, Row, company, lei, moment

from flows.explain_steps import explain
from sources.kit.policy import SourceSettings
from warehouse import segments

FIRST = date(2026, 11, 2)
DAYS = 24
CHILDREN, PARENTS = range(1, 8), (8, 10, 20)
ASKED = (*CHILDREN, *PARENTS)
LEVELS = ("gleif", "gleif-rr", "gleif-repex")
IN_FORCE = (
    "relationship_status = 'ACTIVE' AND retracted_at IS NULL AND vanished_at IS NULL"  # docs/sql.md
)
World = dict[str, dict[tuple[int, str], Row]]


@pytest.fixture(autouse=True)
def any_length(place: Ingesting) -> None:
    place.change(sources=dict.fromkeys(LEVELS, SourceSettings(min_ratio=0, max_ratio=1000)))


def dated(day: int) -> str:
    return moment(FIRST + timedelta(days=day), "T06:00:00Z")


def a_row(draw: Random, source_id: str, number: int, kind: str, day: int) -> Row:
    """What the publisher says on one key that day."""
    if source_id == "gleif":
        return company(
            number,
            legal_name=draw.choice(["Prøvefirma A/S", "Prøve Fonden", "Пример ООД"]),
            lei_status=draw.choice([*["ISSUED"] * 5, "LAPSED"]),
            next_renewal_published=draw.choice(["2026-12-10", "2027-06-01"]) + "T00:00:00Z",
            last_update_published=dated(day),
        )
    if source_id == "gleif-repex":
        return exception(number, kind, draw.choice(["NO_LEI", "NON_PUBLIC", "LEGAL_OBSTACLES"]))
    return relationship(
        number,
        draw.choice([10, 10, 20, 8]),
        kind,
        RelationshipStatus=draw.choice([*["ACTIVE"] * 5, "INACTIVE"]),
        LastUpdateDate=dated(day),
        Period_2_startDate=draw.choice(["2019-06-01", "2020-02-03T00:00:00+01:00"]),
    )


KINDS = {"gleif": ("",), "gleif-rr": (DIRECT, ULTIMATE), "gleif-repex": (NO_DIRECT, NO_ULTIMATE)}


def a_delivery(place: Ingesting, draw: Random, day: int, world: World) -> None:
    """Some rows change, some are missing, some are taken back; some deltas come days late."""
    source_id = LEVELS[day] if day < len(LEVELS) else draw.choice((*LEVELS, "gleif-rr"))
    said = world.setdefault(source_id, {})
    late = draw.choice([0, 0, 0, 3]) if day > 5 else 0
    for number in CHILDREN:
        for kind in KINDS[source_id]:
            if draw.random() < (0.4 if (number, kind) in said else 0.7):
                said[number, kind] = a_row(draw, source_id, number, kind, day - late)
    is_full = day < len(LEVELS) or (not late and draw.random() < 0.6)
    rows = [row for row in said.values() if draw.random() < 0.7] or list(said.values())
    published = FIRST + timedelta(days=day - late)
    if source_id == "gleif":
        (place.full if is_full else place.delta)(rows, published)
    elif is_full:
        ingest(place, rows, published)
    else:
        gone = {"DeletedAt": dated(day - late)}
        told = [row | (gone if draw.random() < 0.2 else {}) for row in rows]
        ingest(place, told, published, "delta")


def groups(place: Ingesting, as_of: datetime | None = None) -> dict[int, list[dict[str, Any]]]:
    return {number: explain(place.house, lei(number), as_of)["groups"] for number in ASKED}


def missing_once(place: Ingesting) -> set[tuple[str, str]]:
    """Whose last sight leaves no trace once they are back: they count as there (decision 19)."""
    rows = place.ask("SELECT source_id, start_lei FROM record WHERE absent_count = 1")
    return {(row["source_id"], row["start_lei"]) for row in rows}


def but_last_sight(told: Any, of: set[tuple[str, str]]) -> Any:
    """The answer without when those were last seen."""
    if isinstance(told, list):
        return [but_last_sight(one, of) for one in told]
    if not isinstance(told, dict):
        return told
    found = {name: but_last_sight(value, of) for name, value in told.items()}
    for origin in told.get("origins", ()):
        if (origin["source_id"], origin["record_url"].rpartition("/")[2]) in of:
            found["last_seen_at"] = None
    return found


def in_force(place: Ingesting, query: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row.values()) for row in place.ask(query))


RELATED = f"SELECT start_lei, relationship_type, end_lei FROM relationships WHERE {IN_FORCE}"
EXCUSED = """SELECT lei, exception_category, exception_reasons FROM reporting_exceptions
    WHERE retracted_at IS NULL AND vanished_at IS NULL"""


def siblings(place: Ingesting, day: date, **options: Any) -> int:
    chosen = segments.select("group-sibling", day, days=look_back.DAYS, **options)
    return segments.count(place.house.engine, chosen).held


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1))
def test_every_moment_is_told_as_it_was(place: Ingesting, seed: int) -> None:
    """Kept answers after each delivery, asked for again after all that came later."""
    draw, world, kept = Random(seed), World(), []
    for day in range(DAYS):
        place.at(FIRST + timedelta(days=day))
        a_delivery(place, draw, day, world)
        today = place.house.now().date()
        lists = (in_force(place, RELATED), in_force(place, EXCUSED))
        answers = (groups(place), missing_once(place))
        kept.append((place.house.now(), lists, siblings(place, today), answers))
    assert_all_happened(place)
    assert len({count for _, _, count, _ in kept}) > 2
    for now, (related, excused), count, (told, once) in kept:
        day = now.date()
        assert in_force(place, look_back.on(look_back.RELATIONSHIPS, day)) == related
        assert in_force(place, look_back.on(look_back.EXCEPTIONS, day)) == excused
        assert siblings(place, day, known_at=now) == count
        assert len(place.ask(look_back.on(look_back.SIBLINGS, day))) == count
        assert but_last_sight(groups(place, now), once) == but_last_sight(told, once)
    assert groups(place, place.house.now()) == kept[-1][3][0]


def assert_all_happened(place: Ingesting) -> None:
    """The sequence had what history is about; a sequence without shows nothing."""
    rows = place.ask("SELECT source_id, field, old_value, new_value FROM group_changes")
    seen = {(row["source_id"], row["field"]) for row in rows}
    back = {row["field"] for row in rows if row["old_value"] and row["new_value"] is None}
    assert {("gleif-rr", "end_lei"), ("gleif-rr", "relationship_status")} <= seen
    assert {("gleif-repex", "exception_reasons"), ("gleif-rr", "retracted_date")} <= seen
    assert {"retracted_date", "vanished_at"} <= back
    assert place.one("SELECT sum(records_stale) FROM deliveries") > 0


def test_a_child_that_moved_away_is_told_with_its_former_parent(place: Ingesting) -> None:
    place.at(FIRST).full([company(number) for number in (1, 2, 10)], FIRST)
    ingest(place, [relationship(1, 10), relationship(2, 10)], FIRST)
    before = place.house.now()
    place.later(days=1).full([company(1), company(2, legal_name="Nyt")], FIRST + timedelta(days=1))
    moved = relationship(2, 20, LastUpdateDate=dated(1))
    ingest(place, [moved], FIRST + timedelta(days=1), "delta")

    def children(number: int, as_of: datetime | None = None) -> list[tuple[str, str | None]]:
        (group,) = explain(place.house, lei(number), as_of)["groups"]
        return [(one["lei"], one["name"]) for kind in group["led_to_by"] for one in kind["first"]]

    assert children(10) == [(lei(1), "Prøvefirma 1 A/S")]
    assert children(20) == [(lei(2), "Nyt")]
    assert children(10, before) == [(lei(1), "Prøvefirma 1 A/S"), (lei(2), "Prøvefirma 2 A/S")]
    assert children(20, before) == []


def test_before_any_relationship_came_nothing_was_known(place: Ingesting) -> None:
    place.at(FIRST).full([company(1), company(10)], FIRST)
    before = place.house.now()
    ingest(place.later(days=1), [relationship(1, 10)], FIRST + timedelta(days=1))
    (then,) = explain(place.house, lei(1), before)["groups"]
    (now,) = explain(place.house, lei(1))["groups"]
    assert (then["is_loaded"], then["leads_to"]) == (False, [])
    assert (now["is_loaded"], len(now["leads_to"])) == (True, 1)


def test_persons_are_told_as_the_skeleton_that_has_not_changed(place: Ingesting) -> None:
    """Of one that has changed since, no view has the old values: the LEI alone stands there."""
    person = {"entity_category": "SOLE_PROPRIETOR"}
    rows = [company(1, **person), company(2, **person), company(3)]
    place.at(FIRST).full(rows, FIRST)
    changed = company(2, **person, lei_status="LAPSED", last_update_published=dated(1))
    place.later(days=1).delta([changed], FIRST + timedelta(days=1))

    def told(day: date) -> dict[str, tuple[Any, ...]]:
        names = ("legal_name", "country", "lei_status", "is_natural_person")
        rows = place.ask(look_back.on(look_back.PROSPECTS, day))
        return {row["lei"]: tuple(row[name] for name in names) for row in rows}

    assert told(FIRST) == {
        lei(1): (None, "DK", "ISSUED", 1),
        lei(2): (None, None, None, 1),
        lei(3): ("Prøvefirma 3 A/S", "DK", "ISSUED", 0),
    }
    assert told(FIRST + timedelta(days=1))[lei(2)] == (None, "DK", "LAPSED", 1)
