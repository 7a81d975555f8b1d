"""`import` by command: what is asked, refused, told and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from our_command import Run, runner
from own_files import consent, csv_file, customer, visit, workbook_of

from flows.cli import own_lists as command

CONSENTS = [
    consent(1),
    consent(2, Act="Brug af tjenesten"),
    consent(3, Act=""),
    consent(4, **{"Text version": ""}),
    consent(5, **{"Consented at": ""}),
]


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    warehouse_url: str,
) -> Run:
    run = runner(tmp_path, monkeypatch, capsys, warehouse_url)
    run("init", "--example")
    return run


def test_a_guess_needs_a_yes_and_is_shown(run: Run, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "kunder.csv", [customer(1) | {"Noter": "ring mandag"}])
    refused = run("import", "customers", path)
    assert (refused.code, refused.out) == (1, "")
    said = " ".join(refused.err.split())
    assert "Fakturanr. = event_reference" in said
    assert "dropped: Noter" in said
    assert "--yes" in said
    assert run("status", "--json").document["own_lists"]["customers"]["active"] == 0
    answer = run("import", "customers", path, "--yes")
    assert answer.code == 0
    assert "Fakturanr." in answer.text
    assert "Dropped, and never stored: Noter" in answer.text
    assert "ring mandag" not in answer.out + answer.err
    assert run("status", "--json").document["own_lists"]["customers"]["active"] == 1
    assert "customers 1 active" in run("status").text


def test_a_terminal_is_asked(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv_file(tmp_path / "kunder.csv", [customer(1)])
    asked: list[str] = []

    def say(answer: bool) -> None:
        def confirm(text: str, **_: object) -> bool:
            asked.append(text)
            return answer

        monkeypatch.setattr(command.typer, "confirm", confirm)

    monkeypatch.setattr(command, "_has_terminal", lambda: True)
    say(answer=False)
    assert run("import", "customers", path).code == 1
    say(answer=True)
    answer = run("import", "customers", path)
    assert (answer.code, len(asked)) == (0, 2)
    assert "Mapping, guessed from the header" in answer.text
    assert run("import", "customers", path, "--json").code == 1
    assert len(asked) == 2


def test_a_mapping_is_written_corrected_and_used(run: Run, tmp_path: Path) -> None:
    path = workbook_of(tmp_path / "kunder.xlsx", [customer(1), customer(2)])
    mapping = tmp_path / "kunder.toml"
    dry = run("import", "customers", path, "--dry-run", "--mapping-out", mapping)
    assert dry.code == 0
    assert "no dry run" in dry.text
    assert run("import", "customers", path, "--dry-run", "--mapping-out", mapping).code == 1
    answer = run("import", "customers", path, "--mapping", mapping, "--json")
    assert (answer.code, answer.document["records_new"]) == (0, 2)
    assert answer.document["mapping"]["is_guessed"] is False
    again = run("import", "customers", path, "--mapping", mapping, "--json").document
    assert (again["records_unchanged"], again["records_new"]) == (2, 0)


def test_quarantined_rows_are_told_with_their_rule(run: Run, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "consents.csv", CONSENTS)
    answer = run("import", "consents", path, "--yes", "--json")
    assert answer.code == 3
    found = answer.document
    assert (found["records_in"], found["records_new"], found["records_quarantined"]) == (5, 1, 4)
    assert found["quarantined_by_rule"] == {
        "act_is_given": 1,
        "event_date_is_given": 1,
        "text_version_is_given": 1,
        "use_is_no_consent": 1,
    }
    listed = run("quarantine", "list", "--source", "own-consents", "--json").document
    assert listed["count"] == 4
    rule = run("quarantine", "list", "--rule", "use_is_no_consent", "--json").document
    (entry,) = rule["entries"]
    assert "not on use or silence" in entry["meaning"]
    shown = run("quarantine", "show", entry["quarantine_id"], "--json").document
    assert shown["content"]["act"] == "Brug af tjenesten"
    page = run("quarantine", "show", entry["quarantine_id"]).text
    assert "consents.csv, row 3" in page
    assert "byte" not in page
    words = run("import", "consents", path, "--yes").text
    assert "the consent rests on an act" in words
    retried = run("quarantine", "retry", entry["quarantine_id"])
    assert retried.code == 3
    assert "import your list, again" in retried.text
    assert run("quarantine", "show", entry["quarantine_id"], "--json").document["state"] == "open"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["suppliers", "kunder.csv", "--yes"], "none of that name"),
        (["customers", "nowhere.csv", "--yes"], "No such file"),
        (["customers", "kunder.csv", "--mapping", "nowhere.toml"], "No such file"),
        (["consents", "kunder.csv", "--yes"], "no column is mapped to event_reference"),
    ],
)
def test_what_cannot_be_read_is_refused(
    run: Run, tmp_path: Path, line: list[str], said: str
) -> None:
    csv_file(tmp_path / "kunder.csv", [customer(1)])
    answer = run("import", *line)
    assert (answer.code, answer.out) == (1, "")
    assert said in " ".join(answer.err.split())


def test_without_a_controller_nothing_comes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runner(tmp_path, monkeypatch, capsys)
    run("init")
    path = csv_file(tmp_path / "kunder.csv", [customer(1)])
    answer = run("import", "customers", path, "--yes")
    assert answer.code == 1
    assert "[controller]" in answer.err


def test_nothing_of_a_person_is_told_and_no_copy_is_kept(run: Run, tmp_path: Path) -> None:
    rows = [customer(1), customer(2, Land="Atlantis")]
    path = csv_file(tmp_path / "kunder.csv", rows)
    said = run("import", "customers", path, "--yes")
    said_json = run("import", "customers", path, "--yes", "--json")
    visits = csv_file(tmp_path / "visits.csv", [visit(1)])
    said_visits = run("import", "visits", visits, "--yes", "--json")
    told = "".join(one.out + one.err for one in (said, said_json, said_visits))
    assert not any(value in told for value in ("eksempel.dk", "Prøvekunde", "192.0.2.7"))
    assert list(tmp_path.rglob("*.bin")) == []


def test_the_lifecycle_lists_rows_of_the_lists(run: Run, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "visits.csv", [visit(1)])
    run("import", "visits", path, "--yes")
    late = "2027-11-02T10:00:00Z"
    assert "visits" in run("deactivate", "--dry-run", now=late).text
    assert run("deactivate", now=late).code == 0
    assert "visits" in run("delete", "--dry-run", now=late).text
    assert "1 row of your own lists" in run("status", now=late).text
    found = run("delete", "--json", now=late).document
    assert found["counts"]["visits"] == 1
    assert run("status", "--json", now=late).document["retention"]["overdue"] == 0


def test_explain_tells_a_person_what_the_lists_hold(run: Run, tmp_path: Path) -> None:
    address = "post1@eksempel.dk"
    run("import", "customers", csv_file(tmp_path / "kunder.csv", [customer(1)]), "--yes")
    changed = customer(1, Kundenavn="Nyt navn ApS")
    run("import", "customers", csv_file(tmp_path / "igen.csv", [changed]), "--yes")
    given = consent(1, **{"E-mail": address})
    run("import", "consents", csv_file(tmp_path / "ja.csv", [given]), "--yes")
    found = run("explain", address, "--json").document["own_lists"]
    assert [row["list"] for row in found] == ["customers", "consents"]
    values = {value["field"]: value for value in found[0]["values"]}
    assert values["company_name"]["value"] == "Nyt navn ApS"
    origin = found[0]["deliveries"][str(values["company_name"]["delivery_id"])]
    assert (origin["url"], origin["is_public_database"]) == ("file:igen.csv", False)
    assert values["email"]["delivery_id"] == 1
    page = run("explain", address).text
    assert "held in your own lists alone" in page
    assert "file:igen.csv" in page
    assert run("explain", "nobody@eksempel.dk", "--json").document["own_lists"] == []
    earlier = run("explain", address, "--as-of", "2026-11-01", "--json").document
    assert earlier["own_lists"] == []
