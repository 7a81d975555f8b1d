"""Every table, one file a subject; each column says what it holds and how long."""

from warehouse.schema.base import METADATA
from warehouse.schema.codes import legal_form, registration_authority
from warehouse.schema.corrections import correction
from warehouse.schema.deliveries import delivery, holding, run, sequence, source_cursor
from warehouse.schema.drift import delivery_profile
from warehouse.schema.exports import disclosure, export, letter
from warehouse.schema.privacy import (
    audit_event,
    company_stop,
    deletion_log,
    followed_stop,
    not_retaken,
    suppressed_record,
    suppression,
)
from warehouse.schema.quarantine import quarantined_row
from warehouse.schema.records import (
    OWN_RECORD,
    change,
    company,
    company_record,
    contact_point,
    personal_value,
    record,
)

__all__ = [
    "METADATA",
    "OWN_RECORD",
    "audit_event",
    "change",
    "company",
    "company_record",
    "company_stop",
    "contact_point",
    "correction",
    "deletion_log",
    "delivery",
    "delivery_profile",
    "disclosure",
    "export",
    "followed_stop",
    "holding",
    "legal_form",
    "letter",
    "not_retaken",
    "personal_value",
    "quarantined_row",
    "record",
    "registration_authority",
    "run",
    "sequence",
    "source_cursor",
    "suppressed_record",
    "suppression",
]
