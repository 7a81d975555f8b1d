"""The notice compiler: what a context cannot say, and the notice that says all the rest needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from notices.blocks import web_address
from notices.catalogue import Gap, speaker
from notices.elements import (
    ELEMENTS,
    basis,
    build,
    company,
    in_language,
    introduction,
    known_controller,
)
from notices.language import JOINT
from notices.render import Part, render_html, render_text
from notices.source_text import short_sources
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from notices.blocks import Section
    from notices.catalogue import Speaker
    from notices.context import NoticeContext

_Said = TypeVar("_Said")

SHORT_ELEMENTS = ("N1", "N4", "N5", "N15", "N16")
"""What the short layer carries (privacy/notice, two layers); the rest is behind its link."""


@dataclass(frozen=True)
class Notice:
    """One notice as it leaves the house.

    `language` is as recorded (`da`, `en`, `da+en`); `parts` hold it language by language. `short`
    has one line a language, `full_text` is plain text.
    """

    language: str
    parts: tuple[Part, ...]
    short: str
    full_text: str

    @property
    def full_html(self) -> str:
        """A standalone page without scripts or external resources, rendered when asked for."""
        return render_html(self.parts)

    @property
    def elements(self) -> tuple[Section, ...]:
        """The sections (N1 to N18) in the order they stand, language by language."""
        return tuple(section for part in self.parts for section in part.sections)


def missing(context: NoticeContext) -> frozenset[str]:
    """Return the elements (`N1` to `N18`) that the context cannot satisfy in all its languages.

    A row with a non-empty answer is not exported (privacy/notice). Expired assessments, rules and
    contracts are the caller's to judge.
    """
    return frozenset(gaps(context))


def gaps(context: NoticeContext) -> dict[str, str]:
    """Return each missing element with the reason; no reason carries a value of the record."""
    return _gaps(_compile_all(context))


def compile_notice(context: NoticeContext, language: str | None = None) -> Notice:
    """Return the notice in `language` (`da`, `en`, `da+en`), else in the context's languages.

    Raises `Refused`, naming every missing element, when the notice would not be complete.
    """
    if language is not None:
        context = replace(context, languages=tuple(language.split(JOINT)))
    compiled = _compile_all(context)
    found = _gaps(compiled)
    if found:
        told = "; ".join(f"{code}: {why}" for code, why in sorted(found.items()))
        cure = "Complete the configuration or the record; nothing is sent without a full notice"
        raise Refused(f"notice {context.notice_id}", f"it is incomplete ({told})", cure)
    parts = tuple(part for part, _ in compiled)
    return Notice(
        language=JOINT.join(context.languages),
        parts=parts,
        short="\n".join(part.short for part in parts),
        full_text=render_text(parts),
    )


def _compile_all(context: NoticeContext) -> list[tuple[Part, dict[str, str]]]:
    return [_compile(context, speaker(language)) for language in context.languages]


def _gaps(compiled: list[tuple[Part, dict[str, str]]]) -> dict[str, str]:
    if not compiled:
        return {element.code: "no language is chosen" for element in ELEMENTS}
    return {code: why for _, found in reversed(compiled) for code, why in found.items()}


def _compile(context: NoticeContext, voice: Speaker) -> tuple[Part, dict[str, str]]:
    """Return what can be said in one language, and why the rest cannot."""
    found: dict[str, str] = {}
    needed = [element for element in ELEMENTS if element.is_needed(context)]
    tried = [
        _attempt(partial(build, element, context, voice), (element.code,), found)
        for element in needed
    ]
    title = _attempt(partial(_title, context, voice), ("N1",), found)
    intro = _attempt(partial(introduction, context, voice), ("N1",), found)
    # A short text cannot be said where an element of it is missing: that names the cause already.
    sayable = not found.keys() & set(SHORT_ELEMENTS)
    short = _attempt(partial(_short, context, voice), SHORT_ELEMENTS, found) if sayable else None
    sections = tuple(section for section in tried if section is not None)
    return Part(voice.language, title or "", intro or (), short or "", sections), found


def _attempt(say: Callable[[], _Said], codes: Sequence[str], found: dict[str, str]) -> _Said | None:
    """Return what `say` says; when it cannot, write the reason to `found` under `codes`."""
    try:
        return say()
    except Gap as gap:
        for code in codes:
            found.setdefault(code, str(gap))
        return None


def _title(context: NoticeContext, voice: Speaker) -> str:
    return voice.say("notice.title", company=company(context, voice))


def _short(context: NoticeContext, voice: Speaker) -> str:
    who = known_controller(context)
    return voice.say(
        "short.text",
        controller=who.name,
        address=who.address,
        email=who.email,
        purpose=in_language(context.purpose_text, voice),
        basis=voice.say(basis(context)[1]),
        sources=short_sources(context, voice),
        url=web_address(context.notice_url),
    )
