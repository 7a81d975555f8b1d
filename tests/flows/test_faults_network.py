"""Every way the stand-in can misbehave, met by the command: refused, said why, and nothing lost."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from ingesting import csv_bytes, opened, quiet
from standing import Standing, asked, standing
from trials import SECOND

from flows import ingest_run
from flows.ingest_report import Request
from sources.kit import standin_zips
from sources.kit.patience import Manners
from sources.kit.standin import FAULTS, Pace, Publish, StandIn

PUBLISHED = datetime(2026, 11, 2, 8, tzinfo=UTC)
PACE = Pace(stall_seconds=5.0, trickle_bytes=256, trickle_pause=0.001, retry_after="0")

CAUSES = {
    "not_a_zip": "what came is not a zip archive",
    "truncated_zip": "cut short",
    "bad_crc": "its checksum does not fit its contents",
    "second_member": "2 files where 1 is expected",
    "parent_member": "climbs out of its folder",
    "absolute_member": "absolute",
    "symlink_member": "symbolic link",
    "encrypted_member": "encrypted",
    "nested_zip": "an archive inside an archive",
    "zero_bomb": "not text",
    "lying_bomb": "not text",
    "html_200": "a web page came instead of the file",
    "empty_200": "the answer was empty",
    "wrong_size": "not",
    "wrong_record_count": "record_count_fits does not hold",
    "listing_not_json": "a web page came instead of JSON",
    "listing_empty": "is missing",
    "rate_limited": "it answers HTTP 429",
    "rate_limited_bare": "it answers HTTP 429",
    "server_error": "it answers HTTP 500",
    "unavailable": "it answers HTTP 503",
    "missing": "it answers HTTP 404",
    "no_answer": "it did not answer in time",
    "stall": "it did not answer in time",
    "reset": "the connection broke",
    "cut": "the connection broke",
    "redirect_foreign": "leads to http://localhost",
    "redirect_scheme": "is not a plain http or https address",
    "redirect_loop": "it redirects more than 5 times",
}
HARMLESS = {"trickle", "wrong_delta_size", "wrong_delta_record_count", "no_deltas"}
"""Slow, or about deltas: those are tried in test_deltas.py."""
CAME_WHOLE = {
    "not_a_zip", "truncated_zip", "bad_crc", "second_member", "parent_member", "absolute_member",
    "symlink_member", "encrypted_member", "nested_zip", "zero_bomb", "lying_bomb",
    "wrong_record_count",
}  # fmt: skip
"""Faults of bytes that were received as announced: they are a delivery, and it was refused."""
BROKE_OFF = {"stall", "reset", "cut"}
"""Faults in the middle of a body: what came of it waits for the next run, which continues it."""
MENDED_BY_PATIENCE = (
    "rate_limited", "rate_limited_bare", "server_error", "unavailable", "no_answer", "stall",
    "reset", "cut", "empty_200",
)  # fmt: skip


@pytest.fixture(scope="module")
def fetched(kept_on_sqlite) -> Iterator[Standing]:
    """How a download that nothing disturbs leaves the warehouse."""
    databases = kept_on_sqlite.databases
    home = databases.copy(kept_on_sqlite.home, "fetched")
    url = databases.url(home)
    publish = Publish(PUBLISHED, (home / SECOND).read_bytes())
    with StandIn([publish]) as publisher, opened(url, home) as held:
        ingest_run.run(held.house, Request("gleif", base_url=publisher.base_url), quiet)
    yield standing(url)
    databases.drop(home)


@pytest.fixture
def standin(light) -> Iterator[StandIn]:
    with StandIn([Publish(PUBLISHED, light.second)], pace=PACE) as publisher:
        yield publisher


def refused(url: str) -> list[dict[str, str]]:
    return asked(url, "SELECT reason FROM delivery WHERE status = 'refused'")


def test_every_fault_has_its_test() -> None:
    assert set(CAUSES) | HARMLESS == set(FAULTS)
    assert set(MENDED_BY_PATIENCE) | CAME_WHOLE < set(FAULTS)


@pytest.mark.parametrize("fault", CAUSES)
def test_a_fault_is_named_and_leaves_everything_as_it_was(
    light, fetched: Standing, standin: StandIn, in_a_hurry: None, fault: str
) -> None:
    if fault.endswith("_bomb"):
        standin_zips.bomb("once")  # it takes a while to make: longer than anyone in a hurry waits
    standin.misbehave(fault)
    answer = light.run("ingest", "gleif", "--json", "--base-url", standin.base_url)
    assert answer.code == 1, answer.err
    error = answer.document["error"]
    assert CAUSES[fault] in error["cause"]
    assert error["thing"]
    assert error["cure"]
    said = " ".join(answer.err.split())
    assert " ".join(error["cause"].split())[:40] in said
    assert " ".join(error["cure"].split())[:40] in said
    assert light.is_as_before()
    assert bool(light.left_over()) == (fault in BROKE_OFF)
    assert standin.foreign_requests == []
    assert len(refused(light.url)) == (fault in CAME_WHOLE)
    (last,) = asked(light.url, "SELECT state, message FROM run WHERE run_id = 2")
    assert last["state"] == "refused"
    assert error["cause"] in last["message"]

    standin.behave()
    answer = light.run("ingest", "gleif", "--json", "--base-url", standin.base_url)
    assert answer.code in {0, 3}, answer.err
    assert standing(light.url) == fetched
    assert light.left_over() == []


@pytest.mark.parametrize("fault", [*MENDED_BY_PATIENCE, "trickle"])
def test_what_patience_mends_loads(
    light, fetched: Standing, standin: StandIn, in_a_hurry: None, fault: str
) -> None:
    standin.misbehave(fault, times=1)
    answer = light.run("ingest", "gleif", "--json", "--base-url", standin.base_url)
    assert answer.code in {0, 3}, answer.err
    assert standing(light.url) == fetched
    assert light.left_over() == []
    assert refused(light.url) == []


@pytest.mark.parametrize("fault", ["rate_limited", "unavailable", "no_answer", "reset"])
def test_the_listing_is_waited_for_as_well(
    light, fetched: Standing, standin: StandIn, in_a_hurry: None, fault: str
) -> None:
    standin.misbehave(fault, times=1, on="listing")
    answer = light.run("ingest", "gleif", "--json", "--base-url", standin.base_url)
    assert answer.code in {0, 3}, answer.err
    assert standing(light.url) == fetched


def test_a_publisher_that_asks_for_an_hour_is_not_waited_for(light, in_a_hurry: None) -> None:
    pace = Pace(retry_after="3600")
    with StandIn([Publish(PUBLISHED, light.second)], faults=["rate_limited"], pace=pace) as busy:
        answer = light.run("ingest", "gleif", "--json", "--base-url", busy.base_url)
    assert answer.code == 1
    assert "asks to wait 3600 s" in answer.document["error"]["cause"]
    assert light.is_as_before()


def test_nobody_listening_is_said_so(light, standin: StandIn, in_a_hurry: None) -> None:
    nobody = standin.base_url
    standin.__exit__()
    answer = light.run("ingest", "gleif", "--json", "--base-url", nobody)
    assert answer.code == 1
    assert "no connection could be made" in answer.document["error"]["cause"]
    assert light.is_as_before()


def test_patience_is_what_the_contract_says() -> None:
    """The tests above are in a hurry: these are the manners of a run that nobody hurries."""
    manners = Manners()
    assert (manners.attempts, manners.budget) == (5, 120.0)
    assert (manners.connect_timeout, manners.read_timeout) == (10.0, 60.0)


def bomb(folder: Path, filler: bytes, claimed: int | None) -> Path:
    """A zip of some ten megabytes whose member is a good header and 10 GiB of `filler`."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = csv_bytes([])
    first = deflater.compress(head) + deflater.flush(zlib.Z_FULL_FLUSH)
    block = deflater.compress(filler * (1024**2 // len(filler)))
    block += deflater.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a block depends on nothing before it, so that it can be repeated.
    deflated = first + block * 10_240 + b"\x03\x00"
    with mock.patch.object(standin_zips, "_zeros", return_value=(deflated, 0)):
        content = standin_zips.bomb(SECOND, claimed=claimed or len(head) + 10 * 1024**3)
    path = folder / "bomb.zip"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("filler", "claimed"),
    [(b"\0", None), (b'"A', 1024**2)],
    ids=["zeros", "quotes that lie"],
)
def test_ten_gigabytes_in_a_small_zip_cost_neither_time_nor_memory(
    light, filler: bytes, claimed: int | None
) -> None:
    """The command as a process of its own, with its own manners, and what it took."""
    content = bomb(light.home, filler, claimed)
    assert content.stat().st_size < 32 * 1024**2
    started = time.monotonic()
    with (
        StandIn([Publish(PUBLISHED, content, record_count=1)]) as publisher,
        (light.home / "said").open("w+b") as said,
    ):
        command = [sys.executable, "-m", "flows.cli", "ingest", "gleif", "--json"]
        environment = {
            "PATH": os.environ["PATH"],
            "SOURCENOTE_HOME": str(light.home),
            "SOURCENOTE_WAREHOUSE_URL": light.url,
        }
        running = subprocess.Popen(
            [*command, "--base-url", publisher.base_url],
            cwd=light.home, env=environment, stdout=said, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        error = json.load(said)["error"]
    assert running.returncode == 1
    assert "unpacks to more than" in error["cause"]
    assert SECOND in error["thing"]
    # Kilobytes, of which the libraries are 200,000; a process starts with its parent's peak.
    assert used.ru_maxrss <= max(600 * 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert used.ru_utime + used.ru_stime < 20
    assert time.monotonic() - started < 60
    assert light.is_as_before()
    assert light.left_over() == []
    assert len(refused(light.url)) == 1
