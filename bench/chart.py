"""The chart of a run: one bar a load, longer is slower, as an SVG that stands on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bench.databases import NAMES
from bench.measured import Series

_WIDTH, _LABELS, _FIGURES, _LINE, _BAR = 760, 300, 70, 22, 14
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.sqlite { fill: #4c78a8; }
.postgresql { fill: #e08a3c; }
.other { fill: #9aa5b1; }
@media (prefers-color-scheme: dark) { text { fill: #d7dde4; } }
"""


@dataclass(frozen=True)
class Section:
    """Loads that share a scale; `others` are those that are not the product's own."""

    title: str
    loads: Sequence[str]
    others: Sequence[str] = ()


def svg(title: str, sections: Sequence[Section], series: Series) -> str:
    """The chart; a load that was not measured has no bar."""
    y, parts = 24, [_text(0, 16, title, "title")]
    for section in sections:
        bars = [
            (kind, load, series.seconds(kind, load))
            for kind in series.databases()
            for load in section.loads
            if series.of(kind, load)
        ]
        if not bars:
            continue
        y += 26
        parts.append(_text(0, y, section.title, "title"))
        longest = max(seconds for _, _, seconds in bars)
        for kind, load, seconds in bars:
            y += _LINE
            shade = "other" if load in section.others else kind
            parts += _bar(y, f"{NAMES[kind]}: {load}", seconds, longest, shade)
    height = y + 12
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">'
    )
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>"]) + "\n"


def _bar(y: int, label: str, seconds: float, longest: float, shade: str) -> list[str]:
    length = max(1.0, seconds / longest * (_WIDTH - _LABELS - _FIGURES))
    place = f'x="{_LABELS}" y="{y - _BAR + 3}" width="{length:.1f}" height="{_BAR}"'
    return [
        _text(0, y, label, "label"),
        f'<rect class="{shade}" {place} rx="2"/>',
        _text(_LABELS + length + 6, y, f"{seconds:.2f} s", "figure"),
    ]


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
