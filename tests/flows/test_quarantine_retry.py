"""Rejected rows tried again: what passes is loaded as a delta, a correction is its own origin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from group_rows import DIRECT, NO_DIRECT, NO_ULTIMATE, ULTIMATE, exception, relationship
from group_rows import ingest as group
from ingesting import ANY_LENGTH, Ingesting, company, csv_bytes, lei, opened, outcomes, quiet
from our_command import Answer, runner

from checks import arrivals, codes
from flows.quarantine_correction import read_correction
from flows.quarantine_retry import Choice, retry
from sources.kit.errors import Busy, Refused
from warehouse.engine import reading, sole_writer
from warehouse.export_origins import Holdings
from warehouse.privacy.chain import first_break
from warehouse.schema import audit_event

RULE = "countries_are_known"
BAD = {"legal_country": "QQ", "legal_region": "QQ-1"}


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path, sources=ANY_LENGTH) as found:
        yield found


@pytest.fixture
def one(sqlite_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(sqlite_url, tmp_path, sources=ANY_LENGTH) as found:
        yield found


@pytest.fixture
def rule_changed() -> Iterator[None]:
    """QQ is a country from now on."""
    with mock.patch.object(arrivals.codes, "COUNTRY", (*codes.COUNTRY, "QQ")):
        yield


def tried(place: Ingesting, *ids: int, dry_run: bool = False, **choice: Any) -> dict[str, Any]:
    return retry(place.house, Choice(ids, **choice), quiet, dry_run=dry_run)


def every(place: Ingesting, **options: Any) -> dict[str, Any]:
    return tried(place, is_all=True, **options)


def corrected(
    place: Ingesting, number: int, *given: str, reason: str = "asked the register"
) -> Any:
    return tried(place, number, correction=read_correction(given, reason))


def entries(place: Ingesting) -> dict[tuple[str, str], str]:
    rows = place.ask("SELECT source_key, rule, state FROM quarantined")
    return {(row["source_key"], row["rule"]): row["state"] for row in rows}


def number_of(place: Ingesting, company_number: int) -> int:
    query = "SELECT min(quarantine_id) FROM quarantined WHERE source_key = :key"
    return int(place.one(query, key=lei(company_number)))


def told(found: dict[str, Any]) -> tuple[int, int, int]:
    counts = found["counts"]
    return counts["passed"], counts["failed"], counts["not_retried"]


def counted(found: dict[str, Any]) -> list[dict[str, int]]:
    return [
        {
            name.removeprefix("records_"): count
            for name, count in delivery["counts"].items()
            if count and name not in {"records_in", "records_minimised"}
        }
        for delivery in found["deliveries"]
    ]


def delivery(place: Ingesting, number: int) -> dict[str, Any]:
    (row,) = place.ask("SELECT * FROM deliveries WHERE delivery_id = :number", number=number)
    return row


def origin(place: Ingesting, number: int, field: str) -> dict[str, Any]:
    (row,) = place.ask(
        "SELECT o.* FROM origins o JOIN prospects p ON p.company_id = o.company_id"
        " WHERE p.lei = :lei AND o.field = :field",
        lei=lei(number),
        field=field,
    )
    return row


def test_a_changed_rule_lets_its_rows_in(place: Ingesting, rule_changed: None) -> None:
    with mock.patch.object(arrivals.codes, "COUNTRY", codes.COUNTRY[:-1]):
        place.full([company(1), company(2, **BAD), company(3, lei_status="LOST")], "2026-11-01")
    found = every(place.later(days=1))
    assert told(found) == (1, 1, 0)
    assert counted(found) == [{"new": 1}]
    assert place.prospect(2)["country"] == "QQ"
    assert place.name(3) is None
    assert entries(place) == {
        (lei(2), RULE): "retried",
        (lei(3), "lei_status_is_known"): "open",
    }
    row = delivery(place, 2)
    assert (row["kind"], row["url"]) == ("file", f"quarantine:{number_of(place, 2)}")
    assert row["published_at"] == delivery(place, 1)["published_at"]
    assert (row["records_in"], row["records_new"]) == (1, 1)
    assert origin(place, 2, "country")["delivery_id"] == 2
    assert origin(place, 2, "country")["source_id"] == "gleif"


def test_a_retry_moves_no_cursor_and_counts_no_absence(
    place: Ingesting, rule_changed: None
) -> None:
    with mock.patch.object(arrivals.codes, "COUNTRY", codes.COUNTRY[:-1]):
        place.full([company(1), company(2, **BAD)], "2026-11-01")
    before = place.tables("source_cursor")
    every(place)
    assert place.tables("source_cursor") == before
    assert place.one("SELECT sum(absent_count) FROM record") == 0
    again = place.full([company(1), company(2, **BAD)], "2026-11-02")
    assert outcomes(again) == {"unchanged": 2}


def test_a_gap_stays_a_gap(one: Ingesting) -> None:
    """A delta by hand that reaches back nowhere moves no cursor; its rows, held back, neither."""
    one.full([company(1)], "2026-11-01")
    one.delta([company(2, **BAD)], "2026-11-02")
    before = one.tables("source_cursor")
    corrected(one, number_of(one, 2), "country=DK")
    assert delivery(one, 3)["published_at"] == delivery(one, 2)["published_at"]
    assert one.tables("source_cursor") == before
    assert one.name(2)


def test_what_still_fails_stays_as_it_was(place: Ingesting) -> None:
    place.full([company(1), company(2, **BAD)], "2026-11-01")
    before = place.state()
    found = every(place.later(days=3))
    assert told(found) == (0, 1, 0)
    assert found["deliveries"] == []
    (row,) = found["rows"]
    assert (row["source_key"], row["outcome"], list(row["rules"])) == (lei(2), "failed", [RULE])
    assert place.state() == before
    assert place.one("SELECT last_seen_at FROM quarantined") == place.one(
        "SELECT retrieved_at FROM deliveries"
    )


def test_a_row_with_two_faults_is_one_row(place: Ingesting) -> None:
    both = company(2, legal_country="QQ", lei_status="LOST")
    place.full([company(1), both], "2026-11-01")
    number = number_of(place, 2)
    assert told(corrected(place, number, "country=DK")) == (0, 1, 0)
    assert set(entries(place).values()) == {"open"}
    assert told(corrected(place, number + 1, "country=DK", "lei_status=LAPSED")) == (1, 0, 0)
    assert set(entries(place).values()) == {"retried"}
    assert delivery(place, 2)["records_in"] == 1


def test_compared_with_what_is_held_as_any_delta(one: Ingesting, rule_changed: None) -> None:
    """The first delivery's publication and the row's own date decide what is stale."""
    old, new = "2026-09-01T08:00:00Z", "2026-10-01T08:00:00Z"
    with mock.patch.object(arrivals.codes, "COUNTRY", codes.COUNTRY[:-1]):
        one.full([company(n) for n in (1, 2, 3)], "2026-11-01")
        bad = [
            company(1, legal_name="Older", last_update_published=old, **BAD),
            company(2, legal_name="Newer", last_update_published=new, **BAD),
            company(4, legal_name="Nobody Knew", **BAD),
        ]
        one.delta(bad, "2026-11-02")
        sent_since = [company(1, legal_name="Sent Since", last_update_published=old)]
        one.delta(sent_since, "2026-11-03")
    found = every(one)
    assert counted(found) == [{"new": 1, "changed": 1, "stale": 1}]
    assert [one.name(n) for n in (1, 2, 4)] == ["Sent Since", "Newer", "Nobody Knew"]
    assert one.one("SELECT count(*) FROM quarantined WHERE state = 'retried'") == 3


def test_several_publications_are_several_deliveries_the_oldest_first(
    one: Ingesting, rule_changed: None
) -> None:
    with mock.patch.object(arrivals.codes, "COUNTRY", codes.COUNTRY[:-1]):
        one.full([company(9), company(1, legal_name="First", **BAD)], "2026-11-01")
        one.delta([company(1, legal_name="Second", **BAD), company(2, **BAD)], "2026-11-02")
    found = every(one)
    assert counted(found) == [{"new": 1}, {"new": 1, "changed": 1}]
    assert one.name(1) == "Second"
    published = [
        one.one(f"SELECT published_at FROM deliveries WHERE delivery_id = {n}") for n in (3, 4)
    ]
    assert published == sorted(published)


def test_of_twins_a_person_names_the_right_one(one: Ingesting) -> None:
    twins = [company(2, legal_name="One"), company(2, legal_name="Other")]
    one.full([company(1), *twins], "2026-11-01")
    assert told(every(one)) == (0, 2, 0)
    assert one.name(2) is None
    first, _ = (row["quarantine_id"] for row in one.ask("SELECT * FROM quarantined ORDER BY 1"))
    right = json.loads(one.one(f"SELECT content FROM quarantined WHERE quarantine_id = {first}"))
    assert told(tried(one, first)) == (1, 0, 0)
    assert one.name(2) == right["legal_name"]
    assert sorted(row["state"] for row in one.ask("SELECT state FROM quarantined")) == [
        "open",
        "retried",
    ]


def test_suppression_and_scope_hold(one: Ingesting, rule_changed: None) -> None:
    with mock.patch.object(arrivals.codes, "COUNTRY", codes.COUNTRY[:-1]):
        one.full([company(1), company(2, **BAD), company(3, **BAD)], "2026-11-01")
    one.suppress(2)
    assert counted(tried(one, number_of(one, 2))) == [{"suppressed": 1}]
    one.change(scope=one.house.settings.scope.model_copy(update={"countries": ("DK",)}))
    assert counted(every(one)) == [{"out_of_scope": 1}]
    assert (one.name(2), one.name(3)) == (None, None)


def test_relationships_and_exceptions_come_in_as_if_from_a_file(
    one: Ingesting, tmp_path: Path
) -> None:
    rows = [relationship(1, 2), relationship(3, 4, ULTIMATE)]
    excepted = [exception(5), exception(6, NO_DIRECT, "NATURAL_PERSONS")]
    aside = {
        "RELATIONSHIP_TYPE": (DIRECT,),
        "EXCEPTION_CATEGORY": ("ULTIMATE_ACCOUNTING_CONSOLIDATION_PARENT",),
    }
    with mock.patch.multiple(codes, **aside):
        group(one, [*rows, *(relationship(n, n + 1) for n in range(20, 24))], "2026-11-01")
        sound = [exception(n, NO_ULTIMATE) for n in range(30, 34)]
        group(one, [*excepted, *sound], "2026-11-01")
    assert told(tried(one, is_all=True)) == (3, 0, 0)
    fields = [name for name in one.tables("record")["record"][0] if not name.endswith("_id")]
    found = {row["source_key"]: row for row in one.ask(f"SELECT {', '.join(fields)} FROM record")}
    (tmp_path / "straight").mkdir()
    url = f"sqlite:///{tmp_path / 'straight' / 'warehouse.db'}"
    with opened(url, tmp_path / "straight", sources=ANY_LENGTH) as straight:
        group(straight, rows, "2026-11-01")
        group(straight, excepted, "2026-11-01")
        for row in straight.ask(f"SELECT {', '.join(fields)} FROM record"):
            assert found[row["source_key"]] == row
    number = int(one.one("SELECT min(quarantine_id) FROM quarantined"))
    with pytest.raises(Refused, match="has no such field"):
        corrected(one, number, "country=DK")


def test_what_is_not_whole_cannot_be_tried_again(one: Ingesting, rule_changed: None) -> None:
    misshapen = b'"too","few"\r\n'
    with mock.patch.object(arrivals.codes, "COUNTRY", codes.COUNTRY[:-1]):
        rows = [
            company(1),
            company(2, entity_category="SOLE_PROPRIETOR", **BAD),
            company(3, legal_name="Firma 010190-1234", **BAD),
        ]
        one.ingest(csv_bytes(rows) + misshapen, "full", "2026-11-01")
    found = every(one)
    assert told(found) == (0, 0, 3)
    why = " ".join(row["why"] for row in found["rows"])
    for words in ("another number of fields", "only the skeleton", "like a personal number"):
        assert words in why
    assert set(entries(one).values()) == {"open"}
    assert told(corrected(one, number_of(one, 3), "country=DK")) == (0, 0, 1)
    assert one.name(3) is None


def test_a_correction_is_an_origin_of_its_own(place: Ingesting) -> None:
    place.full([company(1), company(2, **BAD)], "2026-11-01")
    number = number_of(place, 2)
    found = corrected(place.later(days=1), number, "country=DK", "legal_region=DK-84")
    assert told(found) == (1, 0, 0)
    assert delivery(place, 2)["url"] == f"correction:{number}"
    own, theirs = origin(place, 2, "country"), origin(place, 2, "legal_name")
    assert place.prospect(2)["country"] == "DK"
    assert (own["source_id"], own["database_name"]) == ("correction", "own corrections")
    assert own["publisher"] == place.house.settings.controller.name
    assert not own["is_public_database"]
    assert "CC0" not in own["licence"]
    assert own["published_at"] is None
    assert own["delivery_id"] == theirs["delivery_id"] == 2
    assert theirs["source_id"] == "gleif"
    assert theirs["is_public_database"]
    (kept,) = place.ask("SELECT * FROM correction WHERE field = 'country'")
    assert (kept["reason"], kept["delivery_id"]) == ("asked the register", 2)
    assert kept["actor"]
    (event,) = place.ask("SELECT * FROM audit_events WHERE action = 'quarantine'")[-1:]
    detail = json.loads(event["detail"])
    assert (detail["corrected"], detail["delivery_id"]) == (["country", "region"], 2)
    assert "DK" not in event["detail"]
    with reading(place.house.engine) as connection:
        assert first_break(connection, audit_event) is None


def test_lists_tell_the_same_origin_as_the_view(place: Ingesting) -> None:
    place.full([company(1), company(2, **BAD)], "2026-11-01")
    corrected(place.later(days=1), number_of(place, 2), "country=DK")
    company_id = place.prospect(2)["company_id"]
    with reading(place.house.engine) as connection:
        (holding,) = Holdings(connection).read([company_id]).values()
    (own,) = [found for found in holding.origins if "legal_country" in found.fields]
    view = origin(place, 2, "country")
    assert own.fields == ("legal_country",)
    for name in ("publisher", "database_name", "licence", "record_url", "published_at"):
        assert getattr(own, name) == view[name]
    assert own.is_public_database is False
    others = [found for found in holding.origins if found is not own]
    assert {found.publisher for found in others} == {origin(place, 2, "legal_name")["publisher"]}


def test_a_correction_of_a_held_company_corrects_one_field(place: Ingesting) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    place.delta([company(2, legal_name="New Name", lei_status="LOST")], "2026-11-02")
    corrected(place.later(days=1), number_of(place, 2), "lei_status=LAPSED")
    assert place.prospect(2)["lei_status"] == "LAPSED"
    assert origin(place, 2, "lei_status")["source_id"] == "correction"
    assert origin(place, 2, "legal_name")["source_id"] == "gleif"
    assert origin(place, 2, "legal_name")["delivery_id"] == 3
    assert origin(place, 2, "city")["delivery_id"] == 1


def test_a_correction_lasts_until_the_publisher_says_something_sound(one: Ingesting) -> None:
    place = one
    place.full([company(1), company(2, **BAD)], "2026-11-01")
    corrected(place, number_of(place, 2), "country=DK", "region=DK-84")
    again = place.full([company(1), company(2, **BAD)], "2026-11-02")
    assert outcomes(again) == {"unchanged": 1, "quarantined": 1}
    assert entries(place) == {(lei(2), RULE): "retried"}
    assert origin(place, 2, "country")["source_id"] == "correction"
    sound = company(2, legal_country="SE", legal_region="SE-M")
    assert outcomes(place.full([company(1), sound], "2026-11-03")) == {"unchanged": 1, "changed": 1}
    assert place.prospect(2)["country"] == "SE"
    assert origin(place, 2, "country")["source_id"] == "gleif"
    assert place.one("SELECT sum(records_vanished) FROM deliveries") == 0


def test_a_corrected_company_goes_whole(one: Ingesting) -> None:
    one.full([company(1), company(2, lei_status="RETIRED", **BAD)], "2026-11-01")
    corrected(one, number_of(one, 2), "country=DK")
    one.at(one.house.now().replace(year=2029)).deactivate()
    one.delete()
    assert one.prospect(2) is None
    assert one.ask("SELECT * FROM correction") == []
    assert one.ask("SELECT * FROM quarantined") == []


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        (["country"], "why", "no equals sign"),
        (["lei=X"], "why", "whose record"),
        (["kountry=DK"], "why", "did you mean country"),
        (["country=DK", "legal_country=SE"], "why", "given twice"),
        (["legal_name=Firma 010190-1234"], "why", "personal number"),
        (["country=DK"], None, "missing"),
        (["country=DK"], "a@b.example said so", "e-mail"),
        ([], "why", "nothing is corrected"),
    ],
)
def test_corrections_that_are_refused(given: list[str], reason: Any, said: str) -> None:
    with pytest.raises(Refused, match=said) as caught:
        read_correction(given, reason)
    for value in ("010190", "a@b"):
        assert value not in str(caught.value)


def test_what_cannot_be_chosen_is_refused_before_anything_is_done(one: Ingesting) -> None:
    one.full([company(1), company(2, **BAD), company(3, **BAD)], "2026-11-01")
    number, before = number_of(one, 2), one.state()
    for choice, said in (
        (Choice(), "in one way"),
        (Choice((number,), is_all=True), "in one way"),
        (Choice((number, 999)), "none of that number"),
        (Choice(rule="no_rule"), "none of that name"),
        (Choice(is_all=True, correction=read_correction(["country=DK"], "x")), "one row only"),
        (Choice((number,), correction=read_correction(["country=QQ"], "x")), "just that"),
    ):
        with pytest.raises(Refused, match=said):
            retry(one.house, choice, quiet)
    with sole_writer(one.house.engine), pytest.raises(Busy):
        every(one)
    assert one.state() == before


def test_a_dry_run_changes_nothing(one: Ingesting, rule_changed: None) -> None:
    with mock.patch.object(arrivals.codes, "COUNTRY", codes.COUNTRY[:-1]):
        one.full([company(1), company(2, **BAD)], "2026-11-01")
    before, runs = one.state(), one.tables("run")
    found = every(one, dry_run=True)
    assert (found["dry_run"], told(found), found["deliveries"]) == (True, (1, 0, 0), [])
    assert (one.state(), one.tables("run")) == (before, runs)


def test_a_second_retry_of_the_same_rows_changes_nothing(one: Ingesting) -> None:
    one.full([company(1), company(2, **BAD)], "2026-11-01")
    number = number_of(one, 2)
    corrected(one, number, "country=DK", "region=DK-84")
    before = one.state()
    assert counted(corrected(one, number, "country=DK", "region=DK-84")) == [{"unchanged": 1}]
    assert one.state() == before
    assert told(every(one)) == (0, 0, 0)


@pytest.fixture
def run(
    one: Ingesting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Callable[..., Answer]:
    one.full([company(1), company(2, **BAD), company(3, lei_status="LOST")], "2026-11-01")
    url = one.house.settings.warehouse.url
    return runner(tmp_path, monkeypatch, capsys, url)


def test_the_command_says_what_stays(one: Ingesting, run: Callable[..., Answer]) -> None:
    dry = run("quarantine", "retry", "--all", "--dry-run")
    assert dry.code == 0
    assert "nothing was changed" in dry.text
    answer = run("quarantine", "retry", "--rule", RULE, "--json")
    assert answer.code == 3
    assert answer.document["counts"]["failed"] == 1
    number = number_of(one, 2)
    line = ["quarantine", "retry", number, "--set", "country=DK", "--set", "region=DK-84"]
    answer = run(*line, "--reason", "read in the register")
    assert answer.code == 0
    assert "1 new" in answer.text
    explained = run("explain", lei(2))
    assert "Corrected by" in explained.text
    assert "because: read in the register" in explained.text
    ledger = one.ask("SELECT flow, state, source_id FROM run ORDER BY run_id DESC")[0]
    assert tuple(ledger.values()) == ("quarantine retry", "done", "gleif")


def test_the_command_refuses_in_its_usual_words(run: Callable[..., Answer]) -> None:
    for line in ([], ["1", "--all"], ["1", "--set", "country=DK"], ["77"]):
        answer = run("quarantine", "retry", *line, "--json")
        assert answer.code == 1
        assert answer.document["error"]["cure"]
