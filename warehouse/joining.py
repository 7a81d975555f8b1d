"""Joins a register's records to the companies whose LEI records state their number.

By (number space, number in its one form) alone, never by name; which company that is,
`warehouse.leading` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.shapes import ENTITY, SHAPES
from warehouse import joining_links as links
from warehouse.leading import companies_of, leading
from warehouse.schema import company, company_record, record, source_cursor
from warehouse.schema.records import NUMBER_MOVED, SAME_NUMBER
from warehouse.staging import index_apart, set_apart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts
    from warehouse.numbering import Numbers


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


def makes_own(connection: Connection, facts: DeliveryFacts) -> sa.ColumnElement[bool]:
    """Which new records get a company of their own: those whose number leads to none."""
    if not _is_register(facts):
        return sa.true()
    joined = leading(connection, facts.registers, touched=_touched())
    return record.c.source_key.not_in(
        sa.select(joined.c.number).where(joined.c.company_id.is_not(None))
    )


def _touched() -> sa.TableClause:
    return sa.table("staged_touched", sa.column("number_space"), sa.column("number"))


def join(connection: Connection, facts: DeliveryFacts, numbers: Numbers) -> int:
    """Let each touched number's register records be linked to the company it leads to, alone.

    Of an own company that only now gets an LEI the number stays: the new record joins it. Returns
    how many companies, made for such records a moment ago, went again.
    """
    touched = _touched()
    if connection.scalar(sa.select(touched.c.number).limit(1)) is None:
        return 0
    _set_wanted_apart(connection, facts.registers)
    at = facts.retrieved_at
    gone = 0 if _is_register(facts) else links.adopt_new(connection, at, numbers.record)
    links.apply(connection, at)
    return gone


def _set_wanted_apart(connection: Connection, registers: Mapping[str, str]) -> None:
    """`staged_join`: register record, the company its number leads to, whether any states it."""
    touched = _touched()
    found = leading(connection, registers, touched=touched)
    spaces = [
        (record.c.source_id == source_id) & (touched.c.number_space == space)
        for source_id, space in sorted(registers.items())
    ]
    query: Any = (
        sa.select(
            record.c.record_id,
            record.c.source_key,
            found.c.company_id,
            found.c.number.is_not(None).label("is_stated"),
        )
        .select_from(touched)
        .join(record, record.c.source_key == touched.c.number)
        .outerjoin(
            found,
            (found.c.number == touched.c.number) & (found.c.number_space == touched.c.number_space),
        )
        .where(sa.or_(*spaces))
        .distinct()
    )
    connection.execute(sa.text("DROP TABLE IF EXISTS staged_join"))
    text = query.compile(connection, compile_kwargs={"literal_binds": True})
    connection.execute(sa.text(f"{set_apart(connection, 'staged_join')} AS {text}"))
    index_apart(connection, "staged_join", "record_id, company_id")


def join_again(
    connection: Connection, registers: Mapping[str, str], record_id: int, at: datetime
) -> int | None:
    """Link one register's record, which is of no company now, to the one its number leads to.

    Returns the company; None where the number leads to none, or a person has parted the two.
    """
    link = company_record.c
    is_it = record.c.record_id == record_id
    source_id, number = connection.execute(
        sa.select(record.c.source_id, record.c.source_key).where(is_it)
    ).one()
    found = companies_of(connection, registers, registers[source_id], [number])
    company_id = found.get(number)
    if company_id is None:
        return None
    pair = (link.company_id == company_id) & (link.record_id == record_id)
    held = connection.execute(sa.select(link.until_reason).where(pair)).first()
    if held is None:
        connection.execute(
            company_record.insert().values(
                company_id=company_id,
                record_id=record_id,
                source_key=number,
                since_at=at,
                reason=SAME_NUMBER,
            )
        )
    elif held.until_reason == NUMBER_MOVED:
        connection.execute(
            company_record.update().where(pair).values(until_at=None, until_reason=None)
        )
    else:
        return None
    connection.execute(
        company.update().where(company.c.company_id == company_id).values(last_changed_at=at)
    )
    return company_id
