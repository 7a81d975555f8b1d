"""Every table, one file a subject; each column says what it holds and how long."""

from warehouse.schema.base import METADATA
from warehouse.schema.codes import legal_form, registration_authority
from warehouse.schema.contacts import (
    contact_change,
    contact_point,
    protection_check,
    shared_mail_domain,
)
from warehouse.schema.corrections import correction
from warehouse.schema.deliveries import delivery, run, sequence, source_cursor
from warehouse.schema.drift import delivery_profile
from warehouse.schema.exports import disclosure, export, letter
from warehouse.schema.own_lists import consent, customer, enquiry, own_change, visit
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
    SAME_NUMBER,
    change,
    company,
    company_record,
    personal_value,
    record,
    record_number,
)

__all__ = [
    "METADATA",
    "OWN_RECORD",
    "SAME_NUMBER",
    "audit_event",
    "change",
    "company",
    "company_record",
    "company_stop",
    "consent",
    "contact_change",
    "contact_point",
    "correction",
    "customer",
    "deletion_log",
    "delivery",
    "delivery_profile",
    "disclosure",
    "enquiry",
    "export",
    "followed_stop",
    "legal_form",
    "letter",
    "not_retaken",
    "own_change",
    "personal_value",
    "protection_check",
    "quarantined_row",
    "record",
    "record_number",
    "registration_authority",
    "run",
    "sequence",
    "shared_mail_domain",
    "source_cursor",
    "suppressed_record",
    "suppression",
    "visit",
]
