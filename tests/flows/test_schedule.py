"""When each flow is due: the table, the crons in it, and what an owner may write instead."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cron import read_cron
from flows.schedule import faults, line_names, schedule
from flows.settings import load
from sources.kit.catalogue import catalogue
from sources.kit.errors import SettingsInvalid

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("cron", "before", "after"),
    [
        ("17 2,10,18 * * *", "2026-11-22T10:17", "2026-11-22T18:17"),
        ("0 12 * * *", "2026-11-22T12:00", "2026-11-23T12:00"),
        ("*/15 * * * *", "2026-11-22T12:00", "2026-11-22T12:15"),
        ("5/20 0-3 * * *", "2026-11-22T03:45", "2026-11-23T00:05"),
        ("0 6 * * 1", "2026-11-16T06:00", "2026-11-23T06:00"),
        ("0 6 * * 0", "2026-11-22T06:00", "2026-11-29T06:00"),
        ("0 6 * * 7", "2026-11-22T06:00", "2026-11-29T06:00"),
        ("0 0 29 2 *", "2024-02-29T00:00", "2028-02-29T00:00"),
        ("30 23 31 * *", "2026-10-31T23:30", "2026-12-31T23:30"),
    ],
)
def test_due_before_and_after(cron: str, before: str, after: str) -> None:
    found = read_cron(cron)
    assert found.due_before(NOON).isoformat()[:16] == before
    assert found.due_after(NOON).isoformat()[:16] == after


FIELD = st.one_of(
    st.just("*"),
    st.integers(1, 6).map(str),
    st.integers(2, 6).map("*/{}".format),
    st.tuples(st.integers(1, 4), st.integers(5, 6)).map(lambda ends: f"{ends[0]}-{ends[1]}"),
    st.lists(st.integers(1, 6), min_size=1, max_size=3).map(lambda n: ",".join(map(str, n))),
)


@cache
def prefects_reader() -> Any:
    """Without Prefect itself, which takes a home and seconds."""
    home = Path(str(importlib.util.find_spec("prefect").origin)).parent
    found = importlib.util.spec_from_file_location(
        "croniter_of_prefect", home / "_vendor" / "croniter" / "croniter.py"
    )
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.croniter


@given(st.tuples(FIELD, FIELD, FIELD, FIELD), st.integers(0, 40_000_000), st.booleans())
def test_prefects_own_reader_agrees(fields: tuple[str, ...], later: int, by_week: bool) -> None:
    """Prefect makes the runs and we say which were missed: both must mean the same minutes."""
    croniter = prefects_reader()
    minute, hour, day, month = fields
    cron = f"{minute} {hour} * {month} {day}" if by_week else f"{minute} {hour} {day} {month} *"
    moment = NOON + timedelta(seconds=later)
    assert read_cron(cron).due_after(moment) == croniter(cron, moment).get_next(datetime)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "0 fields"),
        ("0 6 * *", "4 fields"),
        ("@daily", "1 fields"),
        ("60 * * * *", "minute is not within 0 to 59"),
        ("0 24 * * *", "hour is not within"),
        ("0 6 0 * *", "day of the month is not within"),
        ("0 6 * 13 *", "month is not within"),
        ("0 6 * * MON", "day of the week cannot be read"),
        ("0 6 * * 8", "day of the week is not within"),
        ("5-1 * * * *", "minute is not within"),
        ("*/0 * * * *", "minute is not within"),
        ("-1 * * * *", "minute cannot be read"),
        ("1-2-3 * * * *", "minute cannot be read"),
        ("0 6 1 * 1", "give one of them"),
        ("0 0 30 2 *", "never comes"),
    ],
)
def test_what_is_no_schedule(cron: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_cron(cron)


def test_gleif_is_asked_two_hours_after_each_slot() -> None:
    (line,) = [line for line in schedule(["gleif"], {}) if line.name == "ingest-gleif"]
    moment, found = datetime(2026, 11, 22, tzinfo=UTC), []
    for _ in range(3):
        moment = line.cron.due_after(moment)
        found.append(moment.hour)
    assert found == [2, 10, 18]
    assert line.parameters == {"source_id": "gleif"}


def test_every_source_has_its_line_and_lifecycle_goes_on_without() -> None:
    lines = schedule(catalogue(), {})
    assert {line.source_id for line in lines if line.flow == "ingest"} == set(catalogue())
    names = [line.name for line in schedule([], {})]
    assert names == ["deactivate", "delete"]
    assert [line.name for line in schedule(["gleif", "brandnew"], {})][:2] == [
        "ingest-brandnew",
        "ingest-gleif",
    ]
    assert all(line.reason for line in lines)


def test_an_owner_may_change_and_switch_off() -> None:
    lines = schedule(["gleif"], {"ingest-gleif": "5 6 * * *", "delete": "off"})
    assert {line.name: line.cron.text for line in lines} == {
        "ingest-gleif": "5 6 * * *",
        "deactivate": "40 3 * * *",
    }


def test_every_fault_of_the_table_is_named_at_once(tmp_path: Path) -> None:
    config = tmp_path / "sourcenote.toml"
    config.write_text(
        '[schedule]\ningest-gleif = "often"\ningest-nowhere = "0 6 * * *"\ndelete = 5\n'
        'deactivate = "0 25 * * *"\n'
    )
    with pytest.raises(SettingsInvalid) as caught:
        load(config, environ={})
    said = sorted(caught.value.errors)
    assert [error.split(":")[0] for error in said] == [
        "[schedule] deactivate",
        "[schedule] delete",
        "[schedule] ingest-gleif",
        "[schedule] ingest-nowhere",
    ]
    assert "hour is not within 0 to 23" in said[0]
    assert "ingest-gleif" in said[3]
    config.write_text('[schedule]\ndelete = "off"\n')
    assert load(config, environ={}).schedule == {"delete": "off"}


def test_lines_are_named_after_what_they_run() -> None:
    assert line_names(["a", "b"]) == ("ingest-a", "ingest-b", "deactivate", "delete")
    assert faults({"deactivate": "0 6 * * *", "ingest-a": "off"}, ["a"]) == {}
