"""A compiled notice as plain text and as a standalone page that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from notices.blocks import Line, Section

_RULE = "-" * 64
_BOXED = "N16"
"""The objection has a block of its own (GDPR art. 21(4): apart from all other information)."""

STYLE = (
    "body{margin:0;background:#fff;color:#1c1c1c;font:1rem/1.55 'Liberation Sans',Arial,sans-serif}"
    "main{max-width:42rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}"
    "article+article{margin-top:3rem;border-top:1px solid #767676;padding-top:1.5rem}"
    "h1{font-size:1.45rem;line-height:1.25;margin:0 0 1rem}"
    "h2{font-size:1.05rem;margin:1.6rem 0 .3rem}"
    "p,ul{margin:.3rem 0 .7rem}ul{padding-left:1.25rem}li{margin:.25rem 0}"
    "a{color:#0b4a8f;overflow-wrap:anywhere}"
    ".boxed{border:2px solid #1c1c1c;border-radius:.25rem;padding:.2rem 1rem .5rem;margin:1.6rem 0}"
    ".boxed h2{margin-top:.7rem}"
    "@media print{main{max-width:none;padding:0}.boxed,section{break-inside:avoid}}"
)
"""The page's only style sheet, in the page itself."""


class Part(NamedTuple):
    """A notice in one language: its opening, the short text, and the sections in their order."""

    language: str
    title: str
    intro: tuple[Line, ...]
    short: str
    sections: tuple[Section, ...]


def style_source() -> str:
    """Return the Content-Security-Policy source that allows this style sheet and no other."""
    digest = hashlib.sha256(STYLE.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def render_text(parts: Sequence[Part]) -> str:
    """Return the notice as plain text, one language after the other, lines not wrapped."""
    return f"\n\n{'=' * len(_RULE)}\n\n".join(_part_text(part) for part in parts) + "\n"


def _part_text(part: Part) -> str:
    intro = "\n".join(line.plain for line in part.intro)
    sections = (_section_text(section) for section in part.sections)
    return "\n\n".join([part.title, intro, *sections])


def _section_text(section: Section) -> str:
    text = "\n".join([section.heading, *(line.plain for line in section.lines)])
    return f"{_RULE}\n{text}\n{_RULE}" if section.code == _BOXED else text


def render_html(parts: Sequence[Part]) -> str:
    """Return the notice as one page of valid HTML; every value in it is escaped."""
    return _template().render(parts=parts, style=STYLE, style_source=style_source(), boxed=_BOXED)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("notices"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("notice.html.j2")
