"""As much of GraphQL as the stand-in of Datafordeler understands: one query and its values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'[\s,]+|#[^\n]*|(?P<string>"(?:\\.|[^"\\])*")|(?P<number>-?\d+(?:\.\d+)?)'
    r"|(?P<name>[_A-Za-z]\w*)|(?P<sign>\$|!|\(|\)|\{|\}|\[|\]|:|=)"
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class NotUnderstood(ValueError):
    """The text is no query, or of a kind that is not read here."""


@dataclass
class Field:
    """A field that is asked for, with its arguments and what is asked for inside it."""

    name: str
    alias: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    selected: list[Field] = field(default_factory=list)

    def child(self, name: str) -> Field | None:
        """The selected field of that name, if it is asked for."""
        return next((one for one in self.selected if one.name == name), None)


def read(text: str, variables: Mapping[str, Any]) -> list[Field]:
    """The root fields of a query, variables filled in.

    Raises NotUnderstood for anything that is no single query of fields.
    """
    reader = _Reader(_tokens(text), variables)
    return reader.document()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotUnderstood(f"Unexpected character at {place}")
        place = match.end()
        if match.lastgroup:
            found.append((match.lastgroup, match.group()))
    return found


class _Reader:
    """Reads tokens from first to last."""

    def __init__(self, tokens: list[tuple[str, str]], variables: Mapping[str, Any]) -> None:
        self._tokens, self._place, self._variables = tokens, 0, variables

    def document(self) -> list[Field]:
        """The root selection; definitions of variables are passed over."""
        if self._peek() == "query":
            while self._peek() != "{":
                self._next()
        found = self._selection()
        if self._place != len(self._tokens):
            raise NotUnderstood("Only one operation is read")
        return found

    def _peek(self) -> str:
        return self._tokens[self._place][1] if self._place < len(self._tokens) else ""

    def _next(self, expected: str | None = None) -> tuple[str, str]:
        if self._place == len(self._tokens):
            raise NotUnderstood("Unexpected end of the document")
        token = self._tokens[self._place]
        if expected is not None and token[1] != expected:
            raise NotUnderstood(f"Expected {expected}")
        self._place += 1
        return token

    def _selection(self) -> list[Field]:
        self._next("{")
        found = []
        while self._peek() != "}":
            found.append(self._field())
        self._next("}")
        if not found:
            raise NotUnderstood("An empty selection")
        return found

    def _field(self) -> Field:
        kind, name = self._next()
        if kind != "name":
            raise NotUnderstood("Expected a field")
        alias = None
        if self._peek() == ":":
            self._next()
            alias, name = name, self._next()[1]
        arguments = self._pairs("(", ")") if self._peek() == "(" else {}
        selected = self._selection() if self._peek() == "{" else []
        return Field(name, alias, arguments, selected)

    def _pairs(self, opening: str, closing: str) -> dict[str, Any]:
        """`name: value` pairs, as arguments or as an object."""
        self._next(opening)
        found = {}
        while self._peek() != closing:
            name = self._next()[1]
            self._next(":")
            found[name] = self._value()
        self._next(closing)
        return found

    def _value(self) -> Any:  # noqa: ANN401 (any JSON value)
        kind, text = self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
        if text == "{":
            return self._pairs("{", "}")
        if text == "[":
            return self._list()
        self._next()
        if text == "$":
            return self._variables.get(self._next()[1])
        if kind in {"string", "number"}:
            return json.loads(text)
        return _CONSTANTS.get(text, text)

    def _list(self) -> list[Any]:
        self._next("[")
        found = []
        while self._peek() != "]":
            found.append(self._value())
        self._next("]")
        return found
