"""Which company a register's number leads to, by what LEI records and persons say.

A number leads to a company when one company's records state it whose LEI has not ended, or else
when one company's records state it at all; where two do, it leads nowhere, and the register's row
is quarantined with both shown. A company that a person has parted from the number's entry states
it no more, as long as another one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from warehouse.joins import AMBIGUOUS
from warehouse.schema import company_record, delivery, quarantined_row, record, record_number
from warehouse.schema.records import BY_HAND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

LEI_ENDED = ("ANNULLED", "DUPLICATE", "MERGED", "PENDING_ARCHIVAL", "RETIRED")
"""RegistrationStatus of records that give way to another one with the same number."""
MOST_MISSING = 500
"""Numbers looked up beside a feed at most; the rest wait for the next one."""


@dataclass(frozen=True)
class KnownNumbers:
    """Numbers of one space that LEI records state: `numbers` (text), each once.

    `is_ambiguous` (bool) beside them: it leads to more than one company. `leis` names, for those,
    the LEIs that state it.
    """

    numbers: pa.Array
    is_ambiguous: np.ndarray
    leis: dict[str, tuple[str, ...]]


def read_known_numbers(
    connection: Connection, space: str, registers: Mapping[str, str]
) -> KnownNumbers:
    """Every number of the space that a company now held states.

    `registers`: every register among the sources, with the space of its numbers.
    """
    found = leading(connection, registers, numbers=(space, None))
    rows = connection.execute(sa.select(found.c.number, found.c.company_id)).all()
    ambiguous = [row.number for row in rows if row.company_id is None]
    return KnownNumbers(
        numbers=pa.array([row.number for row in rows], pa.string()),
        is_ambiguous=np.array([row.company_id is None for row in rows], dtype=bool),
        leis=_stating(connection, space, ambiguous),
    )


def _stating(connection: Connection, space: str, numbers: list[str]) -> dict[str, tuple[str, ...]]:
    """The LEIs that state these numbers; they are few."""
    named: dict[str, tuple[str, ...]] = {}
    for number in numbers:
        query = sa.select(record_number.c.source_key).where(
            record_number.c.number_space == space, record_number.c.number == number
        )
        named[number] = tuple(sorted(connection.scalars(query)))
    return named


def missing_numbers(
    connection: Connection, source_id: str, registers: Mapping[str, str]
) -> list[str]:
    """Numbers that the source has not brought and that lead to a company since its last delivery.

    A company has come to state them, or another one no longer does, so that what was quarantined
    for it is unambiguous now. A change feed does not tell of them: its register has had them long.
    """
    last = connection.scalar(
        sa.select(sa.func.max(delivery.c.retrieved_at)).where(
            delivery.c.source_id == source_id,
            delivery.c.status != "refused",
            delivery.c.kind.in_(("full", "feed")),
        )
    )
    if last is None:
        return []
    space = registers[source_id]
    query = (
        sa.select(record_number.c.number)
        .join(company_record, company_record.c.record_id == record_number.c.record_id)
        .where(
            record_number.c.number_space == space,
            company_record.c.since_at > last,
            _is_not_held(source_id, record_number.c.number),
        )
        .distinct()
        .order_by(record_number.c.number)
        .limit(MOST_MISSING)
    )
    again = _unambiguous_again(connection, source_id, registers)
    return sorted({*again, *connection.scalars(query)})[:MOST_MISSING]


def _is_not_held(source_id: str, number: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    held = record.alias("held")
    return ~sa.exists().where(held.c.source_key == number, held.c.source_id == source_id)


def _unambiguous_again(
    connection: Connection, source_id: str, registers: Mapping[str, str]
) -> list[str]:
    """Numbers of entries that were quarantined as several companies' and are one's now."""
    row = quarantined_row.c
    entries = (
        sa.select(row.source_key)
        .where(row.source_id == source_id, row.rule == AMBIGUOUS, row.state == "open")
        .where(_is_not_held(source_id, row.source_key))
        .distinct()
        .limit(MOST_MISSING)
    )
    numbers = list(connection.scalars(entries))
    return sorted(companies_of(connection, registers, registers[source_id], numbers))


def companies_of(
    connection: Connection, registers: Mapping[str, str], space: str, numbers: Sequence[str]
) -> dict[str, int]:
    """By number the company it leads to now; without those that lead to none, or to several."""
    if not numbers:
        return {}
    found = leading(connection, registers, numbers=(space, numbers))
    query = sa.select(found.c.number, found.c.company_id).where(found.c.company_id.is_not(None))
    return {row.number: row.company_id for row in connection.execute(query)}


def leading(
    connection: Connection,
    registers: Mapping[str, str],
    *,
    numbers: tuple[str, Sequence[str] | None] | None = None,
    touched: sa.TableClause | None = None,
) -> sa.Subquery:
    """(number_space, number, company_id): where each number leads; null where to more than one.

    Of `numbers` (their space, and which of it; None: all), or of those in a table `touched`.
    """
    anyone = company_record.c.company_id
    parted = _parted(connection, registers)
    kept = anyone if parted is None else sa.case((parted.c.company_id.is_(None), anyone))
    query = (
        sa.select(
            record_number.c.number_space,
            record_number.c.number,
            _the_one(kept, anyone).label("company_id"),
        )
        .select_from(_stated(parted))
        .group_by(record_number.c.number_space, record_number.c.number)
    )
    if numbers is not None:
        query = query.where(record_number.c.number_space == numbers[0])
        if numbers[1] is not None:
            query = query.where(record_number.c.number.in_(numbers[1]))
    if touched is not None:
        query = query.join(
            touched,
            (touched.c.number_space == record_number.c.number_space)
            & (touched.c.number == record_number.c.number),
        )
    return query.subquery("leading")


def _the_one(kept: sa.ColumnElement[int], anyone: sa.ColumnElement[int]) -> sa.Case[int]:
    """The one company whose LEI goes on, else the only one; who was parted counts as the last."""
    is_live = record.c.lei_status.not_in(LEI_ENDED) & record.c.vanished_at.is_(None)
    live = sa.case((is_live, kept))
    count, least = sa.func.count, sa.func.min
    none_live, none_kept = count(live.distinct()) == 0, count(kept.distinct()) == 0
    return sa.case(
        (count(live.distinct()) == 1, least(live)),
        (none_live & (count(kept.distinct()) == 1), least(kept)),
        (none_kept & (count(anyone.distinct()) == 1), least(anyone)),
    )


def _stated(parted: sa.Subquery | None) -> sa.Join:
    """Stated numbers with the records that state them and the companies these are of."""
    found = record_number.join(
        record,
        (record.c.record_id == record_number.c.record_id)
        & (record.c.source_key == record_number.c.source_key),
    ).join(
        company_record,
        (company_record.c.record_id == record.c.record_id) & company_record.c.until_at.is_(None),
    )
    if parted is None:
        return found
    return found.outerjoin(
        parted,
        (parted.c.company_id == company_record.c.company_id)
        & (parted.c.number == record_number.c.number)
        & (parted.c.number_space == record_number.c.number_space),
    )


def _parted(connection: Connection, registers: Mapping[str, str]) -> sa.Subquery | None:
    """(company_id, number_space, number) of joins that a person ended; None where there are none.

    They are few; without any the question stays a short one.
    """
    link, entry = company_record.alias("parted"), record.alias("entry")
    is_parted = link.c.until_at.is_not(None) & (link.c.until_reason == BY_HAND)
    if (
        not registers
        or connection.scalar(sa.select(link.c.record_id).where(is_parted).limit(1)) is None
    ):
        return None
    space = sa.case(*((entry.c.source_id == one, of) for one, of in sorted(registers.items())))
    return (
        sa.select(
            link.c.company_id, space.label("number_space"), entry.c.source_key.label("number")
        )
        .join(
            entry,
            (entry.c.record_id == link.c.record_id) & (entry.c.source_key == link.c.source_key),
        )
        .where(is_parted, entry.c.source_id.in_(sorted(registers)))
        .distinct()
        .subquery("parted_from")
    )
