"""What is held on the companies of a list, each value with the delivery that brought it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit import columns
from sources.kit.columns import change_name
from sources.kit.numbers import register_key
from sources.kit.shapes import AD_PROTECTED
from warehouse.read_company import LEI_SOURCE
from warehouse.schema import (
    change,
    company,
    company_record,
    contact_point,
    correction,
    delivery,
    personal_value,
    record,
    source_cursor,
)
from warehouse.schema.corrections import DATABASE_NAME, LICENCE

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

_Row = Mapping[str, Any]
_Changes = dict[str, int]
_Parts = Sequence[tuple[str, int]]

_FIELDS = (*columns.PUBLISHED, AD_PROTECTED.name)
_NAMES = tuple((name, change_name(name)) for name in _FIELDS)
"""Every published field with its name in `change`."""
CARE_OF = "_care_of"
"""Ending of a care-of part's field: it came as part of the line before the ending."""


@dataclass(frozen=True)
class Origin:
    """Where some held values came from: rows of the `origins` view that differ in field only.

    `fields` are words of `sources.kit.columns`, in its order, and kinds of contact points.
    `is_shown`: they are of the record that `prospects` shows, and may stand in a list.
    """

    fields: tuple[str, ...]
    publisher: str
    database_name: str
    is_public_database: bool
    licence: str
    record_url: str
    delivery_sha256: str
    published_at: datetime | None
    retrieved_at: datetime
    is_shown: bool = True


@dataclass(frozen=True)
class Holding:
    """Everything held on one company.

    `values` are the texts of the record that `prospects` shows; `origins` cover every value of
    all its records and every contact point. A part of an address that names a person has the
    origin of its address line and stands in no value. `has_personal_values` says that there are
    such parts, or contact points: what the policy row of persons deletes. `lei` is None of a
    company without one. `subject` is what a stop is remembered under: `lei` and the LEI, or
    `register` and the number (`register_key`).
    """

    company_id: int
    lei: str | None
    subject: tuple[str, str]
    values: dict[str, str | None]
    origins: tuple[Origin, ...]
    has_personal_values: bool


class Holdings:
    """Reads holdings a few hundred companies at a time; publishers and deliveries are kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = connection.execute(sa.select(source_cursor)).mappings()
        self._publishers = {row["source_id"]: dict(row) for row in rows}
        self._deliveries: dict[int, _Row] = {}
        self._corrections: dict[tuple[int, int], dict[str, str]] = {}

    def read(self, company_ids: Sequence[int]) -> dict[int, Holding]:
        """The holdings of these companies, by company id; a few queries whatever their number."""
        rows = [dict(row) for row in self._connection.execute(_records(company_ids)).mappings()]
        record_ids = [row["record_id"] for row in rows]
        changes = self._current_changes(record_ids)
        personal = self._kept_apart(record_ids)
        self._learn(rows, changes, personal)
        self._learn_corrections(record_ids)
        records: dict[int, list[_Row]] = {}
        for row in rows:
            records.setdefault(row["company_id"], []).append(row)
        return {
            number: _holding(number, held, self._origins_of(held, changes, personal), personal)
            for number, held in records.items()
        }

    def _origins_of(
        self, held: Sequence[_Row], changes: Mapping[int, _Changes], personal: Mapping[int, _Parts]
    ) -> tuple[Origin, ...]:
        found = (
            self._origins(
                row, changes.get(row["record_id"], {}), personal.get(row["record_id"], ())
            )
            for row in held
        )
        return tuple(chain.from_iterable(found))

    def _origins(self, row: _Row, changed: _Changes, parts: _Parts) -> list[Origin]:
        """Each delivery's values; what a person corrected in it stands apart."""
        first: int = row["first_delivery_id"]
        brought: dict[int, list[str]] = {}
        if row["source_id"] == LEI_SOURCE:
            brought[first] = ["lei"]
        for name, shown in _NAMES:
            if row[name] is not None:
                brought.setdefault(changed.get(shown, first), []).append(name)
        for field, delivery_id in parts:
            brought.setdefault(delivery_id, []).append(field.removesuffix(CARE_OF))
        found: list[Origin] = []
        for number, fields in brought.items():
            corrected = self._corrections.get((row["record_id"], number), {})
            own = [name for name in fields if change_name(name) in corrected]
            theirs = [name for name in fields if name not in own]
            if theirs:
                found.append(self._origin(row, number, theirs))
            if own:
                whose = corrected[change_name(own[0])]
                found.append(_as_corrected(self._origin(row, number, own), whose))
        return found

    def _origin(self, row: _Row, delivery_id: int, fields: list[str]) -> Origin:
        publisher, brought_by = self._publishers[row["source_id"]], self._deliveries[delivery_id]
        return Origin(
            fields=tuple(dict.fromkeys(fields)),
            publisher=publisher["publisher"],
            database_name=publisher["database_name"],
            is_public_database=bool(publisher["is_public_database"]),
            licence=publisher["licence"],
            record_url=publisher["record_url_template"].replace("{key}", row["source_key"]),
            delivery_sha256=brought_by["sha256"],
            published_at=brought_by["published_at"],
            retrieved_at=brought_by["retrieved_at"],
            is_shown=row["record_id"] == row["lead_record_id"],
        )

    def _current_changes(self, record_ids: Sequence[int]) -> dict[int, _Changes]:
        query = sa.select(change.c.record_id, change.c.field, change.c.delivery_id).where(
            change.c.record_id.in_(record_ids), change.c.is_current.is_(True)
        )
        found: dict[int, _Changes] = {}
        for record_id, field, delivery_id in self._connection.execute(query):
            found.setdefault(record_id, {})[field] = delivery_id
        return found

    def _kept_apart(self, record_ids: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
        """(field or kind, delivery) of values that name a person and of contact points."""
        held, point = personal_value.c, contact_point.c
        found: dict[int, list[tuple[str, int]]] = {}
        for query in (
            sa.select(held.record_id, held.field, held.delivery_id)
            .where(held.record_id.in_(record_ids))
            .order_by(held.record_id, held.field),
            sa.select(point.record_id, point.kind, point.first_delivery_id)
            .where(point.record_id.in_(record_ids))
            .order_by(point.record_id, point.kind, point.contact_id),
        ):
            for record_id, field, delivery_id in self._connection.execute(query):
                found.setdefault(record_id, []).append((field, delivery_id))
        return found

    def _learn(
        self,
        rows: Sequence[_Row],
        changes: Mapping[int, _Changes],
        personal: Mapping[int, _Parts],
    ) -> None:
        """Look up the deliveries that were not met before."""
        named = {row["first_delivery_id"] for row in rows}
        named |= {number for changed in changes.values() for number in changed.values()}
        named |= {number for parts in personal.values() for _, number in parts}
        names = ("delivery_id", "sha256", "published_at", "retrieved_at")
        query = sa.select(*(delivery.c[name] for name in names)).where(
            delivery.c.delivery_id.in_(named - self._deliveries.keys())
        )
        for row in self._connection.execute(query).mappings():
            self._deliveries[row["delivery_id"]] = dict(row)

    def _learn_corrections(self, record_ids: Sequence[int]) -> None:
        """Whose word each corrected field is, by record and delivery."""
        own = correction.c
        query = sa.select(own.record_id, own.delivery_id, own.field, own.corrected_by).where(
            own.record_id.in_(record_ids)
        )
        self._corrections = {}
        for record_id, delivery_id, field, whose in self._connection.execute(query):
            self._corrections.setdefault((record_id, delivery_id), {})[field] = whose


def _as_corrected(origin: Origin, whose: str) -> Origin:
    """The origin of values that no publisher sent; the address shows what it did send."""
    return replace(
        origin,
        publisher=whose,
        database_name=DATABASE_NAME,
        is_public_database=False,
        licence=LICENCE,
        published_at=None,
    )


def _holding(
    company_id: int,
    held: Sequence[_Row],
    origins: tuple[Origin, ...],
    personal: Mapping[int, _Parts],
) -> Holding:
    shown = next(row for row in held if row["record_id"] == row["lead_record_id"])
    key = shown["source_key"]
    lei = key if shown["source_id"] == LEI_SOURCE else None
    register = register_key(shown["registration_authority"], shown["registration_number"])
    return Holding(
        company_id=company_id,
        lei=lei,
        subject=("lei", lei) if lei else ("register", register or key),
        values={name: shown[name] for name in columns.PUBLISHED},
        origins=origins,
        has_personal_values=any(row["record_id"] in personal for row in held),
    )


def _records(company_ids: Sequence[int]) -> sa.Select[Any]:
    link = company_record
    is_linked = sa.and_(
        record.c.record_id == link.c.record_id, record.c.source_key == link.c.source_key
    )
    return (
        sa.select(
            company.c.company_id,
            company.c.lead_record_id,
            record.c.record_id,
            record.c.source_id,
            record.c.source_key,
            record.c.first_delivery_id,
            *(record.c[name] for name in _FIELDS),
        )
        .select_from(company)
        .join(link, link.c.company_id == company.c.company_id)
        .join(record, is_linked)
        .where(company.c.company_id.in_(company_ids), link.c.until_at.is_(None))
        .order_by(company.c.company_id, record.c.record_id)
    )
