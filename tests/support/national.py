"""A house that holds GLEIF's sample, and the four registers' servers beside it, in one process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ingesting import Ingesting, opened, outcomes, quiet
from pydantic import SecretStr

from flows import ingest_run
from flows.ingest_report import Report, Request
from sources.kit.policy import SourceSettings
from sources.kit.sample import bundled_sample
from sources.kit.sample_registers import RegisterSample, bundled_registers
from sources.kit.standin_ariregister import Ariregister
from sources.kit.standin_brreg import Brreg
from sources.kit.standin_cvr import Cvr
from sources.kit.standin_prh import Prh
from sources.kit.standin_registers import API_KEY, RegisterStandIn, bundled

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
REGISTERS = ("brreg", "cvr", "ariregister", "prh")


@dataclass
class National:
    """The open house, the stand-in, and its registers as they can be changed."""

    held: Ingesting
    standin: RegisterStandIn
    brreg: Brreg
    cvr: Cvr
    ariregister: Ariregister
    prh: Prh
    sample: RegisterSample = field(default_factory=lambda: bundled_registers(DAY))

    def ingest(self, source_id: str, **asked: Any) -> Report:
        """Ingest from the stand-in; the report's outcomes add up."""
        request = Request(source_id, base_url=self.standin.base_url, **asked)
        report = ingest_run.run(self.held.house, request, quiet)
        if report.delivery_id is not None:
            outcomes(report)
        return report

    def everything(self) -> dict[str, Report]:
        """Ingest all four."""
        return {source_id: self.ingest(source_id) for source_id in REGISTERS}

    def later(self, **period: float) -> datetime:
        """Move the clock on; what time it is then."""
        self.held.later(**period)
        return self.held.house.now()

    def holds_bytes(self, text: str) -> list[str]:
        """Files under the house's folder that hold the text, as UTF-8."""
        sought = text.encode()
        files = [path for path in self.held.folder.rglob("*") if path.is_file()]
        return [path.name for path in files if sought in path.read_bytes()]


def kept_home(folder: Path, *source_ids: str) -> Path:
    """A folder whose house holds GLEIF's sample and these registers; tests work on copies of it."""
    with national(folder) as found:
        for source_id in source_ids:
            found.ingest(source_id)
    return folder


@contextmanager
def national(folder: Path, home: Path | None = None) -> Iterator[National]:
    """A house in the folder, as it is in `home`; without one it holds GLEIF's sample alone."""
    if home is not None:
        shutil.copytree(home, folder, dirs_exist_ok=True)
    own = {name: SourceSettings(max_vanished=10_000, rate=1000) for name in REGISTERS}
    keys = {"cvr": SecretStr(API_KEY)}
    url = f"sqlite:///{folder / 'warehouse.db'}"
    with opened(url, folder, sources=own, api_keys=keys) as held:
        held.at(NOW)
        if home is None:
            path = folder / "gleif.csv"
            path.write_bytes(bundled_sample().csv)
            published = datetime(2026, 11, 1, 8, tzinfo=UTC)
            request = Request("gleif", file=path, kind="full", published_at=published)
            ingest_run.run(held.house, request, quiet)
        registers = bundled(DAY)
        with RegisterStandIn(*registers) as standin:
            yield National(held, standin, *registers)
