"""Companies that are customers of ours, or whose LEI we manage: never prospects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.read_company import LEI_SOURCE
from warehouse.schema import company, company_record, customer, record
from warehouse.segment_conditions import conditions, of_companies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy.engine import Connection

    from warehouse.segments import Selection

_BATCH = 500
_PAGE = 20_000


def ours(connection: Connection, as_of: date) -> frozenset[int]:
    """The companies held that a customer row leads to on that day: by LEI, else by number.

    A relationship counts until the day it ends; what we manage counts whatever its dates.
    """
    is_on = sa.or_(
        customer.c.is_managed,
        customer.c.relationship_end_date.is_(None),
        customer.c.relationship_end_date > as_of,
    )
    names = ("lei", "registration_authority", "registration_number")
    rows = connection.execute(sa.select(*(customer.c[name] for name in names)).where(is_on)).all()
    leis = sorted({row.lei for row in rows if row.lei})
    numbers = {(row[1], row[2]) for row in rows if row.registration_number and not row.lei}
    return frozenset((*_by_lei(connection, leis), *_by_number(connection, numbers)))


def count(connection: Connection, selection: Selection) -> int:
    """How many candidates of the selection are such companies."""
    found = sorted(ours(connection, selection.as_of))
    total = 0
    for start in range(0, len(found), _BATCH):
        query = (
            sa.select(sa.func.count())
            .select_from(of_companies())
            .where(*conditions(selection), company.c.company_id.in_(found[start : start + _BATCH]))
        )
        total += connection.scalar(query) or 0
    return total


def _linked() -> sa.Join:
    same = sa.and_(
        company_record.c.record_id == record.c.record_id,
        company_record.c.source_key == record.c.source_key,
        company_record.c.until_at.is_(None),
    )
    return record.join(company_record, same)


def _by_lei(connection: Connection, leis: list[str]) -> Iterator[int]:
    for start in range(0, len(leis), _BATCH):
        yield from connection.scalars(
            sa.select(company_record.c.company_id)
            .select_from(_linked())
            .where(
                record.c.source_id == LEI_SOURCE,
                record.c.source_key.in_(leis[start : start + _BATCH]),
            )
        )


def _by_number(connection: Connection, numbers: set[tuple[str, str]]) -> Iterator[int]:
    """Whoever has such a number in such a register; every number of it is read in its one form."""
    if not numbers:
        return
    import pyarrow as pa  # only exports and counts beside customers without an LEI need it

    from sources.kit.number_spaces import codes_sharing
    from sources.kit.register_numbers import keys_of

    codes = sorted({code for space, _ in numbers for code in codes_sharing(space)})
    query = (
        sa.select(
            company_record.c.company_id,
            record.c.registration_authority,
            record.c.registration_number,
        )
        .select_from(_linked())
        .where(record.c.registration_authority.in_(codes))
        .where(record.c.registration_number.is_not(None))
    )
    streamed = connection.execution_options(stream_results=True, yield_per=_PAGE)
    for page in streamed.execute(query).partitions():
        ids, authorities, texts = zip(*page, strict=True)
        keys = keys_of(pa.array(authorities, pa.string()), pa.array(texts, pa.string()))
        pairs = zip(keys.authorities.to_pylist(), keys.numbers.to_pylist(), strict=True)
        yield from (number for number, pair in zip(ids, pairs, strict=True) if pair in numbers)
