"""What a compiled notice consists of: sections of lines, before they become text or HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from notices.catalogue import Gap


class Line(NamedTuple):
    """One paragraph, or one item of a list; a web address stands at its end."""

    text: str
    url: str = ""
    is_item: bool = False

    @property
    def plain(self) -> str:
        """The line as plain text."""
        said = f"{self.text} {self.url}".strip()
        return f"- {said}" if self.is_item else said


@dataclass(frozen=True)
class Section:
    """One element of the notice (N1 to N18) in one language."""

    code: str
    language: str
    heading: str
    lines: tuple[Line, ...]

    def blocks(self) -> list[tuple[Line, ...]]:
        """Return the lines with neighbouring list items together, paragraphs alone."""
        grouped: list[tuple[Line, ...]] = []
        for line in self.lines:
            if line.is_item and grouped and grouped[-1][0].is_item:
                grouped[-1] = (*grouped[-1], line)
            else:
                grouped.append((line,))
        return grouped


def web_address(url: str) -> str:
    """Return an http(s) address as it is; `Gap` for anything else a reader cannot open.

    Record addresses are made from a publisher's key, so other schemes (`javascript:`) and
    white space are refused here, before they reach a page.
    """
    parts = urlsplit(url) if url.isprintable() and " " not in url else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Gap("a web address is not known")
    return url


def sentence(text: str) -> str:
    """Return the owner's own words as a sentence: one full stop at the end."""
    words = text.strip()
    return words if not words or words[-1] in ".!?…" else f"{words}."


def opening(text: str) -> str:
    """Return a text whose first letter is a capital, as a line begins."""
    return text[:1].upper() + text[1:]
