"""What several registers say of one company: where they differ, and whether it is protected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.kit import columns
from sources.kit.catalogue import catalogue
from sources.kit.columns import NATURAL, NONE, POSSIBLE, change_name
from sources.kit.shapes import AD_PROTECTED
from warehouse.read_company import LEI_SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Row = dict[str, Any]

STATES = {"true": "protected", "false": "not protected"}
NO_FLAG, NO_ANSWER = "no such flag", "not known"
LEI_LEADS, OWN_LEADS = "the LEI's record leads", "no record with an LEI is held: the register's own"
_CAREFUL = (NATURAL, POSSIBLE, NONE)
_APART = frozenset(
    {
        "legal_name_language",
        "legal_address_language",
        "headquarters_address_language",
        *(f"legal_{name}" for name in ("jurisdiction",)),
    }
)
"""Which language or law a publisher names is no statement two registers could differ in."""


def protection(
    records: Sequence[Row], said: Mapping[int, datetime], deliveries: Mapping[int, Row]
) -> list[Row]:
    """Each register's word on marketing protection: state, and when it last said so.

    `said` is when a record's register was asked about it alone. `true` of one register counts
    whatever another says.
    """
    found = []
    for record in records:
        if not _is_register(record["source_id"]):
            continue
        has_flag = catalogue()[record["source_id"]].CARD.has_protection_flag
        state = STATES.get(record[AD_PROTECTED.name], NO_ANSWER if has_flag else NO_FLAG)
        written = deliveries.get(record["last_delivery_id"])
        moments = [
            said.get(record["record_id"]),
            written["retrieved_at"] if written else None,
            record["last_seen_at"] if record["absent_count"] == 0 else None,
        ]
        is_told = record[AD_PROTECTED.name] is not None
        found.append(
            {
                "source_id": record["source_id"],
                "source_key": record["source_key"],
                "state": state,
                "said_at": max(filter(None, moments), default=None) if is_told else None,
                "asked_at": max(filter(None, moments), default=None),
            }
        )
    return found


def person_of(records: Sequence[Row], lead: Row) -> Row:
    """Whom the company is by the most careful of its linked records, as exports take it.

    `person_source` is whose word that is; the leading record's where it is as careful as any.
    """
    ordered = sorted(records, key=lambda one: one["record_id"] != lead["record_id"])
    strictest = min(ordered, key=lambda one: _CAREFUL.index(one["person_kind"]))
    return {
        "person_kind": strictest["person_kind"],
        "person_rule": strictest["person_rule"],
        "person_source": strictest["source_id"],
        "is_person_by_lead": lead["person_kind"] == strictest["person_kind"],
    }


def disagreements(records: Sequence[Row], lead_id: int) -> list[Row]:
    """Fields of which linked records say different things: each value, and which one is shown.

    The precedence: the LEI's record leads, else the register's own (docs/naming.md). Of names
    there is a hint of how alike they are, 0 to 100.
    """
    lead = next((one for one in records if one["record_id"] == lead_id), None)
    if lead is None or len(records) < 2:  # noqa: PLR2004 (two can differ)
        return []
    others = [one for one in records if one["record_id"] != lead_id]
    found = []
    for name in columns.PUBLISHED:
        said = [one for one in others if one[name] is not None and one[name] != lead[name]]
        if said and lead[name] is not None and name not in _APART:
            found.append(_difference(name, lead, said))
    return found


def _difference(name: str, lead: Row, others: Sequence[Row]) -> Row:
    told_by_others = [_value(one, name) for one in others]
    told: Row = {
        "field": change_name(name),
        "shown": _value(lead, name),
        "others": told_by_others,
        "why": LEI_LEADS if lead["source_id"] == LEI_SOURCE else OWN_LEADS,
    }
    if name == "legal_name":
        from sources.kit.names import likeness

        for value, one in zip(told_by_others, others, strict=True):
            value["name_likeness"] = likeness(lead[name], one[name], one["legal_country"])
    return told


def _value(record: Row, name: str) -> Row:
    return {
        "value": record[name],
        "source_id": record["source_id"],
        "source_key": record["source_key"],
    }


def _is_register(source_id: str) -> bool:
    module = catalogue().get(source_id)
    return module is not None and module.CARD.shape == "register"
