"""GLEIF's API in trouble, by the commands: what is said, what stays, and the next good answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ingesting import Ingesting, company, lei, opened
from our_command import Run, runner

from sources.kit.standin_api import Api, ApiStandIn

pytestmark = pytest.mark.usefixtures("in_a_hurry")

PUBLISHED = datetime(2026, 11, 2, 8, tzinfo=UTC)
ADDRESS = r"^http://127\.0\.0\.1:\d+/api/v1/(lei-records|entity-legal-forms)"
ANSWER = r"^the API's answer$"
AGAIN = r"^(Nothing of it was loaded\. )?Try again later"
FAULTS = {
    "bad_request": (ADDRESS, r"it answers HTTP 400: “Invalid filter”", r"^Run again"),
    "missing": (ADDRESS, r"it answers HTTP 404: “Not found”", r"^Run again"),
    "rate_limited": (ADDRESS, r"HTTP 429: “Too many requests”, after 5 attempts", AGAIN),
    "rate_limited_bare": (ADDRESS, r"HTTP 429: “Too many requests”, after 5 attempts", AGAIN),
    "server_error": (ADDRESS, r"it answers HTTP 500, after 5 attempts", AGAIN),
    "not_json": (r"/api/v1/", r"a web page came instead of JSON", AGAIN),
    "not_a_list": (ANSWER, r"it has no list 'data'", AGAIN),
    "errors_200": (ANSWER, r"it says “Try later”", AGAIN),
    "endless": (ANSWER, r"after \d+ pages: the list may never end", AGAIN),
    "loop": (ANSWER, r"is one that came before: the list would never end", AGAIN),
    "foreign": (r"^Source gleif", r"which is not one of its hosts", r"^Nothing was fetched"),
}


class Asking:
    """A house with one company, an API, and the command line over both."""

    def __init__(self, held: Ingesting, api: Api, base_url: str, run: Run) -> None:
        self.held, self.api, self._base_url, self._run = held, api, base_url, run

    def refresh(self) -> Any:
        return self._run("refresh", lei(1), "--json", "--base-url", self._base_url)

    def codes(self) -> Any:
        return self._run("ingest", "gleif-codes", "--json", "--base-url", self._base_url)

    def has_refreshed(self) -> bool:
        return self.held.name(1) == "Ny Prøve A/S"

    def has_codes(self) -> bool:
        query = "SELECT count(*) FROM legal_forms WHERE source_id = 'gleif-codes'"
        return int(self.held.one(query)) > 0


@pytest.fixture
def asking(
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Asking]:
    changed = {"legal_name": "Ny Prøve A/S", "last_update_published": "2026-11-02T07:00:00Z"}
    api = Api(PUBLISHED, retry_after="0")
    api.rows = {lei(1): company(1, **changed)}
    names = [{"localName": "Prøveselskab", "languageCode": "da", "language": "da"}]
    form = {"code": "TES1", "countryCode": "DK", "status": "ACTV", "names": names}
    authority = {"code": "RA900001", "localName": "Prøveregister", "jurisdictions": []}
    api.lists = {"entity-legal-forms": [form], "registration-authorities": [authority]}
    with ExitStack() as stack:
        held = stack.enter_context(opened(warehouse_url, tmp_path))
        held.full([company(1)], "2026-11-01")
        standin = stack.enter_context(ApiStandIn(api))
        run = runner(tmp_path, monkeypatch, capsys, warehouse_url)
        yield Asking(held, api, standin.base_url, run)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("command", "is_done"),
    [(Asking.refresh, Asking.has_refreshed), (Asking.codes, Asking.has_codes)],
    ids=["refresh", "codes"],
)
def test_a_fault_is_told_and_the_next_answer_is_taken(
    asking: Asking,
    command: Callable[[Asking], Any],
    is_done: Callable[[Asking], bool],
    fault: str,
) -> None:
    before = asking.held.state()
    asking.api.misbehave(fault)
    answer = command(asking)
    assert answer.code == 1, answer.out
    error = answer.document["error"]
    assert set(error) == {"thing", "cause", "cure"}
    for name, pattern in zip(("thing", "cause", "cure"), FAULTS[fault], strict=True):
        assert re.search(pattern, error[name]), error
    assert asking.held.state() == before
    (state, *_) = asking.held.ask("SELECT state FROM runs ORDER BY run_id DESC")
    assert state["state"] == "refused"
    asking.api.behave()
    assert command(asking).code == 0
    assert is_done(asking)
    for row in asking.held.ask("SELECT * FROM deliveries WHERE status = 'loaded'"):
        assert row["records_in"] > 0
