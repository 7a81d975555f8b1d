"""A sequence of publications whose deltas are right by construction: each holds what differs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from sources.kit.sample_file import write_full
from sources.kit.standin_publish import Publish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sources.kit.standin_publish import Level

Lines = list[list[str]]

REACHES = {
    "IntraDay": timedelta(hours=8),
    "LastDay": timedelta(hours=24),
    "LastWeek": timedelta(days=7),
    "LastMonth": timedelta(days=31),
}
"""How far back each delta reaches."""

_KEYS = {
    "lei2": ("LEI",),
    "rr": ("Relationship.StartNode.NodeID", "Relationship.RelationshipType"),
    "repex": ("LEI", "Exception.Category"),
}
DELETED_AT = "DeletedAt"


class _State:
    """One full file, taken apart: its header, and the rows of each key."""

    def __init__(self, content: bytes, level: Level) -> None:
        rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        self.header = next(rows)
        places = [self.header.index(name) for name in _KEYS[level]]
        self.rows: dict[tuple[str, ...], Lines] = {}
        for row in rows:
            self.rows.setdefault(tuple(row[place] for place in places), []).append(row)


def sequence(states: Mapping[datetime, bytes], level: Level = "lei2") -> list[Publish]:
    """Publishes of full files (CSV by publication, UTC), each with the four deltas; oldest first.

    A delta holds the rows of every key that differed at any publication within its reach, as they
    are now, so each window holds the smaller ones. Where nothing that old was published it holds
    everything. A key that is gone is told of in `DeletedAt`, except in level 1, where none goes.
    """
    moments = sorted(states)
    read = [_State(states[moment], level) for moment in moments]
    return [
        Publish(
            moment,
            states[moment],
            deltas={
                window: _delta(read[: place + 1], moments[: place + 1], reach, level)
                for window, reach in REACHES.items()
            },
            level=level,
        )
        for place, moment in enumerate(moments)
    ]


def generated(rows: int, many: int, *, seed: int, as_of: date) -> list[Publish]:
    """`many` publications of invented companies, eight hours apart from 08:00 UTC on `as_of`.

    Each adds a hundredth of `rows`, and changes about a hundredth; before the first, nothing
    changed for so long that every delta has something to be compared with.
    """
    first, states = datetime.combine(as_of, time(8), UTC), {}
    for number in range(many):
        text, share = io.BytesIO(), min(number / 100, 1.0)
        more = rows * number // 100
        write_full(text, rows + more, seed=seed, as_of=as_of, changed_share=share)
        states[first + number * REACHES["IntraDay"]] = text.getvalue()
    states[first - 2 * REACHES["LastMonth"]] = states[first]
    return sequence(states)[1:]


def _delta(
    read: Sequence[_State], moments: Sequence[datetime], reach: timedelta, level: Level
) -> bytes:
    now = read[-1]
    since = [place for place, moment in enumerate(moments) if moment <= moments[-1] - reach]
    if not since:
        return _csv(now.header, [row for rows in now.rows.values() for row in rows])
    keys: dict[tuple[str, ...], None] = {}
    for before, after in zip(read[since[-1] : -1], read[since[-1] + 1 :], strict=True):
        both = {**before.rows, **after.rows}
        keys |= {key: None for key in both if before.rows.get(key) != after.rows.get(key)}
    present = [row for key in keys for row in now.rows.get(key, [])]
    if level == "lei2":
        return _csv(now.header, present)
    gone = [row for key in keys if key not in now.rows for row in _last_rows(read, key)]
    deleted_at = f"{moments[-1]:%Y-%m-%dT%H:%M:%SZ}"
    marked = [*([*row, ""] for row in present), *([*row, deleted_at] for row in gone)]
    return _csv([*now.header, DELETED_AT], marked)


def _last_rows(read: Sequence[_State], key: tuple[str, ...]) -> Lines:
    """The rows of a key that is gone, as they were last published."""
    return next(state.rows[key] for state in reversed(read) if key in state.rows)


def _csv(header: list[str], rows: Lines) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
