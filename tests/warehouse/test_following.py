"""A company's stop follows it: successors, a duplicate's survivor, the same number, never less."""

from __future__ import annotations

from typing import Any

import pytest
from ingesting import Ingesting, Row, company, lei, outcomes
from listing import export, norwegian, rows_of, stop

from flows import suppress_lists, suppress_steps
from flows.cli.sentences import stop_sentence
from flows.explain_steps import explain
from flows.suppress_steps import Subject
from sources.kit.numbers import register_key
from sources.kit.policy import SourceSettings
from warehouse import read_stops
from warehouse.engine import reading
from warehouse.export_stops import stopped_by_now
from warehouse.privacy.stops import Stops

ANY = SourceSettings(min_ratio=0, max_ratio=1000)


@pytest.fixture(autouse=True)
def any_length(place: Ingesting) -> None:
    place.change(sources={"gleif": ANY})


def merged(number: int, into: int, **changes: str) -> Row:
    """A company that was merged into another, lately enough to be taken."""
    words = {"lei_status": "RETIRED", "entity_status": "INACTIVE", "successor_lei_1": lei(into)}
    return company(number, **{**words, **changes})


def covered(place: Ingesting, *numbers: int) -> list[bool]:
    with reading(place.house.engine) as connection:
        stops = Stops.read(connection, place.house.keys)
    found: list[bool] = stops.covers([lei(number) for number in numbers]).tolist()
    return found


def linked(place: Ingesting) -> set[str]:
    rows = place.ask(
        "SELECT r.source_key FROM company_stop s JOIN company_record l ON l.company_id ="
        " s.company_id JOIN record r ON r.record_id = l.record_id"
    )
    return {row["source_key"] for row in rows}


def test_a_stop_follows_to_successors_held(place: Ingesting) -> None:
    place.full([merged(1, 2), merged(2, 3), company(3), company(4)], "2026-10-01")
    place.suppress(1)
    assert covered(place, 1, 2, 3, 4) == [True, True, True, False]
    assert linked(place) == {lei(1), lei(2), lei(3)}


def test_a_stop_follows_to_a_successor_that_comes_later(place: Ingesting) -> None:
    place.full([merged(1, 2), company(4)], "2026-10-01")
    place.suppress(1)
    report = place.delta([company(2), company(5)], "2026-10-02")
    assert outcomes(report) == {"new": 1, "suppressed": 1}
    assert place.prospect(2) is None


def test_a_stop_follows_when_the_succession_is_stated_later(place: Ingesting) -> None:
    place.full([company(1), company(2), company(4)], "2026-10-01")
    place.suppress(1)
    assert covered(place, 2) == [False]
    ended = merged(1, 2, last_update_published="2026-10-02T00:00:00Z")
    place.delta([ended], "2026-10-02")
    assert linked(place) == {lei(1), lei(2)}
    moved = company(2, legal_name="Nyt Navn A/S", last_update_published="2026-10-03T00:00:00Z")
    assert outcomes(place.delta([moved], "2026-10-03")) == {"suppressed": 1}


def test_a_stop_follows_who_was_never_held(place: Ingesting) -> None:
    place.full([company(4)], "2026-10-01")
    place.suppress(1)
    before, after = merged(1, 2), merged(2, 3)  # 1 and 2 are dropped, and say where they lead
    report = place.full([company(3), company(4), after, before], "2026-10-02")
    assert report.counts["records_suppressed"] == 1
    assert linked(place) == {lei(2), lei(3)}  # came before 1 in the file, in the same transaction
    assert covered(place, 1, 2, 3, 4) == [True, True, True, False]
    again = place.full([company(3), company(4), after, before], "2026-10-03")
    assert again.counts["records_suppressed"] >= 1


def test_a_duplicate_leads_to_the_lei_that_survives(place: Ingesting) -> None:
    duplicate = company(1, lei_status="DUPLICATE", entity_status="NULL", successor_lei_1=lei(2))
    place.full([duplicate, company(2)], "2026-10-01")
    place.suppress(1)
    assert covered(place, 2) == [True]
    assert place.one("SELECT path FROM followed_stop WHERE kind = 'lei'") == "duplicate"


def test_the_same_number_in_the_same_register_is_the_same_company(place: Ingesting) -> None:
    place.full([company(1, registration_number="999 999-999")], "2026-10-01")
    place.suppress(1)
    report = place.delta(
        [
            company(2, registration_number="999999999"),
            company(3, registration_number="999999999", registration_authority="RA000472"),
            company(4, registration_number="999999998"),
        ],
        "2026-10-02",
    )
    assert outcomes(report) == {"new": 2, "suppressed": 1}
    assert place.prospect(2) is None


def test_asked_by_lei_the_same_number_is_told_of(place: Ingesting, tmp_path: Any) -> None:
    """As a list would have it: one value, and a mailing tool's own list."""
    place.full(
        [
            company(1, registration_number="999 999-999"),
            company(2, registration_number="999999999"),
            company(3, registration_number="999999998"),
        ],
        "2026-10-01",
    )
    place.suppress(1)
    told = suppress_steps.check(place.house, Subject("lei", lei(2)))
    assert told["stop"]["path"] == [{"how": "same number", "from": lei(1)}]
    assert not suppress_steps.check(place.house, Subject("lei", lei(3)))["is_stopped"]
    given, out = tmp_path / "given.csv", tmp_path / "stop.csv"
    given.write_text("LEI\n" + "".join(f"{lei(n)}\n" for n in (1, 2, 3)), encoding="utf-8")
    suppress_lists.check_list(place.house, given, out)
    assert out.read_text(encoding="utf-8").split() == ["LEI", lei(1), lei(2)]


def test_a_number_of_a_company_that_was_never_held_is_known_by_its_hash(place: Ingesting) -> None:
    place.full([company(9)], "2026-10-01")
    place.suppress(1)
    place.delta([company(1, registration_number="77 77 77 77")], "2026-10-02")
    report = place.delta([company(2, registration_number="77777777")], "2026-10-03")
    assert outcomes(report) == {"suppressed": 1}
    hashed = place.ask("SELECT * FROM followed_stop")
    assert hashed
    assert "7777" not in str([row["path"] for row in hashed])


def test_the_successor_of_who_has_the_same_number_is_covered_too(place: Ingesting) -> None:
    place.full([company(1, registration_number="999 999 999"), company(9)], "2026-10-01")
    place.suppress(1)
    place.delta([merged(2, 3, registration_number="999999999")], "2026-10-02")
    assert covered(place, 3) == [True]


@pytest.mark.parametrize("authority", ["RA999999", "RA888888"])
def test_a_number_under_no_register_joins_nobody(place: Ingesting, authority: str) -> None:
    words = {"registration_authority": authority, "registration_number": "1"}
    place.full([company(1, **words), company(9)], "2026-10-01")
    place.suppress(1)
    assert outcomes(place.delta([company(2, **words)], "2026-10-02")) == {"new": 1}


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("999 999 999", "RA000472:999999999"),
        ("hrb-12 345", "RA000472:HRB12345"),
        ("０12", "RA000472:012"),
        ("000", None),
        (" - ", None),
        (None, None),
    ],
)
def test_a_number_has_one_form(number: str | None, key: str | None) -> None:
    assert register_key("RA000472", number) == key
    assert register_key(None, number) is None


def test_a_stop_is_never_narrowed_again(place: Ingesting) -> None:
    place.full([merged(1, 2), company(2), company(4)], "2026-10-01")
    place.suppress(1)
    taken_back = merged(1, 4, last_update_published="2026-10-02T00:00:00Z")
    place.delta([taken_back], "2026-10-02")  # it was 4 all along
    assert covered(place, 2, 4) == [True, True]


def test_a_successor_stopped_by_itself_keeps_its_own_stop(place: Ingesting) -> None:
    place.full([merged(1, 2), company(2)], "2026-10-01")
    place.suppress(2)
    place.suppress(1)
    assert covered(place, 1, 2) == [True, True]
    with reading(place.house.engine) as connection:
        assert read_stops.led_to(connection, place.house.keys, lei(2)) is None


def test_a_circle_of_successors_ends(place: Ingesting) -> None:
    place.full([merged(1, 2), merged(2, 1), company(3)], "2026-10-01")
    place.suppress(1)
    assert covered(place, 1, 2, 3) == [True, True, False]


def test_no_list_takes_whom_a_stop_follows_to(place: Ingesting, tmp_path: Any) -> None:
    old = {"lei_status": "RETIRED", "entity_status": "INACTIVE"}
    place.full(
        [
            norwegian(1, **old, successor_lei_1=lei(2), registration_number="111 111 111"),
            norwegian(2, registration_number="222222222"),
            norwegian(3, registration_number="111111111"),
            norwegian(4, registration_number="444444444"),
        ],
        "2026-10-01",
    )
    place.suppress(1)
    manifest = export(place, tmp_path)
    assert (manifest["selected"], manifest["excluded"]["suppressed"]) == (1, 2)


def test_the_check_at_writing_knows_them_too(place: Ingesting) -> None:
    rows = [
        company(1, registration_number="111 111 111", successor_lei_1=lei(2)),
        company(2),
        company(3, registration_number="111111111"),
        company(4),
    ]
    place.full(rows, "2026-10-01")
    leis = [lei(number) for number in range(1, 5)]
    held = place.ask("SELECT company_id, lei FROM prospects ORDER BY lei")
    ids = [row["company_id"] for row in held]
    place.suppress(1)
    with reading(place.house.engine) as connection:
        found = stopped_by_now(connection, place.house.keys, ids, leis)
    assert found == {row["company_id"] for row in held if row["lei"] != lei(4)}


def test_explain_shows_the_path(place: Ingesting) -> None:
    rows = [
        merged(1, 2, registration_number="111 111 111"),
        merged(2, 3),
        company(3),
        company(4, registration_number="111111111"),
        company(5),
    ]
    place.full(rows, "2026-10-01")
    place.suppress(1)
    paths = {number: explain(place.house, lei(number))["stop"] for number in range(1, 6)}
    assert "path" not in paths[1]
    assert paths[2]["path"] == [{"how": "successor", "from": lei(1)}]
    assert paths[3]["path"] == [
        {"how": "successor", "from": lei(1)},
        {"how": "successor", "from": lei(2)},
    ]
    assert paths[4]["path"] == [{"how": "same number", "from": lei(1)}]
    assert paths[5] is None
    page = stop_sentence(paths[3], "it")
    assert f"successor of {lei(2)}, which is the successor of {lei(1)}" in page


def test_who_was_never_held_is_not_named_in_a_path(place: Ingesting) -> None:
    place.full([company(9)], "2026-10-01")
    place.suppress(1)
    place.delta([merged(1, 2)], "2026-10-02")
    place.delta([company(2)], "2026-10-03")
    found = explain(place.house, lei(2))
    assert not found["is_held"]
    assert found["stop"]["path"] == [{"how": "successor", "from": None}]
    assert "a company that is not held" in stop_sentence(found["stop"], "it")
    assert suppress_steps.check(place.house, Subject("lei", lei(2)))["is_stopped"]


def test_a_stop_by_a_letters_link_follows_too(place: Ingesting, tmp_path: Any) -> None:
    words = {"successor_lei_1": lei(2), "registration_number": "111 111 111"}
    rows = [
        norwegian(1, **words),
        norwegian(2, registration_number="222222222", lei_status="ISSUED"),
        norwegian(3, registration_number="111111111", lei_status="ISSUED"),
    ]
    place.full(rows, "2026-10-01")
    (row,) = rows_of(export(place, tmp_path))
    assert row["lei"] == lei(1)
    stop(place, row["unsubscribe_url"])
    assert covered(place, 1, 2, 3) == [True, True, False]
    with reading(place.house.engine) as connection:
        assert read_stops.stop_on(connection, place.house.keys, "lei", lei(2)) is not None
    report = place.delta(
        [
            norwegian(2, legal_name="Nytt Navn AS", last_update_published="2026-10-02T00:00:00Z"),
            norwegian(
                3, registration_number="111111111", last_update_published="2026-10-02T00:00:00Z"
            ),
        ],
        "2026-10-02",
    )
    assert outcomes(report) == {"suppressed": 2}
