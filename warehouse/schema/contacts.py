"""Published contact points: each with its origin, class, protection and clock."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column, one_of
from warehouse.schema.records import STATES, record_reference

KINDS = ("email", "phone", "website")
CLASSES = ("role", "named", "free-mail", "agent", "unknown")
CONTACT_FIELD = "contact:"
"""Before its kind: under which field a deleted contact point is kept away."""


def _contact(name: str, comment: str, *, nullable: bool = False) -> sa.Column[object]:
    return column(
        name,
        sa.Text,
        nullable=nullable,
        comment=comment,
        category="contact",
        personal=True,
        retention="person_public",
    )


contact_point = sa.Table(
    "contact_point",
    METADATA,
    column("contact_id", sa.BigInteger, primary_key=True, comment="ours, never reused"),
    column("record_id", sa.BigInteger, comment="the record it came with"),
    column("source_key", sa.Text, comment="the record's key"),
    column("kind", sa.Text, comment="email, phone, website"),
    _contact("value", "the contact point, normalised"),
    _contact("original", "as its publisher writes it"),
    _contact("mail_domain", "what stands behind the @ of an e-mail address", nullable=True),
    column("mailbox_class", sa.Text, nullable=True, comment="whose mailbox; null: no e-mail"),
    column("person_kind", sa.Text, comment="none, possible, natural: whom the value names"),
    column("valid_from", sa.Date, nullable=True, comment="first day by the register"),
    column("valid_until", sa.Date, nullable=True, comment="last day by the register"),
    column("ad_protected", sa.Boolean, nullable=True, comment="marketing protection; null unknown"),
    column(
        "first_delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="delivery that brought it: its origin",
    ),
    column("obtained_at", Utc, comment="when we obtained it: retention counts from here"),
    column("withdrawn_at", Utc, nullable=True, comment="when its source no longer had it"),
    column("inactive_after", sa.Date, comment="day from which it is inactive, by its policy row"),
    column("delete_after", sa.Date, comment="day from which it is deleted, by its policy row"),
    column("state", sa.Text, default="'active'", comment="active or inactive"),
    column("inactive_since", sa.Date, nullable=True, comment="the day its policy row counts from"),
    column("inactive_reason", sa.Text, nullable=True, comment="which condition of the policy row"),
    record_reference(),
    sa.UniqueConstraint("record_id", "kind", "value"),
    one_of("kind", KINDS, "kind"),
    one_of("state", STATES, "state"),
    sa.CheckConstraint(
        "(kind = 'email') = (mailbox_class IS NOT NULL)"
        " AND (kind = 'email') = (mail_domain IS NOT NULL)",
        name="mailboxes_are_of_email",
    ),
    comment="Published contact points of a record, one row a value",
)
sa.Index("ix_contact_point_value", contact_point.c.value)
"""Whose a contact value is: asked by the person who got a letter."""
sa.Index("ix_contact_point_mail_domain", contact_point.c.mail_domain)

contact_change = sa.Table(
    "contact_change",
    METADATA,
    column("record_id", sa.BigInteger, primary_key=True, comment="the record"),
    column("source_key", sa.Text, comment="the record's key"),
    column("contact_id", sa.BigInteger, primary_key=True, comment="the contact point"),
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        primary_key=True,
        comment="delivery that brought, withdrew or changed it",
    ),
    column("what", sa.Text, primary_key=True, comment="came, went, came back, protection"),
    column("kind", sa.Text, comment="email, phone, website"),
    column("changed_at", Utc, comment="when we applied it"),
    record_reference(),
    comment="When contact points came and went; the values stand with the contact points alone",
    sqlite_with_rowid=False,
)

shared_mail_domain = sa.Table(
    "shared_mail_domain",
    METADATA,
    column("source_id", sa.Text, primary_key=True, comment="the source"),
    column("mail_domain", sa.Text, primary_key=True, comment="domain of more companies than one's"),
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="full file it was counted in",
    ),
    comment="Mail domains of agents and hosts, as the newest full file counted them",
    sqlite_with_rowid=False,
)

protection_check = sa.Table(
    "protection_check",
    METADATA,
    column("record_id", sa.BigInteger, primary_key=True, comment="the record asked about"),
    column("source_key", sa.Text, comment="the record's key"),
    column("checked_at", Utc, comment="when its register last said whether it is protected"),
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="the answer that said so",
    ),
    record_reference(),
    comment="Single answers on marketing protection since the newest full file",
)
