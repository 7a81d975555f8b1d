"""Joins looked at, and a wrong one ended by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.explain_question import Question, as_held, company_ids, read_question
from flows.known_registers import registers
from flows.ledger import ledger_run
from flows.suppress_steps import check_reason
from sources.kit.catalogue import source
from sources.kit.columns import NATURAL
from sources.kit.errors import Refused
from warehouse import joining, joins, leading, runs
from warehouse.engine import reading, sole_writer, writing
from warehouse.privacy import audit

if TYPE_CHECKING:
    from flows.house import House

    Connection = Any  # only the warehouse names SQLAlchemy

Row = dict[str, Any]


def listed(house: House, *, unlike: int | None, limit: int) -> dict[str, Any]:
    """Joins that hold, at most `limit`, and how many there are; natural persons' have no names.

    With `unlike` those alone whose names are less alike than that (0 to 100), the least alike
    first: a hint for a reader, on which nothing rests.
    """
    from sources.kit.names import likeness

    found: list[Row] = []
    total = 0
    with reading(house.engine) as connection:
        for row in joins.joined(connection):
            total += 1
            names = row["lead_legal_name"], row["other_legal_name"]
            if unlike is None and len(found) >= limit:
                continue
            row["name_likeness"] = (
                likeness(names[0], names[1], row["other_legal_country"]) if all(names) else None
            )
            if unlike is None or _is_unlike(row["name_likeness"], unlike):
                found.append(row)
    if unlike is not None:
        found.sort(key=lambda row: (row["name_likeness"], row["company_id"]))
    return {"joins": found[:limit], "matching": total if unlike is None else len(found)}


def _is_unlike(found: int | None, unlike: int) -> bool:
    return found is not None and found < unlike


def ambiguous(house: House, *, limit: int) -> dict[str, Any]:
    """Registers' rows that could be several companies', each with the LEIs of all sides.

    `sides` are these LEIs with their names and how alike those are to the row's, a hint for a
    reader. `leads_to` is the one company it is now, where that has changed: it can be tried again.
    """
    import json

    from checks.quarantine import JOIN_LEIS

    with reading(house.engine) as connection:
        rows = joins.ambiguous(connection)
        one_now = _one_now(connection, rows)
        for row in rows:
            content = json.loads(row.pop("content") or "{}")
            row["legal_name"] = content.get("legal_name")
            row["leis"] = (content.get(JOIN_LEIS) or "").replace(",", " ").split()
            row["leads_to"] = one_now.get((row["source_id"], row["source_key"]))
        for row in rows[:limit]:
            row["sides"] = _sides(connection, row)
    return {"ambiguous": rows[:limit], "matching": len(rows)}


def _one_now(connection: Connection, rows: list[Row]) -> dict[tuple[str, str], int]:
    """By (source, key) the company that a row's number leads to, where that is one by now."""
    found: dict[tuple[str, str], int] = {}
    for source_id in {row["source_id"] for row in rows}:
        keys = [row["source_key"] for row in rows if row["source_id"] == source_id]
        space = registers()[source_id]
        leads = leading.companies_of(connection, registers(), space, keys)
        found |= {(source_id, key): company_id for key, company_id in leads.items()}
    return found


def _sides(connection: Connection, row: Row) -> list[Row]:
    """The LEIs that state the row's number, each with its name; natural persons' have none."""
    from sources.kit.names import likeness

    sides = joins.named(connection, row["leis"])
    for side in sides:
        names = side["legal_name"], row["legal_name"]
        country = side.pop("legal_country")
        side["name_likeness"] = likeness(names[0], names[1], country) if all(names) else None
    return sides


def end(
    house: House, subject: str, source_id: str, reason: str | None, *, dry_run: bool = False
) -> dict[str, Any]:
    """End the company's join with the source's record; in a dry run say which it would be.

    Where its number leads to another company now that this one is out of the question, the record
    joins that one (`joined_to`).

    `Refused` for an unknown company or source, for a company without such a join, for a record the
    company is shown by, and without a reason that can be kept in clear.
    """
    check_reason(reason)
    source(source_id)
    question = read_question(subject)
    if question.is_contact:
        raise Refused("company", "it is named by a contact value", "Give its LEI or company id")
    if dry_run:
        with reading(house.engine) as connection:
            return _found(connection, question, source_id)
    actor = runs.actor(house.engine)
    with (
        sole_writer(house.engine),
        ledger_run(house, "join", source_id),
        writing(house.engine) as connection,
    ):
        found = _found(connection, question, source_id)
        joins.end(connection, found["company_id"], found["record_id"], house.now())
        joined_to = joining.join_again(
            connection, registers(), found["record_id"], house.now().replace(microsecond=0)
        )
        audit.record_event(
            connection,
            actor,
            "end join",
            house.now(),
            subject=f"company {found['company_id']}",
            detail={"source": source_id, "reason": str(reason).strip()},
        )
    return {**found, "is_ended": True, "joined_to": joined_to}


def _found(connection: Connection, question: Question, source_id: str) -> dict[str, Any]:
    ids = company_ids(connection, as_held(connection, question))
    if len(ids) != 1:
        cause = f"{len(ids)} companies held answer to it" if ids else "it is not held"
        raise Refused(f"company {question.value}", cause, "Give its LEI or company id")
    links = joins.of_company(connection, ids[0], source_id)
    others = [link for link in links if not link["is_lead"]]
    thing = f"join of company {ids[0]} with {source_id}"
    if links and not others:
        cause = "it is the record that the company is shown by"
        raise Refused(thing, cause, "Only what was joined to a company can be parted from it")
    if len(others) != 1:
        cause = f"{len(others)} records are joined" if others else "there is none that holds"
        raise Refused(thing, cause, "See `sourcenote explain` for the company's joins")
    link = others[0]
    name = None if link["person_kind"] == NATURAL else link["legal_name"]
    return {
        "company_id": ids[0],
        "source_id": source_id,
        "record_id": link["record_id"],
        "source_key": link["source_key"],
        "legal_name": name,
        "since_at": link["since_at"],
        "is_ended": False,
        "joined_to": None,
    }
