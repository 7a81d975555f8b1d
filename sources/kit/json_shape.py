"""Which fields of nested objects are kept, and how they come: as columns of text in nested structs.

A shape is written as the object is: names to `TEXT`, to another shape, or to a list of one of both.
Numbers and truths come as their text, so that a publisher may write 5 or "5".
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

TEXT: Final = "text"
Shape = Mapping[str, Any]
Kinds = Mapping[str, pa.DataType]
"""Types of the scalars that a file writes otherwise than as text, by their path."""
_NO_KINDS: Kinds = {}
_INT64 = range(-(2**63), 2**63)


class MisshapenError(Exception):
    """An item that is no object of its shape; it never leaves the kit."""


def arrow_type(shape: Any, kinds: Kinds = _NO_KINDS, path: str = "") -> pa.DataType:  # noqa: ANN401 (a shape or a part of one)
    """The Arrow type of such an object, list or scalar; what `kinds` does not name is text."""
    if shape == TEXT:
        return kinds.get(path, pa.string())
    if isinstance(shape, list):
        return pa.list_(arrow_type(shape[0], kinds, f"{path}[]"))
    return pa.struct(
        [(name, arrow_type(part, kinds, _below(path, name))) for name, part in shape.items()]
    )


def kinds_of(shape: Shape, objects: Iterable[Any]) -> Kinds:
    """How these objects write their scalars: whole numbers, truths; mixed ones are left as text."""
    seen: dict[str, set[type]] = defaultdict(set)
    for found in objects:
        for path, value in scalars(found):
            if value is not None:
                wide = isinstance(value, int) and value not in _INT64
                seen[path].add(float if wide else type(value))
    types = {int: pa.int64(), bool: pa.bool_()}
    return {
        path: types[only]
        for path in paths(shape)
        if len(seen[path]) == 1 and (only := next(iter(seen[path]))) in types
    }


def scalars(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (JSON is any of its types)
    """(path, value) of everything that is neither object nor list; lists are marked by []."""
    waiting = [(path, node)]  # no recursion: what a publisher sends may be nested at will
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [(_below(path, name), below) for name, below in node.items()]
        elif isinstance(node, list):
            waiting += [(f"{path}[]", below) for below in node]
        else:
            yield path, node


def strict(text: bytes) -> Any:  # noqa: ANN401 (JSON is any of its types)
    """The JSON value; raises `MisshapenError` for anything less, doubled names and NaN included."""
    try:
        return json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise MisshapenError from error


def texts(shape: Any, value: Any) -> Any:  # noqa: ANN401 (a part of an object)
    """The kept part of an object as `arrow_type` takes it; raises `MisshapenError`."""
    if value is None:
        return None
    if shape == TEXT:
        return _text(value)
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise MisshapenError
        return [texts(shape[0], one) for one in value]
    if not isinstance(value, dict):
        raise MisshapenError
    return {name: texts(part, value.get(name)) for name, part in shape.items()}


def struct_of(shape: Shape, objects: Iterable[Any]) -> pa.StructArray:
    """Objects that are in memory, as the parser would give them; raises `MisshapenError`."""
    return pa.array([texts(shape, one) for one in objects], arrow_type(shape))


def _text(value: Any) -> str:  # noqa: ANN401 (JSON is any of its types)
    if isinstance(value, str):
        if "\0" in value or not _is_encodable(value):
            raise MisshapenError
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise MisshapenError


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MisshapenError
    return found


def _no_constant(_: str) -> None:
    raise MisshapenError


def paths(shape: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 (a shape or a part of one)
    """The path of every kept scalar, lists marked by []."""
    if shape == TEXT:
        yield path
    elif isinstance(shape, list):
        yield from paths(shape[0], f"{path}[]")
    else:
        for name, part in shape.items():
            yield from paths(part, _below(path, name))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
