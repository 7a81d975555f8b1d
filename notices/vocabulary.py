"""The house's words that a notice translates: fields, legal bases, channels, recipients, events.

Each entry names a message of the catalogues. `mark` does nothing when the program runs; it is
what message extraction (`babel.cfg`) looks for where an id is chosen by data.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from sources.kit import columns

if TYPE_CHECKING:
    from collections.abc import Mapping


def mark(message_id: str) -> str:
    """Return the id unchanged, and show it to message extraction."""
    return message_id


def _fields() -> dict[str, str]:
    """Map every word a value can have to the reader's word; an address is one thing to a reader."""
    headquarters = [name for name in columns.NAMES if name.startswith("headquarters_")]
    legal = [f"legal_{name.removeprefix('headquarters_')}" for name in headquarters]
    shown = [name for name, held in columns.SHOWN if held in legal]
    return {
        **dict.fromkeys(headquarters, mark("field.headquarters_address")),
        **dict.fromkeys([*legal, *shown], mark("field.legal_address")),
        **_ENTITY,
        **{f"successor_lei_{n}": mark("field.successor") for n in range(1, 6)},
        **{
            f"{stem}_{form}": label
            for stem, label in _MOMENTS.items()
            for form in ("published", "at", "date")
        },
    }


_ENTITY = {
    "lei": mark("field.lei"),
    "legal_name": mark("field.legal_name"),
    "legal_name_language": mark("field.legal_name"),
    "registration_authority": mark("field.registration_authority"),
    "registration_authority_other": mark("field.registration_authority"),
    "registration_number": mark("field.registration_number"),
    "legal_jurisdiction": mark("field.legal_jurisdiction"),
    "entity_category": mark("field.entity_category"),
    "entity_subcategory": mark("field.entity_category"),
    "legal_form": mark("field.legal_form"),
    "legal_form_other": mark("field.legal_form"),
    "entity_status": mark("field.entity_status"),
    "expiration_reason": mark("field.expiration"),
    "lei_status": mark("field.lei_status"),
    "managing_lou": mark("field.managing_lou"),
    "validation_sources": mark("field.validation"),
    "validation_authority": mark("field.validation"),
    "validation_authority_number": mark("field.validation"),
    "conformity": mark("field.conformity"),
    "email": mark("field.email"),
    "phone": mark("field.phone"),
    "website": mark("field.website"),
    "ad_protected": mark("field.ad_protected"),
}
_MOMENTS = {
    "creation": mark("field.creation"),
    "expiration": mark("field.expiration"),
    "initial_registration": mark("field.initial_registration"),
    "last_update": mark("field.last_update"),
    "next_renewal": mark("field.next_renewal"),
}

FIELDS: Mapping[str, str] = MappingProxyType(_fields())
"""A record's or contact point's field: the words for it. A field without words leaves no house."""

BASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "6(1)(a)": (mark("basis.consent"), mark("basis.consent.short")),
        "6(1)(b)": (mark("basis.contract"), mark("basis.contract.short")),
        "6(1)(c)": (mark("basis.obligation"), mark("basis.obligation.short")),
        "6(1)(f)": (mark("basis.interest"), mark("basis.interest.short")),
    }
)
"""Point of GDPR art. 6: its sentence in the full notice, and its words in the short one."""

CHANNELS: Mapping[str, str] = MappingProxyType(
    {
        "post": mark("channel.post"),
        "email": mark("channel.email"),
        "phone": mark("channel.phone"),
    }
)

RECIPIENTS: Mapping[str, str] = MappingProxyType(
    {
        "processor": mark("N7.processor"),
        "partner": mark("N7.partner"),
        "authority": mark("N7.authority"),
    }
)
"""Recipient kind: its sentence. `own` is no recipient in the sense of GDPR art. 4(9)."""

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "source_withdrew": mark("event.source_withdrew"),
        "vanished": mark("event.source_withdrew"),
        "entity_ceased": mark("event.entity_ceased"),
        "lei_retired": mark("event.lei_retired"),
        "retired": mark("event.lei_retired"),
        "annulled": mark("event.lei_annulled"),
        "lei_annulled": mark("event.lei_annulled"),
        "merged": mark("event.lei_merged"),
        "lei_merged": mark("event.lei_merged"),
        "duplicate": mark("event.lei_duplicate"),
        "lei_duplicate": mark("event.lei_duplicate"),
        "objection": mark("event.objection"),
        "relationship_ended": mark("event.relationship_ended"),
    }
)
"""What makes a value inactive (`inactive_when` of a retention policy)."""

RETENTION: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "retention.company_public": (
            mark("retention.company_public"),
            mark("retention.company_public.counted_from"),
        ),
        "retention.person_public": (
            mark("retention.person_public"),
            mark("retention.person_public.counted_from"),
        ),
        "retention.customer": (
            mark("retention.customer"),
            mark("retention.customer.counted_from"),
        ),
        "retention.enquirer": (
            mark("retention.enquirer"),
            mark("retention.enquirer.counted_from"),
        ),
        "retention.visitor": (
            mark("retention.visitor"),
            mark("retention.visitor.counted_from"),
        ),
    }
)
"""`notice_text` of a retention policy: its opening sentence, and where its clock starts."""
