"""What an ingest was asked for and what it did: counts and names of things, never a value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sources.kit.card import Landed, Plan
    from warehouse.load_shapes import DeliveryFacts


@dataclass(frozen=True)
class Request:
    """What one ingest was asked for."""

    source_id: str
    is_full_wanted: bool = False
    file: Path | None = None
    kind: Literal["full", "delta"] | None = None
    published_at: datetime | None = None
    base_url: str | None = None
    confirm_vanished: int | None = None


@dataclass(frozen=True)
class Report:
    """What one ingest did; counts and names of things, never a value.

    `told` counts what was mended, kept out or dropped before storage, by what happened; `recalls`
    are lists that left with companies whose register has removed them for good.
    """

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
    told: dict[str, int] = field(default_factory=dict)
    recalls: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    plan: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        found = asdict(self)
        found["published_at"] = self.published_at.isoformat() if self.published_at else None
        return found


def reason_of(facts: DeliveryFacts, landed: Landed) -> str:
    """Why it was loaded, and what it did not prove."""
    if facts.is_repeat:
        return "the same bytes were loaded before"
    if facts.kind == "delta" and not facts.moves_cursor:
        return (
            "loaded; it may leave a gap after the publication held before, "
            "which the next plan closes"
        )
    return f"loaded: {landed.reason}" if landed.reason else "loaded"


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
        plan=plan_of(planned),
    )


def plan_of(planned: Plan) -> dict[str, Any]:
    """The plan and why, as plain JSON values; times in hours, `windows_refused` with its reason."""
    held, published = planned.held_at, planned.published_at
    gap = (published - held).total_seconds() / 3600 if held and published else None
    return {
        "decision": planned.kind,
        "reason": planned.reason,
        "held_published_at": held.isoformat() if held else None,
        "published_at": published.isoformat() if published else None,
        "gap_hours": gap,
        "window": planned.window,
        "windows_refused": [
            {"window": window, "reason": why} for window, why in planned.passed_over
        ],
        "url": planned.url,
        "bytes": planned.size,
        "records": planned.record_count,
    }
