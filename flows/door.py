"""Through Prefect when its API is configured and answers, else directly; the same functions.

Prefect's flows take parameters that its database may keep, so the open house, with its keys and
the warehouse's address, waits for them here instead.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows import settings as configuration
from flows.house import House, house
from flows.up_lock import end_with_parent
from flows.veil import lifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flows.ingest_report import Report, Request

    Tell = Callable[[str, int, int | None], None]

log = logging.getLogger("sourcenote")


def tell_nobody(_stage: str, _done: int, _total: int | None) -> None:
    """Progress that nobody watches."""


@dataclass
class Visit:
    """An open house, who is told of progress, and what the flow found."""

    house: House
    tell: Tell = tell_nobody
    report: Any = None
    request: Any = None
    """What is asked for, where that is not for Prefect to know."""


_VISIT: ContextVar[Visit | None] = ContextVar("visit", default=None)


@contextmanager
def visiting() -> Iterator[Visit]:
    """The caller's visit; a scheduled run, which has no caller, opens its own house."""
    visit = _VISIT.get()
    if visit is not None:
        yield visit
        return
    end_with_parent()
    with house(configuration.load(None)) as opened:
        yield Visit(opened)


@contextmanager
def _received(opened: House, tell: Tell) -> Iterator[Visit]:
    visit = Visit(opened, tell)
    token = _VISIT.set(visit)
    try:
        with lifted():
            yield visit
    finally:
        _VISIT.reset(token)


def prefect_answers(opened: House) -> bool:
    """Whether a Prefect API is configured and healthy; says on the log which way a run goes."""
    if not opened.settings.prefect_api_url:
        log.info("no Prefect API is configured: running directly")
        return False
    configuration.enter_environment(opened.settings.home)
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        fault = client.api_healthcheck()
    if fault is not None:
        log.warning("the Prefect API does not answer (%s): running directly", type(fault).__name__)
        return False
    return True


def ingest(opened: House, request: Request, tell: Tell, *, dry_run: bool = False) -> Report:
    """Ingest one source; see `flows.ingest_run.run`."""
    configuration.enter_environment(opened.settings.home)
    if dry_run or not prefect_answers(opened):
        from flows import ingest_run

        return ingest_run.run(opened, request, tell, dry_run=dry_run)
    from flows.ingest import ingest as flow

    with _received(opened, tell) as visit:
        flow(
            source_id=request.source_id,
            full=request.is_full_wanted,
            file=str(request.file) if request.file else None,
            kind=request.kind,
            published_at=request.published_at.isoformat() if request.published_at else None,
            base_url=request.base_url,
            confirm_vanished=request.confirm_vanished,
        )
        found: Report = visit.report
    return found


def refresh(opened: House, request: Any, tell: Tell, *, dry_run: bool = False) -> Any:  # noqa: ANN401 (a Request and a Report of flows.refresh_report, imported late)
    """Ask for companies again at their register; see `flows.refresh_steps.run`."""
    configuration.enter_environment(opened.settings.home)
    if dry_run or not prefect_answers(opened):
        from flows import refresh_steps

        return refresh_steps.run(opened, request, tell, dry_run=dry_run)
    from flows.refresh import refresh as flow

    with _received(opened, tell) as visit:
        visit.request = request
        flow(lei_count=len(request.leis))
        return visit.report


def deactivate(opened: House, *, as_of: Any = None, dry_run: bool = False) -> dict[str, Any]:  # noqa: ANN401 (a date or None)
    """Make inactive; see `flows.lifecycle.deactivate`."""
    if dry_run or not prefect_answers(opened):
        from flows import lifecycle

        return lifecycle.deactivate(opened, as_of, dry_run=dry_run)
    from flows.deactivate import deactivate as flow

    with _received(opened, tell_nobody) as visit:
        flow(as_of=as_of.isoformat() if as_of else None)
        return dict(visit.report)


def delete(
    opened: House,
    *,
    as_of: Any = None,  # noqa: ANN401 (a date or None)
    dry_run: bool = False,
    confirm: bool = False,
    tell: Tell = tell_nobody,
) -> dict[str, Any]:
    """Delete; see `flows.lifecycle.delete`."""
    if dry_run or not prefect_answers(opened):
        from flows import lifecycle

        return lifecycle.delete(opened, as_of, dry_run=dry_run, confirm=confirm, tell=tell)
    from flows.delete import delete as flow

    with _received(opened, tell) as visit:
        flow(as_of=as_of.isoformat() if as_of else None, confirm=confirm)
        return dict(visit.report)


def export(opened: House, request: Any, tell: Tell, *, dry_run: bool = False) -> dict[str, Any]:  # noqa: ANN401 (an ExportRequest, imported late)
    """Export a list; see `flows.export_steps.run`."""
    if dry_run or not prefect_answers(opened):
        from flows import export_steps

        return export_steps.run(opened, request, tell, dry_run=dry_run)
    from flows.export import export as flow

    with _received(opened, tell) as visit:
        flow(
            segment=request.segment,
            days=request.days,
            channel=request.channel,
            purpose=request.purpose,
            recipient=request.recipient,
            countries=list(request.countries),
            format=request.format,
            out=str(request.out) if request.out else None,
        )
        return dict(visit.report)
