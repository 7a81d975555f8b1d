"""The owner's own lists: customers, enquiries, visits and consents, each in a table of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE_KIND = "data_subject"
"""Where every row comes from: the person's own act, never a public database."""
STATES = ("active", "inactive")


def _row(policy_id: str, key: str) -> Iterator[sa.Column[Any]]:
    """Our number, their reference, and when and how we came to the row."""
    yield column(key, sa.BigInteger, primary_key=True, comment="ours, never reused")
    yield column(
        "event_reference",
        sa.Text,
        comment="invoice, form or session number in the owner's own system",
        category="person",
        personal=True,
        retention=policy_id,
    )
    yield column(
        "event_date",
        sa.Date,
        comment="day of the person's act; retention counts from here",
        retention=policy_id,
    )
    yield column(
        "source_kind",
        sa.Text,
        comment="the person gave it: data_subject",
        retention=policy_id,
        default=f"'{SOURCE_KIND}'",
    )


def _origin(policy_id: str) -> Iterator[sa.Column[Any]]:
    """What was last said, by which delivery, and when it goes."""
    yield column("digest", sa.LargeBinary(16), comment="xxh3-128 of the kept fields")
    yield column(
        "first_delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="origin of every field that has no later change",
    )
    yield column(
        "last_delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="delivery that wrote the content now held",
    )
    yield column("obtained_at", Utc, comment="when we first received it", retention=policy_id)
    yield column("state", sa.Text, default="'active'", comment="active or inactive")
    yield column(
        "inactive_after",
        sa.Date,
        nullable=True,
        comment="day from which it is inactive, by its policy row; null while it goes on",
    )
    yield column(
        "inactive_reason", sa.Text, nullable=True, comment="which condition of the policy row"
    )
    yield column(
        "delete_after",
        sa.Date,
        nullable=True,
        comment="day from which it is deleted, by its policy row; null while it goes on",
    )


def _rules(key: str) -> Iterator[sa.schema.SchemaItem]:
    """What holds for every list: one row a reference, the two states, and a way out."""
    yield sa.UniqueConstraint("event_reference", name=f"{key}_reference")
    yield one_of("state", STATES, "state")
    yield sa.CheckConstraint(f"source_kind = '{SOURCE_KIND}'", name="from_the_person")
    yield sa.CheckConstraint(
        "(inactive_after IS NULL) = (delete_after IS NULL)"
        " AND (inactive_after IS NULL) = (inactive_reason IS NULL)",
        name="way_out_is_whole",
    )


def _company(policy_id: str) -> Iterator[sa.Column[Any]]:
    """Whose act it was, as stated; nothing is joined by name."""
    facts = {
        "company_name": "name as the person gave it",
        "lei": "LEI, where stated",
        "registration_authority": "register's number space (RA code), where stated",
        "registration_number": "number in its one form, where stated",
        "country": "country (ISO 3166-1), where stated",
    }
    for name, comment in facts.items():
        yield column(
            name,
            sa.Text,
            nullable=True,
            comment=comment,
            category="company facts",
            personal=name == "company_name",
            retention=policy_id,
        )


def _contact(policy_id: str) -> Iterator[sa.Column[Any]]:
    for name, comment in (("email", "address, normalised"), ("phone", "number in E.164")):
        yield column(
            name,
            sa.Text,
            nullable=True,
            comment=comment,
            category="contact",
            personal=True,
            retention=policy_id,
        )


customer = sa.Table(
    "customer",
    METADATA,
    *_row("customer", "customer_id"),
    *_company("customer"),
    *_contact("customer"),
    column(
        "relationship_start_date",
        sa.Date,
        nullable=True,
        comment="customer from",
        retention="customer",
    ),
    column(
        "relationship_end_date",
        sa.Date,
        nullable=True,
        comment="customer until; null = goes on",
        retention="customer",
    ),
    column(
        "is_managed", sa.Boolean, comment="its LEI is under our management", retention="customer"
    ),
    *_origin("customer"),
    *_rules("customer"),
    comment="Persons of category 1: customers, from the owner's own system",
)
sa.Index("ix_customer_lei", customer.c.lei)
sa.Index("ix_customer_delete_after", customer.c.delete_after)

enquiry = sa.Table(
    "enquiry",
    METADATA,
    *_row("enquirer", "enquiry_id"),
    *_company("enquirer"),
    *_contact("enquirer"),
    *_origin("enquirer"),
    *_rules("enquiry"),
    comment="Persons of category 2: who asked through the website",
)
sa.Index("ix_enquiry_delete_after", enquiry.c.delete_after)

visit = sa.Table(
    "visit",
    METADATA,
    *_row("visitor", "visit_id"),
    column("visited_at", Utc, comment="when", category="device", retention="visitor"),
    *(
        column(
            name,
            sa.Text,
            nullable=True,
            comment=comment,
            category="device",
            personal=True,
            retention="visitor",
        )
        for name, comment in (
            ("ip_address", "address the device came from"),
            ("device", "kind of device"),
            ("browser", "browser"),
        )
    ),
    *_origin("visitor"),
    *_rules("visit"),
    comment="Persons of category 3: visitors; holds nothing that leads to a company",
)
sa.Index("ix_visit_delete_after", visit.c.delete_after)

consent = sa.Table(
    "consent",
    METADATA,
    *_row("consent", "consent_id"),
    column("consented_at", Utc, comment="when it was given", retention="consent"),
    column("withdrawn_at", Utc, nullable=True, comment="when it ended", retention="consent"),
    column("act", sa.Text, comment="what the person did", retention="consent"),
    column("text_version", sa.Text, comment="wording agreed to", retention="consent"),
    column("channel", sa.Text, comment="email or phone", retention="consent"),
    column("purpose", sa.Text, comment="purpose id", retention="consent"),
    column("key_version", sa.Integer, comment="version of the key outside the database"),
    column(
        "contact_hash",
        sa.Text,
        comment="HMAC-SHA-256 of the address or number, hex",
        category="contact",
        personal=True,
        retention="consent",
    ),
    *_origin("consent"),
    *_rules("consent"),
    one_of("channel", ("email", "phone"), "channel"),
    sa.CheckConstraint("length(contact_hash) = 64", name="hash_hex"),
    sa.CheckConstraint("length(act) > 0 AND length(text_version) > 0", name="is_shown"),
    comment="Consents: who did what, to which wording, when; the contact as a keyed hash",
)
sa.Index("ix_consent_contact_hash", consent.c.contact_hash)
sa.Index("ix_consent_delete_after", consent.c.delete_after)

own_change = sa.Table(
    "own_change",
    METADATA,
    column("list_code", sa.Text, primary_key=True, comment="customers, enquiries, …"),
    column("own_id", sa.BigInteger, primary_key=True, comment="the list's own number of the row"),
    column("field", sa.Text, primary_key=True, comment="the column that changed"),
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        primary_key=True,
        comment="delivery that brought the new value: its origin",
    ),
    column("old_value", sa.Text, nullable=True, comment="before; null where it is personal"),
    column("new_value", sa.Text, nullable=True, comment="after; null where it is personal"),
    column("changed_at", Utc, comment="when we applied it"),
    comment="Every change of a row of the owner's lists; goes with the row",
    sqlite_with_rowid=False,
)
