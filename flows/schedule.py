"""Which flow runs when: one table, in UTC, with the reason of each line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flows.cron import Cron, read_cron

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Flow = Literal["ingest", "deactivate", "delete"]
Misfire = Literal["once", "skip"]

OFF = "off"
"""What `[schedule]` says of a line that is not to run."""
INGEST = "ingest-"
"""How the name of an ingest's line begins; the source's id follows."""


@dataclass(frozen=True)
class Line:
    """One line of the table.

    `misfire` says what becomes of times that passed while nothing ran: `once` makes one run for
    all of them together, `skip` waits for the next.
    """

    name: str
    flow: Flow
    source_id: str | None
    cron: Cron
    misfire: Misfire
    reason: str

    @property
    def parameters(self) -> dict[str, Any]:
        """What the flow is called with: names only, because Prefect's database keeps them."""
        return {"source_id": self.source_id} if self.source_id else {}


_SLOTS = (
    "GLEIF publishes at 00, 08 and 16 UTC and the files appear about two hours later "
    "(docs/sources/gleif.md)"
)
_TABLE: tuple[tuple[str, str, Misfire, str], ...] = (
    ("ingest-gleif", "17 2,10,18 * * *", "once", _SLOTS),
    ("ingest-gleif-rr", "32 2,10,18 * * *", "once", f"{_SLOTS}; after level 1"),
    ("ingest-gleif-repex", "42 2,10,18 * * *", "once", f"{_SLOTS}; after level 1"),
    (
        "ingest-gleif-codes",
        "10 5 * * 1",
        "once",
        "the code lists change a few times a year (docs/sources/gleif.md)",
    ),
    (
        "ingest-brreg",
        "5 4,12 * * *",
        "once",
        "the bulk file is built at night, the change feed is always open (docs/sources/brreg.md)",
    ),
    (
        "ingest-ariregister",
        "20 4 * * *",
        "once",
        "one file a night, in place of the last (docs/sources/ariregister.md)",
    ),
    ("ingest-prh", "35 4 * * *", "once", "one file a day (docs/sources/prh.md)"),
    (
        "ingest-cvr",
        "50 4 * * *",
        "once",
        "files once a week, events between them (docs/sources/cvr.md)",
    ),
    (
        "deactivate",
        "40 3 * * *",
        "once",
        "retention counts in days (GDPR art. 5(1)(e)); after the night's deliveries",
    ),
    ("delete", "50 3 * * *", "once", "as deactivate, which goes before; its cap holds here too"),
)
_ANY_SOURCE = ("25 5 * * *", "once", "a source the table does not know: once a day")


def line_names(source_ids: Iterable[str]) -> tuple[str, ...]:
    """What `[schedule]` may name: the lifecycle flows, and every source's ingest."""
    lifecycle = [name for name, *_ in _TABLE if not name.startswith(INGEST)]
    return (*(f"{INGEST}{source_id}" for source_id in source_ids), *lifecycle)


def schedule(source_ids: Iterable[str], overrides: Mapping[str, str]) -> tuple[Line, ...]:
    """The lines for these sources, in the order they are made up for at a start.

    `overrides` is `[schedule]`, validated: a line's cron, or `off`.
    """
    told = {name: (cron, misfire, reason) for name, cron, misfire, reason in _TABLE}
    order = {name: place for place, name in enumerate(told)}
    names = sorted(line_names(source_ids), key=lambda name: (order.get(name, 0), name))
    found = []
    for name in names:
        cron, misfire, reason = told.get(name, _ANY_SOURCE)
        if name in overrides:
            cron, reason = overrides[name], "[schedule] in the configuration"
        if cron != OFF:
            found.append(_line(name, cron, misfire, reason))
    return tuple(found)


def _line(name: str, cron: str, misfire: Any, reason: str) -> Line:  # noqa: ANN401 (a Misfire of the table)
    is_ingest = name.startswith(INGEST)
    flow: Any = "ingest" if is_ingest else name
    source_id = name.removeprefix(INGEST) if is_ingest else None
    return Line(name, flow, source_id, read_cron(cron), misfire, reason)


def faults(overrides: Mapping[str, object], source_ids: Iterable[str]) -> dict[str, str]:
    """What is wrong with `[schedule]`: the line's name, and the cure."""
    known = line_names(source_ids)
    found = {}
    for name, cron in overrides.items():
        if name not in known:
            found[name] = f"is no line of the schedule; lines are {', '.join(known)}"
        elif isinstance(cron, str) and cron != OFF:
            try:
                read_cron(cron)
            except ValueError as error:
                found[name] = f'{error}; give "minute hour day month weekday" in UTC, or "off"'
    return found
