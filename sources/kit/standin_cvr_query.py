"""What a query of CVR at Datafordeler finds, and what it is refused for.

Source: recorded answers of `graphql.datafordeler.dk/CVR/v2` and Datafordeler's guide to GraphQL.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sources.kit.standin_graphql import Field

Row = Mapping[str, Any]
MOST_IN_A_LIST = 100
_MOST_AT_ONCE = 1000

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, listed: value in listed,
    "nin": lambda value, listed: value not in listed,
}
_EVENT_FIELDS = frozenset({"eventid", "datafordelerOpdateringstid"})
REQUIRED: dict[str, tuple[str, ...]] = {
    "CVR_Virksomhed": ("CVRNummer", "datafordelerRowId", "id"),
    "CVR_Produktionsenhed": (
        "datafordelerRowId",
        "id",
        "pNummer",
        "tilknyttetVirksomhedsCVRNummer",
    ),
    "CVR_CVREnhed": ("datafordelerRowId", "forretningsnoegle", "id"),
    "CVR_Navn": ("CVREnhedsId", "datafordelerRowId", "vaerdi"),
    "CVR_e_mailadresse": ("CVREnhedsId", "datafordelerRowId", "vaerdi"),
    "CVR_Telefonnummer": ("CVREnhedsId", "datafordelerRowId", "vaerdi"),
    "CVR_Adressering": ("CVREnhedsId", "datafordelerRowId"),
    "CVR_Reklamebeskyttelse": ("CVREnhedsId", "datafordelerRowId"),
    "CVR_Virksomhedsform": ("CVREnhedsId", "datafordelerRowId"),
    "CVR_Branche": ("CVREnhedsId", "datafordelerRowId"),
}
"""The fields of which a query must filter on at least one; `CVR_Events` has none."""


class Refusal(ValueError):
    """A query that the publisher answers with an error: its code, words and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def checked(fields: list[Field]) -> Field:
    """The one root field of an allowed query; raises Refusal for every other query."""
    if any(found.name.startswith("__") for root in fields for found in _all(root)):
        raise Refusal("HC0046", "Introspection is not allowed for the current request.", 400)
    if any(found.alias for root in fields for found in _all(root)):
        raise Refusal("DAF-GQL-0008", "The use of aliases is not allowed")
    if len(fields) > 1:
        raise Refusal("DAF-GQL-0010", "Only one root field is allowed in an operation")
    root = fields[0]
    where = root.arguments.get("where") or {}
    if any(len(listed) > MOST_IN_A_LIST for listed in _lists(where)):
        message = (
            "The number of elements in the supplied 'in' list is not allowed to exceed "
            f"{MOST_IN_A_LIST}"
        )
        raise Refusal("DAF-GQL-0016", message)
    wanted = REQUIRED.get(root.name, ())
    if wanted and not set(wanted) & set(_filtered(where)):
        message = (
            "When retrieving data for this entity, a filter on at least one of the following "
            f"fields must be specified: {', '.join(wanted)}"
        )
        raise Refusal("DAF-GQL-0009", message)
    return root


def _all(root: Field) -> Iterator[Field]:
    yield root
    for child in root.selected:
        yield from _all(child)


def _filtered(where: Mapping[str, Any]) -> Iterator[str]:
    for name, wanted in where.items():
        if name == "and":
            for part in wanted:
                yield from _filtered(part)
        else:
            yield name


def _lists(where: Mapping[str, Any]) -> Iterator[list[Any]]:
    for name, wanted in where.items():
        for part in wanted if name == "and" else [wanted]:
            if name == "and":
                yield from _lists(part)
            else:
                yield from (listed for listed in part.values() if isinstance(listed, list))


def connection(root: Field, rows: list[Row]) -> dict[str, Any]:
    """The asked page of the rows that a root field's arguments let through, as a connection.

    `virkningstid` lets through what holds at that moment and is registered still; without it every
    version is found. Cursors are opaque; `hasPreviousPage` is always false, as published.
    """
    arguments = root.arguments
    found = [row for row in rows if _holds(row, arguments.get("where") or {})]
    at = arguments.get("virkningstid")
    if at:
        found = [row for row in found if _is_valid(row, str(at)[:10])]
    start = _place(arguments.get("after"))
    shown = found[start : start + min(int(arguments.get("first") or 100), _MOST_AT_ONCE)]
    ends = [_cursor(start), _cursor(start + len(shown) - 1)] if shown else [None, None]
    page: dict[str, Any] = {
        "hasNextPage": start + len(shown) < len(found),
        "hasPreviousPage": False,
        "startCursor": ends[0],
        "endCursor": ends[1],
    }
    answer: dict[str, Any] = {}
    for part in root.selected:
        if part.name == "pageInfo":
            answer["pageInfo"] = picked(part, page)
        elif part.name == "nodes":
            answer["nodes"] = [picked(part, row) for row in shown]
        else:
            raise _unknown(part.name)
    return answer


def picked(part: Field, row: Row) -> dict[str, Any]:
    """What is asked for of a row; raises Refusal for a field that it has not."""
    missing = [one.name for one in part.selected if one.name not in row]
    if missing:
        raise _unknown(missing[0])
    return {one.name: row[one.name] for one in part.selected}


def _unknown(name: str) -> Refusal:
    return Refusal("HC0016", f"The field `{name}` does not exist.", 400)


def _holds(row: Row, where: Mapping[str, Any]) -> bool:
    for name, wanted in where.items():
        if name == "and":
            if not all(_holds(row, part) for part in wanted):
                return False
        elif name not in row:
            raise _unknown(name)
        elif not all(_compares(row[name], how, value) for how, value in wanted.items()):
            return False
    return True


def _compares(value: Any, how: str, wanted: Any) -> bool:  # noqa: ANN401 (any JSON value)
    if how not in _OPERATORS:
        raise _unknown(how)
    return value is not None and bool(_OPERATORS[how](value, wanted))


def _is_valid(row: Row, day: str) -> bool:
    """Whether a row holds on a day (ISO), and its registration has not been ended."""
    if row.keys() >= _EVENT_FIELDS:
        return True
    starts, ends = str(row["virkningFra"])[:10], row["virkningTil"]
    return starts <= day and (not ends or day < str(ends)[:10]) and not row["registreringTil"]


def _cursor(place: int) -> str:
    return base64.b64encode(f"MQ==;{place}".encode()).decode()


def _place(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor).decode().rpartition(";")[2]) + 1
    except ValueError as error:
        raise Refusal("HC0078", "The cursor specified in `after` is not valid.", 400) from error
