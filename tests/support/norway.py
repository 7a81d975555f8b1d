"""Norway's stand-in and a polite session with it, for the tests of `sources.brreg`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sources import brreg
from sources.kit.card import Held, Landed, Plan
from sources.kit.landing import Landing
from sources.kit.patience import Manners
from sources.kit.register_frame import RegisterFrame
from sources.kit.sample_registers import bundled_registers
from sources.kit.session import PoliteSession
from sources.kit.standin_api import Reply
from sources.kit.standin_brreg import Brreg
from sources.kit.standin_register import Asked
from sources.kit.standin_registers import RegisterStandIn

DAY = date(2026, 11, 2)
BUILT = datetime(2026, 11, 2, 4, tzinfo=UTC)
"""When the bundled bulk file was built."""
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
Spoil = Callable[[dict[str, Any]], object]
HASTY = Manners(rate=2000.0, read_timeout=20.0, attempts=2, backoff=0.01, budget=60.0)


@dataclass
class Norway:
    """The register, its server, and what a run asks of it."""

    register: Brreg
    served: RegisterStandIn
    session: PoliteSession
    landing: Landing

    def plan(self, held: Held | None = None, **wanted: bool) -> Plan:
        return brreg.plan(self.session, held, **wanted)

    def fetch(self, planned: Plan) -> Landed:
        return brreg.fetch(self.session, planned, self.landing)

    def after(self, landed: Landed, **more: Any) -> Held:
        """What is held once this delivery is loaded."""
        full = landed.published_at if landed.kind == "full" else None
        return Held(landed.published_at, position=landed.position, full_published_at=full, **more)

    def first(self) -> Held:
        """What is held once the bulk file and the feed after it are loaded."""
        full = self.fetch(self.plan())
        return self.after(self.fetch(self.plan(self.after(full))))

    def asked(self, part: str = "") -> list[str]:
        """Paths with their queries of the requests so far with `part` in them."""
        return [
            request.path.removeprefix("/enhetsregisteret/api/")
            for request in self.served.requests
            if part in request.path
        ]

    def mailed(self, nth: int = 0) -> str:
        """The number of the n-th entity that has an e-mail address."""
        found = [n for n, one in self.register.entities.items() if "epostadresse" in one]
        return found[nth]


@contextmanager
def norway(folder: Path, register: Brreg | None = None, now: datetime = NOON) -> Iterator[Norway]:
    """Everything, the register with the bundled entries unless another is given."""
    found = register or Brreg(bundled_registers(DAY).firms["brreg"], DAY)
    with (
        RegisterStandIn(found) as served,
        PoliteSession(brreg.CARD, lambda: now, base_url=served.base_url, manners=HASTY) as session,
    ):
        yield Norway(found, served, session, Landing(folder / "landing"))


def loaded(landed: Landed) -> tuple[list[RegisterFrame], dict[str, Any]]:
    """The frames of a delivery, and what it says besides."""
    with brreg.rows_of(landed.path, lambda frame: frame) as rows:
        frames = list(rows.frames)
        said = {"erased": rows.erased, "absent": rows.absent, "unknown": rows.unknown}
    return frames, said


def keys(frames: list[RegisterFrame]) -> list[str]:
    """The numbers of all frames' companies."""
    return [key for frame in frames for key in frame.table["source_key"].to_pylist()]


class Odd(Brreg):
    """A register whose pages of the feed are `most` events long and spoiled by `spoil`."""

    most = 10_000
    is_endless = False
    spoil: Spoil | None = None

    def answer(self, asked: Asked) -> Reply:
        if not asked.path.endswith("/oppdateringer/enheter"):
            return super().answer(asked)
        if self.is_endless:
            self.tell(next(iter(self.entities)), "Ukjent", NOON + timedelta(hours=1))
        reply = super().answer(replace(asked, query={**asked.query, "size": str(self.most)}))
        if self.spoil is None:
            return reply
        document = json.loads(reply.body)
        self.spoil(document)
        return Reply(200, json.dumps(document).encode(), reply.headers)


def news(no: Norway, held: Held) -> Landed:
    return no.fetch(no.plan(held))


def events(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document.get("_embedded", {}).get("oppdaterteEnheter", [])
    return found
