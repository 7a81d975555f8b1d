"""What publishers said: records, companies, their links, changes and personal values."""

# ruff: noqa: E501  (written by Alembic from the schema, kept as history)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.schema.base import Utc

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


PARTITIONS = 4
"""Hash partitions of `record` on PostgreSQL; enough for parallel plans at a few million records."""
TIDIED = "autovacuum_vacuum_scale_factor = 0.002, autovacuum_vacuum_insert_scale_factor = 0.02"
"""The server tidies up after every delta, not after a fifth of all has changed: until then a
segment is counted in the rows themselves, and takes three times as long."""


def _partition_record() -> None:
    """Make the partitions that PostgreSQL wants before the first row; SQLite has none."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for part in range(PARTITIONS):
        op.execute(
            f"CREATE TABLE record_part_{part} PARTITION OF record "
            f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part}) "
            f"WITH ({TIDIED})"
        )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "company",
        sa.Column(
            "company_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, opaque, never reused",
        ),
        sa.Column(
            "lead_record_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the linked record `prospects` shows",
        ),
        sa.Column(
            "lead_source_key",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="that record's key",
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
            "inactive_since",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="the date the policy row counts from",
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
            comment="day from which it may be deleted",
        ),
        sa.Column(
            "policy_id",
            sa.Text(),
            server_default=sa.text("'company_public'"),
            autoincrement=False,
            nullable=False,
            comment="retention policy row",
        ),
        sa.Column(
            "first_seen_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we first held it",
        ),
        sa.Column(
            "last_changed_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when what is joined to it last changed",
        ),
        sa.CheckConstraint(
            "(state = 'active') = (inactive_since IS NULL) AND (inactive_since IS NULL) = (inactive_reason IS NULL)",
            name=op.f("ck_company_inactive_has_a_reason"),
        ),
        sa.CheckConstraint("state = 'active' OR state = 'inactive'", name=op.f("ck_company_state")),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_company")),
        comment="A company as we know it; its id says nothing about it",
    )
    op.create_index(
        "ix_company_inactive",
        "company",
        ["lead_record_id", "delete_after"],
        unique=False,
        sqlite_where=sa.text("state = 'inactive'"),
        postgresql_where=sa.text("state = 'inactive'"),
    )
    op.create_table(
        "record",
        sa.Column(
            "record_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, never reused",
        ),
        sa.Column(
            "source_key",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the publisher's key: the LEI, a number",
        ),
        sa.Column(
            "source_id", sa.Text(), autoincrement=False, nullable=False, comment="the source"
        ),
        sa.Column(
            "digest",
            sa.LargeBinary(length=16),
            autoincrement=False,
            nullable=False,
            comment="xxh3-128 of the kept fields as published",
        ),
        sa.Column(
            "mapping_version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="mapping the digest was taken under",
        ),
        sa.Column(
            "person_kind",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="none, possible, natural",
        ),
        sa.Column(
            "person_rule",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="the rule that said so",
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
            comment="delivery that wrote the content now held (its changes refer to it)",
        ),
        sa.Column(
            "absent_count",
            sa.Integer(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="full files in a row it was not in",
        ),
        sa.Column(
            "lei_status",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI-CDF RegistrationStatus",
        ),
        sa.Column(
            "next_renewal_date",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="next renewal of the LEI: calendar day as published, whatever its offset",
        ),
        sa.Column(
            "start_lei",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI it is about: start of a relationship, entity of an exception",
        ),
        sa.Column(
            "end_lei",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI at the end of the relationship: the parent, manager or head office",
        ),
        sa.Column(
            "legal_name", sa.Text(), autoincrement=False, nullable=True, comment="legal name"
        ),
        sa.Column(
            "legal_name_language",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="language of the legal name",
        ),
        sa.Column(
            "legal_address_language",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="language of the legal address",
        ),
        sa.Column(
            "legal_address_line",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="first line of the legal address",
        ),
        sa.Column(
            "legal_address_number",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="house number in the legal address",
        ),
        sa.Column(
            "legal_address_number_within_building",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="floor or unit in the legal address",
        ),
        sa.Column(
            "legal_mail_routing",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="mail routing line of the legal address",
        ),
        sa.Column(
            "legal_address_line_1",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="additional line 1 of the legal address",
        ),
        sa.Column(
            "legal_address_line_2",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="additional line 2 of the legal address",
        ),
        sa.Column(
            "legal_address_line_3",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="additional line 3 of the legal address",
        ),
        sa.Column(
            "legal_city",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="city of the legal address",
        ),
        sa.Column(
            "legal_region",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="region of the legal address, ISO 3166-2",
        ),
        sa.Column(
            "legal_country",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="country of the legal address, ISO 3166-1 alpha-2",
        ),
        sa.Column(
            "legal_postal_code",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="postal code of the legal address",
        ),
        sa.Column(
            "headquarters_address_language",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="language of the headquarters address",
        ),
        sa.Column(
            "headquarters_address_line",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="first line of the headquarters address",
        ),
        sa.Column(
            "headquarters_address_number",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="house number in the headquarters address",
        ),
        sa.Column(
            "headquarters_address_number_within_building",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="floor or unit in the headquarters address",
        ),
        sa.Column(
            "headquarters_mail_routing",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="mail routing line of the headquarters address",
        ),
        sa.Column(
            "headquarters_address_line_1",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="additional line 1 of the headquarters address",
        ),
        sa.Column(
            "headquarters_address_line_2",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="additional line 2 of the headquarters address",
        ),
        sa.Column(
            "headquarters_address_line_3",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="additional line 3 of the headquarters address",
        ),
        sa.Column(
            "headquarters_city",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="city of the headquarters address",
        ),
        sa.Column(
            "headquarters_region",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="region of the headquarters address, ISO 3166-2",
        ),
        sa.Column(
            "headquarters_country",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="country of the headquarters address, ISO 3166-1 alpha-2",
        ),
        sa.Column(
            "headquarters_postal_code",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="postal code of the headquarters address",
        ),
        sa.Column(
            "registration_authority",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="register, RA code",
        ),
        sa.Column(
            "registration_authority_other",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="register without an RA code, as named",
        ),
        sa.Column(
            "registration_number",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="number in that register",
        ),
        sa.Column(
            "legal_jurisdiction",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="jurisdiction of formation, ISO 3166",
        ),
        sa.Column(
            "entity_category",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI-CDF EntityCategory",
        ),
        sa.Column(
            "entity_subcategory",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI-CDF EntitySubCategory",
        ),
        sa.Column(
            "legal_form",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="ISO 20275 entity legal form code",
        ),
        sa.Column(
            "legal_form_other",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="legal form without a code, as named",
        ),
        sa.Column(
            "entity_status",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI-CDF EntityStatus",
        ),
        sa.Column(
            "creation_published",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="creation of the entity, text as published",
        ),
        sa.Column(
            "creation_at",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="creation of the entity, UTC seconds since 1970",
        ),
        sa.Column(
            "expiration_published",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="expiry of the entity, text as published",
        ),
        sa.Column(
            "expiration_at",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="expiry of the entity, UTC seconds since 1970",
        ),
        sa.Column(
            "expiration_reason",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI-CDF EntityExpirationReason",
        ),
        sa.Column(
            "successor_lei_1",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI of successor 1",
        ),
        sa.Column(
            "successor_lei_2",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI of successor 2",
        ),
        sa.Column(
            "successor_lei_3",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI of successor 3",
        ),
        sa.Column(
            "successor_lei_4",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI of successor 4",
        ),
        sa.Column(
            "successor_lei_5",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI of successor 5",
        ),
        sa.Column(
            "initial_registration_published",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="first issue of the LEI, text as published",
        ),
        sa.Column(
            "initial_registration_at",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="first issue of the LEI, UTC seconds since 1970",
        ),
        sa.Column(
            "initial_registration_date",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="first issue of the LEI: calendar day as published, whatever its offset",
        ),
        sa.Column(
            "last_update_published",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="last update of the record, text as published",
        ),
        sa.Column(
            "last_update_at",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="last update of the record, UTC seconds since 1970",
        ),
        sa.Column(
            "next_renewal_published",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="next renewal of the LEI, text as published",
        ),
        sa.Column(
            "next_renewal_at",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="next renewal of the LEI, UTC seconds since 1970",
        ),
        sa.Column(
            "managing_lou",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI of the managing issuer",
        ),
        sa.Column(
            "validation_sources",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI-CDF ValidationSources",
        ),
        sa.Column(
            "validation_authority",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="register the issuer validated against, RA code",
        ),
        sa.Column(
            "validation_authority_number",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="number in that register",
        ),
        sa.Column(
            "conformity",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="LEI-CDF ConformityFlag",
        ),
        sa.Column(
            "relationship_type",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="RR-CDF RelationshipType",
        ),
        sa.Column(
            "relationship_status",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="RR-CDF RelationshipStatus",
        ),
        sa.Column(
            "relationship_periods",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="every period as published: type start/end; …",
        ),
        sa.Column(
            "relationship_start_date",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="first day of the relationship period, as published",
        ),
        sa.Column(
            "relationship_end_date",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="last day of the relationship period, as published",
        ),
        sa.Column(
            "relationship_qualifiers",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="every qualifier as published: dimension category; …",
        ),
        sa.Column(
            "relationship_quantifiers",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="every quantifier as published: method amount unit; …",
        ),
        sa.Column(
            "registration_status",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="RR-CDF RegistrationStatus",
        ),
        sa.Column(
            "exception_category",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="Reporting Exceptions: which parent is not reported",
        ),
        sa.Column(
            "exception_reasons",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="Reporting Exceptions: why, every reason as published; …",
        ),
        sa.Column(
            "exception_references",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="Reporting Exceptions: law or document referred to; …",
        ),
        sa.Column(
            "retracted_published",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="when the publisher took the record back, text as published",
        ),
        sa.Column(
            "retracted_at",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="when the publisher took the record back, UTC seconds",
        ),
        sa.Column(
            "ad_protected",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="the register says: no marketing (true, false; null: it has no such flag, or no answer)",
        ),
        sa.Column(
            "vanished_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="when its absence was believed",
        ),
        sa.CheckConstraint(
            "person_kind <> 'natural' OR (legal_name IS NULL AND legal_name_language IS NULL AND legal_address_language IS NULL AND legal_address_line IS NULL AND legal_address_number IS NULL AND legal_address_number_within_building IS NULL AND legal_mail_routing IS NULL AND legal_address_line_1 IS NULL AND legal_address_line_2 IS NULL AND legal_address_line_3 IS NULL AND legal_city IS NULL AND legal_region IS NULL AND legal_postal_code IS NULL AND headquarters_address_language IS NULL AND headquarters_address_line IS NULL AND headquarters_address_number IS NULL AND headquarters_address_number_within_building IS NULL AND headquarters_mail_routing IS NULL AND headquarters_address_line_1 IS NULL AND headquarters_address_line_2 IS NULL AND headquarters_address_line_3 IS NULL AND headquarters_city IS NULL AND headquarters_region IS NULL AND headquarters_postal_code IS NULL AND registration_authority IS NULL AND registration_authority_other IS NULL AND registration_number IS NULL AND legal_jurisdiction IS NULL AND legal_form IS NULL AND legal_form_other IS NULL AND expiration_reason IS NULL AND successor_lei_1 IS NULL AND successor_lei_2 IS NULL AND successor_lei_3 IS NULL AND successor_lei_4 IS NULL AND successor_lei_5 IS NULL AND managing_lou IS NULL AND validation_sources IS NULL AND validation_authority IS NULL AND validation_authority_number IS NULL AND conformity IS NULL)",
            name=op.f("ck_record_natural_is_a_skeleton"),
        ),
        sa.CheckConstraint(
            "person_kind = 'none' OR person_kind = 'possible' OR person_kind = 'natural'",
            name=op.f("ck_record_person_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["first_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_record_first_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("record_id", "source_key", name=op.f("pk_record")),
        comment="What a publisher says on one key; nothing personal is ever in this table",
        postgresql_partition_by="HASH (source_key)",
    )
    op.create_index(
        "ix_record_ad_protected",
        "record",
        ["record_id"],
        unique=False,
        sqlite_where=sa.text("ad_protected IS NOT NULL"),
        postgresql_where=sa.text("ad_protected IS NOT NULL"),
    )
    op.create_index(
        "ix_record_end_lei",
        "record",
        [
            "end_lei",
            "relationship_type",
            "relationship_status",
            "start_lei",
            "retracted_published",
            "vanished_at",
        ],
        unique=False,
        sqlite_where=sa.text("end_lei IS NOT NULL"),
        postgresql_where=sa.text("end_lei IS NOT NULL"),
    )
    op.create_index(
        "ix_record_lei_status",
        "record",
        ["lei_status", "next_renewal_date", "record_id", "source_id"],
        unique=False,
    )
    op.create_index(
        "ix_record_start_lei",
        "record",
        [
            "start_lei",
            "relationship_type",
            "relationship_status",
            "end_lei",
            "retracted_published",
            "vanished_at",
        ],
        unique=False,
        sqlite_where=sa.text("start_lei IS NOT NULL"),
        postgresql_where=sa.text("start_lei IS NOT NULL"),
    )
    op.create_index(
        "uq_record_source_key_source_id", "record", ["source_key", "source_id"], unique=True
    )
    op.create_table(
        "shared_mail_domain",
        sa.Column(
            "source_id", sa.Text(), autoincrement=False, nullable=False, comment="the source"
        ),
        sa.Column(
            "mail_domain",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="domain of more companies than one's",
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="full file it was counted in",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_shared_mail_domain_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("source_id", "mail_domain", name=op.f("pk_shared_mail_domain")),
        comment="Mail domains of agents and hosts, as the newest full file counted them",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "change",
        sa.Column(
            "record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the record"
        ),
        sa.Column(
            "source_key", sa.Text(), autoincrement=False, nullable=False, comment="the record's key"
        ),
        sa.Column(
            "field",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="field, in the words of `prospects`",
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that brought the new value: its origin",
        ),
        sa.Column(
            "old_value", sa.Text(), autoincrement=False, nullable=True, comment="value before"
        ),
        sa.Column(
            "new_value", sa.Text(), autoincrement=False, nullable=True, comment="value after"
        ),
        sa.Column(
            "changed_at", Utc(), autoincrement=False, nullable=False, comment="when we applied it"
        ),
        sa.Column(
            "is_current",
            sa.Boolean(),
            autoincrement=False,
            nullable=False,
            comment="the latest change of this field",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_change_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_change_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint(
            "record_id", "source_key", "field", "delivery_id", name=op.f("pk_change")
        ),
        comment="Every change of a legal person's field, with the delivery that brought it",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_change_changed_at", "change", ["changed_at"], unique=False)
    op.create_index(
        "ix_change_end_lei",
        "change",
        ["old_value"],
        unique=False,
        sqlite_where=sa.text("field = 'end_lei'"),
        postgresql_where=sa.text("field = 'end_lei'"),
    )
    op.create_index(
        "ix_change_vanished",
        "change",
        ["record_id"],
        unique=False,
        sqlite_where=sa.text("field = 'vanished_at'"),
        postgresql_where=sa.text("field = 'vanished_at'"),
    )
    op.create_table(
        "company_record",
        sa.Column(
            "company_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the company",
        ),
        sa.Column(
            "record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the record"
        ),
        sa.Column(
            "source_key", sa.Text(), autoincrement=False, nullable=False, comment="the record's key"
        ),
        sa.Column("since_at", Utc(), autoincrement=False, nullable=False, comment="link held from"),
        sa.Column(
            "until_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="link ended; null = holds",
        ),
        sa.Column(
            "reason",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="why they are linked: own record, same number",
        ),
        sa.Column(
            "until_reason",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="why it ended: number, person",
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.company_id"], name=op.f("fk_company_record_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_company_record_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint("company_id", "record_id", name=op.f("pk_company_record")),
        comment="Which records are about which company; a link can end, nothing else is rewritten",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_company_record_ended",
        "company_record",
        ["company_id"],
        unique=False,
        sqlite_where=sa.text("until_at IS NOT NULL"),
        postgresql_where=sa.text("until_at IS NOT NULL"),
    )
    op.create_index(
        "ix_company_record_joined",
        "company_record",
        ["record_id"],
        unique=False,
        sqlite_where=sa.text("reason != 'own record'"),
        postgresql_where=sa.text("reason != 'own record'"),
    )
    op.create_index("ix_company_record_record_id", "company_record", ["record_id"], unique=False)
    op.create_table(
        "contact_change",
        sa.Column(
            "record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the record"
        ),
        sa.Column(
            "source_key", sa.Text(), autoincrement=False, nullable=False, comment="the record's key"
        ),
        sa.Column(
            "contact_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the contact point",
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that brought, withdrew or changed it",
        ),
        sa.Column(
            "what",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="came, went, came back, protection",
        ),
        sa.Column(
            "kind", sa.Text(), autoincrement=False, nullable=False, comment="email, phone, website"
        ),
        sa.Column(
            "changed_at", Utc(), autoincrement=False, nullable=False, comment="when we applied it"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_contact_change_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_contact_change_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint(
            "record_id", "contact_id", "delivery_id", "what", name=op.f("pk_contact_change")
        ),
        comment="When contact points came and went; the values stand with the contact points alone",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_point",
        sa.Column(
            "contact_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, never reused",
        ),
        sa.Column(
            "record_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the record it came with",
        ),
        sa.Column(
            "source_key", sa.Text(), autoincrement=False, nullable=False, comment="the record's key"
        ),
        sa.Column(
            "kind", sa.Text(), autoincrement=False, nullable=False, comment="email, phone, website"
        ),
        sa.Column(
            "value",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the contact point, normalised",
        ),
        sa.Column(
            "original",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="as its publisher writes it",
        ),
        sa.Column(
            "mail_domain",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="what stands behind the @ of an e-mail address",
        ),
        sa.Column(
            "mailbox_class",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="whose mailbox; null: no e-mail",
        ),
        sa.Column(
            "person_kind",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="none, possible, natural: whom the value names",
        ),
        sa.Column(
            "valid_from",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="first day by the register",
        ),
        sa.Column(
            "valid_until",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="last day by the register",
        ),
        sa.Column(
            "ad_protected",
            sa.Boolean(),
            autoincrement=False,
            nullable=True,
            comment="marketing protection; null unknown",
        ),
        sa.Column(
            "first_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that brought it: its origin",
        ),
        sa.Column(
            "obtained_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we obtained it: retention counts from here",
        ),
        sa.Column(
            "withdrawn_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="when its source no longer had it",
        ),
        sa.Column(
            "inactive_after",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day from which it is inactive, by its policy row",
        ),
        sa.Column(
            "delete_after",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day from which it is deleted, by its policy row",
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
            "inactive_since",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="the day its policy row counts from",
        ),
        sa.Column(
            "inactive_reason",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="which condition of the policy row",
        ),
        sa.CheckConstraint(
            "(kind = 'email') = (mailbox_class IS NOT NULL) AND (kind = 'email') = (mail_domain IS NOT NULL)",
            name=op.f("ck_contact_point_mailboxes_are_of_email"),
        ),
        sa.CheckConstraint(
            "kind = 'email' OR kind = 'phone' OR kind = 'website'",
            name=op.f("ck_contact_point_kind"),
        ),
        sa.CheckConstraint(
            "state = 'active' OR state = 'inactive'", name=op.f("ck_contact_point_state")
        ),
        sa.ForeignKeyConstraint(
            ["first_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_contact_point_first_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_contact_point_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contact_point")),
        sa.UniqueConstraint(
            "record_id", "kind", "value", name=op.f("uq_contact_point_record_id_kind_value")
        ),
        comment="Published contact points of a record, one row a value",
    )
    op.create_index("ix_contact_point_mail_domain", "contact_point", ["mail_domain"], unique=False)
    op.create_index("ix_contact_point_value", "contact_point", ["value"], unique=False)
    op.create_table(
        "personal_value",
        sa.Column(
            "record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the record"
        ),
        sa.Column(
            "source_key", sa.Text(), autoincrement=False, nullable=False, comment="the record's key"
        ),
        sa.Column(
            "field",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="field, or field_care_of",
        ),
        sa.Column(
            "value",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="care-of part, or a natural person's particular",
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery that brought it: its origin",
        ),
        sa.Column(
            "obtained_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we obtained it: retention counts from here",
        ),
        sa.Column(
            "inactive_after",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day from which it is inactive, by its policy row",
        ),
        sa.Column(
            "delete_after",
            sa.Date(),
            autoincrement=False,
            nullable=False,
            comment="day from which it is deleted, by its policy row",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'active'"),
            autoincrement=False,
            nullable=False,
            comment="active or inactive",
        ),
        sa.CheckConstraint(
            "state = 'active' OR state = 'inactive'", name=op.f("ck_personal_value_state")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_personal_value_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_personal_value_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint("record_id", "source_key", "field", name=op.f("pk_personal_value")),
        comment="Values that name a person, apart from the record they came with",
    )
    op.create_table(
        "protection_check",
        sa.Column(
            "record_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the record asked about",
        ),
        sa.Column(
            "source_key", sa.Text(), autoincrement=False, nullable=False, comment="the record's key"
        ),
        sa.Column(
            "checked_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when its register last said whether it is protected",
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the answer that said so",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_protection_check_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_protection_check_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_protection_check")),
        comment="Single answers on marketing protection since the newest full file",
    )
    op.create_table(
        "record_number",
        sa.Column(
            "number_space",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="RA code standing for its numbers",
        ),
        sa.Column(
            "number",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the number in its one form",
        ),
        sa.Column(
            "record_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="record with an LEI stating it",
        ),
        sa.Column(
            "source_key", sa.Text(), autoincrement=False, nullable=False, comment="the record's key"
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_record_number_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint(
            "number_space", "number", "record_id", name=op.f("pk_record_number")
        ),
        comment="Registers' numbers that LEI records state: a register's record is joined by these",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_record_number_record_id", "record_number", ["record_id"], unique=False)
    _partition_record()
