"""The portal's pages and plain answers, and the headers that keep them to themselves."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from portal.embedding import notice_part
from portal.texts import speakers
from portal.words import button, contact, done_words, letter_words, rights, to_rights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Template

    from notices.catalogue import Speaker
    from portal.letters import Sent
    from portal.words import Said, Words
    from sources.kit.policy import Controller


@cache
def style() -> str:
    """Return the one style sheet; it stands in each page, and the policy allows its digest."""
    path = resources.files("portal") / "templates" / "page.css"
    return path.read_text(encoding="utf-8")


@cache
def headers() -> Mapping[str, str]:
    """Return the headers of every answer: no scripts, no frames, no cache, no trace elsewhere."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return MappingProxyType(
        {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "x-robots-tag": "noindex, nofollow",
        }
    )


class Pages:
    """Writes the pages for one controller; without one, the letter itself is the address."""

    def __init__(self, controller: Controller | None) -> None:
        self._controller = controller

    def letter(self, sent: Sent | None) -> str:
        """Return the page behind a link: one button, the letter's notice, the other rights."""
        voices = speakers(sent.language if sent else "")
        words = [letter_words(voice, sent) for voice in voices]
        notice = notice_part(sent.notice_html) if sent and sent.notice_html else ""
        return self._page(voices, words, button=button(voices), notice=notice)

    def done(self, languages: str) -> str:
        """Return the answer to a pressed button; it knows the asked languages and nothing else."""
        voices = speakers(languages)
        return self._page(voices, [done_words(voice) for voice in voices])

    def _page(
        self,
        voices: Sequence[Speaker],
        words: list[Words],
        *,
        button: tuple[Said, ...] = (),
        notice: str = "",
    ) -> str:
        return _template().render(
            style=style(),
            words=words,
            button=button,
            notice=notice,
            to_rights=to_rights(voices),
            rights=[rights(voice) for voice in voices],
            contact=contact(voices),
            controller=self._controller,
        )


def plain(*messages: str) -> str:
    """Return the texts in every language of ours, one a line: for answers without a page."""
    return "".join(f"{voice.say(each)}\n" for voice in speakers("") for each in messages)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
