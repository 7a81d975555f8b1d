"""What is kept apart and what left: quarantine, exports, stops, proof."""

# ruff: noqa: E501  (written by Alembic from the schema, kept as history)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.schema.base import Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_APPEND_ONLY = ("deletion_log", "audit_event")


def _append_only() -> None:
    """Refuse UPDATE and DELETE on the proof tables in the database itself."""
    if op.get_bind().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_event",
        sa.Column(
            "event_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, in order",
        ),
        sa.Column("at", Utc(), autoincrement=False, nullable=False, comment="when"),
        sa.Column("actor", sa.Text(), autoincrement=False, nullable=False, comment="who"),
        sa.Column(
            "action",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="export, suppress, deactivate, delete, explain, quarantine",
        ),
        sa.Column(
            "subject",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="opaque id of what it was about",
        ),
        sa.Column(
            "detail",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="JSON of counts and codes, never a value",
        ),
        sa.Column(
            "chain",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="SHA-256 over the previous event's and this one",
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_event")),
        comment="Who did what when; chained, append-only",
    )
    op.create_table(
        "deletion_log",
        sa.Column(
            "deletion_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="ours, in order",
        ),
        sa.Column(
            "subject",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="random id of the act; says nothing about whom",
        ),
        sa.Column(
            "table_name",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="table rows were deleted from",
        ),
        sa.Column(
            "row_count",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="rows deleted from it",
        ),
        sa.Column(
            "policy_id",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="retention policy row",
        ),
        sa.Column(
            "reason",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="condition that made it due",
        ),
        sa.Column(
            "policy_version",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="policy version in force",
        ),
        sa.Column("deleted_at", Utc(), autoincrement=False, nullable=False, comment="when"),
        sa.Column("actor", sa.Text(), autoincrement=False, nullable=False, comment="who ran it"),
        sa.Column(
            "chain",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="SHA-256 over the previous entry's and this one",
        ),
        sa.PrimaryKeyConstraint("deletion_id", name=op.f("pk_deletion_log")),
        comment="Proof of deletion without personal data; chained, append-only",
    )
    op.create_table(
        "not_retaken",
        sa.Column(
            "subject_hash",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="HMAC of (source, key, field, value)",
        ),
        sa.Column(
            "key_version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="version of the key outside the database",
        ),
        sa.Column(
            "since_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when retention deleted the value",
        ),
        sa.PrimaryKeyConstraint("subject_hash", name=op.f("pk_not_retaken")),
        comment="Values retention deleted: the same value is not taken again from the same record",
    )
    op.create_table(
        "suppressed_record",
        sa.Column(
            "source_id", sa.Text(), autoincrement=False, nullable=False, comment="the source"
        ),
        sa.Column(
            "subject_hash",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="keyed hash of the key, hex",
        ),
        sa.Column(
            "country",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="country, for counting only",
        ),
        sa.Column(
            "lei_status",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="status, for counting only",
        ),
        sa.Column(
            "next_renewal_date",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="date, for counting only",
        ),
        sa.Column(
            "last_seen_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when a delivery last brought it",
        ),
        sa.PrimaryKeyConstraint("source_id", "subject_hash", name=op.f("pk_suppressed_record")),
        comment="Stopped companies a delivery brought and the load dropped: counted, not known",
    )
    op.create_table(
        "suppression",
        sa.Column(
            "suppression_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="ours"
        ),
        sa.Column(
            "scope",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="company, value or domain",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="what was hashed: lei, email, phone, domain",
        ),
        sa.Column(
            "key_version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="version of the key outside the database",
        ),
        sa.Column(
            "subject_hash",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="HMAC-SHA-256 of the canonical value, hex",
        ),
        sa.Column(
            "reason",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="why, in words without contact values",
        ),
        sa.Column(
            "origin",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="command, link, import",
        ),
        sa.Column("added_at", Utc(), autoincrement=False, nullable=False, comment="in force from"),
        sa.Column(
            "review_on",
            sa.Date(),
            autoincrement=False,
            nullable=True,
            comment="when a person looks at it again",
        ),
        sa.CheckConstraint(
            "scope = 'company' OR scope = 'value' OR scope = 'domain'",
            name=op.f("ck_suppression_scope"),
        ),
        sa.CheckConstraint("length(subject_hash) = 64", name=op.f("ck_suppression_hash_hex")),
        sa.PrimaryKeyConstraint("suppression_id", name=op.f("pk_suppression")),
        sa.UniqueConstraint(
            "kind",
            "key_version",
            "subject_hash",
            name=op.f("uq_suppression_kind_key_version_subject_hash"),
        ),
        comment="Do not contact: keyed hashes, no e-mail, no name; outlives the person's row",
    )
    op.create_table(
        "company_stop",
        sa.Column(
            "company_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="a company now held",
        ),
        sa.Column(
            "suppression_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the stop that covers it",
        ),
        sa.ForeignKeyConstraint(
            ["suppression_id"],
            ["suppression.suppression_id"],
            name=op.f("fk_company_stop_suppression_id"),
        ),
        sa.PrimaryKeyConstraint("company_id", "suppression_id", name=op.f("pk_company_stop")),
        comment="Stops resolved to companies now held, so that bulk loads need no hashing",
    )
    op.create_table(
        "export",
        sa.Column("export_id", sa.Text(), autoincrement=False, nullable=False, comment="ours"),
        sa.Column(
            "state",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="written (files being placed) or published",
        ),
        sa.Column(
            "directory",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="folder the list was written to",
        ),
        sa.Column(
            "segment", sa.Text(), autoincrement=False, nullable=False, comment="segment exported"
        ),
        sa.Column(
            "channel",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="post, email or phone",
        ),
        sa.Column("purpose", sa.Text(), autoincrement=False, nullable=False, comment="purpose id"),
        sa.Column(
            "recipient", sa.Text(), autoincrement=False, nullable=False, comment="recipient id"
        ),
        sa.Column("created_at", Utc(), autoincrement=False, nullable=False, comment="when"),
        sa.Column("actor", sa.Text(), autoincrement=False, nullable=False, comment="who"),
        sa.Column(
            "manifest",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="manifest as written, JSON, without contact values",
        ),
        sa.Column(
            "run_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the run"
        ),
        sa.CheckConstraint(
            "state = 'written' OR state = 'published'", name=op.f("ck_export_state")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_export_run_id")),
        sa.PrimaryKeyConstraint("export_id", name=op.f("pk_export")),
        comment="Lists that left, whole or not at all",
    )
    op.create_table(
        "followed_stop",
        sa.Column(
            "subject_hash",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="HMAC of who is covered too, hex",
        ),
        sa.Column(
            "suppression_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the stop that leads there",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="what was hashed: lei, or register (its code and a number)",
        ),
        sa.Column(
            "key_version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="version of the key outside the database",
        ),
        sa.Column(
            "path",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="how it leads there: successor, duplicate, same number",
        ),
        sa.Column(
            "via_hash",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="HMAC of the LEI it leads there from, hex",
        ),
        sa.Column(
            "since_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="covered from; a stop is never narrowed again",
        ),
        sa.CheckConstraint("length(subject_hash) = 64", name=op.f("ck_followed_stop_hash_hex")),
        sa.ForeignKeyConstraint(
            ["suppression_id"],
            ["suppression.suppression_id"],
            name=op.f("fk_followed_stop_suppression_id"),
        ),
        sa.PrimaryKeyConstraint("subject_hash", "suppression_id", name=op.f("pk_followed_stop")),
        comment="Companies a stop follows to: successors, a duplicate's survivor, the same number",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "disclosure",
        sa.Column(
            "disclosure_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="ours"
        ),
        sa.Column("export_id", sa.Text(), autoincrement=False, nullable=False, comment="list"),
        sa.Column(
            "row_id", sa.Text(), autoincrement=False, nullable=False, comment="row in the list"
        ),
        sa.Column(
            "company_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="company as we knew it then (may be gone)",
        ),
        sa.Column(
            "recipient", sa.Text(), autoincrement=False, nullable=False, comment="recipient id"
        ),
        sa.Column(
            "recipient_name",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="recipient's name",
        ),
        sa.Column(
            "fields",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="which fields left, comma separated; never the values",
        ),
        sa.Column(
            "notice_id", sa.Text(), autoincrement=False, nullable=False, comment="notice on the row"
        ),
        sa.Column(
            "policy_version",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="policy version in force",
        ),
        sa.Column("disclosed_at", Utc(), autoincrement=False, nullable=False, comment="when"),
        sa.ForeignKeyConstraint(
            ["export_id"], ["export.export_id"], name=op.f("fk_disclosure_export_id")
        ),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_disclosure")),
        comment="Who received which company's which fields, when, under which notice",
    )
    op.create_index("ix_disclosure_company_id", "disclosure", ["company_id"], unique=False)
    op.create_table(
        "letter",
        sa.Column(
            "token_digest",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="SHA-256 of the link's secret part",
        ),
        sa.Column("export_id", sa.Text(), autoincrement=False, nullable=False, comment="the list"),
        sa.Column("row_id", sa.Text(), autoincrement=False, nullable=False, comment="the row"),
        sa.Column(
            "company_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the company then",
        ),
        sa.Column(
            "key_version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="version of the suppression key",
        ),
        sa.Column(
            "subject_hash",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="keyed hash of (source, key): outlives the company",
        ),
        sa.Column(
            "notice_id",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the notice printed",
        ),
        sa.Column(
            "language",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="language(s) of the notice",
        ),
        sa.Column(
            "notice_html",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="the row's full notice to the byte; removed with the company",
        ),
        sa.Column("created_at", Utc(), autoincrement=False, nullable=False, comment="when"),
        sa.ForeignKeyConstraint(
            ["export_id"], ["export.export_id"], name=op.f("fk_letter_export_id")
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_letter")),
        comment="Signed links on exported rows; they work after the company is gone",
    )
    op.create_index("ix_letter_company_id", "letter", ["company_id"], unique=False)
    op.create_index("ix_letter_subject_hash", "letter", ["subject_hash"], unique=False)
    op.create_table(
        "quarantined_row",
        sa.Column(
            "quarantine_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="ours"
        ),
        sa.Column(
            "source_id", sa.Text(), autoincrement=False, nullable=False, comment="the source"
        ),
        sa.Column(
            "source_key",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the row's key as sent, or ''",
        ),
        sa.Column(
            "rule",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the rule that stopped it",
        ),
        sa.Column(
            "content_digest",
            sa.LargeBinary(length=16),
            autoincrement=False,
            nullable=False,
            comment="digest of the text",
        ),
        sa.Column(
            "content",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="JSON: mapped columns, personal numbers removed; natural persons: skeleton",
        ),
        sa.Column(
            "withheld",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="why the text is not the whole row: shape, person, text, contacts; null: it is",
        ),
        sa.Column(
            "byte_offset",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="where the row starts in the member last seen",
        ),
        sa.Column(
            "is_alarming",
            sa.Boolean(),
            autoincrement=False,
            nullable=False,
            comment="false for LEIs already annulled or duplicate",
        ),
        sa.Column(
            "first_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery it was first seen in",
        ),
        sa.Column(
            "last_delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="delivery it was last seen in",
        ),
        sa.Column(
            "first_seen_at", Utc(), autoincrement=False, nullable=False, comment="first seen"
        ),
        sa.Column(
            "last_seen_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="last seen; retention counts from here",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'open'"),
            autoincrement=False,
            nullable=False,
            comment="open, dropped by a person, or retried and let in",
        ),
        sa.CheckConstraint(
            "state = 'open' OR state = 'dropped' OR state = 'retried'",
            name=op.f("ck_quarantined_row_state"),
        ),
        sa.CheckConstraint(
            "withheld = 'shape' OR withheld = 'person' OR withheld = 'text' OR withheld = 'contacts'",
            name=op.f("ck_quarantined_row_withheld"),
        ),
        sa.ForeignKeyConstraint(
            ["first_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_quarantined_row_first_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["last_delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_quarantined_row_last_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantined_row")),
        sa.UniqueConstraint(
            "source_id",
            "source_key",
            "rule",
            "content_digest",
            name=op.f("uq_quarantined_row_source_id_source_key_rule_content_digest"),
        ),
        comment="Rejected rows, one entry a (source, key, rule, content)",
    )
    op.create_table(
        "correction",
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
            comment="delivery that brought the corrected row",
        ),
        sa.Column(
            "corrected_by",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="whose word it is: the controller, by name",
        ),
        sa.Column(
            "actor",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="login or operating-system user that corrected it",
        ),
        sa.Column(
            "reason",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="why, in words without contact values",
        ),
        sa.Column("corrected_at", Utc(), autoincrement=False, nullable=False, comment="when"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_correction_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "source_key"],
            ["record.record_id", "record.source_key"],
            name=op.f("fk_correction_record_id_source_key"),
        ),
        sa.PrimaryKeyConstraint(
            "record_id", "source_key", "field", "delivery_id", name=op.f("pk_correction")
        ),
        comment="Fields of a delivery that a person corrected: their origin is no publisher",
        sqlite_with_rowid=False,
    )
    _append_only()
