"""Datafordeler's stand-in behind a real socket, and what the source makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sources import cvr
from sources.kit.card import Held, Landed, Plan
from sources.kit.landing import Landing
from sources.kit.patience import Manners
from sources.kit.sample_registers import Firm, bundled_registers
from sources.kit.secret import Secret
from sources.kit.session import PoliteSession
from sources.kit.standin_cvr import Cvr
from sources.kit.standin_registers import RegisterStandIn

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
BUILT = datetime(2026, 10, 30, 4, tzinfo=UTC)
"""The moment of the stand-in's first generation, 525."""
KEY = "planted+key/of=sesame&%41"
"""With every sign that an address would write in another way."""
QUICK = Manners(rate=1000, connect_timeout=1, read_timeout=2, backoff=0.01, budget=20, attempts=3)
SAMPLE = bundled_registers(DAY)
FIRMS: tuple[Firm, ...] = SAMPLE.firms["cvr"]


@dataclass
class Served:
    """A register, its server, a landing, and a session that has the key."""

    register: Cvr
    standin: RegisterStandIn
    landing: Landing
    session: PoliteSession

    def plan(self, held: Held | None = None, **given: Any) -> Plan:
        return cvr.plan(self.session, held, **given)

    def fetch(self, held: Held | None = None, **given: Any) -> Landed:
        return cvr.fetch(self.session, self.plan(held, **given), self.landing)

    def ask(self, *numbers: str) -> Landed | None:
        return cvr.fetch_keys(self.session, numbers, self.landing)

    def publish(self, built: datetime) -> None:
        self.register.publish(built)

    def paths(self) -> list[str]:
        return [request.path for request in self.standin.requests]


@contextmanager
def served(root: Path, *, key: str = KEY, now: datetime = NOON) -> Iterator[Served]:
    register = Cvr(FIRMS, DAY, KEY)
    with RegisterStandIn(register) as standin, _session(standin.base_url, key, now) as session:
        yield Served(register, standin, Landing(root / "landing"), session)


def _session(base_url: str, key: str, now: datetime) -> PoliteSession:
    given = {cvr.API_KEY_PARAMETER: Secret(key)}
    return PoliteSession(
        cvr.CARD, lambda: now, base_url=base_url, manners=QUICK, secret_query=given
    )


def held_after(landed: Landed, **more: Any) -> Held:
    """What is held once a full delivery is loaded."""
    known = Held(
        landed.published_at, position=landed.position, full_published_at=landed.published_at
    )
    return replace(known, **more)


@dataclass(frozen=True)
class Told:
    """What a landed delivery says: companies, flags and contact points by number."""

    companies: Mapping[str, Mapping[str, Any]]
    flags: Mapping[str, bool | None]
    contacts: frozenset[tuple[str, str, str, bool | None]]
    dropped: Counter[str]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]


def told(path: Path) -> Told:
    with cvr.rows_of(path, lambda frame: frame) as rows:
        frames = list(rows.frames)
    companies: dict[str, Any] = {}
    flags: dict[str, bool | None] = {}
    contacts = set()
    dropped: Counter[str] = Counter()
    for frame in frames:
        keys = frame.table["source_key"].to_pylist()
        for row in frame.table.drop_columns(["ordinal"]).to_pylist():
            companies[row["source_key"]] = row
        flags |= dict(zip(keys, frame.ad_protected.to_pylist(), strict=True))
        for row in frame.contacts.to_pylist():
            contacts.add((keys[row["ordinal"]], row["kind"], row["original"], row["ad_protected"]))
        dropped.update(frame.dropped)
    return Told(
        companies, flags, frozenset(contacts), dropped, tuple(rows.unknown), tuple(rows.absent)
    )


def number_of(case: str, place: int = 0) -> str:
    """The CVR number of an entry with that case."""
    return SAMPLE.of("cvr", case)[place].number
