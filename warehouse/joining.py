"""Joins a register's records to the companies whose LEI records state their number.

By (number space, number in its one form) alone, never by name. A number leads to a company when
one company's records state it whose LEI has not ended, or else when one company's records state it
at all; where two do, it leads nowhere, and the register's row is quarantined with both shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from sources.kit.shapes import ENTITY, SHAPES
from warehouse import joining_links as links
from warehouse.schema import company_record, delivery, record, record_number, source_cursor
from warehouse.staging import set_apart

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts
    from warehouse.numbering import Numbers

LEI_ENDED = ("ANNULLED", "DUPLICATE", "MERGED", "PENDING_ARCHIVAL", "RETIRED")
"""RegistrationStatus of records that give way to another one with the same number."""


@dataclass(frozen=True)
class KnownNumbers:
    """Numbers of one space that LEI records state: `numbers` (text), each once.

    `is_ambiguous` (bool) beside them: it leads to more than one company. `leis` names, for those,
    the LEIs that state it.
    """

    numbers: pa.Array
    is_ambiguous: np.ndarray
    leis: dict[str, tuple[str, ...]]


def read_known_numbers(connection: Connection, space: str) -> KnownNumbers:
    """Every number of the space that a company now held states."""
    found = _leading(space_is=space)
    rows = connection.execute(sa.select(found.c.number, found.c.company_id)).all()
    ambiguous = [row.number for row in rows if row.company_id is None]
    return KnownNumbers(
        numbers=pa.array([row.number for row in rows], pa.string()),
        is_ambiguous=np.array([row.company_id is None for row in rows], dtype=bool),
        leis=_stating(connection, space, ambiguous),
    )


MOST_MISSING = 500
"""Numbers looked up beside a feed at most; the rest wait for the next one."""


def missing_numbers(connection: Connection, source_id: str, space: str) -> list[str]:
    """Numbers that companies have come to state since the source's last delivery, and it has not.

    A change feed does not tell of them: its register has had them for long.
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
    held = record.alias("held")
    query = (
        sa.select(record_number.c.number)
        .join(company_record, company_record.c.record_id == record_number.c.record_id)
        .outerjoin(
            held,
            (held.c.source_key == record_number.c.number) & (held.c.source_id == source_id),
        )
        .where(
            record_number.c.number_space == space,
            company_record.c.since_at > last,
            held.c.record_id.is_(None),
        )
        .distinct()
        .order_by(record_number.c.number)
        .limit(MOST_MISSING)
    )
    return list(connection.scalars(query))


def _stating(connection: Connection, space: str, numbers: list[str]) -> dict[str, tuple[str, ...]]:
    """The LEIs that state these numbers; they are few."""
    named: dict[str, tuple[str, ...]] = {}
    for number in numbers:
        query = sa.select(record_number.c.source_key).where(
            record_number.c.number_space == space, record_number.c.number == number
        )
        named[number] = tuple(sorted(connection.scalars(query)))
    return named


def _leading(space_is: str | None = None, touched: sa.TableClause | None = None) -> sa.Subquery:
    """(number_space, number, company_id): where each number leads; null where to more than one."""
    is_live = record.c.lei_status.not_in(LEI_ENDED) & record.c.vanished_at.is_(None)
    live = sa.case((is_live, company_record.c.company_id))
    anyone = company_record.c.company_id
    count, least = sa.func.count, sa.func.min
    query = (
        sa.select(
            record_number.c.number_space,
            record_number.c.number,
            sa.case(
                (count(live.distinct()) == 1, least(live)),
                (
                    (count(live.distinct()) == 0) & (count(anyone.distinct()) == 1),
                    least(anyone),
                ),
            ).label("company_id"),
        )
        .join(
            record,
            (record.c.record_id == record_number.c.record_id)
            & (record.c.source_key == record_number.c.source_key),
        )
        .join(
            company_record,
            (company_record.c.record_id == record.c.record_id)
            & company_record.c.until_at.is_(None),
        )
        .group_by(record_number.c.number_space, record_number.c.number)
    )
    if space_is is not None:
        query = query.where(record_number.c.number_space == space_is)
    if touched is not None:
        query = query.join(
            touched,
            (touched.c.number_space == record_number.c.number_space)
            & (touched.c.number == record_number.c.number),
        )
    return query.subquery("leading")


def _is_register(facts: DeliveryFacts) -> bool:
    return SHAPES[facts.card.shape].joins_companies


def _concerns_registers(connection: Connection, facts: DeliveryFacts) -> bool:
    """Whether any record of a register is held that a changed number could join or leave."""
    if SHAPES[facts.card.shape] is not ENTITY or not facts.registers:
        return False
    query = sa.select(source_cursor.c.source_id).where(
        source_cursor.c.source_id.in_(list(facts.registers))
    )
    return connection.scalar(query.limit(1)) is not None


def note_touched(connection: Connection, facts: DeliveryFacts, *, is_first: bool) -> None:
    """Set apart the numbers whose joins this delivery can change, before anything is written."""
    connection.execute(sa.text("DROP TABLE IF EXISTS staged_touched"))
    connection.execute(
        sa.text(
            f"{set_apart(connection, 'staged_touched')} AS"
            " SELECT CAST(NULL AS TEXT) AS number_space, CAST(NULL AS TEXT) AS number WHERE 1 = 0"
        )
    )
    if is_first:
        return
    if _is_register(facts):
        space = facts.registers[facts.card.source_id]
        connection.execute(
            sa.text("INSERT INTO staged_touched SELECT :space, source_key FROM staged_new"),
            {"space": space},
        )
    elif _concerns_registers(connection, facts):
        connection.execute(
            sa.text(
                "INSERT INTO staged_touched SELECT number_space, number FROM staged_number"
                " UNION SELECT n.number_space, n.number FROM record_number n"
                " WHERE n.record_id IN (SELECT record_id FROM staged_changed)"
            )
        )


def write_numbers(connection: Connection) -> None:
    """The numbers that new and changed records state, in the place of those they stated."""
    connection.execute(
        sa.text(
            "DELETE FROM record_number WHERE record_id IN (SELECT record_id FROM staged_changed)"
        )
    )
    connection.execute(
        sa.text(
            "INSERT INTO record_number (number_space, number, record_id, source_key)"
            " SELECT number_space, number, record_id, source_key FROM staged_number"
        )
    )


def makes_own(facts: DeliveryFacts) -> sa.ColumnElement[bool]:
    """Which new records get a company of their own: those whose number leads to none."""
    if not _is_register(facts):
        return sa.true()
    joined = _leading(touched=_touched())
    return record.c.source_key.not_in(
        sa.select(joined.c.number).where(joined.c.company_id.is_not(None))
    )


def _touched() -> sa.TableClause:
    return sa.table("staged_touched", sa.column("number_space"), sa.column("number"))


def join(connection: Connection, facts: DeliveryFacts, numbers: Numbers) -> None:
    """Let each touched number's register records be linked to the company it leads to, alone.

    Of an own company that only now gets an LEI the number stays: the new record joins it.
    """
    touched = _touched()
    if connection.scalar(sa.select(touched.c.number).limit(1)) is None:
        return
    _set_wanted_apart(connection, facts)
    if not _is_register(facts):
        links.adopt_new(connection, facts.retrieved_at, numbers.record)
    links.apply(connection, facts.retrieved_at)


def _set_wanted_apart(connection: Connection, facts: DeliveryFacts) -> None:
    """`staged_join`: register record, the company its number leads to, whether any states it."""
    touched = _touched()
    leading = _leading(touched=touched)
    spaces = [
        (record.c.source_id == source_id) & (touched.c.number_space == space)
        for source_id, space in sorted(facts.registers.items())
    ]
    query: Any = (
        sa.select(
            record.c.record_id,
            record.c.source_key,
            leading.c.company_id,
            leading.c.number.is_not(None).label("is_stated"),
        )
        .select_from(touched)
        .join(record, record.c.source_key == touched.c.number)
        .outerjoin(
            leading,
            (leading.c.number == touched.c.number)
            & (leading.c.number_space == touched.c.number_space),
        )
        .where(sa.or_(*spaces))
        .distinct()
    )
    connection.execute(sa.text("DROP TABLE IF EXISTS staged_join"))
    text = query.compile(connection, compile_kwargs={"literal_binds": True})
    connection.execute(sa.text(f"{set_apart(connection, 'staged_join')} AS {text}"))
    if connection.dialect.name != "sqlite":
        connection.execute(sa.text("ANALYZE staged_join"))
