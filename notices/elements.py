"""The elements N1 to N18 of a complete notice, each built from the context or raising `Gap`.

The list is privacy/notice, after GDPR art. 13 and 14. What cannot be built is what is missing, so
the check and the text can never disagree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from notices import vocabulary
from notices.blocks import Line, Section, sentence, web_address
from notices.catalogue import Gap
from notices.retention_text import retention_lines
from notices.source_text import source_lines
from sources.kit.countries import EEA_COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from notices.catalogue import Speaker
    from notices.context import NoticeContext
    from sources.kit.policy import Authority, Controller, Recipient

    Lines = tuple[Line, ...]

HOME_AUTHORITY = "DK"
"""The authority that every notice names beside the recipient's own (founding policy, clause 8)."""


class Element(NamedTuple):
    """One element: its heading, what builds its lines, and whether this notice needs it."""

    code: str
    heading: str
    lines: Callable[[NoticeContext, Speaker], Lines]
    is_needed: Callable[[NoticeContext], bool] = lambda _context: True


def known_controller(context: NoticeContext) -> Controller:
    """Return the controller; `Gap` where the owner has not said who that is."""
    if context.controller is None:
        raise Gap("the controller is not known")
    return context.controller


def company(context: NoticeContext, speaker: Speaker) -> str:
    """Return whom the notice concerns: the name, with the LEI where there is one."""
    if not context.lei:
        return speaker.say("company.name", name=context.company_name)
    return speaker.say("company.name_and_lei", name=context.company_name, lei=context.lei)


def in_language(texts: Mapping[str, str], speaker: Speaker) -> str:
    """Return the owner's text in the notice's language; `Gap` when there is none in it."""
    text = texts.get(speaker.language, "")
    if not text.strip():
        raise Gap(f"no text in {speaker.language!r}")
    return sentence(text)


def introduction(context: NoticeContext, speaker: Speaker) -> Lines:
    """Return the lines under the title: who writes to whom and how, and for whom this is meant."""
    intro = speaker.say(
        "notice.intro",
        controller=known_controller(context).name,
        company=company(context, speaker),
        channel=speaker.term(vocabulary.CHANNELS, context.channel),
    )
    return Line(intro), Line(speaker.say("notice.persons"))


def _controller(context: NoticeContext, speaker: Speaker) -> Lines:
    who = known_controller(context)
    identity = speaker.say(
        "N1.text",
        name=who.name,
        address=who.address,
        country=speaker.country(who.country),
        registration_number=who.registration_number,
        email=who.email,
    )
    return (Line(identity),)


def _representative(context: NoticeContext, speaker: Speaker) -> Lines:
    name = known_controller(context).representative
    if name is None:
        return (Line(speaker.say("N2.none")),)
    return (Line(speaker.say("N2.text", representative=name)),)


def _protection_officer(context: NoticeContext, speaker: Speaker) -> Lines:
    name = known_controller(context).data_protection_officer
    if name is None:
        return (Line(speaker.say("N3.none")),)
    return (Line(speaker.say("N3.text", officer=name)),)


def _purpose(context: NoticeContext, speaker: Speaker) -> Lines:
    purpose = in_language(context.purpose_text, speaker)
    return (Line(speaker.say("N4.text", purpose=purpose)),)


def basis(context: NoticeContext) -> tuple[str, str]:
    """Return the message ids of the legal basis, full and short."""
    if context.legal_basis not in vocabulary.BASES:
        raise Gap("the legal basis is not known")
    return vocabulary.BASES[context.legal_basis]


def _basis(context: NoticeContext, speaker: Speaker) -> Lines:
    return (Line(speaker.say(basis(context)[0])),)


def _categories(context: NoticeContext, speaker: Speaker) -> Lines:
    stray = {source.field for source in context.sources} - set(context.held)
    if stray:
        raise Gap(f"{', '.join(sorted(stray))} has a source but is not listed as held")
    words = [speaker.term(vocabulary.FIELDS, field) for field in context.held]
    fields = speaker.join(words)
    return (Line(speaker.say("N6.text", company=company(context, speaker), fields=fields)),)


def _recipients(context: NoticeContext, speaker: Speaker) -> Lines:
    if context.recipients is None:
        raise Gap("the recipients are not known")
    others = [who for who in context.recipients if who.kind != "own"]
    told = [Line(_recipient(who, speaker)) for who in others] or [Line(speaker.say("N7.none"))]
    return (*told, Line(speaker.say("N7.law")))


def _recipient(who: Recipient, speaker: Speaker) -> str:
    country = speaker.country(who.country)
    if who.kind not in vocabulary.RECIPIENTS:
        raise Gap(f"no words for a recipient of kind {who.kind!r}")
    return speaker.say(vocabulary.RECIPIENTS[who.kind], name=who.name, country=country)


def _transfers(context: NoticeContext, speaker: Speaker) -> Lines:
    if context.transfers is None:
        raise Gap("the transfers are not known")
    told = {(transfer.name, transfer.country) for transfer in context.transfers}
    abroad = {
        (who.name, who.country)
        for who in context.recipients or ()
        if who.country not in EEA_COUNTRIES
    }
    if abroad - told:
        raise Gap("a recipient outside the EEA has no recorded safeguard")
    if not context.transfers:
        return (Line(speaker.say("N8.none")),)
    return tuple(
        Line(
            speaker.say(
                "N8.text",
                name=transfer.name,
                country=speaker.country(transfer.country),
                safeguard=transfer.safeguard,
            )
        )
        for transfer in context.transfers
    )


def _interest(context: NoticeContext, speaker: Speaker) -> Lines:
    interest = in_language(context.interest_text, speaker)
    return (Line(speaker.say("N10.text", interest=interest)),)


def _rights(context: NoticeContext, speaker: Speaker) -> Lines:
    rights = (
        speaker.say("N11.access"),
        speaker.say("N11.rectification"),
        speaker.say("N11.erasure"),
        speaker.say("N11.restriction"),
        speaker.say("N11.objection"),
        speaker.say("N11.portability"),
    )
    how = speaker.say("N11.how", email=known_controller(context).email)
    items = (Line(right, is_item=True) for right in rights)
    return Line(speaker.say("N11.lead")), *items, Line(how)


def _withdrawal(_context: NoticeContext, speaker: Speaker) -> Lines:
    return (Line(speaker.say("N12.text")),)


def _automation(context: NoticeContext, speaker: Speaker) -> Lines:
    if context.is_decided_automatically:
        raise Gap("automated decisions are made, and no text explains their logic")
    return (Line(speaker.say("N13.none")),)


def _authorities(context: NoticeContext, speaker: Speaker) -> Lines:
    # Outside the EEA there is no authority under the Regulation: Denmark's stands alone.
    needed = {HOME_AUTHORITY, context.country} & (EEA_COUNTRIES | {HOME_AUTHORITY})
    lacking = needed - {authority.country for authority in context.authorities}
    if lacking:
        raise Gap(f"no complaint authority is recorded for {', '.join(sorted(lacking))}")
    items = (_authority(authority, speaker) for authority in context.authorities)
    return Line(speaker.say("N14.lead")), *items


def _authority(authority: Authority, speaker: Speaker) -> Line:
    text = speaker.say(
        "N14.authority",
        name=authority.name,
        address=authority.address,
        country=speaker.country(authority.country),
    )
    return Line(text, web_address(authority.url), is_item=True)


def _objection(context: NoticeContext, speaker: Speaker) -> Lines:
    email = known_controller(context).email
    return (
        Line(speaker.say("N16.text")),
        Line(speaker.say("N16.link"), web_address(context.notice_url)),
        Line(speaker.say("N16.email", email=email)),
    )


def _suppression(_context: NoticeContext, speaker: Speaker) -> Lines:
    return (Line(speaker.say("N17.text")),)


def _colophon(context: NoticeContext, speaker: Speaker) -> Lines:
    languages = speaker.join(speaker.language_name(code) for code in context.languages)
    text = speaker.say(
        "N18.text",
        notice_id=context.notice_id,
        day=speaker.day(context.issued_on),
        policy_version=context.policy_version,
        languages=languages,
    )
    return (Line(text),)


ELEMENTS = (
    Element("N1", vocabulary.mark("N1.heading"), _controller),
    Element("N15", vocabulary.mark("N15.heading"), source_lines),
    Element("N16", vocabulary.mark("N16.heading"), _objection),
    Element("N4", vocabulary.mark("N4.heading"), _purpose),
    Element("N5", vocabulary.mark("N5.heading"), _basis),
    Element(
        "N10",
        vocabulary.mark("N10.heading"),
        _interest,
        lambda context: context.legal_basis == "6(1)(f)",
    ),
    Element("N6", vocabulary.mark("N6.heading"), _categories),
    Element("N7", vocabulary.mark("N7.heading"), _recipients),
    Element("N8", vocabulary.mark("N8.heading"), _transfers),
    Element("N9", vocabulary.mark("N9.heading"), retention_lines),
    Element("N11", vocabulary.mark("N11.heading"), _rights),
    Element(
        "N12",
        vocabulary.mark("N12.heading"),
        _withdrawal,
        lambda context: context.is_consent_used or context.legal_basis == "6(1)(a)",
    ),
    Element("N13", vocabulary.mark("N13.heading"), _automation),
    Element("N14", vocabulary.mark("N14.heading"), _authorities),
    Element("N17", vocabulary.mark("N17.heading"), _suppression),
    Element("N2", vocabulary.mark("N2.heading"), _representative),
    Element("N3", vocabulary.mark("N3.heading"), _protection_officer),
    Element("N18", vocabulary.mark("N18.heading"), _colophon),
)
"""In the order a reader meets them: who, from where, how to say stop, and then the rest."""


def build(element: Element, context: NoticeContext, speaker: Speaker) -> Section:
    """Return one element in the speaker's language; raises `Gap` when it cannot be said."""
    lines = element.lines(context, speaker)
    return Section(element.code, speaker.language, speaker.say(element.heading), lines)
