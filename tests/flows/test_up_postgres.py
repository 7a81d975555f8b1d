"""The standing service for real on PostgreSQL, and while its publisher is down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from ingesting import Ingesting, lei, opened
from our_command import runner
from service import configure, environment, gone, ledger, service, until
from standing import asked, files_of_runs

from sources.kit.sample import bundled_sample
from sources.kit.standin import Fault, Publish, StandIn

pytestmark = pytest.mark.long
YEARLY = "0 0 1 1 *"


@pytest.fixture
def place(postgres_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(postgres_url, tmp_path) as held:
        yield held


@pytest.fixture
def publisher() -> Iterator[StandIn]:
    sample = bundled_sample((datetime.now(UTC) - timedelta(days=1)).date())
    with StandIn([Publish(sample.published_at, sample.csv, record_count=sample.rows)]) as standin:
        yield standin


@pytest.fixture
def down() -> Iterator[StandIn]:
    with StandIn(faults=[Fault("unavailable", on="any")]) as standin:
        yield standin


def waiting(api: str) -> list[str]:
    """Tasks that Prefect will try again."""
    found = requests.post(f"{api}/task_runs/filter", json={}, timeout=20).json()
    return [task["name"] for task in found if task["state_name"] == "AwaitingRetry"]


def test_it_loads_and_a_publisher_that_is_down_keeps_nobody_from_writing(
    place: Ingesting,
    postgres_url: str,
    publisher: StandIn,
    down: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    flows = ("ingest-gleif", "ingest-gleif-codes", "deactivate", "delete")
    configure(tmp_path, publisher.base_url, **{name.replace("-", "_"): YEARLY for name in flows})
    with (tmp_path / "sourcenote.toml").open("a") as config:
        config.write(f'[sources.gleif-codes]\nbase_url = "{down.base_url}"\n')
    with service(tmp_path, environment(tmp_path, postgres_url)) as up:
        found = up.ready()
        assert found["caught_up"] == list(flows)
        until(lambda: waiting(found["prefect_api"]), what="the wait for a publisher")
        until(lambda: ("delete", "done") in ledger(postgres_url), what="the deletion")
        assert sorted(ledger(postgres_url)) == [
            ("deactivate", "done"), ("delete", "done"), ("ingest", "done"), ("ingest", "refused"),
        ]  # fmt: skip
        assert asked(postgres_url, "SELECT count(*) AS held FROM prospects")[0]["held"] > 100
        run = runner(tmp_path, monkeypatch, capsys, postgres_url)
        for line in (
            ["suppress", "add", "--lei", lei(3), "--reason", "asked"],
            ["deactivate"],
            ["delete", "--confirm"],
            ["ingest", "gleif"],
        ):
            assert run(*line, now=datetime.now(UTC).isoformat()).code == 0
        assert waiting(found["prefect_api"])
        had = up.below()
        assert up.stop() == 0
        until(lambda: gone(had), 20, "the end of every process")
    assert "running" not in {state for _, state in ledger(postgres_url)}
    assert files_of_runs(tmp_path) == []
