"""`init`, `sources`, `segment` and `db`: what a newcomer runs first."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from our_command import Run, runner

from warehouse import migrate
from warehouse.engine import open_warehouse, writing


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, monkeypatch, capsys)


def test_it_writes_three_things_and_says_what_is_next(run: Run, tmp_path: Path) -> None:
    answer = run("init")
    assert answer.code == 0
    key = tmp_path / "var" / "sourcenote.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var" / "sourcenote.db").stat().st_mode) == 0o600
    assert (tmp_path / "sourcenote.toml").read_text().startswith("# The configuration")
    for said in ("wrote sourcenote.toml", "wrote var/sourcenote.key", "sourcenote ingest gleif"):
        assert said in answer.text
    assert "[controller] name, address, country, email" in answer.text
    assert key.read_text().split('"')[-2] not in answer.out


def test_again_it_changes_nothing(run: Run, tmp_path: Path) -> None:
    first = run("init", "--json").document
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.suffix != ".db"}
    again = run("init", "--json").document
    assert (first["config"]["is_new"], first["key_file"]["is_new"]) == (True, True)
    assert (again["config"]["is_new"], again["key_file"]["is_new"]) == (False, False)
    assert (first["warehouse"]["is_upgraded"], again["warehouse"]["is_upgraded"]) == (True, False)
    assert {path: path.read_bytes() for path in before} == before
    assert "kept sourcenote.toml" in run("init").text


def test_the_example_leaves_nothing_open(run: Run) -> None:
    answer = run("init", "--example", "--json")
    assert (answer.document["is_example"], answer.document["undecided"]) == (True, [])
    assert "EXAMPLE" in run("init", "--example").text


def test_an_edited_configuration_is_replaced_only_by_force(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "sourcenote.toml"
    run("init")
    key = (tmp_path / "var" / "sourcenote.key").read_bytes()
    config.write_text(config.read_text() + "\n# mine\n")
    refused = run("init", "--example")
    assert (refused.code, "--force" in refused.err) == (1, True)
    assert config.read_text().endswith("# mine\n")
    assert run("init", "--example", "--force").code == 0
    assert "# mine" not in config.read_text()
    assert (tmp_path / "var" / "sourcenote.key").read_bytes() == key


def test_it_writes_where_it_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCENOTE_CONFIG", str(tmp_path / "conf" / "ours.toml"))
    monkeypatch.setenv("SOURCENOTE_HOME", str(tmp_path / "state"))
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    assert run("init", "--warehouse", url).code == 0
    written = {path.name for path in tmp_path.rglob("*.*")}
    assert written >= {"elsewhere.db", "ours.toml", "sourcenote.key"}
    assert not (tmp_path / "sourcenote.toml").exists()
    assert run("status", "--warehouse", url).code == 0
    assert run("init", "--config", tmp_path / "third.toml").code == 0
    assert (tmp_path / "third.toml").exists()


def test_a_faulty_configuration_is_named_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sourcenote.toml").write_text("[scope]\nnatural_persons = 'some'\n")
    assert run("init").code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sourcenote.toml"]


def test_a_password_is_not_shown(run: Run) -> None:
    answer = run("init", "--warehouse", "postgresql://us:s3cret@127.0.0.1:1/nothing")
    assert answer.code == 1
    assert "s3cret" not in answer.out + answer.err


def test_sources_without_and_with_a_warehouse(run: Run) -> None:
    for _ in range(2):
        listed = run("sources", "--json").document["sources"]
        names = [entry["source_id"] for entry in listed]
        lei = ["gleif", "gleif-codes", "gleif-repex", "gleif-rr"]
        assert names == ["ariregister", "brreg", "cvr", *lei, "prh"]
        entry = listed[names.index("gleif")]
        assert (entry["last_delivery"], entry["records"]) == (None, 0)
        assert entry["licence"] == "CC0 1.0 Universal"
        assert run("sources", "list", "--json").document["sources"] == listed
        assert "nothing loaded" in run("sources").text
        run("init")
    shown = run("sources", "show", "gleif")
    assert "yes, anyone can look it up" in shown.text
    assert "goldencopy.gleif.org" in shown.text
    brreg = run("sources", "show", "brreg").text
    assert "5 requests a second" in brreg
    assert "1,000,000 to 2,000,000 in a full file" in brreg
    assert "removed after the load" in brreg
    assert run("sources", "show", "nosuch").code == 1


def test_segments(run: Run) -> None:
    run("init")
    names = [one["name"] for one in run("segment", "--json").document["segments"]]
    assert names == ["renewal-due", "lapsed", "no-lei", "transfer", "group-sibling", "all"]
    assert "the LEI has lapsed" in run("segment", "list").text
    found = run("segment", "count", "renewal-due", "--days", "30", "--country", "dk", "--json")
    assert found.document == {
        "segment": "renewal-due",
        "as_of": "2026-11-02",
        "known_at": None,
        "days": 30,
        "countries": ["DK"],
        "candidates": 0,
        "held": 0,
        "stopped_on_arrival": 0,
        "own_customers": 0,
    }
    assert "0 candidates." in run("segment", "count", "all").text
    assert "0 candidates." in run("segment", "count", "no-lei").text
    for line in ("transfer", "nosuch", "all --country XX"):
        assert run("segment", "count", *line.split()).code == 1


def tamper(url: str) -> None:
    """Rewrite an audit event as only the database's owner can: the triggers are in the way."""
    engine = open_warehouse(url)
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            named = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (name,) in connection.exec_driver_sql(named).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit_event DISABLE TRIGGER USER")
        connection.exec_driver_sql("UPDATE audit_event SET actor = 'nobody' WHERE event_id = 2")
    engine.dispose()


def test_db_on_both_databases(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = runner(tmp_path, monkeypatch, capsys, warehouse_url)
    assert run("db", "check").code == 1
    assert run("db", "upgrade", "--json").document == {
        "is_upgraded": True,
        "schema": migrate.HEAD,
    }
    assert "Nothing to do" in run("db", "upgrade").text
    run("init", "--json")
    for reason in ("one", "two"):
        run("suppress", "add", "--domain", f"{reason}.example", "--reason", reason)
    sound = run("db", "check", "--json")
    assert (sound.code, sound.document["chains"]) == (
        0,
        {"audit trail": "unbroken", "deletion log": "unbroken"},
    )
    tamper(warehouse_url)
    broken = run("db", "check")
    assert (broken.code, "BROKEN at entry 2" in broken.text) == (1, True)
