"""JSON as a publisher must send it: one document, no key twice, no constant JSON does not know."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def document(body: bytes) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Read the document in `body` (UTF-8); ValueError says what came instead."""
    if body.lstrip().startswith(b"<"):
        message = "a web page came instead of JSON"
        raise ValueError(message)
    try:
        return json.loads(body, object_pairs_hook=_unrepeated, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        message = "its answer is not valid JSON"
        raise ValueError(message) from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        message = "a key is repeated"
        raise ValueError(message)
    return made


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(constant)
