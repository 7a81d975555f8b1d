"""A house that follows a stand-in's publications by HTTP, two hours after each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingesting import Ingesting, Row, company, csv_bytes, quiet
from our_command import Answer, Run

from flows import ingest_run
from flows.ingest_report import Report, Request
from sources.kit.standin import Publish, StandIn
from sources.kit.standin_sequence import sequence

FIRST = datetime(2026, 11, 2, 0, tzinfo=UTC)
SLOT = timedelta(hours=8)
WINDOWS = ["IntraDay", "LastDay", "LastWeek", "LastMonth"]


def at(step: int) -> datetime:
    """The moment of a publication, by its place in the sequence; a slot is eight hours."""
    return FIRST + step * SLOT


def state(step: int, rows: int = 60) -> list[Row]:
    """Everything published at a step: each step renames two companies and brings two more."""
    return [
        company(
            number,
            legal_name=f"Prøvefirma {number} v{max(0, changed)} A/S",
            last_update_published=f"{at(max(0, changed)) - SLOT / 2:%Y-%m-%dT%H:%M:%SZ}",
        )
        for number in range(1, rows + 2 * step + 1)
        for changed in [max((n for n in range(1, step + 1) if number in _renamed(n)), default=0)]
    ]


def _renamed(step: int) -> tuple[int, int]:
    return 3 * step % 20 + 1, 7 * step % 20 + 21


def published(*steps: int, long_ago: bool = True) -> list[Publish]:
    """Publications of these steps with their deltas; `long_ago` gives every window a baseline."""
    states = {at(step): csv_bytes(state(step)) for step in steps}
    if long_ago:
        states[FIRST - timedelta(days=40)] = csv_bytes(state(0))
    made = sequence(states)
    return [publish for publish in made if publish.published_at >= FIRST]


@dataclass
class Following:
    """A house that follows a stand-in."""

    held: Ingesting
    standin: StandIn
    run: Run

    def ingest(self, step: int, **request: Any) -> Report:
        """Ingest two hours after the publication of that step."""
        self.held.at(at(step) + timedelta(hours=2))
        wanted = Request("gleif", base_url=self.standin.base_url, **request)
        return ingest_run.run(self.held.house, wanted, quiet)

    def by_hand(self, step: int, window: str, content: bytes, now: int | None = None) -> Report:
        """Ingest a delta of that name from a file."""
        self.held.at(at(step if now is None else now) + timedelta(hours=2))
        stamp = f"{at(step):%Y%m%d-%H%M}"
        path = self.held.folder / f"{stamp}-gleif-goldencopy-lei2-{window}.csv"
        path.write_bytes(content)
        return ingest_run.run(self.held.house, Request("gleif", file=path), quiet)

    def plan(self, step: int) -> dict[str, Any]:
        """What would be fetched two hours after the publication of that step."""
        now = (at(step) + timedelta(hours=2)).isoformat()
        line = ["ingest", "gleif", "--base-url", self.standin.base_url, "--dry-run", "--json"]
        answer = self.run(*line, now=now)
        assert answer.code == 0, answer.err
        found: dict[str, Any] = answer.document["plan"]
        return found

    def command(self, step: int, source_id: str = "gleif") -> Answer:
        """The same by the command line, with its document."""
        now = (at(step) + timedelta(hours=2)).isoformat()
        line = ["ingest", source_id, "--base-url", self.standin.base_url, "--json"]
        return self.run(*line, now=now)

    def applied(self) -> datetime:
        """The publication up to which everything is applied."""
        found = self.held.one("SELECT published_at FROM source_cursor")
        moment = datetime.fromisoformat(found) if isinstance(found, str) else found
        assert isinstance(moment, datetime)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def is_sending(self) -> bool:
        """Whether the delta was asked for, so that half of it is under way."""
        last = self.standin.requests[-1]
        return last.method == "GET" and "-last-day." in last.path

    def refused(self) -> list[dict[str, Any]]:
        return self.held.ask(
            "SELECT kind, url, byte_count, reason FROM delivery WHERE status = 'refused' "
            "ORDER BY delivery_id"
        )

    def names(self) -> dict[str, str]:
        rows = self.held.ask("SELECT lei, legal_name FROM prospects")
        return {row["lei"]: row["legal_name"] for row in rows}

    def is_at(self, step: int) -> bool:
        """Whether what is held is what was published at that step."""
        return self.names() == {row["LEI"]: row["Entity.LegalName"] for row in state(step)}


def content(publish: Publish, window: str) -> bytes:
    """The delta's rows, as published."""
    found = publish.deltas[window]
    assert isinstance(found, bytes)
    return found
