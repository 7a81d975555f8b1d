"""What the warehouse said at an earlier moment: what is held, less what came later.

The clock is ours: a value counts from the retrieval of the delivery that brought it, whatever date
its publisher gave. A value then is the old value of its first change after that moment; without
one it is the value held now. What was deleted stays gone, whatever the moment.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from sources.kit import columns
from sources.kit.columns import change_name
from warehouse.merge_absences import ABSENCES_BELIEVED, VANISHED
from warehouse.schema import change, delivery, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

Row = dict[str, Any]

_USUAL = re.compile(
    r"(1[1-9]|20)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
    r"|(19[89]|20\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}(Z|[+-]\d\d:\d\d)"
)
"""A moment whose year is no matter of doubt; a fraction is cut off alike only after 1970."""
REMOVED = "removed_by_retention"
"""Key of a rewound record under which the columns stand whose old value is not kept any more."""


def earlier_values(
    fields: Sequence[str], moment: datetime, among: sa.Select[Any] | None = None
) -> sa.CTE:
    """(record_id; `has_F` = 1 and `F` for each field F) of records that had another value then.

    `fields` are names of `change`. A record stands here when one of them changed after `moment`;
    `F` is the text as published. With `among` (record_id) only those records are looked at.
    """
    found = (
        sa.select(
            change.c.record_id,
            change.c.source_key,
            change.c.field,
            sa.func.min(change.c.delivery_id).label("delivery_id"),
        )
        .where(change.c.changed_at > moment, change.c.field.in_(fields))
        .group_by(change.c.record_id, change.c.source_key, change.c.field)
    )
    if among is not None:
        found = found.where(change.c.record_id.in_(among))
    later = found.cte()
    first = sa.and_(*(change.c[name] == later.c[name] for name in later.c.keys()))  # noqa: SIM118 (a ColumnCollection)
    parts = []
    for name in fields:
        is_it = change.c.field == name
        parts += [
            sa.func.max(sa.case((is_it, 1), else_=0)).label(f"has_{name}"),
            sa.func.max(sa.case((is_it, change.c.old_value))).label(name),
        ]
    return (
        sa.select(change.c.record_id, *parts)
        .select_from(later.join(change, first))
        .group_by(change.c.record_id)
        .cte()
    )


def was(
    earlier: sa.FromClause, name: str, held: sa.ColumnElement[Any], field: str | None = None
) -> sa.ColumnElement[Any]:
    """The value then of a column that is `held` now, outer joined with `earlier_values`."""
    return sa.case((earlier.c[f"has_{field or name}"] == 1, earlier.c[field or name]), else_=held)


def was_there(moment: datetime) -> sa.ColumnElement[bool]:
    """A record had been delivered by then."""
    return record.c.first_delivery_id.in_(
        sa.select(delivery.c.delivery_id).where(delivery.c.retrieved_at <= moment)
    )


def as_day(connection: Connection, published: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The calendar day of a date as published, as the loader keeps it (null stays null)."""
    text = sa.func.substr(published, 1, 10)
    if connection.dialect.name == "sqlite":
        return sa.type_coerce(text, sa.Date)
    return sa.cast(text, sa.Date)


def rewound(held: Row, changes: Sequence[Row], moment: datetime) -> Row:
    """The record as held at the moment; `changes` are all of its own.

    Columns whose old value retention has removed are null, and named under `REMOVED`.
    """
    ordered = sorted(changes, key=lambda change: change["delivery_id"])
    before: dict[str, Row] = {}
    first_later: dict[str, Row] = {}
    for step in ordered:
        if step["changed_at"] <= moment:
            before[step["field"]] = step
        else:
            first_later.setdefault(step["field"], step)
    texts = {
        name: first_later[change_name(name)]["old_value"]
        for name in columns.PUBLISHED
        if change_name(name) in first_later
    }
    removed = [
        name
        for name, text in texts.items()
        if text is None and before.get(change_name(name), {}).get("new_value") is not None
    ]
    then = {**held, **texts, **_moments(texts), REMOVED: removed}
    if VANISHED in first_later:
        then[VANISHED] = vanished_moment(first_later[VANISHED]["old_value"])
    return then


def vanished_moment(text: str | None) -> datetime | None:
    """The moment that a change of `vanished_at` names."""
    return datetime.fromisoformat(text) if text else None


def changes_until(changes: Sequence[Row], moment: datetime) -> list[Row]:
    """The changes applied by then, each with what was the current one of its field then."""
    known = [change for change in changes if change["changed_at"] <= moment]
    last = {
        (change["record_id"], change["field"]): change["delivery_id"]
        for change in sorted(known, key=lambda change: change["delivery_id"])
    }
    return [
        {
            **change,
            "is_current": change["delivery_id"] == last[change["record_id"], change["field"]],
        }
        for change in known
    ]


class FullFiles(NamedTuple):
    """When a source's newest full file of a moment was received, and how many came later."""

    last_seen_at: datetime | None
    later: int


def full_files(connection: Connection, source_id: str, moment: datetime) -> FullFiles:
    """The source's full files as of the moment."""
    full = sa.select(delivery.c.published_at, delivery.c.retrieved_at).where(
        delivery.c.source_id == source_id,
        delivery.c.kind == "full",
        delivery.c.status != "refused",
        delivery.c.published_at.is_not(None),
    )
    newest = connection.execute(
        full.where(delivery.c.retrieved_at <= moment)
        .order_by(delivery.c.published_at.desc(), delivery.c.delivery_id.desc())
        .limit(1)
    ).first()
    after = full.where(delivery.c.retrieved_at > moment).subquery()
    since = sa.select(sa.func.count(sa.distinct(after.c.published_at)))
    if newest is not None:
        since = since.where(after.c.published_at > newest.published_at)
    return FullFiles(newest.retrieved_at if newest else None, connection.scalar(since) or 0)


def with_absences(held: Row, files: FullFiles) -> Row:
    """The rewound record with the last full file of its source, and its absences, as of then.

    A single absence that ended leaves no trace and counts as none; one that was believed is told,
    its length is not.
    """
    streak = max(0, held["absent_count"] - files.later)
    return {
        **held,
        "last_seen_at": files.last_seen_at,
        "absent_count": max(streak, ABSENCES_BELIEVED) if held[VANISHED] else streak,
    }


def company_then(company: Row, changes: Sequence[Row], moment: datetime) -> Row:
    """The company's own row as of then: its state by its dates, its last change by `changes`."""
    day = moment.astimezone(UTC).date()
    since = company["inactive_since"]
    changed: datetime = company["last_changed_at"]
    if changed > moment:
        known = [c["changed_at"] for c in changes if c["field"] != VANISHED]
        changed = max([company["first_seen_at"], *(at for at in known if at <= moment)])
    then = {**company, "last_changed_at": changed}
    if since is None or since <= day:
        return then
    blank = dict.fromkeys(("inactive_since", "inactive_reason", "delete_after"))
    return {**then, **blank, "state": "active"}


def day_published(text: str | None) -> date | None:
    """The calendar day of a moment as published, read as the loader reads it."""
    found: date | None = _moment("next_renewal", text)["next_renewal_date"]
    return found


def _moments(texts: Row) -> Row:
    """The `*_at` and `*_date` columns of these texts, read as the loader reads them."""
    found: Row = {}
    for name, text in texts.items():
        if name.endswith("_published"):
            stem = name.removesuffix("_published")
            found |= _moment(stem, text)
    return found


def _moment(stem: str, text: str | None) -> Row:
    """The usual forms are read here: the loader's own way costs the import of Arrow."""
    fields = [columns.BY_NAME[f"{stem}_at"]]
    if f"{stem}_date" in columns.BY_NAME:
        fields.append(columns.BY_NAME[f"{stem}_date"])
    if text is None:
        return {field.name: None for field in fields}
    if _USUAL.fullmatch(text):
        read = datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
        both = {f"{stem}_at": read, f"{stem}_date": date.fromisoformat(text[:10])}
        return {field.name: both[field.name] for field in fields}
    import pyarrow as pa

    from sources.kit.tidy import with_moments

    column = pa.chunked_array([pa.array([text], pa.string())])
    (row,) = with_moments(pa.table({f"{stem}_published": column}), fields).to_pylist()
    seconds = row[f"{stem}_at"]
    row[f"{stem}_at"] = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return {field.name: row[field.name] for field in fields}
