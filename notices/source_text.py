"""N15, why this product exists: which value came from which source, and where to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from notices import vocabulary
from notices.blocks import Line, opening, web_address
from notices.catalogue import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notices.catalogue import Speaker
    from notices.context import NoticeContext, ValueSource


class _Origin(NamedTuple):
    """What values of one delivery share, as the reader sees it."""

    database: str
    publisher: str
    is_public: bool
    licence: str
    record_url: str
    retrieved: str
    published: str


def source_lines(context: NoticeContext, speaker: Speaker) -> tuple[Line, ...]:
    """Return one item for each origin, with the values it brought and the record's address.

    Raises `Gap` for a held value without a source, and for a source without publisher, database,
    licence, date of retrieval or record address. Only the publication date may be unknown, and
    then the text says so.
    """
    unsourced = sorted(set(context.held) - {source.field for source in context.sources})
    if unsourced or not context.sources:
        raise Gap(f"no source is recorded for {', '.join(unsourced) or 'any value'}")
    lines = [Line(speaker.say("N15.lead"))]
    for origin, fields in _by_origin(context.sources, speaker).items():
        text = speaker.say(
            "N15.source",
            fields=opening(speaker.join(fields)),
            database=origin.database,
            publisher=origin.publisher,
            retrieved=origin.retrieved,
            published=origin.published,
            access=_access(speaker, is_public=origin.is_public),
            licence=origin.licence,
        )
        record = speaker.say("N15.record")
        lines.append(Line(f"{text} {record}", origin.record_url, is_item=True))
    return tuple(lines)


def _by_origin(sources: Iterable[ValueSource], speaker: Speaker) -> dict[_Origin, list[str]]:
    origins: dict[_Origin, list[str]] = {}
    for source in sources:
        origin = _Origin(
            source.database_name,
            source.publisher,
            source.is_public_database,
            source.licence,
            web_address(source.record_url),
            speaker.day(source.retrieved_at),
            _published(source, speaker),
        )
        words = speaker.term(vocabulary.FIELDS, source.field)
        origins.setdefault(origin, []).append(words)
    return origins


def _access(speaker: Speaker, *, is_public: bool) -> str:
    return speaker.say("N15.access.public") if is_public else speaker.say("N15.access.closed")


def _published(source: ValueSource, speaker: Speaker) -> str:
    if source.published_at is None:
        return speaker.say("N15.published.unknown")
    return speaker.say("N15.published.on", day=speaker.day(source.published_at))


def short_sources(context: NoticeContext, speaker: Speaker) -> str:
    """Return the sources in one breath for the short text: each record once, with every day."""
    days: dict[tuple[str, str, str, str, str], list[str]] = {}
    for source in sorted(context.sources, key=_retrieved):
        record = (
            source.database_name,
            source.publisher,
            web_address(source.record_url),
            _short_access(speaker, is_public=source.is_public_database),
            source.licence,
        )
        days.setdefault(record, []).append(speaker.day(source.retrieved_at))
    return "; ".join(
        speaker.say(
            "short.source",
            database=database,
            publisher=publisher,
            record_url=url,
            access=access,
            licence=licence,
            retrieved=speaker.join(dates),
        )
        for (database, publisher, url, access, licence), dates in days.items()
    )


def _short_access(speaker: Speaker, *, is_public: bool) -> str:
    return speaker.say("short.access.public") if is_public else speaker.say("short.access.closed")


def _retrieved(source: ValueSource) -> float:
    if source.retrieved_at is None:
        raise Gap("a date is not known")
    return source.retrieved_at.timestamp()
