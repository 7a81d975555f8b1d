"""A stored notice as a part of our page: rebuilt from an allow-list, so nothing else gets in."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from types import MappingProxyType
from typing import TYPE_CHECKING

from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

# A heading goes one level down: the page around the notice has the first one.
_TAGS = MappingProxyType(
    {
        **{f"h{level}": f"h{min(level + 1, 6)}" for level in range(1, 7)},
        **{tag: tag for tag in ("article", "section", "p", "ul", "ol", "li", "br", "hr", "a")},
        **{tag: tag for tag in ("div", "span", "strong", "em", "b", "i", "dl", "dt", "dd")},
    }
)
_VOID = frozenset({"br", "hr"})
# Elements whose text is not for readers; unknown ones lose their tags and keep their text.
_SILENT = frozenset({"head", "title", "script", "style", "template", "noscript", "iframe", "svg"})
_SHAPES = MappingProxyType(
    {
        "class": re.compile(r"boxed"),
        "id": re.compile(r"[A-Za-z0-9_-]{1,64}"),
        "aria-labelledby": re.compile(r"[A-Za-z0-9_-]{1,64}"),
        "lang": re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"),
    }
)
_ANCHORS = frozenset({"id", "aria-labelledby"})
_HREF = re.compile(r"(https?://|mailto:)[^\x00-\x20]+", re.IGNORECASE)


def notice_part(page: str) -> str:
    """Return what a notice's page shows, without its frame, as HTML that can do no harm.

    Only text, headings, paragraphs, lists and plain links remain, each tag closed; ids get the
    prefix `notice-`. The notice is ours and escaped already: this is the second lock.
    """
    builder = _Builder()
    builder.feed(page)
    builder.close()
    return builder.finished()


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent or tag in _SILENT:
            if tag in _SILENT:
                self._silent.append(tag)
            return
        if tag not in _TAGS:
            return
        self._parts.append(f"<{_TAGS[tag]}{''.join(_kept(tag, attrs))}>")
        if tag not in _VOID:
            self._open.append(_TAGS[tag])

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
            return
        ours = _TAGS.get(tag)
        if ours in self._open:
            self._close_from(len(self._open) - 1 - self._open[::-1].index(ours))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(escape(data))

    def finished(self) -> str:
        self._close_from(0)
        return "".join(self._parts).strip()

    def _close_from(self, at: int) -> None:
        self._parts.extend(f"</{inner}>" for inner in reversed(self._open[at:]))
        del self._open[at:]


def _kept(tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    for name, value in dict(attrs).items():
        if value is None:
            continue
        if name in _SHAPES and _SHAPES[name].fullmatch(value):
            prefix = "notice-" if name in _ANCHORS else ""
            yield f' {name}="{prefix}{escape(value)}"'
        elif (tag, name) == ("a", "href") and _HREF.fullmatch(value):
            yield f' href="{escape(value)}" rel="noopener noreferrer"'
