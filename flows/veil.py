"""What Prefect is told of a failure: our own refusals as they are, anything else by its kind only.

Prefect logs a failed run's exception, writes its text into the state and keeps the exception
itself, pickled, under PREFECT_HOME/storage, whatever is set of results (seen in 3.8). A library's
exception may quote values: a database's holds the statement, its parameters, the row.
"""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sources.kit.errors import SourcenoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Given = ParamSpec("Given")
Found = TypeVar("Found")


class Unexpected(Exception):
    """An error of another's making, by its kind and place; `original` stays in this process."""

    def __init__(self, said: str, original: Exception | None = None) -> None:
        super().__init__(said)
        self.original = original

    def __reduce__(self) -> tuple[type[Unexpected], tuple[str]]:
        """Without the original: what is pickled may be kept."""
        return Unexpected, (str(self),)


@contextmanager
def veil() -> Iterator[None]:
    """Let refusals of ours through, and raise `Unexpected` in the place of anything else."""
    try:
        yield
    except (SourcenoteError, Unexpected):
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, it may quote a value)
        last = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__} in {last.name}, line {last.lineno}"
        raise Unexpected(said, error) from None


def veiled(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """The function, as a task of Prefect may run it."""

    @wraps(function)
    def behind(*arguments: Given.args, **named: Given.kwargs) -> Found:
        with veil():
            return function(*arguments, **named)

    return behind


@contextmanager
def lifted() -> Iterator[None]:
    """Raise what the veil hid, for the caller who is on this side of Prefect."""
    try:
        yield
    except Unexpected as hidden:
        raise (hidden.original or hidden) from None
