"""What an ingest was asked for and what it did: counts and names of things, never a value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sources.kit.card import Plan


@dataclass(frozen=True)
class Request:
    """What one ingest was asked for."""

    source_id: str
    is_full_wanted: bool = False
    file: Path | None = None
    kind: Literal["full", "delta"] | None = None
    published_at: datetime | None = None
    base_url: str | None = None


@dataclass(frozen=True)
class Report:
    """What one ingest did; counts and names of things, never a value."""

    source_id: str
    status: str
    kind: str
    reason: str
    delivery_id: int | None = None
    published_at: datetime | None = None
    sha256: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    quarantined_by_rule: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    unknown_columns: list[str] = field(default_factory=list)
    care_of_lines: int = 0

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        found = asdict(self)
        found["published_at"] = self.published_at.isoformat() if self.published_at else None
        return found


def dry_run(request: Request, planned: Plan | None) -> Report:
    """What an ingest would do, from the plan alone."""
    if planned is None:
        return Report(request.source_id, "planned", request.kind or "file", f"file {request.file}")
    return _planned(request, planned, "planned")


def nothing_newer(request: Request, planned: Plan) -> Report:
    """The report of a run that found nothing to fetch."""
    return _planned(request, planned, "up_to_date")


def _planned(request: Request, planned: Plan, status: str) -> Report:
    return Report(
        request.source_id,
        status,
        planned.kind,
        planned.reason,
        published_at=planned.published_at,
        counts={"records_listed": planned.record_count or 0, "bytes_listed": planned.size or 0},
    )
