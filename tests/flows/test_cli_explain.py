"""`explain` tells everything, on both databases: origins, changes, lists, stops, deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from our_command import CARE_OF, NEW_NAME, Filled, Run, copy_filled, fill, runner

from flows.cli.explain_words import PARTS, full_label, label
from flows.explain_steps import lei_fault, read_question
from sources.kit import columns
from sources.kit.columns import change_name
from sources.kit.errors import Refused
from warehouse import read_company
from warehouse.engine import open_warehouse, reading

LEI = "5493001KJTIIGC8Y1R12"
EXPORT = "export --segment renewal-due --channel post --purpose direct_marketing --recipient own"
ORIGIN = {
    "source_id": "gleif",
    "publisher": "Global Legal Entity Identifier Foundation (GLEIF)",
    "database_name": "Global LEI Index (Golden Copy)",
    "licence": "CC0 1.0 Universal",
    "is_public_database": True,
}


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    return copy_filled(tmp_path)


@pytest.fixture
def run(
    filled: Filled,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    return runner(tmp_path, monkeypatch, capsys)


def test_the_whole_tale_on_both_databases(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = fill(warehouse_url, tmp_path)
    run = runner(tmp_path, monkeypatch, capsys, warehouse_url)
    run("suppress", "add", "--lei", known.changed, "--reason", "by phone", now="2026-11-05")
    exported = run(
        *EXPORT.split(), "--out", tmp_path / "lists", "--json", now="2026-11-06"
    ).document

    stopped = run("explain", known.changed, "--json", now="2026-11-07").document
    assert (stopped["is_held"], stopped["asked"]) == (True, {"kind": "lei", "value": known.changed})
    assert stopped["stop"]["added_at"] == "2026-11-05T00:00:00Z"
    (company,) = stopped["companies"]
    assert (company["name"], company["lei"]) == (NEW_NAME, known.changed)
    _check_values(company, known.changed)
    _check_changes(company)
    _check_personal(company)
    assert company["left"] == []

    sent = _one_that_left(run, known.due)
    (row,) = sent["companies"][0]["left"]
    assert row["export_id"] == exported["export_id"]
    assert (row["recipient"], row["channel"]) == ("own", "post")
    assert row["is_notice_kept"]
    assert "legal_name" in row["fields"]
    page = run("explain", sent["companies"][0]["company_id"], now="2026-11-07")
    assert f"{row['recipient_name']} (own), for direct_marketing, by post" in page.text
    assert f"policy version {row['policy_version']}" in page.text


def _check_values(company: dict[str, Any], lei: str) -> None:
    values = {value["field"]: value for value in company["values"]}
    name, city = values["legal_name"], values["city"]
    assert name["value"] == NEW_NAME
    assert (name["first_seen_at"], city["first_seen_at"]) == (
        "2026-11-03T10:00:00Z",
        "2026-11-02T10:00:00Z",
    )
    for value, published in ((name, "2026-11-03T08:00:00Z"), (city, "2026-11-02T08:00:00Z")):
        (origin,) = value["origins"]
        assert {key: origin[key] for key in ORIGIN} == ORIGIN
        assert origin["published_at"] == published
        assert origin["record_url"].endswith(lei)
        assert len(origin["delivery_sha256"]) == 64
    renewal = values["next_renewal_date"]
    assert renewal["as_published"].startswith(renewal["value"])


def _check_changes(company: dict[str, Any]) -> None:
    changes = {change["field"]: change for change in company["changes"]}
    assert set(changes) == {"legal_name", "headquarters_address_line", "last_update_date"}
    assert changes["legal_name"]["new_value"] == NEW_NAME
    assert changes["legal_name"]["old_value"] not in {None, NEW_NAME}
    assert changes["headquarters_address_line"]["new_value"] == "Nygade 5"


def _check_personal(company: dict[str, Any]) -> None:
    (care_of,) = company["personal"]
    assert care_of["field"] == "headquarters_address_line_care_of"
    assert care_of["value"] == CARE_OF
    assert (care_of["inactive_after"], care_of["delete_after"]) == ("2027-11-03", "2029-11-03")
    assert care_of["origins"][0]["published_at"] == "2026-11-03T08:00:00Z"


def _one_that_left(run: Run, leis: tuple[str, ...]) -> dict[str, Any]:
    for lei in leis:
        found: dict[str, Any] = run("explain", lei, "--json", now="2026-11-07").document
        if found["companies"] and found["companies"][0]["left"]:
            return found
    pytest.fail("none of the sample's due companies was exported")


def test_every_value_of_prospects_is_explained_with_the_origin_of_the_view(
    run: Run, filled: Filled, tmp_path: Path
) -> None:
    found = run("explain", filled.changed, "--json").document["companies"][0]
    engine = open_warehouse(f"sqlite:///{tmp_path / 'sourcenote.db'}")
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(
            "SELECT field, delivery_id, delivery_sha256, record_url, first_seen_at, last_seen_at"
            " FROM origins WHERE company_id = ?",
            (found["company_id"],),
        ).all()
    engine.dispose()
    told = {value["field"]: value for value in found["values"]}
    assert {row.field for row in rows} <= set(told)
    for row in rows:
        value = told[row.field]
        (origin,) = value["origins"]
        assert (origin["delivery_id"], origin["delivery_sha256"], origin["record_url"]) == row[1:4]
        assert value["first_seen_at"].replace("T", " ") == row.first_seen_at
        assert value["last_seen_at"].replace("T", " ") == row.last_seen_at


def test_it_reads_well(run: Run, filled: Filled) -> None:
    text = run("explain", filled.changed.lower()).text
    for sentence in (
        f"LEI (Legal Entity Identifier) {filled.changed}",
        "Do-not-contact list: this company is not on it.",
        f"legal name {NEW_NAME} [2] 2026-11-03",
        "status ISSUED (in force) [1]",
        "a public database, licence CC0 1.0 Universal",
        "published 2026-11-02 08:00 UTC",
        f"record https://search.gleif.org/#/record/{filled.changed}",
        "Nobody: it has been on no list.",
        "Active: kept for as long as its register publishes it as current",
        "deleted 24 months after the date of that event",
        CARE_OF,
    ):
        assert sentence in text


def test_it_is_recorded_without_what_was_asked(run: Run, filled: Filled, tmp_path: Path) -> None:
    run("explain", filled.changed)
    run("explain", "nobody@example.org")
    engine = open_warehouse(f"sqlite:///{tmp_path / 'sourcenote.db'}")
    with reading(engine) as connection:
        events = connection.exec_driver_sql(
            "SELECT subject, detail FROM audit_events WHERE action = 'explain' ORDER BY event_id"
        ).all()
        (number,) = read_company.ids_by_lei(connection, filled.changed)
    engine.dispose()
    assert [event.subject for event in events] == [f"company {number}", None]
    assert "nobody" not in str(events)


def test_a_company_that_ends_says_when(run: Run, tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'sourcenote.db'}")
    with reading(engine) as connection:
        lei = connection.exec_driver_sql(
            "SELECT lei FROM prospects WHERE lei_status = 'RETIRED' LIMIT 1"
        ).scalar_one()
    engine.dispose()
    before = run("explain", lei, "--json").document["companies"][0]["retention"]
    assert before["state"] == "active"
    assert before["pending"]["reason"] == "lei_retired"
    assert "the next `sourcenote deactivate` makes it inactive" in run("explain", lei).text
    assert run("deactivate").code == 0
    after = run("explain", lei, "--json").document["companies"][0]["retention"]
    assert (after["state"], after["pending"]) == ("inactive", None)
    assert after["delete_after"] == before["pending"]["delete_after"]
    assert "because its LEI is retired; on no list, and deleted from" in run("explain", lei).text
    assert run("delete", "--confirm", now="2029-12-01").code == 0
    assert run("explain", lei, "--json", now="2029-12-01").document["is_held"] is False


def test_a_natural_person_is_told_as_one(run: Run, tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'sourcenote.db'}")
    with reading(engine) as connection:
        number = connection.exec_driver_sql(
            "SELECT company_id FROM prospects WHERE is_natural_person LIMIT 1"
        ).scalar_one()
    engine.dispose()
    answer = run("explain", number)
    assert "A natural person, whose name is not kept" in answer.text
    assert "none is ever put on a list" in answer.text
    assert "legal name" not in answer.text
    assert "city" not in answer.text


def test_what_is_not_held_is_answered_too(run: Run, filled: Filled) -> None:
    answer = run("explain", LEI)
    assert (answer.code, f"LEI {LEI} is not held" in answer.text) == (0, True)
    run("suppress", "add", "--lei", LEI, "--reason", "asked to")
    assert "it is on it since 2026-11-02 10:00 UTC, by command. Reason: asked to." in (
        run("explain", LEI).text
    )
    (rejected,) = run("explain", filled.bad, "--json").document["quarantine"]
    assert rejected["rule"] == "legal_name_is_present"
    malformed = run("explain", filled.known_bad)
    assert (malformed.code, "lei_check_digits_hold" in malformed.text) == (0, True)


def test_what_left_is_still_known_after_deletion(
    run: Run, filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*EXPORT.split(), "--out", tmp_path / "lists", now="2026-11-06")
    found = _one_that_left(run, filled.due)["companies"][0]
    engine = open_warehouse(f"sqlite:///{tmp_path / 'sourcenote.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE company SET state = 'inactive', inactive_since = '2024-01-01',"
            " inactive_reason = 'lei_retired', delete_after = '2026-01-01' WHERE company_id = ?",
            (found["company_id"],),
        )
    engine.dispose()
    assert run("delete", now="2026-11-08").code == 0
    for asked in (found["lei"], found["company_id"]):
        gone = run("explain", asked, "--json", now="2026-11-09").document
        assert gone["is_held"] is False
        assert [row["export_id"] for row in gone["left_earlier"]] == [found["left"][0]["export_id"]]
        assert gone["left_earlier"][0]["is_notice_kept"] is False


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12", "company", "12"),
        (LEI.lower(), "lei", LEI),
        ("5493 001K JTII GC8Y 1R12", "lei", LEI),
        (" Anna@Example.ORG ", "email", "anna@example.org"),
        ("+45 33 12 34 56", "phone", "+4533123456"),
        ("0045 33123456", "phone", "+4533123456"),
    ],
)
def test_what_is_asked_about_is_seen_from_its_form(text: str, kind: str, value: str) -> None:
    assert read_question(text)[:2] == (kind, value)


@pytest.mark.parametrize("text", ["", "Anden Navn ApS", "@", "12 34", "anna@", "x" * 200])
def test_what_has_no_form_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_question(text)
    assert not text.strip("@") or text not in str(refusal.value)


@pytest.mark.parametrize(
    ("lei", "fault"),
    [
        (LEI, None),
        (LEI[:-1] + "3", "its check digits do not fit"),
        (LEI[:-1], "it has 19 characters"),
        (LEI[:-1] + "A", "18 capital letters or digits, then two digits"),
    ],
)
def test_a_malformed_lei_is_told_what_is_wrong(lei: str, fault: str | None) -> None:
    found = lei_fault(lei)
    assert found is None if fault is None else fault in str(found)


def test_a_malformed_lei_is_an_error(run: Run) -> None:
    answer = run("explain", LEI[:-1] + "3")
    assert answer.code == 1
    assert "its check digits do not fit" in answer.err


def test_every_published_field_has_its_place_and_words() -> None:
    assert {field for _, fields in PARTS for field in fields} == {
        change_name(name) for name in (*columns.PUBLISHED, "ad_protected")
    }
    assert label("headquarters_city") == "city"
    assert full_label("legal_address_line_care_of").endswith("(care-of part)")
    assert full_label("legal_name") == "company: legal name"
    assert full_label("no_such_field") == "no such field"
