"""`refresh` when a register does not answer: what it exits with, what it names, whom it asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from ingesting import lei
from our_command import Answer, runner
from registering import Registers, danish, registers

from sources.kit.standin_api import Api, ApiStandIn
from sources.kit.standin_registers import API_KEY

FIRMS = danish("role", 2)


class Asking:
    """The command on a house with two Danish companies, GLEIF's API and CVR beside it."""

    def __init__(self, place: Registers, run, api_url: str) -> None:
        self.place, self._run, self.api_url = place, run, api_url

    def refresh(self, *more: str) -> Answer:
        now = self.place.held.house.now().isoformat()
        line = ("refresh", lei(1), lei(2), "--base-url", self.api_url, *more)
        return self._run(*line, now=now)

    @property
    def cvr_url(self) -> str:
        return f"cvr={self.place.served.base_url}"


@pytest.fixture
def asking(
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Asking]:
    monkeypatch.setenv("SOURCENOTE_CVR_API_KEY", API_KEY)
    with ExitStack() as stack:
        place = stack.enter_context(registers(sqlite_url, tmp_path / "house", FIRMS))
        place.leis(FIRMS)
        place.ingest("cvr")
        place.held.later(hours=3)
        moment = place.held.house.now() - timedelta(hours=1)
        api = stack.enter_context(ApiStandIn(Api(moment, retry_after="0")))
        rows = [place.row(n, firm) for n, firm in enumerate(FIRMS, 1)]
        api.api.rows = {row["LEI"]: row for row in rows}
        (tmp_path / "command").mkdir()
        run = runner(tmp_path / "command", monkeypatch, capsys, sqlite_url)
        assert run("init", "--example").code == 0
        yield Asking(place, run, api.base_url)


def test_each_source_can_be_given_an_address(asking: Asking) -> None:
    before = len(asking.place.served.requests)
    answer = asking.refresh("--base-url", asking.cvr_url, "--json")
    assert answer.code == 0
    assert answer.document["failed"] == []
    (cvr,) = answer.document["registers"]
    assert (cvr["is_complete"], cvr["counts"]) == (True, {"numbers": 2, "unchanged": 2})
    assert len(asking.place.served.requests) > before


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        (["--base-url", "nowhere=http://127.0.0.1:1"], "nowhere is not asked; these are: gleif"),
        (["--base-url", "gleif=http://127.0.0.1:1"], "gleif has two addresses"),
    ],
)
def test_an_address_of_nobody_or_two_of_one_is_a_wrong_line(
    asking: Asking, urls: list[str], said: str
) -> None:
    answer = asking.refresh(*urls)
    assert answer.code == 2
    assert said in " ".join(answer.err.replace("│", " ").split())


def test_a_register_that_fails_is_no_success(asking: Asking) -> None:
    asking.place.served.misbehave("unavailable")
    answer = asking.refresh("--base-url", asking.cvr_url, "--json")
    assert answer.code == 1
    document = answer.document
    assert document["failed"] == ["cvr"]
    assert document["counts"] == {"leis": 2, "unchanged": 2}
    (cvr,) = document["registers"]
    assert (cvr["is_complete"], cvr["counts"]) == (False, {"numbers": 2, "not_asked": 2})
    assert {(one["source_key"], one["lei"]) for one in cvr["answers"]} == {
        (firm.number, lei(n)) for n, firm in enumerate(FIRMS, 1)
    }
    assert cvr["error"]["cure"]


def test_a_register_that_fails_is_told_on_the_page(asking: Asking) -> None:
    asking.place.served.misbehave("unavailable")
    answer = asking.refresh("--base-url", asking.cvr_url)
    assert answer.code == 1
    said = " ".join(answer.text.split())
    assert f"{FIRMS[0].number} ({lei(1)}): not refreshed" in said
    assert "Not refreshed in full: cvr." in said


def test_a_register_that_fails_halfway_names_the_rest(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sources import cvr
    from sources.kit.errors import SourceUnavailable

    fetch, asked = cvr.fetch_keys, []

    def once(session, keys, landing):
        asked.append(keys)
        if len(asked) > 1:
            raise SourceUnavailable("cvr", "it is gone", "Run again")
        return fetch(session, keys, landing)

    monkeypatch.setattr(cvr, "KEYS_AT_ONCE", 1)
    monkeypatch.setattr(cvr, "fetch_keys", once)
    answer = asking.refresh("--base-url", asking.cvr_url, "--json")
    assert answer.code == 1
    (part,) = answer.document["registers"]
    assert part["counts"] == {"numbers": 2, "unchanged": 1, "not_asked": 1}
    assert len(part["deliveries"]) == 1
