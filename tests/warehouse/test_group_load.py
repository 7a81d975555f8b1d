"""Level 2 loads: what each row becomes, what a retraction does, and what never happens."""

from __future__ import annotations

import re

import group_rows
import pytest
from group_rows import DIRECT, NO_ULTIMATE, ULTIMATE, exception, ingest, relationship
from ingesting import Ingesting, company, csv_bytes, lei, outcomes, quiet

from flows import ingest_run
from flows.ingest_report import Request
from sources.kit.errors import DeliveryRefused
from sources.kit.policy import SourceSettings
from sources.kit.sample import bundled_sample
from sources.kit.sample_group import bundled_group

ANY = SourceSettings(min_ratio=0, max_ratio=1000)
HELD = "SELECT * FROM record WHERE source_id <> 'gleif' ORDER BY source_key"


@pytest.fixture(autouse=True)
def any_length(place: Ingesting) -> None:
    place.change(sources={"gleif-rr": ANY, "gleif-repex": ANY, "gleif": ANY})


def test_relationships_are_records_without_companies(place: Ingesting) -> None:
    rows = [relationship(1, 2), relationship(1, 3, ULTIMATE), relationship(4, 5)]
    report = ingest(place, rows, "2026-10-01")
    assert outcomes(report) == {"new": 3}
    assert place.one("SELECT count(*) AS n FROM company") == 0
    first = place.ask(HELD)[0]
    assert first["source_key"] == f"{lei(1)}:{DIRECT}"
    assert (first["start_lei"], first["end_lei"]) == (lei(1), lei(2))
    assert first["relationship_periods"] == (
        "ACCOUNTING_PERIOD 2020-01-01T00:00:00+01:00/; "
        "RELATIONSHIP_PERIOD 2019-06-01T00:00:00+02:00/"
    )
    assert str(first["relationship_start_date"]) == "2019-06-01"
    assert first["relationship_qualifiers"] == "ACCOUNTING_STANDARD IFRS"
    assert first["legal_name"] is None


def test_the_same_again_is_unchanged_and_a_new_parent_is_a_change(place: Ingesting) -> None:
    ingest(place, [relationship(1, 2), relationship(3, 4)], "2026-10-01")
    again = ingest(place, [relationship(1, 2), relationship(3, 4)], "2026-10-02")
    assert (again.status, outcomes(again)) == ("unchanged", {"unchanged": 2})
    moved = relationship(1, 9, LastUpdateDate="2026-10-02T08:00:00Z")
    report = ingest(place, [moved], "2026-10-03", "delta")
    assert outcomes(report) == {"changed": 1}
    changes = place.ask("SELECT field, old_value, new_value FROM change ORDER BY field")
    assert {"field": "end_lei", "old_value": lei(2), "new_value": lei(9)} in changes
    assert len(changes) == 2  # whom it leads to, and when it was updated


def test_exceptions_need_neither_level_1_nor_a_date(place: Ingesting) -> None:
    rows = [
        exception(1),
        exception(1, NO_ULTIMATE, "NO_LEI", "NON_PUBLIC", Reference_1="§ 7 of an invented act"),
        exception(2, NO_ULTIMATE, "NATURAL_PERSONS", Reference_1="Somebody Invented"),
    ]
    assert outcomes(ingest(place, rows, "2026-10-01")) == {"new": 3}
    held = {row["source_key"]: row for row in place.ask(HELD)}
    both = held[f"{lei(1)}:{NO_ULTIMATE}"]
    assert both["exception_reasons"] == "NO_LEI; NON_PUBLIC"
    assert both["exception_references"] == "§ 7 of an invented act"
    assert held[f"{lei(2)}:{NO_ULTIMATE}"]["exception_references"] is None  # it may name a person
    assert outcomes(ingest(place, [rows[0]], None, None)) == {"unchanged": 1}


def test_a_retraction_marks_the_record_and_keeps_its_history(place: Ingesting) -> None:
    ingest(place, [relationship(1, 2), relationship(3, 4)], "2026-10-01")
    gone = relationship(1, 2, DeletedAt="2026-10-02T06:00:00Z")
    report = ingest(place, [gone], "2026-10-02", "delta")
    assert (report.status, outcomes(report)) == ("loaded", {"retracted": 1})
    (held,) = place.ask(HELD.replace("ORDER", "AND start_lei = :one ORDER"), one=lei(1))
    assert held["retracted_published"] == "2026-10-02T06:00:00Z"
    assert (held["end_lei"], held["vanished_at"]) == (lei(2), None)
    assert place.ask("SELECT field, old_value, new_value FROM change") == [
        {"field": "retracted_date", "old_value": None, "new_value": "2026-10-02T06:00:00Z"}
    ]
    again = ingest(place, [gone], "2026-10-03", "delta")  # a larger window says it once more
    assert (again.status, outcomes(again)) == ("unchanged", {"unchanged": 1})


def test_a_retraction_may_say_no_more_than_its_key(place: Ingesting) -> None:
    ingest(place, [relationship(1, 2)], "2026-10-01")
    bare = {
        name: "" if name.startswith(("Registration", "Relationship.End")) else text
        for name, text in relationship(1, 2).items()
    }
    gone = {**bare, "Relationship.RelationshipStatus": "", "DeletedAt": "2026-10-02T06:00:00Z"}
    assert outcomes(ingest(place, [gone], "2026-10-02", "delta")) == {"retracted": 1}
    assert place.ask(HELD)[0]["end_lei"] == lei(2)


def test_what_we_never_held_is_counted_as_retracted_and_nothing_else(place: Ingesting) -> None:
    ingest(place, [relationship(3, 4)], "2026-10-01")
    gone = relationship(1, 2, DeletedAt="2026-10-02T06:00:00Z")
    report = ingest(place, [gone], "2026-10-02", "delta")
    assert (report.status, outcomes(report)) == ("unchanged", {"retracted": 1})
    assert len(place.ask(HELD)) == 1
    assert place.ask("SELECT * FROM change") == []


@pytest.mark.parametrize("kind", ["full", "delta"])
def test_a_later_publication_brings_it_back(place: Ingesting, kind: str) -> None:
    ingest(place, [relationship(1, 2), exception_free(3)], "2026-10-01")
    gone = relationship(1, 2, DeletedAt="2026-10-02T06:00:00Z")
    ingest(place, [gone], "2026-10-02", "delta")
    back = ingest(place, [relationship(1, 2), exception_free(3)], "2026-10-03", kind)
    assert outcomes(back) == {"changed": 1, "unchanged": 1}
    held = place.ask(HELD)[0]
    assert (held["retracted_published"], held["retracted_at"]) == (None, None)
    assert place.ask(
        "SELECT old_value, new_value FROM change WHERE field = 'retracted_date' AND is_current"
    ) == [{"old_value": "2026-10-02T06:00:00Z", "new_value": None}]


def exception_free(number: int) -> group_rows.Row:
    """Some other relationship, so that a file is not one row."""
    return relationship(number, number + 1)


def test_an_older_word_changes_nothing(place: Ingesting) -> None:
    ingest(place, [relationship(1, 2)], "2026-10-03")
    gone = relationship(1, 2, DeletedAt="2026-10-02T06:00:00Z")
    assert outcomes(ingest(place, [gone], "2026-10-02", "delta")) == {"stale": 1}
    later = relationship(1, 2, DeletedAt="2026-10-20T06:00:00Z")
    assert outcomes(ingest(place, [later], "2026-10-20", "delta")) == {"retracted": 1}
    older = relationship(1, 7, LastUpdateDate="2026-10-10T08:00:00Z")
    assert outcomes(ingest(place, [older], "2026-10-12", "delta")) == {"stale": 1}
    assert outcomes(ingest(place, [older], None, None)) == {"stale": 1}
    assert place.ask(HELD)[0]["retracted_published"] == "2026-10-20T06:00:00Z"


def test_exceptions_are_retracted_and_come_back(place: Ingesting) -> None:
    ingest(place, [exception(1), exception(2)], "2026-10-01")
    gone = exception(1, DeletedAt="2026-10-02T06:00:00Z")
    assert outcomes(ingest(place, [gone], "2026-10-02", "delta")) == {"retracted": 1}
    assert outcomes(ingest(place, [exception(1)], "2026-09-30", "delta")) == {"stale": 1}
    assert outcomes(ingest(place, [exception(1)], "2026-10-03", "delta")) == {"changed": 1}
    assert place.ask(HELD)[0]["last_update_at"] is None


def test_taken_back_and_said_again_in_one_delta_the_later_holds(place: Ingesting) -> None:
    ingest(place, [relationship(1, 2)], "2026-10-01")
    gone = relationship(1, 2, DeletedAt="2026-10-02T06:00:00Z")
    anew = relationship(1, 5, LastUpdateDate="2026-10-02T07:00:00Z")
    report = ingest(place, [anew, gone], "2026-10-02", "delta")
    assert outcomes(report) == {"changed": 1, "superseded": 1}
    assert place.ask(HELD)[0]["end_lei"] == lei(5)
    assert place.ask(HELD)[0]["retracted_published"] is None


def test_full_files_confirm_a_retraction_and_count_other_absences(place: Ingesting) -> None:
    ingest(place, [relationship(n, 9) for n in (1, 2, 3)], "2026-10-01")
    gone = relationship(1, 9, DeletedAt="2026-10-02T06:00:00Z")
    ingest(place, [gone], "2026-10-02", "delta")
    vanished = [
        ingest(place, [relationship(3, 9), relationship(day, 8, ULTIMATE)], f"2026-10-0{day}")
        for day in (3, 4)
    ]
    assert [report.counts["records_vanished"] for report in vanished] == [0, 1]
    gone_since = {row["source_key"][:20]: bool(row["vanished_at"]) for row in place.ask(HELD)}
    assert [gone_since[lei(number)] for number in (1, 2, 3)] == [False, True, False]


def test_rows_on_a_stopped_company_are_suppressed_at_either_end(place: Ingesting) -> None:
    place.full([company(1), company(2)], "2026-10-01")
    for number in (1, 8):  # one that is held, one that never came
        place.suppress(number)
    rows = [relationship(1, 5), relationship(6, 8), relationship(6, 7, ULTIMATE)]
    assert outcomes(ingest(place, rows, "2026-10-01")) == {"new": 1, "suppressed": 2}
    assert outcomes(ingest(place, [exception(1), exception(2)], "2026-10-01")) == {
        "new": 1,
        "suppressed": 1,
    }


def test_a_stop_that_comes_later_holds_from_the_next_delivery_on(place: Ingesting) -> None:
    place.full([company(1)], "2026-10-01")
    ingest(place, [relationship(1, 5), relationship(6, 7)], "2026-10-01")
    place.suppress(1)
    report = ingest(place, [relationship(1, 5), relationship(6, 7)], "2026-10-02")
    assert outcomes(report) == {"unchanged": 1, "suppressed": 1}
    gone = relationship(1, 5, DeletedAt="2026-10-03T06:00:00Z")
    assert outcomes(ingest(place, [gone], "2026-10-03", "delta")) == {"retracted": 1}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"RelationshipType": "IS_FRIEND_OF"}, "relationship_type_is_known"),
        ({"RelationshipStatus": "PERHAPS"}, "relationship_status_is_known"),
        ({"RegistrationStatus": "ISSUED"}, "registration_status_is_known"),
        ({"EndNode_NodeIDType": "ISIN"}, "nodes_are_leis"),
        ({"EndNode_NodeID": "506700TEST0000000100"}, "lei_check_digits_hold"),
        ({"StartNode_NodeID": "506700"}, "lei_is_well_formed"),
        ({"LastUpdateDate": "yesterday"}, "dates_are_readable"),
    ],
)
def test_broken_relationships_are_quarantined(
    place: Ingesting, changes: dict[str, str], rule: str
) -> None:
    report = ingest(place, [relationship(1, 2, **changes), relationship(3, 4)], "2026-10-01")
    assert outcomes(report) == {"new": 1, "quarantined": 1}
    assert report.quarantined_by_rule == {rule: 1}
    assert place.one("SELECT rule FROM quarantined WHERE source_id = 'gleif-rr'") == rule


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (exception(1, "SOME_PARENT"), "exception_category_is_known"),
        (exception(1, NO_ULTIMATE, "BECAUSE"), "exception_reasons_are_known"),
        (exception(1, Reason_1=""), "exception_reasons_are_known"),
        (exception(1, LEI="506700TEST0000000100"), "lei_check_digits_hold"),
    ],
)
def test_broken_exceptions_are_quarantined(
    place: Ingesting, row: group_rows.Row, rule: str
) -> None:
    report = ingest(place, [row, exception(2)], "2026-10-01")
    assert report.quarantined_by_rule == {rule: 1}


def test_a_relationship_that_stands_twice_differently_is_quarantined(place: Ingesting) -> None:
    rows = [relationship(1, 2), relationship(1, 3), relationship(4, 5)]
    report = ingest(place, rows, "2026-10-01")
    assert outcomes(report) == {"new": 1, "quarantined": 2}


def test_every_type_of_the_publisher_is_known(place: Ingesting) -> None:
    kinds = ("IS_FUND-MANAGED_BY", "IS_SUBFUND_OF", "IS_FEEDER_TO", "IS_INTERNATIONAL_BRANCH_OF")
    rows = [relationship(1, 2, kind) for kind in kinds]
    assert outcomes(ingest(place, rows, "2026-10-01")) == {"new": 4}


def test_level_2_first_leaves_level_1_its_due(place: Ingesting) -> None:
    ingest(place, [relationship(1, 2)], "2026-10-01")
    assert outcomes(place.full([company(1), company(2)], "2026-10-01")) == {"new": 2}
    assert place.name(1) is not None
    assert place.one("SELECT count(*) AS n FROM company") == 2


def test_what_is_odd_is_noted_and_loaded(place: Ingesting) -> None:
    rows = [
        relationship(1, 1),
        relationship(2, 3, Period_2_endDate="2018-01-01T00:00:00Z"),
        relationship(4, 5, ManagingLOU="506700TEST0000000100"),
        relationship(6, 7, ValidationSources="A_FRIEND_SAID_SO"),
    ]
    report = ingest(place, rows, "2026-10-01")
    assert outcomes(report) == {"new": 4}
    noted = ("nodes_differ", "period_is_in_order", "managing_lou_is_an_lei", "codes_are_listed")
    assert report.notes == dict.fromkeys(noted, 1)


def test_what_ended_long_ago_is_not_taken(place: Ingesting) -> None:
    old = relationship(
        1, 2, RegistrationStatus="RETIRED", LastUpdateDate="2020-01-01T00:00:00Z",
        Registration_NextRenewalDate="",
    )  # fmt: skip
    lately = relationship(3, 4, RegistrationStatus="RETIRED")
    report = ingest(place, [old, lately], "2026-10-01")
    assert outcomes(report) == {"new": 1, "out_of_scope": 1}


@pytest.mark.parametrize(
    "column",
    ["Relationship.EndNode.NodeID", "Relationship.Period.1.startDate", "Registration.ManagingLOU"],
)
def test_a_missing_column_stops_the_delivery(place: Ingesting, column: str) -> None:
    row = {name: text for name, text in relationship(1, 2).items() if name != column}
    path = place.folder / "short.csv"
    path.write_bytes(csv_bytes([row], list(row)))
    with pytest.raises(DeliveryRefused, match=column):
        ingest_run.run(place.house, Request("gleif-rr", file=path, kind="full"), quiet)
    assert place.ask(HELD) == []


def test_columns_come_in_any_order_and_number_and_unknown_ones_are_named(place: Ingesting) -> None:
    row = relationship(1, 2)
    kept = [name for name in row if not re.search(r"\.[3-5]\.", name)]
    columns = [*reversed(kept), "Relationship.Colour"]
    path = place.folder / "other.csv"
    path.write_bytes(csv_bytes([{**row, "Relationship.Colour": "blue"}], columns))
    report = ingest_run.run(place.house, Request("gleif-rr", file=path, kind="full"), quiet)
    assert outcomes(report) == {"new": 1}
    assert report.unknown_columns == ["Relationship.Colour"]
    assert place.ask(HELD)[0]["relationship_periods"].count("; ") == 1


def test_the_bundled_families_load(place: Ingesting) -> None:
    group = bundled_group(bundled_sample())
    found = {}
    for source_id, content in (
        ("gleif-rr", group.relationships),
        ("gleif-repex", group.exceptions),
    ):
        path = place.folder / f"{source_id}.csv"
        path.write_bytes(content)
        found[source_id] = ingest_run.run(
            place.house, Request(source_id, file=path, kind="full"), quiet
        )
    assert outcomes(found["gleif-repex"]) == {"new": group.exception_rows}
    assert outcomes(found["gleif-rr"]) == {"new": group.relationship_rows - 2, "quarantined": 2}


def test_a_retraction_of_what_vanished_is_no_return(place: Ingesting) -> None:
    for day in (1, 2, 3):
        rows = [relationship(8, day)] + [relationship(1, 2)] * (day == 1)
        ingest(place, rows, f"2026-10-0{day}")
    gone = relationship(1, 2, DeletedAt="2026-10-04T06:00:00Z")
    assert outcomes(ingest(place, [gone], "2026-10-04", "delta")) == {"retracted": 1}
    (held,) = place.ask(HELD.replace("ORDER", "AND start_lei = :one ORDER"), one=lei(1))
    assert held["vanished_at"] is not None
    assert outcomes(ingest(place, [relationship(1, 2)], "2026-10-05", "delta")) == {"changed": 1}
    (held,) = place.ask(HELD.replace("ORDER", "AND start_lei = :one ORDER"), one=lei(1))
    assert (held["vanished_at"], held["retracted_at"]) == (None, None)
