"""The queries of docs/sql.md that look back, as they stand there, put to any day."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
_BLOCKS: list[str] = re.findall(r"```sql\n(.*?);\n```", _PAGE.read_text("utf-8"), re.DOTALL)
_DAY = date(2026, 11, 2)
_LAST = date(2027, 1, 1)
DAYS = (_LAST - _DAY).days
"""How far ahead the query of siblings looks: the days of a segment, as they are by default."""


def _holding(words: str) -> str:
    (found,) = [block for block in _BLOCKS if words in block]
    return found


PROSPECTS = _holding("WITH later AS")
RELATIONSHIPS = _holding("WITH later_group AS")
EXCEPTIONS = _holding("WITH later_reasons AS")
SIBLINGS = _holding("relationships_then own")


def together(query: str) -> str:
    """The query, with the two answers it asks together before it where it names them."""
    if "prospects_then" not in query:
        return query
    return f"WITH prospects_then AS ({PROSPECTS}), relationships_then AS ({RELATIONSHIPS})\n{query}"


def on(query: str, day: date) -> str:
    """The query of that day's end."""
    last = (day + timedelta(days=DAYS)).isoformat()
    moved = together(query).replace(_LAST.isoformat(), "the last day")
    return moved.replace(_DAY.isoformat(), day.isoformat()).replace("the last day", last)
