"""What the owner brings: customers, enquiries, visits and consents."""

# ruff: noqa: E501  (written by Alembic from the schema, kept as history)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.schema.base import Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "consent",
        sa.Column(
            "consent_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, never reused",
        ),
        sa.Column(
            "event_reference",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="invoice, form or session number in the owner's own system",
        ),
        sa.Column(
            "event_date",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day of the person's act; retention counts from here",
        ),
        sa.Column(
            "source_kind",
            sa.Text(),
            server_default=sa.text("'data_subject'"),
            autoincrement=False,
            nullable=False,
            comment="the person gave it: data_subject",
        ),
        sa.Column(
            "consented_at", Utc(), autoincrement=False, nullable=False, comment="when it was given"
        ),
        sa.Column(
            "withdrawn_at", Utc(), autoincrement=False, nullable=True, comment="when it ended"
        ),
        sa.Column(
            "act", sa.Text(), autoincrement=False, nullable=False, comment="what the person did"
        ),
        sa.Column(
            "text_version",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="wording agreed to",
        ),
        sa.Column(
            "channel", sa.Text(), autoincrement=False, nullable=False, comment="email or phone"
        ),
        sa.Column("purpose", sa.Text(), autoincrement=False, nullable=False, comment="purpose id"),
        sa.Column(
            "key_version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="version of the key outside the database",
        ),
        sa.Column(
            "contact_hash",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="HMAC-SHA-256 of the address or number, hex",
        ),
        sa.Column(
            "digest",
            sa.LargeBinary(length=16),
            autoincrement=False,
            nullable=False,
            comment="xxh3-128 of the kept fields",
        ),
        sa.Column(
            "first_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="origin of every field that has no later change",
        ),
        sa.Column(
            "last_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that wrote the content now held",
        ),
        sa.Column(
            "obtained_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we first received it",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'active'"),
            autoincrement=False,
            nullable=False,
            comment="active or inactive",
        ),
        sa.Column(
            "inactive_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is inactive, by its policy row; null while it goes on",
        ),
        sa.Column(
            "inactive_reason",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="which condition of the policy row",
        ),
        sa.Column(
            "delete_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is deleted, by its policy row; null while it goes on",
        ),
        sa.CheckConstraint(
            "channel = 'email' OR channel = 'phone'", name=op.f("ck_consent_channel")
        ),
        sa.CheckConstraint("source_kind = 'data_subject'", name=op.f("ck_consent_from_the_person")),
        sa.CheckConstraint("state = 'active' OR state = 'inactive'", name=op.f("ck_consent_state")),
        sa.CheckConstraint(
            "(inactive_after IS NULL) = (delete_after IS NULL) AND (inactive_after IS NULL) = (inactive_reason IS NULL)",
            name=op.f("ck_consent_way_out_is_whole"),
        ),
        sa.CheckConstraint(
            "length(act) > 0 AND length(text_version) > 0", name=op.f("ck_consent_is_shown")
        ),
        sa.CheckConstraint("length(contact_hash) = 64", name=op.f("ck_consent_hash_hex")),
        sa.ForeignKeyConstraint(
            ["first_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_consent_first_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["last_delivery_id"], ["delivery.delivery_id"], name=op.f("fk_consent_last_delivery_id")
        ),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consent")),
        sa.UniqueConstraint("event_reference", name="consent_reference"),
        comment="Consents: who did what, to which wording, when; the contact as a keyed hash",
    )
    op.create_index("ix_consent_contact_hash", "consent", ["contact_hash"], unique=False)
    op.create_index("ix_consent_delete_after", "consent", ["delete_after"], unique=False)
    op.create_table(
        "customer",
        sa.Column(
            "customer_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, never reused",
        ),
        sa.Column(
            "event_reference",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="invoice, form or session number in the owner's own system",
        ),
        sa.Column(
            "event_date",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day of the person's act; retention counts from here",
        ),
        sa.Column(
            "source_kind",
            sa.Text(),
            server_default=sa.text("'data_subject'"),
            autoincrement=False,
            nullable=False,
            comment="the person gave it: data_subject",
        ),
        sa.Column(
            "company_name",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="name as the person gave it",
        ),
        sa.Column(
            "lei", sa.Text(), autoincrement=False, nullable=True, comment="LEI, where stated"
        ),
        sa.Column(
            "registration_authority",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="register's number space (RA code), where stated",
        ),
        sa.Column(
            "registration_number",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="number in its one form, where stated",
        ),
        sa.Column(
            "country",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="country (ISO 3166-1), where stated",
        ),
        sa.Column(
            "email", sa.Text(), autoincrement=False, nullable=True, comment="address, normalised"
        ),
        sa.Column(
            "phone", sa.Text(), autoincrement=False, nullable=True, comment="number in E.164"
        ),
        sa.Column(
            "relationship_start_date",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="customer from",
        ),
        sa.Column(
            "relationship_end_date",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="customer until; null = goes on",
        ),
        sa.Column(
            "is_managed",
            sa.Boolean(),
            autoincrement=False,
            nullable=False,
            comment="its LEI is under our management",
        ),
        sa.Column(
            "digest",
            sa.LargeBinary(length=16),
            autoincrement=False,
            nullable=False,
            comment="xxh3-128 of the kept fields",
        ),
        sa.Column(
            "first_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="origin of every field that has no later change",
        ),
        sa.Column(
            "last_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that wrote the content now held",
        ),
        sa.Column(
            "obtained_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we first received it",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'active'"),
            autoincrement=False,
            nullable=False,
            comment="active or inactive",
        ),
        sa.Column(
            "inactive_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is inactive, by its policy row; null while it goes on",
        ),
        sa.Column(
            "inactive_reason",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="which condition of the policy row",
        ),
        sa.Column(
            "delete_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is deleted, by its policy row; null while it goes on",
        ),
        sa.CheckConstraint(
            "source_kind = 'data_subject'", name=op.f("ck_customer_from_the_person")
        ),
        sa.CheckConstraint(
            "state = 'active' OR state = 'inactive'", name=op.f("ck_customer_state")
        ),
        sa.CheckConstraint(
            "(inactive_after IS NULL) = (delete_after IS NULL) AND (inactive_after IS NULL) = (inactive_reason IS NULL)",
            name=op.f("ck_customer_way_out_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["first_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_customer_first_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["last_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_customer_last_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer")),
        sa.UniqueConstraint("event_reference", name="customer_reference"),
        comment="Persons of category 1: customers, from the owner's own system",
    )
    op.create_index("ix_customer_delete_after", "customer", ["delete_after"], unique=False)
    op.create_index("ix_customer_lei", "customer", ["lei"], unique=False)
    op.create_table(
        "enquiry",
        sa.Column(
            "enquiry_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, never reused",
        ),
        sa.Column(
            "event_reference",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="invoice, form or session number in the owner's own system",
        ),
        sa.Column(
            "event_date",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day of the person's act; retention counts from here",
        ),
        sa.Column(
            "source_kind",
            sa.Text(),
            server_default=sa.text("'data_subject'"),
            autoincrement=False,
            nullable=False,
            comment="the person gave it: data_subject",
        ),
        sa.Column(
            "company_name",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="name as the person gave it",
        ),
        sa.Column(
            "lei", sa.Text(), autoincrement=False, nullable=True, comment="LEI, where stated"
        ),
        sa.Column(
            "registration_authority",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="register's number space (RA code), where stated",
        ),
        sa.Column(
            "registration_number",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="number in its one form, where stated",
        ),
        sa.Column(
            "country",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="country (ISO 3166-1), where stated",
        ),
        sa.Column(
            "email", sa.Text(), autoincrement=False, nullable=True, comment="address, normalised"
        ),
        sa.Column(
            "phone", sa.Text(), autoincrement=False, nullable=True, comment="number in E.164"
        ),
        sa.Column(
            "digest",
            sa.LargeBinary(length=16),
            autoincrement=False,
            nullable=False,
            comment="xxh3-128 of the kept fields",
        ),
        sa.Column(
            "first_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="origin of every field that has no later change",
        ),
        sa.Column(
            "last_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that wrote the content now held",
        ),
        sa.Column(
            "obtained_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we first received it",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'active'"),
            autoincrement=False,
            nullable=False,
            comment="active or inactive",
        ),
        sa.Column(
            "inactive_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is inactive, by its policy row; null while it goes on",
        ),
        sa.Column(
            "inactive_reason",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="which condition of the policy row",
        ),
        sa.Column(
            "delete_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is deleted, by its policy row; null while it goes on",
        ),
        sa.CheckConstraint("source_kind = 'data_subject'", name=op.f("ck_enquiry_from_the_person")),
        sa.CheckConstraint("state = 'active' OR state = 'inactive'", name=op.f("ck_enquiry_state")),
        sa.CheckConstraint(
            "(inactive_after IS NULL) = (delete_after IS NULL) AND (inactive_after IS NULL) = (inactive_reason IS NULL)",
            name=op.f("ck_enquiry_way_out_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["first_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_enquiry_first_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["last_delivery_id"], ["delivery.delivery_id"], name=op.f("fk_enquiry_last_delivery_id")
        ),
        sa.PrimaryKeyConstraint("enquiry_id", name=op.f("pk_enquiry")),
        sa.UniqueConstraint("event_reference", name="enquiry_reference"),
        comment="Persons of category 2: who asked through the website",
    )
    op.create_index("ix_enquiry_delete_after", "enquiry", ["delete_after"], unique=False)
    op.create_table(
        "own_change",
        sa.Column(
            "list_code",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="customers, enquiries, …",
        ),
        sa.Column(
            "own_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the list's own number of the row",
        ),
        sa.Column(
            "field",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the column that changed",
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that brought the new value: its origin",
        ),
        sa.Column(
            "old_value",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="before; null where it is personal",
        ),
        sa.Column(
            "new_value",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="after; null where it is personal",
        ),
        sa.Column(
            "changed_at", Utc(), autoincrement=False, nullable=False, comment="when we applied it"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_own_change_delivery_id")
        ),
        sa.PrimaryKeyConstraint(
            "list_code", "own_id", "field", "delivery_id", name=op.f("pk_own_change")
        ),
        comment="Every change of a row of the owner's lists; goes with the row",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visit",
        sa.Column(
            "visit_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, never reused",
        ),
        sa.Column(
            "event_reference",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="invoice, form or session number in the owner's own system",
        ),
        sa.Column(
            "event_date",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day of the person's act; retention counts from here",
        ),
        sa.Column(
            "source_kind",
            sa.Text(),
            server_default=sa.text("'data_subject'"),
            autoincrement=False,
            nullable=False,
            comment="the person gave it: data_subject",
        ),
        sa.Column("visited_at", Utc(), autoincrement=False, nullable=False, comment="when"),
        sa.Column(
            "ip_address",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="address the device came from",
        ),
        sa.Column(
            "device", sa.Text(), autoincrement=False, nullable=True, comment="kind of device"
        ),
        sa.Column("browser", sa.Text(), autoincrement=False, nullable=True, comment="browser"),
        sa.Column(
            "digest",
            sa.LargeBinary(length=16),
            autoincrement=False,
            nullable=False,
            comment="xxh3-128 of the kept fields",
        ),
        sa.Column(
            "first_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="origin of every field that has no later change",
        ),
        sa.Column(
            "last_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that wrote the content now held",
        ),
        sa.Column(
            "obtained_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we first received it",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'active'"),
            autoincrement=False,
            nullable=False,
            comment="active or inactive",
        ),
        sa.Column(
            "inactive_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is inactive, by its policy row; null while it goes on",
        ),
        sa.Column(
            "inactive_reason",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="which condition of the policy row",
        ),
        sa.Column(
            "delete_after",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="day from which it is deleted, by its policy row; null while it goes on",
        ),
        sa.CheckConstraint("source_kind = 'data_subject'", name=op.f("ck_visit_from_the_person")),
        sa.CheckConstraint("state = 'active' OR state = 'inactive'", name=op.f("ck_visit_state")),
        sa.CheckConstraint(
            "(inactive_after IS NULL) = (delete_after IS NULL) AND (inactive_after IS NULL) = (inactive_reason IS NULL)",
            name=op.f("ck_visit_way_out_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["first_delivery_id"], ["delivery.delivery_id"], name=op.f("fk_visit_first_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["last_delivery_id"], ["delivery.delivery_id"], name=op.f("fk_visit_last_delivery_id")
        ),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_visit")),
        sa.UniqueConstraint("event_reference", name="visit_reference"),
        comment="Persons of category 3: visitors; holds nothing that leads to a company",
    )
    op.create_index("ix_visit_delete_after", "visit", ["delete_after"], unique=False)
