"""CVR's questions in GraphQL, one root field each, and what an answer must be to count as one.

Source: Datafordeler's guide to GraphQL and recorded answers of `graphql.datafordeler.dk/CVR/v2`: no
aliases, one root field an operation, every query filtered, at most 100 values in a list. An answer
with an error inside says nothing, whatever its status is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sources.kit.session import PoliteSession

URL = "https://graphql.datafordeler.dk/CVR/v2"
MOST_IN_A_LIST = 100
PAGE = 1000
"""Nodes asked for at once."""
_MOST_PAGES = 10_000
_REFUSED_QUERY = frozenset({400})
_UNKNOWN_FIELD = re.compile(
    r"\bfield\W+(\w+)\W+does not exist|\bcannot query field\W+(\w+)", re.IGNORECASE
)
"""As Datafordeler's server says it, and as the reference implementation of GraphQL does."""
_CODE = re.compile(r"[A-Z]{2,4}(?:-[A-Z]{2,6})?-?[0-9]{2,6}")
_WITHOUT: WeakKeyDictionary[PoliteSession, dict[str, set[str]]] = WeakKeyDictionary()
"""By session and root field the fields that the publisher has said it does not have."""
_THING = "CVR's answer by GraphQL"
_CURE = "Nothing of it was loaded. Run again; if it stays, tell Datafordeler"

Node = dict[str, Any]


class UnknownField(DeliveryRefused):
    """The publisher has no field of such a name; `names` are those it says so of."""

    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """One answer to a question about `root`: its bytes as received, and its nodes."""

    root: str
    body: bytes
    nodes: list[Node]
    cursor: str | None = None


@dataclass
class Asker:
    """Asks one session as of one moment; what the publisher has no field for is asked once."""

    session: PoliteSession
    at: datetime

    def pages(
        self,
        root: str,
        fields: Sequence[str],
        wanted: tuple[str, Sequence[str | int]],
        spared: frozenset[str] = frozenset(),
    ) -> Iterator[Answer]:
        """Every page of the nodes whose field is one of `wanted` (field, at most 100 values).

        Fields in `spared` are left out where the publisher has none of that name; for any other
        it raises `UnknownField`. Nodes about others than asked for are refused.
        """
        name, values = wanted
        asked = {str(value) for value in values}
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            answer = self._page(root, fields, wanted, spared, cursor)
            if any(str(node.get(name)) not in asked for node in answer.nodes):
                raise _unusable(f"it has {root} of others than those asked for")
            yield answer
            if answer.cursor is None:
                return
            if answer.cursor == cursor or not answer.nodes:
                raise _unusable(f"its next page of {root} is one that came before")
            cursor = answer.cursor
        raise _unusable(f"its pages of {root} never end")

    def _page(
        self,
        root: str,
        fields: Sequence[str],
        wanted: tuple[str, Sequence[str | int]],
        spared: frozenset[str],
        cursor: str | None,
    ) -> Answer:
        without = _WITHOUT.setdefault(self.session, {}).setdefault(root, set())
        while True:
            asked = [name for name in fields if name not in without]
            try:
                return connection(self.session, root, self._query(root, asked, wanted, cursor))
            except UnknownField as unknown:
                if not unknown.names or not unknown.names <= spared & {*asked}:
                    raise
                without |= unknown.names

    def _query(
        self,
        root: str,
        fields: Sequence[str],
        wanted: tuple[str, Sequence[str | int]],
        cursor: str | None,
    ) -> str:
        name, values = wanted
        after = "" if cursor is None else f"after: {json.dumps(cursor)}, "
        where = f"{{ {name}: {{ in: {json.dumps(list(values))} }} }}"
        return (
            f'{{ {root}(first: {PAGE}, {after}virkningstid: "{moment(self.at)}", where: {where}) '
            f"{{ pageInfo {{ hasNextPage endCursor }} nodes {{ {' '.join(fields)} }} }} }}"
        )


def moment(at: datetime) -> str:
    """A moment as Datafordeler takes it: UTC, six decimals, `Z`."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def connection(
    session: PoliteSession, root: str, query: str, variables: Mapping[str, Any] | None = None
) -> Answer:
    """One page of a root field's nodes; see `data_of` for what is refused."""
    body, found = data_of(session, root, query, variables)
    nodes = found.get("nodes") if isinstance(found, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise _unusable(f"it has no nodes of {root}")
    page = found.get("pageInfo") or {}
    cursor = page.get("endCursor") if page.get("hasNextPage") else None
    if page.get("hasNextPage") and not isinstance(cursor, str):
        raise _unusable(f"it has more of {root}, and does not say where")
    return Answer(root, body, nodes, cursor)


def data_of(
    session: PoliteSession, root: str, query: str, variables: Mapping[str, Any] | None = None
) -> tuple[bytes, Any]:
    """The answer's bytes, and what it says under `root`.

    Raises `UnknownField` or `DeliveryRefused` for an answer with errors, even one with data beside.
    """
    posted = {"query": query, "variables": dict(variables or {})}
    body, document = session.post_json(URL, posted, also=_REFUSED_QUERY)
    if not isinstance(document, dict):
        raise _unusable("it is no object")
    if document.get("errors") or not isinstance(document.get("data"), dict):
        raise _refusal(document.get("errors"))
    return body, document["data"].get(root)


def _refusal(errors: object) -> DeliveryRefused:
    """What the errors come to: a stranger's words are not repeated, only codes and field names."""
    found = (
        [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    )
    unknown = [_UNKNOWN_FIELD.search(str(error.get("message"))) for error in found]
    if found and all(unknown):
        names = frozenset(match[1] or match[2] for match in unknown if match)
        refusal = UnknownField(_THING, f"it has no field {', '.join(sorted(names))}", _CURE)
        refusal.names = names
        return refusal
    told = [(error.get("extensions") or {}).get("code") for error in found]
    codes = [code for code in told if isinstance(code, str) and _CODE.fullmatch(code)]
    return _unusable(f"it holds an error ({', '.join(codes) or 'of no known code'})")


def _unusable(cause: str) -> DeliveryRefused:
    return DeliveryRefused(_THING, cause, _CURE)
