"""Two who want the warehouse at the same time: one writer, and stops that never wait in vain."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from ingesting import MOMENT, company, csv_bytes, lei, opened, settings_of
from kept import Holding
from listing import norwegian, rows_of
from standing import asked, standing

from flows import door, export_steps, ingest_run, ingest_steps
from flows.export_request import ExportRequest
from flows.export_rows import LINK_KEYS
from flows.house import Clock, House
from flows.ingest_report import Request
from notices.tokens import token_digest, verify_token
from sources.kit.errors import Busy
from warehouse import merge
from warehouse.engine import open_warehouse, writing
from warehouse.privacy import suppression

SECONDS = 20
THIRD = "20261103-0800-gleif-goldencopy-lei2-golden-copy.csv"


@contextmanager
def house_of(held: Holding, now: datetime = MOMENT) -> Iterator[House]:
    house = House(settings_of(held.url, held.home), Clock(now))
    try:
        yield house
    finally:
        house.close()


class Gate:
    """Holds a run at one stage until it may go on."""

    def __init__(self, stage: str) -> None:
        self.stage, self.reached, self.may_go_on = stage, threading.Event(), threading.Event()

    def tell(self, stage: str, _done: int, _total: int | None) -> None:
        if stage == self.stage:
            self.wait()

    def wait(self, *_: Any) -> None:
        self.reached.set()
        assert self.may_go_on.wait(SECONDS)


@contextmanager
def beside(work: Callable[[Callable[[str, int, int | None], None]], Any], stage: str) -> Any:
    """`work` in a thread, held at `stage` while the block runs; its outcome is the thread's."""
    gate = Gate(stage)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(work, gate.tell)
        try:
            assert gate.reached.wait(SECONDS), outcome.result(0)
            yield outcome
        finally:
            gate.may_go_on.set()


def ingesting(held: Holding, name: str = "", content: bytes = b"") -> Callable[..., Any]:
    path = held.home / (name or "20261102-0800-gleif-goldencopy-lei2-golden-copy.csv")
    if content:
        path.write_bytes(content)

    def work(tell: Callable[[str, int, int | None], None]) -> Any:
        with house_of(held) as house:
            return ingest_run.run(house, Request("gleif", file=path), tell)

    return work


@pytest.mark.parametrize("command", ["ingest", "delete", "deactivate", "export"])
def test_the_second_is_told_that_it_is_busy(holding: Holding, command: str) -> None:
    arguments = {
        "ingest": ["gleif", "--file", holding.home / THIRD],
        "delete": ["--confirm"],
        "deactivate": [],
        "export": ["--segment", "lapsed", "--channel", "post", "--purpose", "direct_marketing",
                   "--recipient", "own", "--out", holding.home / "out"],
    }  # fmt: skip
    (holding.home / THIRD).write_bytes(holding.second)
    with beside(ingesting(holding), "merge") as first:
        answer = holding.run(command, "--json", *arguments[command])
        assert answer.code == 1
        error = answer.document["error"]
        assert error["thing"] == "warehouse"
        assert "another sourcenote run is writing" in error["cause"]
        assert "run the command again" in error["cure"]
    assert first.result(SECONDS).status == "loaded"
    assert holding.is_as_after()
    assert holding.left_over() == []
    assert [row["state"] for row in asked(holding.url, "SELECT state FROM run")] == ["done"] * 2
    assert holding.run("status").code == 0


def test_questions_are_answered_beside_a_load(holding: Holding) -> None:
    with beside(ingesting(holding), "merge") as first:
        for line in (["status"], ["explain", lei(3)], ["quarantine", "list"], ["sources", "list"]):
            assert holding.run(*line).code == 0
    assert first.result(SECONDS).status == "loaded"


def test_questions_are_answered_inside_the_first_merge(sqlite_url: str, tmp_path: Any) -> None:
    """Of an empty warehouse: its log is out of use for that while (PostgreSQL's readers wait)."""
    gate = Gate("")
    real = ingest_steps._approve

    def approve(*arguments: Any) -> Any:
        gate.wait()
        return real(*arguments)

    with (
        opened(sqlite_url, tmp_path) as held,
        ThreadPoolExecutor(1) as pool,
        mock.patch.object(ingest_steps, "_approve", approve),
    ):
        load = pool.submit(held.full, [company(n) for n in range(5)], "2026-11-01")
        assert gate.reached.wait(SECONDS)
        deliveries = asked(sqlite_url, "SELECT count(*) AS held FROM delivery")
        gate.may_go_on.set()
        assert load.result(SECONDS).status == "loaded"
    assert deliveries == [{"held": 0}]
    assert asked(sqlite_url, "SELECT count(*) AS held FROM record") == [{"held": 5}]


def first_list(held: Holding) -> tuple[dict[str, str], str]:
    """A row of a list made of what is held, and the digest of its link's token."""
    request = ExportRequest("lapsed", "post", "direct_marketing", "own", out=held.home / "out")
    with house_of(held) as house:
        manifest = export_steps.run(house, request, door.tell_nobody)
        row = rows_of(manifest)[0]
        keys = house.keys.derive(LINK_KEYS).by_version
    random16 = verify_token(
        row["unsubscribe_url"].rpartition("/")[2], [keys[version] for version in sorted(keys)]
    )
    assert random16 is not None
    return row, token_digest(random16)


def stop_by_link(held: Holding, digest: str) -> None:
    engine = open_warehouse(held.url)
    try:
        with writing(engine) as connection:
            assert suppression.stop_by_link(connection, digest, now=MOMENT)
    finally:
        engine.dispose()


def candidates_of(held: Holding, days: int) -> tuple[list[str], dict[str, int]]:
    """LEIs that a list made that many days later holds, and who is left out of it."""
    request = ExportRequest("lapsed", "post", "direct_marketing", "own", out=held.home / "out")
    with house_of(held, MOMENT + timedelta(days=days)) as house:
        manifest = export_steps.run(house, request, door.tell_nobody)
    return [row["lei"] for row in rows_of(manifest)], manifest["excluded"]


@pytest.mark.parametrize("stage", ["rows", "merge"])
def test_a_stop_beside_a_load_is_in_force_after_it(holding: Holding, stage: str) -> None:
    row, digest = first_list(holding)
    with beside(ingesting(holding), stage) as load:
        stop_by_link(holding, digest)
    assert load.result(SECONDS).status == "loaded"
    names, excluded = candidates_of(holding, 120)
    assert row["lei"] not in names
    assert excluded["suppressed"] == 1


def test_a_stop_inside_the_merge_waits_and_is_in_force_after_it(holding: Holding) -> None:
    row, digest = first_list(holding)
    gate = Gate("")
    real = ingest_steps._approve

    def approve(*arguments: Any) -> Any:
        gate.wait()
        return real(*arguments)

    with ThreadPoolExecutor(2) as pool, mock.patch.object(ingest_steps, "_approve", approve):
        load = pool.submit(ingesting(holding), door.tell_nobody)
        assert gate.reached.wait(SECONDS)
        stop = pool.submit(stop_by_link, holding, digest)
        gate.may_go_on.set()
        assert load.result(SECONDS).status == "loaded"
        stop.result(SECONDS)
    assert row["lei"] not in candidates_of(holding, 120)[0]


def test_a_stop_of_a_company_that_is_just_being_loaded(holding: Holding) -> None:
    """Added after the load has read the list, for a company that is not held yet."""
    news = csv_bytes([*_rows(holding.second), norwegian(60_001), norwegian(60_002)])
    with beside(ingesting(holding, THIRD, news), "merge") as load:
        answer = holding.run("suppress", "add", "--lei", lei(60_001), "--reason", "asked")
        assert answer.code == 0, answer.err
    assert load.result(SECONDS).counts["records_new"] == 6
    names, excluded = candidates_of(holding, 0)
    assert lei(60_001) not in names
    assert lei(60_002) in names
    assert excluded["suppressed"] == 1
    found = holding.run("explain", lei(60_001), "--json").document
    assert found["stop"]


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize("stage", ["candidates", "rows", "files"])
def test_a_stop_beside_an_export_is_in_force_for_the_next_row(holding: Holding, stage: str) -> None:
    """Answered before the list is committed: the company is in no list, whole or half."""
    row, digest = first_list(holding)
    request = ExportRequest("lapsed", "post", "direct_marketing", "own", out=holding.home / "later")

    def work(tell: Callable[[str, int, int | None], None]) -> Any:
        with house_of(holding, MOMENT + timedelta(days=120)) as house:
            return export_steps.run(house, request, tell)

    with beside(work, stage) as export:
        stop_by_link(holding, digest)
    manifest = export.result(SECONDS)
    assert manifest["excluded"]["suppressed"] == 1
    assert row["lei"] not in {line["lei"] for line in rows_of(manifest)}
    told = asked(holding.url, "SELECT company_id FROM disclosure WHERE export_id = :id",
                 id=manifest["export_id"])  # fmt: skip
    assert int(row["company_id"]) not in {line["company_id"] for line in told}
    text = (holding.home / "later" / manifest["export_id"] / "manifest.json").read_text("utf-8")
    assert json.loads(text)["selected"] == len(rows_of(manifest)) == len(told)


def test_a_load_that_lost_its_lock_changes_nothing(heavy: Holding) -> None:
    """The lock's connection breaks, another run loads meanwhile: the first must not go on."""
    renamed = [{**row, "Entity.LegalName": "Andet"} for row in _rows(heavy.first)]
    third = csv_bytes([{**row, "Entity.LegalName": "Tredje"} for row in _rows(heavy.first)])
    with beside(ingesting(heavy, content=csv_bytes(renamed)), "merge") as first:
        _terminate(heavy.url, "query LIKE '%pg_try_advisory_lock%'")
        assert ingesting(heavy, THIRD, third)(door.tell_nobody).status == "loaded"
        held = standing(heavy.url)
    with pytest.raises(Busy, match="lock was lost"):
        first.result(SECONDS)
    assert standing(heavy.url) == held


def test_a_backend_that_dies_in_the_merge_leaves_everything_as_it_was(heavy: Holding) -> None:
    real = merge.move_cursor

    def cut(connection: Any, *arguments: Any) -> None:
        real(connection, *arguments)
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        _terminate(heavy.url, f"pid = {pid}")
        connection.execute(sa.text("SELECT 1"))

    with mock.patch.object(merge, "move_cursor", cut):
        answer = heavy.load(heavy.second)
    assert answer.code == 1
    assert answer.document["error"]["cause"] == "the server was stopped"
    assert heavy.is_as_before()
    query = "SELECT state, message FROM run WHERE run_id = 2"
    assert asked(heavy.url, query)[0]["state"] == "failed"
    assert heavy.load(heavy.second).code in {0, 3}
    assert heavy.is_as_after()


def _terminate(url: str, which: str) -> None:
    query = f"""SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND {which}"""
    assert asked(url, query)[0]["ended"] == 1


def test_a_database_that_restarts_in_the_middle(heavy: Holding, postgres_process: Any) -> None:
    with beside(ingesting(heavy), "merge") as first:
        postgres_process.restart()
    with pytest.raises(sa.exc.OperationalError):
        first.result(SECONDS)
    assert heavy.is_as_before()
    assert heavy.load(heavy.second).code in {0, 3}
    assert heavy.is_as_after()
    states = [row["state"] for row in asked(heavy.url, "SELECT state FROM run ORDER BY run_id")]
    assert states[-1] == "done"
    assert "running" not in states
