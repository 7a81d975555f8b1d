"""A run in our own ledger: opened, and closed as what it became, whatever happens."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sources.kit.errors import SourcenoteError
from warehouse import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.house import House


@dataclass
class LedgerRun:
    """The open run; put the counts to record into `counts`."""

    run_id: int
    counts: dict[str, int] = field(default_factory=dict)


@contextmanager
def ledger_run(house: House, flow: str, source_id: str | None = None) -> Iterator[LedgerRun]:
    """Open a run and close it as done, refused (our own error), failed, or interrupted by a signal.

    A failure's text is its kind only, also behind `flows.veil`: what a library says may hold a
    value.
    """
    opened = LedgerRun(runs.start(house.engine, flow, house.now(), source_id))
    state, message = "failed", "it ended early"
    try:
        yield opened
    except SourcenoteError as error:
        state, message = "refused", str(error)
        raise
    except Exception as error:
        state, message = "failed", type(getattr(error, "original", None) or error).__name__
        raise
    except BaseException as told:  # Ctrl-C, or the service was stopped: it is to be done again
        state, message = "interrupted", type(told).__name__
        raise
    else:
        state, message = "done", ""
    finally:
        runs.finish(
            house.engine,
            opened.run_id,
            state,
            house.now(),
            counts=opened.counts,
            message=message or None,
        )
