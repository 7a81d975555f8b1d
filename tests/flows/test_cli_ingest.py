"""`ingest`, `status`, `quarantine` and the two lifecycle commands, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from our_command import Filled, Run, copy_filled, fill, runner, sample_file

from sources.kit.errors import SourceUnavailable
from sources.kit.sample import bundled_sample
from sources.kit.standin import Publish, StandIn


@pytest.fixture
def run(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    run = runner(tmp_path, monkeypatch, capsys, warehouse_url)
    run("init")
    return run


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    return copy_filled(tmp_path)


@pytest.fixture
def run_filled(
    filled: Filled,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    return runner(tmp_path, monkeypatch, capsys)


def test_a_file_is_reported_row_by_row(run: Run, tmp_path: Path) -> None:
    path = sample_file(tmp_path)
    answer = run("ingest", "gleif", "--file", path)
    assert answer.code == 3
    for said in (
        "gleif: loaded",
        "published 2026-11-02 08:00 UTC",
        "rows in, each counted once 613",
        "lei_check_digits_hold the LEI leaves 1 modulo 97",
        "12 entries to look at: `sourcenote quarantine list`.",
        "natural persons kept as a skeleton",
        "care-of lines that may name a person",
    ):
        assert said in answer.text
    again = run("ingest", "gleif", "--file", path, "--json")
    counts = again.document["counts"]
    assert (again.code, again.document["status"]) == (3, "unchanged")
    assert (
        counts["records_in"]
        == 613
        == sum(counts[name] for name in counts if name not in _NOT_OUTCOMES)
    )
    assert (counts["records_new"], counts["records_changed"]) == (0, 0)
    assert again.document["url"] == f"file:{path.name}"
    assert again.document["sha256"] == json.loads(again.out)["sha256"]
    assert set(again.document["quarantine_rules"]) == set(again.document["quarantined_by_rule"])


EXPORT = "export --segment renewal-due --channel post --purpose direct_marketing --recipient own"
_NOT_OUTCOMES = ("records_in", "records_vanished", "records_minimised")


def test_known_faults_and_dropped_ones_raise_no_alarm(run: Run, tmp_path: Path) -> None:
    path = sample_file(tmp_path)
    run("ingest", "gleif", "--file", path)
    entries = run("quarantine", "list", "--json").document["entries"]
    alarming = [str(entry["quarantine_id"]) for entry in entries if entry["is_alarming"]]
    assert len(entries) - len(alarming) == 1
    assert run("quarantine", "drop", *alarming, "--json").document["were_open"] == len(alarming)
    answer = run("ingest", "gleif", "--file", path)
    assert answer.code == 0
    assert "known, no alarm" in answer.text


def test_from_a_publisher_and_a_dry_run(run: Run) -> None:
    sample = bundled_sample()
    publish = Publish(sample.published_at, sample.csv, record_count=sample.rows)
    with StandIn([publish]) as publisher:
        line = ["ingest", "gleif", "--base-url", publisher.base_url]
        planned = run(*line, "--dry-run", "--json")
        assert (planned.code, planned.document["status"]) == (0, "planned")
        assert run("status", "--json").document["companies"]["active"] == 0
        assert "nothing was fetched or written" in run(*line, "--dry-run").text
        assert run(*line).code == 3
        again = run(*line, "--json")
    assert (again.code, again.document["status"]) == (0, "up_to_date")


def test_a_refused_delivery_is_told_and_remembered(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text('"LEI","Entity.LegalName"\r\n"X","Y"\r\n')
    answer = run("ingest", "gleif", "--file", path)
    assert (answer.code, answer.out) == (1, "")
    assert "columns are missing" in answer.err
    state = run("status")
    assert "Needs a look ingest of gleif, started 2026-11-02 10:00 UTC: refused" in state.text
    (troubled,) = run("status", "--json").document["troubled_runs"]
    assert (troubled["flow"], troubled["state"]) == ("ingest", "refused")


def test_all_sources_go_on_past_one_that_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise SourceUnavailable("GLEIF", "it does not answer", "Try later")

    monkeypatch.setattr("flows.door.ingest", unavailable)
    answer = run("ingest", "all", "--json")
    assert answer.code == 1
    assert answer.document["ingests"][0]["error"]["cause"] == "it does not answer"
    assert "gleif was refused: GLEIF: it does not answer" in run("ingest", "all").text


@pytest.mark.parametrize(
    "line",
    ["gleif --kind full", "gleif --published-at 2026-01-01", "all --file x.csv", "gleif --kind x"],
)
def test_misuse(run: Run, line: str) -> None:
    assert run("ingest", *line.split()).code == 2


def test_unknown_things_are_refused(run: Run) -> None:
    assert run("ingest", "nosuch").code == 1
    assert run("ingest", "gleif", "--file", "missing.csv").code == 1


def test_status(run_filled: Run) -> None:
    found = run_filled("status", "--json", now="2026-11-04T10:00:00Z").document
    source = next(each for each in found["sources"] if each["source_id"] == "gleif")
    assert (source["records"], source["age_hours"]) == (found["companies"]["active"], 26.0)
    assert source["last_delivery"]["kind"] == "delta"
    assert source["quarantine"] == {"open": 13, "alarming": 12, "known": 1}
    due = found["retention"]
    assert due["deactivate_due"]["companies"] == 33
    assert (due["overdue"], sum(due["delete_due"].values())) == (0, 0)
    assert found["troubled_runs"] == []
    text = run_filled("status").text
    assert "EXAMPLE configuration" in text
    assert "To make inactive: 33 companies. Run `sourcenote deactivate`." in text
    late = run_filled("status", now="2026-12-01").text
    assert "To delete: 13 quarantined rows. Run `sourcenote delete`." in late
    assert "Overdue: 13 quarantined rows." in late


def test_status_of_nothing(run: Run) -> None:
    assert "Nothing loaded yet: run `sourcenote ingest gleif`." in run("status").text


def test_what_status_says_is_due_is_what_the_lifecycle_does(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(warehouse_url, tmp_path)
    run_filled = runner(tmp_path, monkeypatch, capsys, warehouse_url)
    due = run_filled("status", "--json").document["retention"]["deactivate_due"]
    listed = run_filled("deactivate", "--dry-run", "--json").document
    assert len(listed["deactivated"]) == listed["counts"]["deactivated"] == due["companies"]
    assert run_filled("deactivate", "--json").document["counts"] == listed["counts"]
    assert run_filled("status", "--json").document["retention"]["deactivate_due"] == {
        "companies": 0,
        "personal_values": 0,
        "own_rows": 0,
    }
    then = "2029-01-01"
    state = run_filled("status", "--json", now=then).document["retention"]
    planned = run_filled("delete", "--dry-run", "--json", now=then).document
    assert state["delete_due"]["companies"] == planned["counts"]["companies"] == 33
    assert state["overdue"] > 0
    refused = run_filled("delete", now=then)
    assert (refused.code, "--confirm" in refused.err) == (1, True)
    done = run_filled("delete", "--confirm", now=then)
    assert (done.code, "companies 33" in done.text) == (0, True)
    assert run_filled("status", "--json", now=then).document["retention"]["overdue"] == 0
    assert run_filled("db", "check").code == 0


def test_a_forecast_changes_nothing(run_filled: Run) -> None:
    for command in ("deactivate", "delete"):
        answer = run_filled(command, "--as-of", "2040-01-01")
        assert (answer.code, "nothing was changed" in answer.text) == (0, True)
        assert run_filled(command, "--as-of", "soon").code == 2
    assert run_filled("status", "--json").document["companies"]["inactive"] == 0


def test_quarantine(run_filled: Run, filled: Filled) -> None:
    found = run_filled("quarantine", "list", "--limit", "5", "--json").document
    assert (found["count"], found["shown"], len(found["entries"])) == (13, 5, 5)
    assert all(entry["is_alarming"] for entry in found["entries"])
    text = run_filled("quarantine", "--limit").err
    assert "--limit" in text
    assert "8 more: raise --limit." in run_filled("quarantine", "list", "--limit", "5").text
    rule = ["quarantine", "list", "--rule", "legal_name_is_present"]
    (entry,) = run_filled(*rule, "--source", "gleif", "--json").document["entries"]
    assert (entry["source_key"], entry["meaning"]) == (filled.bad, "the record has a legal name")
    number = entry["quarantine_id"]
    shown = run_filled("quarantine", "show", number, "--json").document
    assert shown["content"]["lei_status"]
    assert "What the row said" in run_filled("quarantine", "show", number).text
    assert run_filled("quarantine", "drop", number, 99_999).code == 1
    assert run_filled("quarantine", "drop", number).text == "1 entry dropped."
    assert run_filled("quarantine", "drop", number).text == "0 entries dropped."
    assert run_filled(*rule).text == "Nothing is quarantined."
    assert len(run_filled(*rule, "--dropped", "--json").document["entries"]) == 1
    assert run_filled("quarantine", "show", 99_999).code == 1
    assert run_filled("quarantine", "list", "--rule", "nosuch").code == 1


def test_export(run_filled: Run, tmp_path: Path) -> None:
    line = EXPORT.split()
    assert run_filled(*line).code == 2
    planned = run_filled(*line, "--dry-run")
    assert (planned.code, "dry run: nothing was written" in planned.text) == (0, True)
    assert not (tmp_path / "lists").exists()
    done = run_filled(*line, "--out", tmp_path / "lists", "--json")
    manifest = done.document
    assert (done.code, manifest["selected"] > 0) == (0, True)
    assert manifest["selected"] + sum(manifest["excluded"].values()) == manifest["candidates"]
    nobody = run_filled(*line, "--out", tmp_path / "lists", "--country", "NA")
    assert (nobody.code, "0 of" in nobody.text) == (3, True)
    assert run_filled(*line, "--out", tmp_path / "lists", "--recipient", "nosuch").code == 1
    assert run_filled(*line, "--out", tmp_path / "lists", "--format", "xlsx").code == 1
