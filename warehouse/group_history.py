"""Group structure as it was said at an earlier moment: what is held, less what came later.

By the clock of `warehouse.history`. A relationship's start and type are its key and never change;
whom it leads to does, and it can end, be retracted, vanish and come back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.columns import change_name
from sources.kit.shapes import EXCEPTION, OWN_PERIOD_TOLD, RELATIONSHIP
from warehouse import history
from warehouse.merge_absences import VANISHED
from warehouse.merge_retracted import RETRACTED
from warehouse.schema import change, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Row = dict[str, Any]

ACTIVE = "ACTIVE"
_PUBLISHED = tuple(dict.fromkeys((*RELATIONSHIP.published, *EXCEPTION.published)))
_DECIDING = ("end_lei", "relationship_status", RETRACTED, VANISHED)
"""What decides whether a relationship is in force, and with whom: names of `change`."""
STATED = ("end_lei", "exception_reasons")
"""Fields whose last change is the origin of what is said: whom it leads to, why there is none."""
_IN_FORCE = (
    record.c.relationship_status == ACTIVE,
    record.c.retracted_published.is_(None),
    record.c.vanished_at.is_(None),
)
"""Relationships a publisher states now: active, not retracted, not vanished."""
_TOLD = (record.c.record_id, record.c.start_lei, record.c.relationship_type)
_LED_ELSEWHERE = change.c.field == sa.literal_column("'end_lei'")
"""Written out, so that a database sees that its index of earlier ends fits."""


def relationships(
    moment: datetime | None, *, end: str | None = None, kinds: Sequence[str] = ()
) -> sa.Select[Any]:
    """(record_id, start_lei, relationship_type, end_lei) of relationships in force at the moment.

    None: now. Only those that led to the LEI `end`, and of these kinds, where either is given.
    """
    held = _as_held(kinds).where(*([] if end is None else [record.c.end_lei == end]))
    if moment is None:
        return held
    among = None if end is None else _ever_leading_to(end, moment)
    earlier = history.earlier_values(_DECIDING, moment, among)
    same = held.where(
        history.was_there(moment), record.c.record_id.not_in(sa.select(earlier.c.record_id))
    )
    changed = _as_it_was(earlier, kinds).where(history.was_there(moment))
    either = sa.union_all(same, changed).subquery()
    return sa.select(either).where(*([] if end is None else [either.c.end_lei == end]))


def _as_held(kinds: Sequence[str]) -> sa.Select[Any]:
    """Relationships in force by what is held."""
    return sa.select(*_TOLD, record.c.end_lei).where(
        record.c.end_lei.is_not(None), *_only(kinds), *_IN_FORCE
    )


def _as_it_was(earlier: sa.CTE, kinds: Sequence[str]) -> sa.Select[Any]:
    """Those of `earlier` that were in force by what they said then."""
    led_to = history.was(earlier, "end_lei", record.c.end_lei)
    is_listed = sa.case(
        (earlier.c[f"has_{VANISHED}"] == 1, earlier.c[VANISHED].is_(None)),
        else_=record.c.vanished_at.is_(None),
    )
    return (
        sa.select(*_TOLD, led_to.label("end_lei"))
        .select_from(record.join(earlier, earlier.c.record_id == record.c.record_id))
        .where(
            record.c.end_lei.is_not(None),
            *_only(kinds),
            history.was(earlier, "relationship_status", record.c.relationship_status) == ACTIVE,
            history.was(earlier, RETRACTED, record.c.retracted_published).is_(None),
            is_listed,
        )
    )


def families(moment: datetime | None, kinds: Sequence[str]) -> sa.CTE:
    """(start_lei, end_lei, relationship_type) of all relationships of these kinds in force.

    Set apart once, from what the indexes of both ends hold.
    """
    query = relationships(moment, kinds=kinds)
    ends = (query.selected_columns[name] for name in ("start_lei", "end_lei", "relationship_type"))
    return query.with_only_columns(*ends).cte()


def rewound(held: Row, changes: Sequence[Row], moment: datetime) -> Row:
    """A relationship or exception as it was said at the moment; `changes` are all of its own.

    `held` has `record`'s columns, any of them, and `delivery_id`, the origin of its statement;
    what it gets for that is the delivery that brought the statement then.
    """
    ordered = sorted(changes, key=lambda step: step["delivery_id"])
    later: Row = {}
    for step in ordered:
        if step["changed_at"] > moment:
            later.setdefault(step["field"], step["old_value"])
    texts = {name: later[change_name(name)] for name in _PUBLISHED if change_name(name) in later}
    then = {**held, **{name: text for name, text in texts.items() if name in held}}
    if VANISHED in later:
        then[VANISHED] = history.vanished_moment(later[VANISHED])
    if "relationship_periods" in texts:
        then |= _own_period(texts["relationship_periods"])
    stated = [
        step["delivery_id"]
        for step in ordered
        if step["field"] in STATED and step["changed_at"] <= moment
    ]
    return {**then, "delivery_id": stated[-1] if stated else held["first_delivery_id"]}


def _own_period(periods: str | None) -> Row:
    """First and last day of the relationship's own period, as the loader reads them."""
    told = [found.groupdict() for found in re.finditer(OWN_PERIOD_TOLD, periods or "")]
    return {
        f"relationship_{end}_date": history.day_published(
            next((one[end] for one in told if one[end]), None)
        )
        for end in ("start", "end")
    }


def _ever_leading_to(lei: str, moment: datetime) -> sa.Select[Any]:
    """Numbers of the relationships that lead to the LEI now, or did until after the moment."""
    left_since = sa.select(change.c.record_id).where(
        _LED_ELSEWHERE, change.c.old_value == lei, change.c.changed_at > moment
    )
    here = sa.select(record.c.record_id).where(record.c.end_lei == lei)
    return sa.select(sa.union(here, left_since).subquery().c.record_id)


def _only(kinds: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    return [record.c.relationship_type.in_(kinds)] if kinds else []
