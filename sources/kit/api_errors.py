"""What a JSON:API answers when it refuses: the titles of its errors, short and fit for a log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

_LARGEST_BYTES = 64 * 1024
_LONGEST = 200


def titles(document: Any) -> str:  # noqa: ANN401 - JSON is any of its types
    """The titles in `{"errors": [{"title": …}]}`, joined; empty for anything else.

    On one line, without control characters, at most 200 characters: it is a stranger's text.
    """
    errors = document.get("errors") if isinstance(document, dict) else None
    found = [
        error["title"]
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict) and isinstance(error.get("title"), str)
    ]
    line = "".join(sign if sign.isprintable() else " " for sign in "; ".join(found))
    return " ".join(line.split())[:_LONGEST]


def said_by(response: requests.Response) -> str:
    """What the body of a refused request says, in quotes after a colon; empty when nothing."""
    from urllib3.exceptions import HTTPError  # listing sources does without it

    try:
        body = response.raw.read(_LARGEST_BYTES, decode_content=True)
        said = titles(json.loads(body))
    except (ValueError, RecursionError, OSError, HTTPError):
        return ""
    return f": “{said}”" if said else ""
