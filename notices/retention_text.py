"""N9: how long data is kept, said from the same policy row that will delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notices import vocabulary
from notices.blocks import Line
from notices.catalogue import Gap
from sources.kit.period import parse_period

if TYPE_CHECKING:
    from notices.catalogue import Speaker
    from notices.context import NoticeContext
    from sources.kit.policy import RetentionPolicy


def retention_lines(context: NoticeContext, speaker: Speaker) -> tuple[Line, ...]:
    """Return one paragraph for each policy row; `Gap` when no row covers the data."""
    if not context.retention:
        raise Gap("no retention policy covers the data")
    return tuple(Line(_paragraph(row, speaker)) for row in context.retention)


def _paragraph(row: RetentionPolicy, speaker: Speaker) -> str:
    """Say every part the row has and no other, so that a changed row changes the text."""
    if row.notice_text not in vocabulary.RETENTION:
        raise Gap(f"no words for the retention policy {row.id}")
    opening_words, counted_from = vocabulary.RETENTION[row.notice_text]
    said = [speaker.say(opening_words)]
    if row.inactive_after:
        period = speaker.period(row.inactive_after)
        said.append(speaker.say("retention.inactive_after", period=period))
    if row.inactive_when:
        events = [speaker.term(vocabulary.EVENTS, event) for event in row.inactive_when]
        said.append(speaker.say("retention.inactive_when", events=speaker.join(events, "or")))
    if row.absence_grace:
        period = speaker.period(row.absence_grace)
        said.append(speaker.say("retention.absence_grace", period=period))
    said.append(_deletion(row, speaker.say(counted_from), speaker))
    if row.cap_from_start:
        said.append(speaker.say("retention.cap", period=speaker.period(row.cap_from_start)))
    return " ".join(said)


def _deletion(row: RetentionPolicy, start: str, speaker: Speaker) -> str:
    if not any(parse_period(row.delete_after_inactive)):
        return speaker.say("retention.delete_at_once")
    period = speaker.period(row.delete_after_inactive)
    return speaker.say("retention.delete", period=period, start=start)
