"""Rejected relationships and exceptions: tried again, taken back, corrected, and gone whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from group_rows import DIRECT, NO_DIRECT, NO_ULTIMATE, exception, ingest, relationship
from ingesting import ANY_LENGTH, Ingesting, company, lei, opened, quiet
from our_command import runner

from checks import codes
from flows.explain_steps import explain
from flows.quarantine_correction import read_correction
from flows.quarantine_retry import Choice, retry
from sources.kit.errors import Refused

LENGTHS = dict.fromkeys(("gleif", "gleif-rr", "gleif-repex"), ANY_LENGTH["gleif"])
WHY = "asked the register"
REFERENCE = "see the annual report"


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path, sources=LENGTHS) as found:
        yield found


def number_of(place: Ingesting, source_key: str) -> int:
    query = "SELECT min(quarantine_id) FROM quarantined WHERE source_key = :key"
    return int(place.one(query, key=source_key))


def corrected(place: Ingesting, source_key: str, *given: str) -> dict[str, int]:
    choice = Choice((number_of(place, source_key),), correction=read_correction(given, WHY))
    found = retry(place.house, choice, quiet)
    return {name: count for name, count in found["counts"].items() if count}


def group_origins(place: Ingesting, source_key: str) -> dict[str, dict[str, Any]]:
    query = "SELECT * FROM group_origins WHERE source_key = :key"
    return {row["field"]: row for row in place.ask(query, key=source_key)}


@pytest.fixture
def bad_relationship(place: Ingesting) -> str:
    """One whose status nobody knows, among sound ones; the key it has."""
    sound = [relationship(n, n + 1) for n in range(20, 24)]
    bad = relationship(1, 2, Relationship_RelationshipStatus="MAYBE")
    ingest(place, [*sound, bad], "2026-11-01")
    return f"{lei(1)}:{DIRECT}"


@pytest.fixture
def bad_exception(place: Ingesting) -> str:
    sound = [exception(n, NO_ULTIMATE) for n in range(30, 34)]
    bad = exception(5, NO_DIRECT, "NO_REASON_AT_ALL", Reference_1=REFERENCE)
    ingest(place, [*sound, bad], "2026-11-01")
    return f"{lei(5)}:{NO_DIRECT}"


def test_a_changed_rule_lets_a_retraction_take_back(place: Ingesting) -> None:
    """Rejected as it came, and a retraction when it is tried again."""
    ingest(place, [relationship(n, n + 1) for n in range(1, 6)], "2026-11-01")
    gone = relationship(1, 2, DeletedAt="2026-11-01T06:00:00Z")
    with mock.patch.object(codes, "RELATIONSHIP_TYPE", ("IS_FEEDER_TO",)):
        ingest(place, [gone], "2026-11-02", "delta")
    held = "SELECT retracted_at FROM relationships WHERE start_lei = :lei"
    assert place.one(held, lei=lei(1)) is None
    found = retry(place.house, Choice(is_all=True), quiet)
    (delivery,) = found["deliveries"]
    assert (delivery["counts"]["records_in"], delivery["counts"]["records_retracted"]) == (1, 1)
    assert str(place.one(held, lei=lei(1))).startswith("2026-11-01 06:00")
    assert place.one("SELECT state FROM quarantined") == "retried"


def test_an_older_row_tried_again_is_stale(place: Ingesting) -> None:
    old = relationship(1, 9, Registration_LastUpdateDate="2026-09-01T08:00:00Z")
    new = relationship(1, 2, Registration_LastUpdateDate="2026-10-20T08:00:00Z")
    with mock.patch.object(codes, "RELATIONSHIP_STATUS", ("NULL",)):
        ingest(place, [old], "2026-11-01", "delta")
    ingest(place, [new, *(relationship(n, n + 1) for n in range(20, 24))], "2026-11-02")
    found = retry(place.house, Choice(is_all=True), quiet)
    assert [one["counts"]["records_stale"] for one in found["deliveries"]] == [1]
    assert place.one("SELECT end_lei FROM relationships WHERE start_lei = :l", l=lei(1)) == lei(2)


def test_a_corrected_relationship_is_an_origin_of_its_own(
    place: Ingesting, bad_relationship: str
) -> None:
    key = bad_relationship
    number = number_of(place, key)
    place.later(days=1)
    assert corrected(place, key, "relationship_status=ACTIVE") == {"rows": 1, "passed": 1}
    own, theirs = (group_origins(place, key)[n] for n in ("relationship_status", "end_lei"))
    assert (own["source_id"], own["database_name"]) == ("correction", "own corrections")
    assert own["publisher"] == place.house.settings.controller.name
    assert (bool(own["is_public_database"]), own["published_at"]) == (False, None)
    assert (theirs["source_id"], bool(theirs["is_public_database"])) == ("gleif-rr", True)
    (row,) = place.ask("SELECT * FROM relationships WHERE start_lei = :lei", lei=lei(1))
    assert (row["relationship_status"], bool(row["is_corrected"])) == ("ACTIVE", True)
    others = place.ask("SELECT is_corrected FROM relationships WHERE start_lei <> :l", l=lei(1))
    assert [bool(other["is_corrected"]) for other in others] == [False] * 4
    url = place.one("SELECT url FROM deliveries ORDER BY delivery_id DESC LIMIT 1")
    assert url == f"correction:{number}"
    detail = place.ask("SELECT detail FROM audit_events WHERE action = 'quarantine'")[-1]["detail"]
    assert json.loads(detail)["corrected"] == ["relationship_status"]


def test_whom_it_leads_to_corrected_is_told_by_explain(place: Ingesting) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    wrong = lei(2)[:-2] + "00"
    bad = relationship(1, 2, EndNode_NodeID=wrong)
    ingest(place, [bad, *(relationship(n, n + 1) for n in range(20, 24))], "2026-11-01")
    key = f"{lei(1)}:{DIRECT}"
    assert corrected(place, key, f"end_lei={lei(2)}") == {"rows": 1, "passed": 1}
    (group,) = explain(place.house, lei(1))["groups"]
    (parent,) = group["leads_to"]
    (origin,) = parent["origins"]
    assert (parent["lei"], origin["source_id"]) == (lei(2), "correction")
    assert origin["correction"]["reason"] == WHY
    assert not origin["is_public_database"]


def test_a_correction_lasts_until_the_publisher_says_something_sound(
    place: Ingesting, bad_exception: str
) -> None:
    key = bad_exception
    assert corrected(place, key, "exception_reasons=NON_PUBLIC") == {"rows": 1, "passed": 1}
    assert group_origins(place, key)["exception_reasons"]["source_id"] == "correction"
    bad = exception(5, NO_DIRECT, "NO_REASON_AT_ALL", Reference_1=REFERENCE)
    sound = [exception(n, NO_ULTIMATE) for n in range(30, 34)]
    ingest(place, [*sound, bad], "2026-11-02")
    assert group_origins(place, key)["exception_reasons"]["source_id"] == "correction"
    mended = exception(5, NO_DIRECT, "NO_LEI", Reference_1=REFERENCE)
    place.later(days=1)
    ingest(place, [*sound, mended], "2026-11-03")
    said = group_origins(place, key)["exception_reasons"]
    assert (said["source_id"], bool(said["is_public_database"])) == ("gleif-repex", True)
    query = "SELECT is_corrected FROM reporting_exceptions WHERE exception_reasons = 'NO_LEI'"
    assert [bool(row["is_corrected"]) for row in place.ask(query)] == [False]


def test_beside_a_reason_that_speaks_of_people_no_reference_is_kept(
    place: Ingesting, bad_exception: str
) -> None:
    """As at every other entrance: the free text may name them."""
    assert corrected(place, bad_exception, "exception_reasons=NATURAL_PERSONS")["passed"] == 1
    (row,) = place.ask("SELECT * FROM reporting_exceptions WHERE lei = :lei", lei=lei(5))
    assert (row["exception_reasons"], row["exception_references"]) == ("NATURAL_PERSONS", None)
    assert REFERENCE not in repr(place.tables("record", "change"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("start_lei=X", "the key says whose record it is"),
        ("relationship_type=IS_FEEDER_TO", "the key says whose record it is"),
        ("retracted_date=", "its publisher's word"),
        ("country=DK", "a row of gleif-rr has no such field"),
        ("exception_reasons=NO_LEI", "a row of gleif-rr has no such field"),
        ("relationship_statu=ACTIVE", "did you mean relationship_status"),
    ],
)
def test_what_cannot_be_corrected_is_refused(
    place: Ingesting, bad_relationship: str, given: str, said: str
) -> None:
    before = place.state()
    with pytest.raises(Refused, match=said):
        corrected(place, bad_relationship, given)
    assert place.state() == before


def test_a_correction_that_breaks_a_rule_stays_out(place: Ingesting, bad_relationship: str) -> None:
    assert corrected(place, bad_relationship, "relationship_status=NO") == {"rows": 1, "failed": 1}
    assert place.ask("SELECT * FROM correction") == []


def test_a_stop_on_either_end_holds(place: Ingesting, bad_relationship: str) -> None:
    place.suppress(2)
    choice = read_correction(["relationship_status=ACTIVE"], WHY)
    number = number_of(place, bad_relationship)
    found = retry(place.house, Choice((number,), correction=choice), quiet)
    (delivery,) = found["deliveries"]
    assert delivery["counts"]["records_suppressed"] == 1
    assert place.ask("SELECT * FROM correction") == []


def test_a_corrected_relationship_goes_with_its_company(place: Ingesting) -> None:

    place.full([company(2)], "2026-11-01")

    bad = relationship(2, 1, Relationship_RelationshipStatus="MAYBE")
    ingest(place, [bad, *(relationship(n, n + 1) for n in range(20, 24))], "2026-11-01")
    assert corrected(place, f"{lei(2)}:{DIRECT}", "relationship_status=ACTIVE")["passed"] == 1
    gone = {**company(2), "Registration.RegistrationStatus": "RETIRED"}
    place.full([{**gone, "Registration.LastUpdateDate": "2026-11-01T20:00:00Z"}], "2026-11-02")

    place.deactivate()
    place.later(days=1100).deactivate()
    assert place.delete()["counts"]["companies"] == 1
    assert place.ask("SELECT * FROM correction") == []
    assert place.ask("SELECT * FROM record WHERE source_key = :k", k=f"{lei(2)}:{DIRECT}") == []


def test_by_the_command(
    place: Ingesting,
    bad_exception: str,
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = runner(tmp_path, monkeypatch, capsys, warehouse_url)
    number = number_of(place, bad_exception)
    assert run("quarantine", "retry", "--all").code == 3
    line = ("quarantine", "retry", number, "--set", "exception_reasons=NO_LEI", "--reason", WHY)
    answer = run(*line, "--json")
    assert (answer.code, answer.document["counts"]["passed"]) == (0, 1)
    assert run("quarantine", "retry", "--all").code == 0
