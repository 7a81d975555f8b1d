"""The flows in Prefect: tasks, artifacts and retries, and nothing of anybody in what it keeps."""

from __future__ import annotations

import logging
import os
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from ingesting import MOMENT, company, csv_bytes, lei, plain_judge, settings_of
from standing import asked, files_of_runs
from trials import FIRST, SECOND, first_rows, second_rows

from flows import door, ingest_report, ingest_steps, refresh_steps
from flows.export_request import ExportRequest
from flows.house import Clock, House
from flows.settings import enter_environment
from sources.kit.errors import Busy, DeliveryRefused, SourceUnavailable
from sources.kit.standin_api import Api, ApiStandIn
from warehouse import merge, migrate
from warehouse.engine import sole_writer

pytestmark = pytest.mark.slow

PASSWORD = "Pw-Planted-9d41"
SOLE_TRADER, CARE_OF, COMPANY = "Plantwell", "Kvistgren", "Prøvefirma 4 AS"
LATER = MOMENT + timedelta(days=1100)


@pytest.fixture(scope="module")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Prefect's own server and database, once; it hears everything and keeps what it is told."""
    home = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            patch.delenv(name)
        patch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
        patch.setenv("PREFECT_HOME", str(home))
        enter_environment(home)
        from prefect.logging import handlers
        from prefect.settings import (
            PREFECT_HOME,
            PREFECT_LOCAL_STORAGE_PATH,
            PREFECT_LOGGING_LEVEL,
            temporary_settings,
        )
        from prefect.testing.utilities import prefect_test_harness

        ours = {
            PREFECT_HOME: home,
            PREFECT_LOCAL_STORAGE_PATH: home / "storage",
            PREFECT_LOGGING_LEVEL: "DEBUG",
        }

        with (
            mock.patch("prefect.testing.utilities.mkdtemp", return_value=str(home / "database")),
            mock.patch("prefect.testing.utilities.atexit.register"),
            # It would hold the output of whichever test came first; `caplog` hears the same.
            mock.patch.object(handlers.PrefectConsoleHandler, "emit"),
            temporary_settings(ours),
        ):
            (home / "database").mkdir()
            with prefect_test_harness(server_startup_timeout=120):
                yield home


@pytest.fixture
def house(
    prefect_home: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """An empty warehouse behind a password, whose runs go through Prefect."""
    from prefect.settings import PREFECT_API_URL

    url = postgres_url.replace("@", f":{PASSWORD}@")
    settings = settings_of(url, tmp_path, prefect_api_url=PREFECT_API_URL.value())
    monkeypatch.setattr(ingest_steps, "judge", plain_judge)
    house = House(settings, Clock(MOMENT))
    migrate.upgrade(house.engine)
    (tmp_path / FIRST).write_bytes(csv_bytes(first_rows(9)))
    (tmp_path / SECOND).write_bytes(csv_bytes(second_rows(9)))
    yield house
    house.close()


def ingest(house: House, name: str = FIRST, **changes: Any) -> Any:
    path = Path(house.settings.home) / name
    request = ingest_report.Request("gleif", **{"file": path, **changes})
    return door.ingest(house, request, door.tell_nobody)


def kept_by_prefect(home: Path) -> bytes:
    """Every byte of its database, its write-ahead log and whatever else it wrote.

    A failed run's exception is kept whatever is set: pickled, in base64, under `storage`.
    """
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    stored = [path for path in files if path.parent.name == "storage"]
    return b"".join(
        [*(path.read_bytes() for path in files), *(b64decode(path.read_bytes()) for path in stored)]
    )


def drained() -> None:
    """Wait until what was logged is with the server."""
    from prefect.logging.handlers import APILogWorker

    APILogWorker.instance().drain()


def task_runs(flow: str) -> list[tuple[str, str, int]]:
    """Tasks of the flow's last run: name, state, attempts."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowFilter,
        FlowFilterName,
        FlowRunFilter,
        FlowRunFilterId,
    )
    from prefect.client.schemas.sorting import FlowRunSort

    with get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=1,
        )
        return run, client.read_task_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
        )


def nothing_of_anybody(home: Path, *said: str) -> None:
    drained()
    kept = kept_by_prefect(home)
    for planted in (PASSWORD, SOLE_TRADER, CARE_OF, COMPANY, lei(9001), lei(9002)):
        assert planted.encode() not in kept, f"Prefect keeps {planted}"
        for text in said:
            assert planted not in text


def test_a_companys_whole_way_leaves_counts_and_nothing_else(
    house: House, prefect_home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = Path(house.settings.home) / "out"
    assert ingest(house).counts["records_new"] == 14
    request = ExportRequest("lapsed", "post", "direct_marketing", "own", out=out)
    assert door.export(house, request, door.tell_nobody)["selected"] > 5
    house.clock = Clock(LATER)
    assert door.deactivate(house)["counts"]["deactivated"] == 4
    assert door.delete(house, confirm=True)["counts"]["companies"] == 4

    runs = asked(house.settings.warehouse.url, "SELECT flow, state FROM run ORDER BY run_id")
    assert [tuple(row.values()) for row in runs] == [
        ("ingest", "done"), ("export", "done"), ("deactivate", "done"), ("delete", "done"),
    ]  # fmt: skip
    for flow in ("ingest", "export", "deactivate", "delete"):
        run, tasks = task_runs(flow)
        assert run.state_name == "Completed"
        assert {task.name.rsplit("-", 1)[0] for task in tasks} <= {"fetch", "load", flow}
        assert all(task.run_count <= 1 for task in tasks)
    run, _ = task_runs("ingest")
    names = {"source_id", "full", "file", "kind", "published_at", "base_url", "confirm_vanished"}
    assert set(run.parameters) == names
    assert artifacts() >= {"ingest-gleif", "export", "delete", "deactivate"}
    nothing_of_anybody(prefect_home, *capfd.readouterr())
    assert files_of_runs(Path(house.settings.home)) == []


def test_which_companies_are_asked_for_again_is_not_for_prefect_to_know(
    house: House, prefect_home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ingest(house)
    with ApiStandIn(Api(MOMENT, [company(9001), company(1, legal_name=COMPANY)])) as standin:
        request = refresh_steps.request_for([lei(9001), lei(1)], base_url=standin.base_url)
        report = door.refresh(house, request, door.tell_nobody)
    assert report.counts["leis"] == 2
    run, _ = task_runs("refresh")
    assert (run.state_name, run.parameters) == ("Completed", {"lei_count": 2})
    nothing_of_anybody(prefect_home, *capfd.readouterr())
    assert {"refresh"} <= artifacts()


def artifacts() -> set[str]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/artifacts/filter", json={})
    return {found["key"] for found in answer.json()}


def test_a_refusal_is_the_same_as_without_prefect(house: House, prefect_home: Path) -> None:
    (Path(house.settings.home) / SECOND).write_bytes(b"x")
    with pytest.raises(DeliveryRefused, match="published columns are missing"):
        ingest(house, SECOND)
    run, _ = task_runs("ingest")
    assert run.state_name == "Failed"
    (ours,) = asked(house.settings.warehouse.url, "SELECT state FROM run")
    assert ours["state"] == "refused"
    with sole_writer(house.engine), pytest.raises(Busy):
        ingest(house)
    nothing_of_anybody(prefect_home)


def test_an_error_that_quotes_values_is_told_without_them(
    house: House,
    prefect_home: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A database's own error holds the statement, its values and the row that broke it."""

    def broken(connection: Any, *_: Any) -> None:
        statement = sa.text("SELECT CAST(:name || CAST(:more AS text) AS integer)")
        connection.execute(statement, {"name": f"Zacharias {SOLE_TRADER}", "more": CARE_OF})

    caplog.set_level(logging.DEBUG)
    with (
        mock.patch.object(merge, "move_cursor", broken),
        pytest.raises(sa.exc.DataError) as caught,
    ):
        ingest(house)
    assert SOLE_TRADER in str(caught.value.orig)  # the error is a real one, and ours to handle
    (ours,) = asked(house.settings.warehouse.url, "SELECT state, message FROM run")
    assert tuple(ours.values()) == ("failed", "DataError")
    run, _ = task_runs("ingest")
    assert run.state_name == "Failed"
    nothing_of_anybody(prefect_home, caplog.text, *capfd.readouterr())


def test_a_person_who_waits_gets_no_hours_of_retries(house: House, prefect_home: Path) -> None:
    from sources.kit import session
    from sources.kit.patience import Manners

    hasty = Manners(rate=500.0, attempts=2, backoff=0.01)
    with (
        mock.patch.object(session, "Manners", return_value=hasty),
        pytest.raises(SourceUnavailable, match="no connection could be made"),
    ):
        ingest(house, file=None, base_url="http://127.0.0.1:9")
    _, tasks = task_runs("ingest")
    assert [task.run_count for task in tasks if task.name.startswith("fetch")] in ([], [1])


def test_only_the_fetch_is_tried_again() -> None:
    from flows import deactivate, delete, export, ingest

    assert (ingest.fetch.retries, ingest.load.retries) == (3, 0)
    for task in (ingest.fetch, ingest.load, export.act, delete.act, deactivate.act):
        assert task.persist_result is False
        assert type(task.cache_policy).__name__ == "_None"
        assert task.retries == 0 or task is ingest.fetch
        assert task.log_prints in {None, False}
    for flow in (ingest.ingest, export.export, delete.delete, deactivate.deactivate):
        assert not flow.retries
        assert flow.persist_result is False


def test_only_the_publishers_fault_of_a_schedules_run_is_tried_again() -> None:
    from prefect.states import Failed

    from flows import ingest

    failed = Failed(data=SourceUnavailable("GLEIF", "it does not answer", "Wait"))
    other = Failed(data=DeliveryRefused("GLEIF", "it is no zip", "Look"))
    assert not ingest._is_unattended(ingest.fetch, None, failed)
    with mock.patch.object(ingest.deployment, "id", "scheduled", create=True):
        assert ingest._is_unattended(ingest.fetch, None, failed)
        assert not ingest._is_unattended(ingest.fetch, None, other)


def test_without_an_api_it_says_so_and_works(light: Any) -> None:
    answer = light.load(light.second)
    assert answer.code in {0, 3}
    assert "no Prefect API is configured: running directly" in answer.err
    assert light.is_as_after()


def test_with_an_api_that_does_not_answer_it_says_so_and_works(
    light: Any, prefect_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    nobody = "http://127.0.0.1:9/api"
    monkeypatch.setenv("PREFECT_API_URL", nobody)
    with temporary_settings({PREFECT_API_URL: nobody}):
        answer = light.load(light.second)
    assert answer.code in {0, 3}
    assert "the Prefect API does not answer" in answer.err
    assert light.is_as_after()
