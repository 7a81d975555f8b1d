"""What every test may ask for: databases, a browser, and a machine without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import loopback_only
import machine_parts
import pytest
from machine_parts import SKIPPED_PARTS
from private_postgres import PrivatePostgres

# A slow machine is no failure, so no deadline. `make test` draws the same examples each time.
hypothesis.settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, max_examples=25, database=None
)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

NEEDS = {
    "postgres_process": pytest.mark.postgres,
    "chromium": pytest.mark.browser,
}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SKIPPED_PARTS] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker's word on what it lacked, for the one that sums up."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["skipped_parts"] = session.config.stash[SKIPPED_PARTS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker lacked."""
    node.config.stash[SKIPPED_PARTS].update(node.workeroutput.get("skipped_parts", {}))


LONGEST_FIRST = (
    *("test_sequences.py", "test_api_faults.py", "test_deltas.py", "test_faults_kill.py"),
    *("test_cli_doors.py", "test_cli_ingest.py", "test_codes.py", "test_deltas_faults.py"),
    *("test_refresh.py", "test_history.py", "test_lifecycle.py", "test_export_faults.py"),
    *("test_explain_registers.py", "test_cli_own_lists.py", "test_faults_files.py"),
    *("test_faults_network.py", "test_prefect.py", "test_outcomes.py", "test_deliveries.py"),
)
"""Files of a minute each: two workers that begin with them end together, not minutes apart."""
ON_POSTGRES_BY_SOAK = (
    *("test_api_faults.py", "test_codes.py", "test_deltas_faults.py", "test_refresh.py"),
    *("test_explain_registers.py", "test_export_protection.py", "test_protection_unread.py"),
    *("test_quarantine_group.py", "test_quarantine_register.py"),
)
"""What a publisher answers, more than what a database does: `make test` asks it on SQLite alone."""


def _turn(item: pytest.Item) -> int:
    name = item.path.name
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the machine parts that their fixtures need; the longest files come first."""
    items.sort(key=_turn)
    for item in items:
        for fixture, mark in NEEDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
        if item.path.name in ON_POSTGRES_BY_SOAK and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.long)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name what this machine lacks where nobody can miss it."""
    skipped = config.stash[SKIPPED_PARTS]
    terminalreporter.section("SKIPPED PARTS")
    for part, reason in sorted(skipped.items()):
        terminalreporter.write_line(f"{part}: {reason}")
    if not skipped:
        terminalreporter.write_line("none")


@pytest.fixture(scope="session", autouse=True)
def this_machine_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        loopback_only.forbid(patch)
        yield


@pytest.fixture(scope="session")
def postgres_process(request: pytest.FixtureRequest) -> Iterator[PrivatePostgres]:
    """A private server, for tests that restart it; most want `postgres_url`."""
    programs = machine_parts.postgres_programs()
    if programs is None:
        machine_parts.skip(request.config, "PostgreSQL", "no initdb and pg_ctl on this machine")
    server = PrivatePostgres(programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_server(postgres_process: PrivatePostgres) -> str:
    """The URL of the private server's own database."""
    return postgres_process.url("postgres")


@pytest.fixture
def no_connection_left() -> Iterator[None]:
    """Nothing to use: the test fails when it leaves a database connection open."""
    import open_connections  # it brings SQLAlchemy, which most tests do without

    with open_connections.none_left():
        yield


@pytest.fixture
def postgres_url(postgres_process: PrivatePostgres, no_connection_left: None) -> Iterator[str]:
    """The URL of an empty database of this test's own. Roles are the whole server's."""
    name = postgres_process.create_database()
    yield postgres_process.url(name)
    postgres_process.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path, no_connection_left: None) -> str:
    """The URL of a warehouse file that is not there yet."""
    return f"sqlite:///{tmp_path / 'warehouse.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def warehouse_url(request: pytest.FixtureRequest) -> str:
    """An empty database of this test's own, once on each kind."""
    of_kind = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}
    return str(request.getfixturevalue(of_kind[request.param]))


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> Path:
    """The browser's executable."""
    found = machine_parts.chromium_program()
    if found is None:
        machine_parts.skip(request.config, "Chromium", "no browser that starts on this machine")
    return found
