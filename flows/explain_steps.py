"""Everything held on one company, where it came from, who got it and when it goes: one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flows import (
    explain_codes,
    explain_group,
    explain_history,
    explain_registers,
    explain_retention,
    explain_values,
)
from flows.as_of import moment_of
from flows.explain_question import (
    Question,
    as_held,
    company_ids,
    lei_fault,
    read_question,
    sources_of,
)
from flows.quarantine_steps import meaning_of
from sources.kit.errors import Refused
from warehouse import read_company, read_own_lists, read_parted, read_stops, runs
from warehouse.engine import reading, writing
from warehouse.privacy import audit

if TYPE_CHECKING:
    from datetime import date, datetime

    from flows.house import House

    Connection = Any  # only the warehouse names SQLAlchemy

__all__ = ["explain", "lei_fault", "read_question"]


def explain(house: House, text: str, as_of: date | datetime | None = None) -> dict[str, Any]:
    """Answer for an LEI, a company id, a register's number or a contact value; log the reading.

    With `as_of`, what the warehouse said then.
    Raises `Refused` for a text that is none of them, and for a malformed LEI that no delivery
    brought either. The audit event holds company numbers, never what was asked.
    """
    asked = read_question(text)
    moment = None if as_of is None else moment_of(house, as_of)
    with reading(house.engine) as connection:
        question = as_held(connection, asked)
        found = _answer(connection, house, question, moment)
    if question.fault and not found["quarantine"]:
        raise Refused(f"LEI {question.value}", question.fault, "Check it against its source")
    _log_reading(house, question, found)
    return found


def _answer(
    connection: Connection, house: House, question: Question, moment: datetime | None
) -> dict[str, Any]:
    rows = read_company.companies(connection, company_ids(connection, question))
    to_come = explain_history.not_yet_held(rows, moment)
    companies = [_company(connection, house, row, moment) for row in rows if row not in to_come]
    explain_codes.put_words(connection, companies, moment)
    shown = {} if question.is_contact else {"value": question.value}
    parted = explain_history.until(_parted(connection, question), "obtained_at", moment)
    return {
        "asked": {"kind": question.kind, **shown},
        "as_of": moment or house.now(),
        "is_as_of_asked": moment is not None,
        "first_held_at": min((row["first_seen_at"] for row in to_come), default=None),
        "is_held": bool(companies or parted),
        "stop": _stop(connection, house, question, rows),
        "dropped_on_arrival": _dropped(connection, house, question),
        "companies": companies,
        "without_company": parted,
        "own_lists": _own_rows(connection, house, question, companies, moment),
        "groups": _groups(connection, question, companies, moment),
        "left_earlier": explain_history.until(
            [] if companies else _left_earlier(connection, house, question), "disclosed_at", moment
        ),
        "quarantine": explain_history.until(
            _rejected(connection, question, companies), "first_seen_at", moment
        ),
    }


def _parted(connection: Connection, question: Question) -> list[dict[str, Any]]:
    """Contact points asked about on records of registers that are of no company now."""
    if question.is_contact:
        return read_parted.by_contact(connection, question.kind, question.value)
    if question.kind == "register":
        space, _, number = question.value.partition(":")
        return read_parted.by_number(connection, number, sources_of(space))
    return []


def _own_rows(
    connection: Connection,
    house: House,
    question: Question,
    companies: list[dict[str, Any]],
    moment: datetime | None,
) -> list[dict[str, Any]]:
    """What the owner's own lists hold on the contact asked about, or on the companies' LEIs."""
    asked = {"lei": [company["lei"] for company in companies if company["lei"]]}
    if question.kind != "company" and question.fault is None:
        asked[question.kind] = [*asked.get(question.kind, []), question.value]
    return read_own_lists.rows_on(connection, house.keys, asked, moment or house.now())


def _groups(
    connection: Connection,
    question: Question,
    companies: list[dict[str, Any]],
    moment: datetime | None,
) -> list[dict[str, Any]]:
    """The place in its group of each company, or of an LEI of which no company is held."""
    leis = [company["lei"] for company in companies if company["lei"]]
    if question.kind == "lei" and question.fault is None:
        leis.append(question.value)
    return [explain_group.of_lei(connection, lei, moment) for lei in dict.fromkeys(leis)]


def _gather(
    connection: Connection, row: dict[str, Any], moment: datetime | None
) -> explain_history.Gathered:
    records = read_company.records_of(connection, row["company_id"])
    ids = explain_history.linked_then(records, moment)
    found = explain_history.Gathered(
        row,
        records,
        read_company.changes_of(connection, ids),
        read_company.personal_values_of(connection, ids),
        read_company.contact_points_of(connection, ids),
        read_company.disclosures_of(connection, row["company_id"]),
    )
    return found if moment is None else explain_history.as_of(connection, found, moment)


def _company(
    connection: Connection, house: House, held: dict[str, Any], moment: datetime | None
) -> dict[str, Any]:
    row, all_records, changes, personal, contacts, left = _gather(connection, held, moment)
    records = [record for record in all_records if record["until_at"] is None] or all_records
    ids = [record["record_id"] for record in records]
    company_id: int = row["company_id"]
    wanted = explain_values.deliveries_named(records, changes, personal, contacts)
    deliveries = read_company.deliveries_by_id(
        connection, wanted | {record["last_delivery_id"] for record in records}
    )
    tale = explain_values.Tale(
        records, changes, deliveries, read_company.corrections_of(connection, ids)
    )
    lead = next((r for r in records if r["record_id"] == row["lead_record_id"]), records[0])
    return {
        "company_id": company_id,
        "lei": lead["source_key"] if lead["source_id"] == read_company.LEI_SOURCE else None,
        "name": lead["legal_name"],
        "country": lead["legal_country"],
        **explain_registers.person_of(records, lead),
        "first_seen_at": row["first_seen_at"],
        "last_changed_at": row["last_changed_at"],
        "records": explain_values.told_records(all_records),
        "values": tale.values(),
        "disagreements": explain_registers.disagreements(records, row["lead_record_id"]),
        "protection": explain_registers.protection(
            records, read_company.protection_said(connection, ids), deliveries
        ),
        "contact_points": tale.contact_points(contacts),
        "personal": tale.personal(personal),
        "changes": tale.changes(),
        "left": left,
        "retention": explain_retention.of_company(
            house.settings.retention, row, lead, (moment or house.now()).date()
        ),
    }


def _stop(
    connection: Connection, house: House, question: Question, rows: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """The stop in force: on what was asked, or on a company it leads to."""
    for row in rows:
        led = read_stops.led_to_company(connection, house.keys, row["company_id"])
        if led is not None:
            return led
    found = read_stops.first_covering(connection, [row["company_id"] for row in rows])
    if found is not None or question.kind == "company" or question.fault is not None:
        return found
    if question.kind == "register":
        return read_stops.stop_on_number(connection, house.keys, question.value)
    if question.kind == "website":
        host = urlsplit(question.value).hostname or ""
        return read_stops.stop_on(connection, house.keys, "domain", host.removeprefix("www."))
    return read_stops.stop_on(connection, house.keys, question.kind, question.value)


def _dropped(connection: Connection, house: House, question: Question) -> list[dict[str, Any]]:
    if question.kind != "lei" or question.fault:
        return []
    hashes = read_stops.hashes_of(house.keys, "lei", question.value)
    return read_company.dropped_on_arrival(connection, hashes)


def _left_earlier(connection: Connection, house: House, question: Question) -> list[dict[str, Any]]:
    """What left while it was held; a deleted company leaves its number and a keyed hash."""
    if question.kind == "company":
        return read_company.disclosures_of(connection, int(question.value))
    if question.kind == "lei" and question.fault is None:
        hashes = read_stops.hashes_of(house.keys, "lei", question.value)
        return read_company.disclosures_by_hash(connection, hashes)
    if question.kind == "register":
        hashes = read_stops.hashes_of_number(house.keys, question.value)
        return read_company.disclosures_by_hash(connection, hashes)
    return []


def _rejected(
    connection: Connection, question: Question, companies: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    keys = [record["source_key"] for company in companies for record in company["records"]]
    if question.kind == "lei":
        keys.append(question.value)
    if question.kind == "register":
        keys.append(question.value.partition(":")[2])
    rows = read_company.quarantined_on(connection, sorted(set(keys)))
    return [{**row, "meaning": meaning_of(row["rule"])} for row in rows]


def _log_reading(house: House, question: Question, found: dict[str, Any]) -> None:
    """One event a company read, with how many contact values the reader was shown of it."""
    actor = runs.actor(house.engine)
    read: list[tuple[str | None, int]] = [
        (f"company {one['company_id']}", len(one["contact_points"])) for one in found["companies"]
    ]
    with writing(house.engine) as connection:
        for subject, contacts in read or [(None, len(found["without_company"]))]:
            audit.record_event(
                connection,
                actor,
                "explain",
                house.now(),
                subject=subject,
                detail={
                    "asked": question.kind,
                    "held": found["is_held"],
                    "contact_points": contacts,
                },
            )
