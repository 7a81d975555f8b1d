"""A house with an LEI file and national registers' stand-ins, asked over real sockets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from ingesting import ANY_LENGTH, Ingesting, Report, Row, company, csv_bytes, opened, quiet
from pydantic import SecretStr

from flows import ingest_run
from flows.ingest_report import Request
from sources.kit import session
from sources.kit.patience import Manners
from sources.kit.policy import SourceSettings
from sources.kit.sample_bundle import SAMPLE_DAY
from sources.kit.sample_firm import Firm
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin import Pace
from sources.kit.standin_ariregister import Ariregister
from sources.kit.standin_brreg import Brreg
from sources.kit.standin_cvr import Cvr
from sources.kit.standin_prh import Prh
from sources.kit.standin_registers import API_KEY, RegisterStandIn

REGISTERS = ("ariregister", "brreg", "cvr", "prh")
HASTY = partial(Manners, rate=2000.0, read_timeout=1.0, attempts=2, backoff=0.01, budget=3.0)


def danish(case: str, count: int = 1, *, has_lei: bool = True) -> list[Firm]:
    """Entries of CVR of that case, under plain names; neither they nor a unit is protected."""
    wanted = [
        firm
        for firm in bundled_registers().of("cvr", case, has_lei=has_lei)  # type: ignore[arg-type]
        if firm.is_protected is False
        and firm.unit_is_protected is False
        and not {"sole", "ceased", "personal_number", "flagless"} & set(firm.cases)
    ]
    assert len(wanted) >= count, f"the sample has {len(wanted)} of {case}"
    return [replace(firm, name=f"Firma {n} ApS") for n, firm in enumerate(wanted[:count], 1)]


@dataclass
class Registers:
    """The open house, the registers, and what a test does with them."""

    held: Ingesting
    served: RegisterStandIn
    by_id: dict[str, Any] = field(default_factory=dict)

    @property
    def cvr(self) -> Cvr:
        found: Cvr = self.by_id["cvr"]
        return found

    def ingest(self, source_id: str, **wanted: Any) -> Report:
        """Ingest a register as the command does."""
        return ingest_run.run(self.held.house, Request(source_id, **wanted), quiet)

    def leis(self, firms: Sequence[Firm], **changes: str) -> Report:
        """A full LEI file that states the firms' numbers; the n-th firm is company n."""
        rows = [self.row(n, firm, **changes) for n, firm in enumerate(firms, 1)]
        return self.held.ingest(csv_bytes(rows), "full", "2026-11-01")

    def row(self, number: int, firm: Firm, **changes: str) -> Row:
        """The firm's line in the LEI file."""
        told = {
            "registration_number": firm.number,
            "lei_status": "LAPSED",
            "headquarters_address_line": f"Prøvegade {number}",
            **changes,
        }
        return company(number, **told)

    def asked(self, part: str) -> int:
        """How many requests had that in their path."""
        return sum(part in request.path for request in self.served.requests)


@contextmanager
def registers(
    url: str, folder: Path, firms: Sequence[Firm] = (), **changes: Any
) -> Iterator[Registers]:
    """The house with the four registers; `firms` are all that CVR knows, where any are given."""
    bundled = bundled_registers().firms
    by_id: dict[str, Any] = {
        "brreg": Brreg(bundled["brreg"], SAMPLE_DAY),
        "cvr": Cvr(firms or bundled["cvr"], SAMPLE_DAY, API_KEY),
        "ariregister": Ariregister(bundled["ariregister"], SAMPLE_DAY),
        "prh": Prh(bundled["prh"], SAMPLE_DAY),
    }
    with (
        mock.patch.object(session, "Manners", HASTY),
        RegisterStandIn(*by_id.values(), pace=Pace(retry_after="0")) as served,
    ):
        settings = SourceSettings(base_url=served.base_url, min_ratio=0, max_ratio=1000)
        told = {
            "sources": {**ANY_LENGTH, **dict.fromkeys(REGISTERS, settings)},
            "api_keys": {"cvr": SecretStr(API_KEY)},
            **changes,
        }
        with opened(url, folder, **told) as held:
            yield Registers(held, served, by_id)


def scope(held: Ingesting, *rows: Any) -> None:
    """Let `[scope]` take these companies without an LEI."""
    found = held.house.settings.scope
    held.change(scope=found.model_copy(update={"no_lei": rows}))


def abroad(firm: Firm, **changes: Any) -> Firm:
    """The firm otherwise."""
    return replace(firm, **changes)
