"""What the warehouse's connections keep to, whatever ends a statement."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from warehouse.engine import open_warehouse, sole_writer, writing

LONG = """
INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)
SELECT n FROM c LIMIT 300000 RETURNING n
"""


@contextmanager
def ctrl_c_soon() -> Iterator[None]:
    """Ctrl-C after a twentieth of a second, as Python hears it: when the statement gives way."""

    def heard(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, heard)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_ctrl_c_in_a_statement_is_rolled_back_and_holds_no_lock(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    kept = None
    try:
        with writing(engine) as connection, ctrl_c_soon():
            connection.exec_driver_sql(LONG)
    except KeyboardInterrupt as error:
        kept = error  # and with its traceback whatever the statement held
    begun = time.monotonic()
    with writing(engine) as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM t")) == 0
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    assert time.monotonic() - begun < 5
    assert kept is not None
    engine.dispose()


def test_a_run_that_was_killed_a_moment_ago_is_no_other_writer(postgres_url: str) -> None:
    """Its lock goes when the server has noticed that its connection is gone."""
    dying, engine = open_warehouse(postgres_url), open_warehouse(postgres_url)
    is_held = threading.Event()

    def die_slowly() -> None:
        with sole_writer(dying):
            is_held.set()
            time.sleep(0.5)

    thread = threading.Thread(target=die_slowly)
    thread.start()
    is_held.wait(10)
    with sole_writer(engine):
        pass
    thread.join()
    dying.dispose()
    engine.dispose()
