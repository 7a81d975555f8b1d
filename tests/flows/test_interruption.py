"""Ctrl-C holds even where somebody's code swallowed it, and only before anything is committed."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

from flows.cli.interruption import listening
from flows.cli.progress import progress


def swallowed() -> None:
    """Ctrl-C as a library takes it that catches whatever comes up while it is imported."""
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        signal.sigtimedwait([], 0)


@pytest.mark.parametrize("stage", ["bytes", "rows", "merge", "candidates"])
def test_a_swallowed_interrupt_is_raised_at_the_next_stage(stage: str) -> None:
    with listening(), progress() as tell:
        swallowed()
        with pytest.raises(KeyboardInterrupt):
            tell(stage, 1, None)


def test_what_is_committed_is_told_to_its_end() -> None:
    with listening(), progress() as tell:
        swallowed()
        tell("settle", 0, None)


def test_nothing_is_raised_when_nobody_asked_and_the_handler_is_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with listening(), progress() as tell:
        swallowed()
    with listening(), progress() as tell:
        tell("rows", 1, None)
    assert signal.getsignal(signal.SIGINT) is before
