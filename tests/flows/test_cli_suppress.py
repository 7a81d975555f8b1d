"""The do-not-contact list by command: values, domains, a letter's token, a mailing tool's list."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from our_command import Run, copy_filled, fill, runner

from flows.suppress_lists import read_list
from sources.kit.errors import Refused

LEI = "5493001KJTIIGC8Y1R12"
EXPORT = "export --segment renewal-due --channel post --purpose direct_marketing --recipient own"
ADD = ("suppress", "add", "--reason", "asked to")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    run = runner(tmp_path, monkeypatch, capsys)
    run("init", "--example")
    return run


@pytest.mark.parametrize(
    ("option", "given", "asked"),
    [
        ("--email", "Anna@Example.org", "anna@EXAMPLE.ORG"),
        ("--phone", "+45 33 12 34 56", "+4533123456"),
        ("--lei", LEI, LEI.lower()),
        ("--domain", "Example.org", "@example.org"),
    ],
)
def test_a_value_in_any_spelling(run: Run, option: str, given: str, asked: str) -> None:
    assert run("suppress", "check", option, asked, "--json").document["is_stopped"] is False
    added = run(*ADD, option, given, "--json")
    assert (added.code, added.document["is_new"]) == (0, True)
    assert run(*ADD, option, given, "--json", now="2026-12-01").document["is_new"] is False
    found = run("suppress", "check", option, asked, "--json", now="2026-12-02")
    assert (found.code, found.document["is_stopped"]) == (0, True)
    assert found.document["stop"]["added_at"] == "2026-11-02T10:00:00Z"
    assert found.document["stop"]["reason"] == "asked to"
    assert "Added" not in run(*ADD, option, given).text


def test_an_address_is_stopped_by_its_domain(run: Run) -> None:
    run(*ADD, "--domain", "example.org")
    assert run("suppress", "check", "--email", "bo@example.org", "--json").document["is_stopped"]
    other = run("suppress", "check", "--email", "bo@example.com", "--json").document
    assert other == {"is_stopped": False, "stop": None}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--domain", "gmail.com"], "many strangers"),
        (["--domain", "nodots"], "does not have the form"),
        (["--email", "nobody"], "does not have the form"),
        (["--lei", "123"], "does not have the form"),
        (["--phone", "33123456"], "does not have the form"),
        (["--token", "abc"], "not one of this installation's"),
    ],
)
def test_what_cannot_be_stopped_is_refused(run: Run, line: list[str], said: str) -> None:
    answer = run(*ADD, *line)
    assert (answer.code, answer.out) == (1, "")
    assert said in answer.err
    assert run("status", "--json").document["stops"] == 0


@pytest.mark.parametrize(
    "reason", [[], ["--reason", " "], ["--reason", "by mail from anna@example.org"]]
)
def test_a_reason_is_needed_and_holds_no_address(run: Run, reason: list[str]) -> None:
    answer = run("suppress", "add", "--lei", LEI, *reason)
    assert answer.code == 1
    assert "--reason" in answer.err
    assert "anna@" not in answer.err


@pytest.mark.parametrize(
    "line",
    [
        "suppress add --reason x",
        "suppress add --lei A --email B --reason x",
        "suppress check",
        "suppress check list.csv",
        "suppress check --out x.csv",
        "suppress check list.csv --email a@example.org --out x.csv",
    ],
)
def test_misuse(run: Run, line: str) -> None:
    assert run(*line.split()).code == 2


def test_a_letters_token_works_here_too_on_both_databases(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(warehouse_url, tmp_path)
    run = runner(tmp_path, monkeypatch, capsys, warehouse_url)
    first = run(*EXPORT.split(), "--out", "lists", "--json", now="2026-11-06").document
    rows = tmp_path / "lists" / first["export_id"] / "rows.csv"
    with rows.open(encoding="utf-8-sig", newline="") as stream:
        row = next(csv.DictReader(stream))
    token = row["unsubscribe_url"].rsplit("/", 1)[1]
    added = run("suppress", "add", "--token", token, "--json", now="2026-11-06").document
    assert (added["is_new"], added["companies_covered"]) == (True, 1)
    assert added["stop"]["origin"] == "link"
    again = run("suppress", "add", "--token", token, "--json", now="2026-11-06").document
    assert (again["is_new"], again["companies_covered"]) == (False, 1)
    assert run("suppress", "check", "--lei", row["lei"], "--json").document["is_stopped"]
    second = run(*EXPORT.split(), "--out", "lists", "--json", now="2026-11-07").document
    assert second["excluded"]["suppressed"] == first["excluded"].get("suppressed", 0) + 1


LISTS = {
    "comma": (
        'Name,E-mail,x\r\n"Ann, A",ANNA@example.org,x\r\nBo,bo@example.com,y\r\nC,none,z\r\n',
        'Name,E-mail,x\r\n"Ann, A",ANNA@example.org,x\r\n',
    ),
    "semicolon, all quoted": (
        '"id";"Epost"\n"1";"bo@example.com"\n"2";"anna@example.org"\n',
        '"id";"Epost"\n"2";"anna@example.org"\n',
    ),
    "no header": (
        "1\tbo@example.com\n2\tanna@example.org\n",
        "2\tanna@example.org\n",
    ),
    "unheard-of header": (
        "a|b\nx|bo@example.com\ny|anna@example.org\nz|c@example.net\n",
        "a|b\ny|anna@example.org\n",
    ),
    "one a line": ("bo@example.com\nanna@example.org\n", "anna@example.org\n"),
    "leis": (f"LEI\n{LEI}\n", f"LEI\n{LEI}\n"),
    "nobody stopped": ("email\nbo@example.com\n", "email\n"),
    "nobody at all": ("email\n", "email\n"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", LISTS)
def test_a_mailing_tools_list_comes_back_in_its_format(
    run: Run, tmp_path: Path, name: str, encoding: str
) -> None:
    run(*ADD, "--email", "anna@example.org")
    run(*ADD, "--lei", LEI)
    given, expected = LISTS[name]
    (tmp_path / "list.csv").write_bytes(given.encode(encoding))
    answer = run("suppress", "check", "list.csv", "--out", "stop.csv", "--json")
    assert answer.code == 0
    written = tmp_path / "stop.csv"
    assert written.read_bytes() == expected.encode(encoding)
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    header = 0 if name in {"no header", "one a line"} else 1
    assert answer.document["to_unsubscribe"] == expected.count("\n") - header
    assert answer.document["unreadable"] == (1 if name == "comma" else 0)
    assert "anna@" not in answer.out.lower()


def test_an_old_encoding_and_a_domain(run: Run, tmp_path: Path) -> None:
    run(*ADD, "--domain", "example.org")
    (tmp_path / "list.csv").write_bytes("navn;e-mail\nSørensen;bo@example.org\n".encode("cp1252"))
    assert run("suppress", "check", "list.csv", "--out", "stop.csv").code == 0
    assert (tmp_path / "stop.csv").read_bytes() == (tmp_path / "list.csv").read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 a spreadsheet", "a spreadsheet or an archive"),
        (b"\x00\x01\x02\x00", "not text"),
        (b"a,b\n1,2\n", "no column holds"),
        (b'email\n"anna@example.org\n', "quotes are not closed"),
        (b"", "no column holds"),
    ],
)
def test_a_list_that_cannot_be_read(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=said):
        read_list(path)


def test_an_answer_is_written_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email\nanna@example.org\n")
    assert run("suppress", "check", path, "--out", path).code == 1
    assert path.read_text() == "email\nanna@example.org\n"
    assert run("suppress", "check", path, "--out", tmp_path / "no" / "folder.csv").code == 1
    assert run("suppress", "check", tmp_path / "missing.csv", "--out", "x.csv").code == 1
    assert sorted(found.name for found in tmp_path.glob("*.csv")) == ["list.csv"]


def test_a_stop_covers_what_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = copy_filled(tmp_path)
    run = runner(tmp_path, monkeypatch, capsys)
    assert run(*ADD, "--lei", known.changed, "--json").document["companies_covered"] == 1
    assert run(*ADD, "--lei", LEI, "--json").document["companies_covered"] == 0
    assert "It covers 1 company now held." in run(*ADD, "--lei", known.changed).text
