"""The standing service for real: a Prefect server, the schedule, the portal; killed and stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests
from ingesting import Ingesting, opened
from our_command import runner
from service import age, alive, configure, environment, gone, ledger, persons_of, service, until
from standing import files_of_runs

from flows import schedule_steps, unattended
from flows.ledger import ledger_run
from flows.up_lock import is_service_up, only_service
from sources.kit.errors import Busy
from sources.kit.sample import BundledSample, bundled_sample
from sources.kit.standin import Publish, StandIn
from warehouse import runs
from warehouse.engine import sole_writer

YEARLY = "0 0 1 1 *"


@pytest.fixture
def sample() -> BundledSample:
    """Published yesterday: the service's clock is the machine's."""
    return bundled_sample((datetime.now(UTC) - timedelta(days=1)).date())


@pytest.fixture
def publisher(sample: BundledSample) -> Iterator[StandIn]:
    published = Publish(sample.published_at, sample.csv, record_count=sample.rows)
    with StandIn([published]) as standin:
        yield standin


@pytest.fixture
def home(sqlite_url: str, tmp_path: Path) -> Path:
    with opened(sqlite_url, tmp_path):
        return tmp_path


def both_answer(found: dict[str, str]) -> None:
    for name, path in (("prefect_api", "/health"), ("prefect_ui", "/"), ("portal", "/")):
        url = found[name]
        assert url.startswith("http://127.0.0.1:")
        assert requests.get(f"{url}{path}", timeout=20).status_code in {200, 404}


@pytest.mark.long
def test_a_service_killed_and_started_again_misses_nothing_and_does_nothing_twice(
    home: Path, sqlite_url: str, publisher: StandIn, sample: BundledSample
) -> None:
    yearly = {"ingest_gleif": YEARLY, "deactivate": YEARLY, "delete": YEARLY}
    configure(home, publisher.base_url, **yearly)
    environ = environment(home, sqlite_url)
    publisher.misbehave("stall", times=None)

    with service(home, environ) as first:
        found = first.ready()
        assert found["caught_up"] == ["ingest-gleif", "deactivate", "delete"]
        both_answer(found)
        until(lambda: ("ingest", "running") in ledger(sqlite_url), what="the first ingest")
        had = first.kill()
        assert len(had) >= 4  # server, portal, runner, the flow
        until(lambda: gone(had), 20, "the end of every process")

    publisher.behave()
    had_ended = {flow for flow, state in ledger(sqlite_url) if state == "done"}  # beside the ingest
    assert "ingest" not in had_ended
    with service(home, environ) as second:
        lines = zip(FLOWS, found["caught_up"], strict=True)
        left = [line for flow, line in lines if flow not in had_ended]
        assert second.ready()["caught_up"] == left
        with service(home, environ) as refused:
            assert refused.process.wait(60) == 1
            assert "another `sourcenote up`" in refused.document()["error"]["cause"]
        done = sorted((flow, "done") for flow in FLOWS)
        until(lambda: sorted(run for run in ledger(sqlite_url) if run[1] == "done") == done)
        assert ("ingest", "interrupted") in ledger(sqlite_url)
        assert ("ingest", "running") not in ledger(sqlite_url)
        had = second.below()
        assert second.stop(signal.SIGINT, whole_group=True) == 0
        until(lambda: gone(had), 20, "the end of every process")

    # Two years of slots go by for one line: one run makes up for them.
    age(sqlite_url, "ingest", days=800)
    configure(home, publisher.base_url, **yearly | {"deactivate": "* * * * *"})
    with service(home, environ) as third:
        assert "ingest-gleif" in third.ready()["caught_up"]
        before = ledger(sqlite_url).count(("deactivate", "done"))
        until(lambda: ledger(sqlite_url).count(("ingest", "done")) == 2, what="the missed ingest")
        until(lambda: ledger(sqlite_url).count(("deactivate", "done")) >= before + 2)
        had = third.below()
        assert third.stop() == 0
        until(lambda: gone(had), 20, "the end of every process")
        said = third.errors()

    assert ledger(sqlite_url).count(("ingest", "done")) == 2
    assert ledger(sqlite_url).count(("delete", "done")) == 1
    assert files_of_runs(home) == []
    kept = b"".join(path.read_bytes() for path in (home / "prefect").rglob("*") if path.is_file())
    assert b"ingest-gleif" in kept
    persons = persons_of(sample)
    assert persons
    for person in persons:
        assert person.encode() not in kept
        assert person not in said


FLOWS = ("ingest", "deactivate", "delete")


@pytest.mark.slow
def test_a_part_that_will_not_start_stops_the_whole(
    home: Path, sqlite_url: str, publisher: StandIn
) -> None:
    configure(home, publisher.base_url)
    taken = publisher.base_url.rpartition(":")[2]
    with service(home, environment(home, sqlite_url), f"--portal-port={taken}") as found:
        assert found.process.wait(90) == 1
        assert found.document()["error"]["thing"] == f"port {taken}"
        assert alive(found.below()) == set()


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path) as found:
        found.change(schedule={"deactivate": "0 4 * * *", "delete": "0 5 * * *"})
        yield found


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ran(
    place: Ingesting, flow: str, at: datetime, state: str, source_id: str | None = None
) -> None:
    number = runs.start(place.house.engine, flow, at, source_id)
    if state != "running":
        runs.finish(place.house.engine, number, state, at)


def missed(place: Ingesting) -> set[str]:
    return {line.name for line in schedule_steps.missed(place.house)}


def test_missed_is_what_has_no_run_since_it_was_due(place: Ingesting) -> None:
    place.at(NOON)
    everything = missed(place)
    assert {"deactivate", "delete", "ingest-gleif"} <= everything
    ran(place, "deactivate", NOON.replace(hour=4), "done")
    ran(place, "delete", NOON.replace(hour=4, minute=59), "done")
    ran(place, "ingest", NOON.replace(hour=11), "refused", "gleif")
    assert everything - missed(place) == {"deactivate", "ingest-gleif"}
    place.later(days=5)
    assert missed(place) == everything  # once each, whatever the number of days


def test_a_run_that_died_has_not_been_done(place: Ingesting) -> None:
    place.at(NOON)
    ran(place, "deactivate", NOON.replace(hour=5), "running")
    assert "deactivate" in missed(place)
    with sole_writer(place.house.engine):  # while it is alive it holds the lock
        assert "deactivate" not in missed(place)
    ran(place, "delete", NOON.replace(hour=6), "interrupted")
    assert {"deactivate", "delete"} <= missed(place)


def test_a_run_that_was_stopped_is_to_be_done_again(place: Ingesting) -> None:
    place.at(NOON)
    with pytest.raises(KeyboardInterrupt), ledger_run(place.house, "deactivate"):
        raise KeyboardInterrupt
    assert [row["state"] for row in place.ask("SELECT state FROM run")] == ["interrupted"]
    assert "deactivate" in missed(place)


def test_status_shows_when_each_line_is_due(place: Ingesting) -> None:
    from flows.status_steps import status

    place.at(NOON)
    ran(place, "deactivate", NOON.replace(hour=4, minute=1), "done")
    service_of = status(place.house)["service"]
    assert service_of["is_up"] is False
    lines = {line["name"]: line for line in service_of["schedule"]}
    deactivate, delete = lines["deactivate"], lines["delete"]
    assert deactivate["next_due_at"] == NOON.replace(day=23, hour=4)
    assert deactivate["last_run_at"] == NOON.replace(hour=4, minute=1)
    assert (deactivate["is_missed"], delete["is_missed"]) == (False, True)
    assert delete["last_run_at"] is None


def test_a_run_that_was_overtaken_is_left_out(place: Ingesting) -> None:
    due = NOON.replace(hour=4)
    place.at(NOON)
    with mock.patch.object(unattended, "scheduled_for", return_value=due):
        assert not unattended.is_overtaken(place.house, "deactivate")
        place.later(days=1)
        assert unattended.is_overtaken(place.house, "deactivate")
    with mock.patch.object(unattended, "scheduled_for", return_value=None):
        assert not unattended.is_overtaken(place.house, "deactivate")


def test_a_scheduled_run_waits_for_the_writer_and_a_person_does_not(place: Ingesting) -> None:
    tries: list[int] = []

    def work() -> int:
        tries.append(1)
        if len(tries) < 3:
            with sole_writer(place.house.engine), sole_writer(place.house.engine):
                pass
        return len(tries)

    with mock.patch.object(unattended, "WAIT_SECONDS", 0.0):
        with mock.patch.object(unattended, "scheduled_for", return_value=NOON):
            assert unattended.when_free(work) == 3
        tries.clear()
        with (
            mock.patch.object(unattended, "scheduled_for", return_value=None),
            pytest.raises(Busy),
        ):
            unattended.when_free(work)


def test_one_service_a_state_folder(tmp_path: Path) -> None:
    assert not is_service_up(tmp_path)
    with only_service(tmp_path):
        assert is_service_up(tmp_path)
        with pytest.raises(Busy, match="another `sourcenote up`"), only_service(tmp_path):
            pass
    assert not is_service_up(tmp_path)


def test_the_page_of_status_names_the_schedule(
    place: Ingesting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run_line = runner(tmp_path, monkeypatch, capsys, place.house.settings.warehouse.url)
    text = run_line("status", now=NOON.isoformat()).text
    assert "Schedule (UTC)" in text
    assert "The standing service is not up" in text
    assert "ingest-gleif" in text
