"""What the portal says in one language, in the order its pages show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from notices.catalogue import Speaker
    from portal.letters import Sent


class Words(NamedTuple):
    """The top of a page in one language; `status` is a heading and its text, or nothing."""

    language: str
    title: str
    lead: str
    notes: tuple[str, ...]
    status: tuple[str, ...] = ()


class Right(NamedTuple):
    """One right: what it is called, and what its holder may ask."""

    name: str
    text: str


class Rights(NamedTuple):
    """The other rights in one language."""

    language: str
    heading: str
    lead: str
    entries: tuple[Right, ...]


class Said(NamedTuple):
    """A short text in one language."""

    language: str
    text: str


class Contact(NamedTuple):
    """The labels of the controller's particulars, each in every language that differs."""

    heading: tuple[Said, ...]
    email: tuple[Said, ...]
    registration_number: tuple[Said, ...]
    representative: tuple[Said, ...]
    officer: tuple[Said, ...]
    is_in_the_letter: tuple[Said, ...]


def letter_words(voice: Speaker, sent: Sent | None) -> Words:
    """Return the page of the link: what the button does, and what became of the letter's notice."""
    return Words(
        language=voice.language,
        title=voice.say("stop.title"),
        lead=voice.say("stop.lead"),
        notes=(voice.say("stop.note"),),
        status=_status(voice, sent),
    )


def _status(voice: Speaker, sent: Sent | None) -> tuple[str, ...]:
    if sent is None:
        return (voice.say("unknown.heading"), voice.say("unknown.text"))
    if sent.notice_html is None:
        return (voice.say("deleted.heading"), voice.say("deleted.text"))
    return ()


def done_words(voice: Speaker) -> Words:
    """Return the answer to a pressed button: the same to every token, and true of every one."""
    return Words(
        language=voice.language,
        title=voice.say("done.title"),
        lead=voice.say("done.lead"),
        notes=(voice.say("done.kept"), voice.say("done.unknown")),
    )


def rights(voice: Speaker) -> Rights:
    """Return the rights besides the stop (GDPR art. 7, 15 to 21 and 77; privacy/clauses, 8)."""
    return Rights(
        voice.language,
        voice.say("rights.heading"),
        voice.say("rights.lead"),
        (
            Right(voice.say("rights.access"), voice.say("rights.access.text")),
            Right(voice.say("rights.renew"), voice.say("rights.renew.text")),
            Right(voice.say("rights.rectify"), voice.say("rights.rectify.text")),
            Right(voice.say("rights.erase"), voice.say("rights.erase.text")),
            Right(voice.say("rights.restrict"), voice.say("rights.restrict.text")),
            Right(voice.say("rights.object"), voice.say("rights.object.text")),
            Right(voice.say("rights.portability"), voice.say("rights.portability.text")),
            Right(voice.say("rights.withdraw"), voice.say("rights.withdraw.text")),
            Right(voice.say("rights.complain"), voice.say("rights.complain.text")),
        ),
    )


def contact(voices: Sequence[Speaker]) -> Contact:
    """Return the labels of the controller's particulars in all languages of a page."""
    return Contact(
        _together(voices, lambda voice: voice.say("contact.heading")),
        _together(voices, lambda voice: voice.say("contact.email")),
        _together(voices, lambda voice: voice.say("contact.registration_number")),
        _together(voices, lambda voice: voice.say("contact.representative")),
        _together(voices, lambda voice: voice.say("contact.officer")),
        _together(voices, lambda voice: voice.say("contact.is_in_the_letter")),
    )


def button(voices: Sequence[Speaker]) -> tuple[Said, ...]:
    """Return what the one button says, in all languages of a page."""
    return _together(voices, lambda voice: voice.say("stop.button"))


def to_rights(voices: Sequence[Speaker]) -> tuple[Said, ...]:
    """Return what the link past the notice says."""
    return _together(voices, lambda voice: voice.say("rights.link"))


def _together(voices: Sequence[Speaker], say: Callable[[Speaker], str]) -> tuple[Said, ...]:
    by_text = {say(voice): voice.language for voice in reversed(voices)}
    return tuple(Said(language, text) for text, language in reversed(by_text.items()))
