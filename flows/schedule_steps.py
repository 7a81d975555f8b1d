"""The schedule beside our run ledger: what is due next, what ran last, what was missed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flows.schedule import schedule
from sources.kit.catalogue import catalogue
from sources.kit.errors import Busy
from warehouse import runs
from warehouse.engine import reading, sole_writer

if TYPE_CHECKING:
    from flows.house import House
    from flows.schedule import Line

    Connection = Any  # only the warehouse names SQLAlchemy

GRACE = timedelta(minutes=15)
"""A run that is due may wait for another one before anybody calls it missed."""


def lines_of(house: House) -> tuple[Line, ...]:
    """The schedule's lines for the sources there are, as the owner has them."""
    return schedule(catalogue(), house.settings.schedule)


def positions(house: House, connection: Connection) -> list[dict[str, Any]]:
    """Each line with its next and last due times, its last run, and whether one is missing."""
    last, now = runs.last_runs(connection), house.now()
    found = []
    for line in lines_of(house):
        ran = last.get((line.flow, line.source_id))
        due = line.cron.due_before(now)
        is_behind = ran is None or ran["started_at"] < due
        found.append(
            {
                "name": line.name,
                "flow": line.flow,
                "source_id": line.source_id,
                "cron": line.cron.text,
                "reason": line.reason,
                "next_due_at": line.cron.due_after(now),
                "last_due_at": due,
                "last_run_at": ran["started_at"] if ran else None,
                "last_run_state": ran["state"] if ran else None,
                "is_missed": is_behind and (ran is None or now - due > GRACE),
            }
        )
    return found


def missed(house: House) -> list[Line]:
    """Lines to be made up for now, once each: nothing ran since they were last due.

    A run that never ended counts only while it is alive: who holds the one-writer lock is.
    """
    is_alive = _is_a_writer_alive(house)
    with reading(house.engine) as connection:
        last = runs.last_runs(connection)
    found = []
    for line in lines_of(house):
        ran = last.get((line.flow, line.source_id))
        if ran and ran["state"] == "running" and not is_alive:
            ran = None
        is_behind = ran is None or ran["started_at"] < line.cron.due_before(house.now())
        if is_behind and line.misfire == "once":
            found.append(line)
    return found


def _is_a_writer_alive(house: House) -> bool:
    try:
        with sole_writer(house.engine):
            return False
    except Busy:
        return True
