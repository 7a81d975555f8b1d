"""Notices by the thousand: what a list's notices share is compiled once, the rest is filled in.

A company's name, keys, links and days are cut out of a compiled notice and every further notice of
the same cut is filled with its own. The outcome is, to the byte, what `compile_notice` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import escape

from notices.blocks import web_address
from notices.catalogue import Gap, plain, speaker
from notices.compile import Notice, compile_notice
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from notices.context import NoticeContext, ValueSource

MOST_CUTS = 512
"""Cuts kept at once, at most 80 kB each; a list of more kinds than that starts anew."""

# What is cut out is marked by words and addresses that nobody writes (RFC 2606 reserves .invalid)
# and by days a thousand years before any register.
_NAME, _LEI, _ID = "Qx0companyx0Q", "Qx0leix0Q", "Qx0noticex0Q"
_LINK = "https://qx0link.invalid/"
_FIRST_DAY = date(1001, 1, 1)


class _Slot(NamedTuple):
    """What fills a gap: a kind of value, which of several, and for days the language."""

    kind: str
    number: int = 0
    language: str = ""


@dataclass(frozen=True)
class _Text:
    """One text with its gaps: `said` has one piece more than there are `slots`."""

    said: tuple[str, ...]
    slots: tuple[_Slot, ...]

    def filled(self, values: dict[_Slot, str]) -> str:
        pieces = [self.said[0]]
        for slot, after in zip(self.slots, self.said[1:], strict=True):
            pieces += (values[slot], after)
        return "".join(pieces)


class _Cut(NamedTuple):
    """A notice's three texts with their gaps."""

    short: _Text
    full: _Text
    html: _Text


class _Facts:
    """What is one company's own in a context, each thing once and in a fixed order."""

    def __init__(self, context: NoticeContext) -> None:
        moments = [source.retrieved_at for source in context.sources if source.retrieved_at]
        stated = [source.published_at for source in context.sources if source.published_at]
        self.days = sorted({_day(moment) for moment in (*moments, *stated)})
        self.moments = sorted(set(moments))
        self.records = list(dict.fromkeys(source.record_url for source in context.sources))
        self._place = {day: n for n, day in enumerate(self.days)}
        self._rank = {moment: n for n, moment in enumerate(self.moments)}
        self._record = {url: n for n, url in enumerate(self.records)}

    def kind(self, source: ValueSource) -> tuple[Hashable, ...]:
        """A source but for its record's address and its days; order and equality of days count."""
        return (
            source.field,
            source.publisher,
            source.database_name,
            source.is_public_database,
            source.licence,
            self._record[source.record_url],
            self._day_number(source.published_at),
            self._day_number(source.retrieved_at),
            None if source.retrieved_at is None else self._rank[source.retrieved_at],
        )

    def marked(self, source: ValueSource) -> ValueSource:
        """The source with marks for its record's address and its days, in the same order."""
        rank = self._rank[source.retrieved_at] if source.retrieved_at else 0
        return replace(
            source,
            record_url=_record_mark(self._record[source.record_url]),
            published_at=self._day_mark(source.published_at, 0),
            retrieved_at=self._day_mark(source.retrieved_at, rank),
        )

    def _day_number(self, moment: datetime | None) -> int | None:
        return None if moment is None else self._place[_day(moment)]

    def _day_mark(self, moment: datetime | None, rank: int) -> datetime | None:
        if moment is None:
            return None
        day = _marked_day(self._place[_day(moment)])
        return datetime.combine(day, time(tzinfo=UTC)) + timedelta(seconds=rank)


class Stencils:
    """Compiles the notices of one list, whose contexts share controller, purpose and recipients."""

    def __init__(self) -> None:
        self._cuts: dict[Hashable, _Cut] = {}

    def compile(self, context: NoticeContext) -> tuple[Notice, str]:
        """What `compile_notice` returns, but for its parts, and its page as HTML.

        Raises `Refused`, naming every missing element, when the notice would not be complete.
        """
        facts = _Facts(context)
        cut = self._cut(context, facts) if _is_sayable(context) else None
        if cut is None:
            notice = compile_notice(context)
            return notice, notice.full_html
        values = _values(context, facts)
        notice = Notice(
            language="+".join(context.languages),
            parts=(),
            short=cut.short.filled(values),
            full_text=cut.full.filled(values),
        )
        in_html = {slot: str(escape(value)) for slot, value in values.items()}
        return notice, cut.html.filled(in_html)

    def _cut(self, context: NoticeContext, facts: _Facts) -> _Cut | None:
        key = (
            context.languages,
            context.country,
            tuple(row.country for row in context.authorities),
            tuple(row.id for row in context.retention),
            bool(context.lei),
            tuple(facts.kind(source) for source in context.sources),
        )
        cut = self._cuts.get(key)
        if cut is None:
            if len(self._cuts) >= MOST_CUTS:
                self._cuts.clear()
            try:
                cut = self._cuts[key] = _cut_out(context, facts)
            except Refused:  # it will be said again, with the notice's own number
                return None
        return cut


def _is_sayable(context: NoticeContext) -> bool:
    """Whether everything that is cut out can be said; if not, compiling tells what cannot."""
    try:
        for url in {context.notice_url, *(source.record_url for source in context.sources)}:
            web_address(url)
        marks = {speaker(language).day(_FIRST_DAY) for language in context.languages}
    except Gap:
        return False
    # Two languages that write the marks' month alike could not be told apart.
    is_told_apart = len(marks) == len(context.languages)
    return bool(is_told_apart and plain(context.company_name) and plain(context.notice_id))


def _cut_out(context: NoticeContext, facts: _Facts) -> _Cut:
    notice = compile_notice(
        replace(
            context,
            company_name=_NAME,
            lei=_LEI if context.lei else "",
            notice_id=_ID,
            notice_url=_LINK,
            sources=tuple(facts.marked(source) for source in context.sources),
        )
    )
    marks = _marks(context.languages, facts)
    return _Cut(
        *(_text(said, marks) for said in (notice.short, notice.full_text, notice.full_html))
    )


def _marks(languages: Sequence[str], facts: _Facts) -> dict[str, _Slot]:
    marks = {_NAME: _Slot("name"), _LEI: _Slot("lei"), _ID: _Slot("id"), _LINK: _Slot("link")}
    marks |= {_record_mark(n): _Slot("record", n) for n in range(len(facts.records))}
    for language in languages:
        voice = speaker(language)
        for n in range(len(facts.days)):
            marks[voice.day(_marked_day(n))] = _Slot("day", n, language)
    return marks


def _text(said: str, marks: dict[str, _Slot]) -> _Text:
    pattern = "|".join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True))
    pieces = re.split(f"({pattern})", said)
    return _Text(tuple(pieces[::2]), tuple(marks[mark] for mark in pieces[1::2]))


def _values(context: NoticeContext, facts: _Facts) -> dict[_Slot, str]:
    values = {
        _Slot("name"): plain(context.company_name),
        _Slot("lei"): plain(context.lei),
        _Slot("id"): plain(context.notice_id),
        _Slot("link"): context.notice_url,
    }
    values |= {_Slot("record", n): url for n, url in enumerate(facts.records)}
    for language in context.languages:
        voice = speaker(language)
        for n, day in enumerate(facts.days):
            values[_Slot("day", n, language)] = voice.day(day)
    return values


def _record_mark(number: int) -> str:
    return f"https://qx0record{number}.invalid/"


def _marked_day(number: int) -> date:
    return _FIRST_DAY.replace(year=_FIRST_DAY.year + number)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
