"""How any call begins and ends: options everywhere, one document, exit codes, no values."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from our_command import Run, runner

from flows.cli import main, words
from flows.cli.global_options import GlobalOptions, Misused, take
from sources.kit.errors import Refused, SettingsInvalid

ANNA, BO = "anna@example.org", "bo@example.org"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "line",
    [
        "--config a.toml --warehouse sqlite:///w.db --json status",
        "status --json --config a.toml --warehouse sqlite:///w.db",
        "--config=a.toml status --warehouse=sqlite:///w.db --json",
        "--config b.toml status --config a.toml --json --warehouse sqlite:///w.db",
    ],
)
def test_global_options_stand_anywhere(line: str) -> None:
    options, rest = take(line.split())
    assert options == GlobalOptions(Path("a.toml"), "sqlite:///w.db", is_json=True)
    assert rest == ["status"]


def test_two_dashes_end_them() -> None:
    options, rest = take(["explain", "--", "--json", "--now"])
    assert not options.is_json
    assert rest == ["explain", "--", "--json", "--now"]


@pytest.mark.parametrize("line", ["--config", "--config --json", "--json=yes", "--now tomorrow"])
def test_misused_global_options(line: str) -> None:
    with pytest.raises(Misused):
        take(line.split())


def test_a_moment_without_an_offset_is_utc() -> None:
    options, _ = take(["--now", "2026-11-22"])
    assert options.now is not None
    assert options.now.isoformat() == "2026-11-22T00:00:00+00:00"


def test_options_work_before_and_after(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    assert run("init").code == 0
    assert run("--warehouse", url, "db", "upgrade").code == 0
    for line in (
        ["--json", "--warehouse", url, "status"],
        ["status", "--warehouse", url, "--json"],
    ):
        answer = run(*line)
        assert (answer.code, answer.document["companies"]) == (0, {"active": 0, "inactive": 0})


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("status", 0),
        ("status --help", 0),
        ("--version", 0),
        ("explain 1 2", 2),
        ("nosuch", 2),
        ("", 2),
        ("status --nosuch", 2),
        ("--json=yes status", 2),
        ("explain x", 1),
        ("segment count nosuch", 1),
        ("--config missing.toml status", 1),
    ],
)
def test_json_is_one_document_whatever_happens(run: Run, line: str, code: int) -> None:
    run("init")
    answer = run("--json", *line.split())
    assert answer.code == code
    assert isinstance(answer.document, dict)
    if code and line:
        assert set(answer.document["error"]) >= {"thing", "cause", "cure"}


def test_a_refusal_is_a_block_without_a_stack(run: Run) -> None:
    answer = run("status")
    assert answer.code == 1
    assert answer.out == ""
    assert "warehouse:" in answer.err
    assert "sourcenote init" in answer.err
    assert "Traceback" not in answer.err


def test_every_fault_of_the_configuration_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sourcenote.toml").write_text('[controler]\nname = "x"\n[scope]\nplanets = 1\n')
    answer = run("status", "--json")
    assert answer.code == 1
    causes = " ".join(answer.document["error"]["causes"])
    assert "controler" in causes
    assert "planets" in causes


def test_nothing_else_reaches_standard_output(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import flows.status_steps

    honest = flows.status_steps.status

    def talkative(house: object) -> object:
        sys.stdout.write("a library says hello")
        return honest(house)  # type: ignore[arg-type]

    run("init")
    monkeypatch.setattr(flows.status_steps, "status", talkative)
    answer = run("status", "--json")
    assert answer.document["companies"] == {"active": 0, "inactive": 0}
    assert "a library says hello" in answer.err


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize("kind", [ValueError, KeyError, RuntimeError])
def test_an_unexpected_error_quotes_no_value(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], debug: list[str]
) -> None:
    def fails(_: object) -> None:
        raise RuntimeError(BO) from kind(ANNA)

    run("init")
    monkeypatch.setattr("flows.status_steps.status", fails)
    answer = run("status", *debug)
    assert answer.code == 1
    assert "unexpected RuntimeError" in answer.err
    assert ("in fails" in answer.err) == bool(debug) or not debug
    for text in (answer.out, answer.err):
        assert ANNA not in text
        assert BO not in text
    assert (kind.__name__ in answer.err) == bool(debug) or kind is RuntimeError


def test_debug_shows_where_our_own_refusal_was_made(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_: object) -> None:
        raise Refused("this", "that", "Do so")

    run("init")
    monkeypatch.setattr("flows.status_steps.status", refuses)
    assert "in refuses" in run("status", "--debug").err
    assert "in refuses" not in run("status").err


def test_an_interruption_is_a_plain_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    run("init")
    monkeypatch.setattr("flows.status_steps.status", interrupted)
    answer = run("status")
    assert answer.code == 130
    assert "interrupted, nothing is left half-done" in answer.err
    assert run("status", "--json").document["error"]["cause"].startswith("interrupted")


def test_a_damaged_warehouse_is_named_as_such(run: Run, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "sourcenote.db").write_bytes(
        b"This is no database, whatever it says. " * 99
    )
    answer = run("status")
    assert answer.code == 1
    assert "the file is no SQLite database" in answer.err


def test_a_server_that_is_not_there_is_named_as_such(run: Run) -> None:
    answer = run("status", "--warehouse", "postgresql://nobody@127.0.0.1:1/nothing")
    assert answer.code == 1
    assert "it cannot be reached" in answer.err


def test_all_causes_are_shown_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    from flows.cli.endings import of_ours

    of_ours(SettingsInvalid("sourcenote.toml", ["one thing", "another"])).show()
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert lines[:3] == ["sourcenote.toml:", "one thing", "another"]


def test_values_cannot_repaint_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from flows.cli.paper import Paper

    page = Paper()
    page.say("before\x1b[2Jafter \u202etxt.exe [bold]plain[/bold] :smile:")
    page.table(("name",), [("[red]\x07bell",)])
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\u202e" not in said
    assert "[bold]plain[/bold] :smile:" in said
    assert "[red]" in said


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (None, "-"),
        (0.001, "under a minute"),
        (0.5, "30 minutes"),
        (1, "1 hour"),
        (47.9, "47 hours"),
        (50, "2 days"),
        (24 * 200, "6 months"),
    ],
)
def test_ages(hours: float | None, text: str) -> None:
    assert words.age(hours) == text


def test_periods_and_lists() -> None:
    assert words.period("P24M") == "24 months"
    assert words.period("P1Y6M") == "1 year and 6 months"
    assert words.period("P0D") == "no time"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed([]) == "none"


def test_the_result_is_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"version"}
