"""Places at which a load in this process dies, and whether it had been committed by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from unittest import mock

from flows import ledger
from warehouse import (
    load,
    merge,
    merge_absences,
    merge_aside,
    merge_changes,
    merge_personal,
    sorting,
)


class Died(BaseException):
    """What no handler of the product's can take for an error of its own."""


@contextmanager
def _before(target: Any, name: str) -> Iterator[None]:
    def dies(*_: object, **__: object) -> NoReturn:
        raise Died(name)

    with mock.patch.object(target, name, dies):
        yield


@contextmanager
def _after(target: Any, name: str) -> Iterator[None]:
    original: Callable[..., Any] = getattr(target, name)

    def dies(*arguments: Any, **named: Any) -> NoReturn:
        original(*arguments, **named)
        raise Died(name)

    with mock.patch.object(target, name, dies):
        yield


PLACES: dict[str, Callable[[], Any]] = {
    "rows sorted": lambda: _after(sorting.Sorter, "sort"),
    "twins looked for": lambda: _after(load.Loading, "conflicts"),
    "delivery written": lambda: _after(merge, "_insert_delivery"),
    "records written": lambda: _before(merge_personal, "insert_new"),
    "changes half written": lambda: _before(merge_changes, "_touch_companies"),
    "absences marked": lambda: _after(merge_absences, "mark_absences"),
    "rows set aside": lambda: _before(merge_aside, "insert_suppressed"),
    "cursor moved": lambda: _after(merge, "move_cursor"),
    "merged": lambda: _after(merge, "merge"),
    "committed": lambda: _after(load.Loading, "commit"),
    "not in the ledger": lambda: _before(ledger.runs, "finish"),
}
"""One that the delivery does not come by changes nothing: it is loaded."""
COMMITTED = {"committed", "not in the ledger"}
