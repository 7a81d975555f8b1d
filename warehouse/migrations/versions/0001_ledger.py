"""The ledger: runs, deliveries, cursors and the numbering of surrogate keys."""

# ruff: noqa: E501  (written by Alembic from the schema, kept as history)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.schema.base import Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "run",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="ours"),
        sa.Column(
            "flow",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="ingest, refresh, quarantine retry, delete, …",
        ),
        sa.Column(
            "source_id",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="the source, for ingest runs",
        ),
        sa.Column(
            "state",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="running, done, refused, failed, interrupted",
        ),
        sa.Column(
            "actor",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="login or operating-system user that started it",
        ),
        sa.Column("started_at", Utc(), autoincrement=False, nullable=False, comment="start, UTC"),
        sa.Column("ended_at", Utc(), autoincrement=False, nullable=True, comment="end, UTC"),
        sa.Column(
            "counts",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="JSON object of counts, never a value",
        ),
        sa.Column(
            "message",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="why it was refused or failed",
        ),
        sa.CheckConstraint(
            "state = 'running' OR state = 'done' OR state = 'refused' OR state = 'failed' OR state = 'interrupted'",
            name=op.f("ck_run_state"),
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        comment="Our own run ledger; Prefect's database is never it",
    )
    op.create_table(
        "sequence",
        sa.Column(
            "name",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="what is numbered: record, company, …",
        ),
        sa.Column(
            "next_value",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the next number; numbers are never reused",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sequence")),
        comment="Surrogate keys that outlive deletions: a deleted id is never given again",
    )
    op.create_table(
        "source_cursor",
        sa.Column(
            "source_id", sa.Text(), autoincrement=False, nullable=False, comment="the source"
        ),
        sa.Column(
            "publisher", sa.Text(), autoincrement=False, nullable=False, comment="who publishes it"
        ),
        sa.Column(
            "database_name",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="the public database's name",
        ),
        sa.Column(
            "is_public_database",
            sa.Boolean(),
            autoincrement=False,
            nullable=False,
            comment="whether anyone can look it up",
        ),
        sa.Column(
            "licence", sa.Text(), autoincrement=False, nullable=False, comment="licence of the data"
        ),
        sa.Column(
            "record_url_template",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="address of one record; {key} is its key",
        ),
        sa.Column(
            "published_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="newest publication applied",
        ),
        sa.Column(
            "full_published_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="newest full file applied",
        ),
        sa.Column(
            "full_sha256",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="digest of that full file",
        ),
        sa.Column(
            "full_record_count",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="rows in that full file",
        ),
        sa.Column(
            "last_seen_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="retrieval of the newest full file applied",
        ),
        sa.Column(
            "position",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="place in its change feed applied up to",
        ),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_source_cursor")),
        comment="Source card as last loaded, and how far the source is applied",
    )
    op.create_table(
        "delivery",
        sa.Column(
            "delivery_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="ours"
        ),
        sa.Column(
            "source_id",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="source that sent it",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="full, delta, feed, api, or file (of unknown kind)",
        ),
        sa.Column(
            "url",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="where it came from, without query",
        ),
        sa.Column(
            "published_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="publication, UTC; null = not stated",
        ),
        sa.Column(
            "retrieved_at",
            Utc(),
            autoincrement=False,
            nullable=False,
            comment="when we received it, UTC",
        ),
        sa.Column(
            "byte_count",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="length of the bytes as received",
        ),
        sa.Column(
            "sha256",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="SHA-256 of the bytes as received, hex",
        ),
        sa.Column(
            "status",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="loaded, unchanged (nothing differed), refused",
        ),
        sa.Column(
            "reason", sa.Text(), autoincrement=False, nullable=True, comment="why it was refused"
        ),
        sa.Column(
            "mapping_version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="version of the column mapping used",
        ),
        sa.Column(
            "unknown_columns",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="columns never heard of, dropped",
        ),
        sa.Column(
            "notes",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="JSON object: note-level rule to row count",
        ),
        sa.Column(
            "run_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the run"
        ),
        sa.Column(
            "records_in",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records in",
        ),
        sa.Column(
            "records_new",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records new",
        ),
        sa.Column(
            "records_changed",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records changed",
        ),
        sa.Column(
            "records_unchanged",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records unchanged",
        ),
        sa.Column(
            "records_stale",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records stale",
        ),
        sa.Column(
            "records_superseded",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records superseded",
        ),
        sa.Column(
            "records_retracted",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records retracted",
        ),
        sa.Column(
            "records_out_of_scope",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records out of scope",
        ),
        sa.Column(
            "records_quarantined",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records quarantined",
        ),
        sa.Column(
            "records_suppressed",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records suppressed",
        ),
        sa.Column(
            "records_vanished",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records vanished",
        ),
        sa.Column(
            "records_minimised",
            sa.BigInteger(),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
            comment="records minimised",
        ),
        sa.CheckConstraint(
            "kind = 'full' OR kind = 'delta' OR kind = 'feed' OR kind = 'api' OR kind = 'file'",
            name=op.f("ck_delivery_kind"),
        ),
        sa.CheckConstraint(
            "status = 'loaded' OR status = 'unchanged' OR status = 'refused'",
            name=op.f("ck_delivery_status"),
        ),
        sa.CheckConstraint(
            "status = 'refused' OR records_in = records_new + records_changed + records_unchanged + records_stale + records_superseded + records_retracted + records_out_of_scope + records_quarantined + records_suppressed",
            name=op.f("ck_delivery_adds_up"),
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_delivery_sha256_hex")),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_delivery_run_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        comment="Bytes received once; every row in it has exactly one outcome",
    )
    op.create_index(
        "ix_delivery_source_id_sha256", "delivery", ["source_id", "sha256"], unique=False
    )
    op.create_table(
        "delivery_profile",
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the delivery",
        ),
        sa.Column(
            "field",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="field, in the words of `changes`",
        ),
        sa.Column(
            "rows",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="rows that could be read",
        ),
        sa.Column(
            "filled",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="those of them that had the field",
        ),
        sa.CheckConstraint(
            "filled BETWEEN 0 AND rows", name=op.f("ck_delivery_profile_filled_within_rows")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_delivery_profile_delivery_id")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "field", name=op.f("pk_delivery_profile")),
        comment="How many rows of a delivery had each kept field, as sent; counts and no value",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "legal_form",
        sa.Column("code", sa.Text(), autoincrement=False, nullable=False, comment="ISO 20275 code"),
        sa.Column(
            "place",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="order among its names, from 0",
        ),
        sa.Column(
            "version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="0 ships, then 1, 2, …",
        ),
        sa.Column(
            "language",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="ISO 639-1, und where not stated",
        ),
        sa.Column(
            "local_name",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="name in that language",
        ),
        sa.Column(
            "transliterated_name",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="name in Latin letters",
        ),
        sa.Column(
            "abbreviations",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="as listed, by semicolons",
        ),
        sa.Column(
            "country", sa.Text(), autoincrement=False, nullable=True, comment="ISO 3166-1 alpha-2"
        ),
        sa.Column(
            "jurisdiction",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="ISO 3166-2, or its name",
        ),
        sa.Column("status", sa.Text(), autoincrement=False, nullable=True, comment="ACTV or INAC"),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="delivery that brought these words; null = they ship with sourcenote",
        ),
        sa.Column(
            "citation",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="where words that ship are taken from",
        ),
        sa.Column(
            "since_at", Utc(), autoincrement=False, nullable=False, comment="in these words from"
        ),
        sa.Column(
            "until_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="in other words from then; null = current",
        ),
        sa.CheckConstraint(
            "(delivery_id IS NULL) = (citation IS NOT NULL)",
            name=op.f("ck_legal_form_has_an_origin"),
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_legal_form_delivery_id")
        ),
        sa.PrimaryKeyConstraint("code", "place", "version", name=op.f("pk_legal_form")),
        comment="Legal forms in words, one row a code, name and version",
    )
    op.create_table(
        "registration_authority",
        sa.Column(
            "code",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="RA code of GLEIF's list",
        ),
        sa.Column(
            "version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="0 ships, then 1, 2, …",
        ),
        sa.Column(
            "local_name",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="the register's own name",
        ),
        sa.Column(
            "international_name",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="its name in English",
        ),
        sa.Column(
            "local_organisation",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="who keeps it, own name",
        ),
        sa.Column(
            "international_organisation",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="who keeps it",
        ),
        sa.Column(
            "website",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="address of the register",
        ),
        sa.Column(
            "countries",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="ISO 3166-1 alpha-2, by commas",
        ),
        sa.Column(
            "jurisdictions",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="names, by commas",
        ),
        sa.Column(
            "short_name",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="what it is called; ships only",
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=True,
            comment="delivery that brought these words; null = they ship with sourcenote",
        ),
        sa.Column(
            "citation",
            sa.Text(),
            autoincrement=False,
            nullable=True,
            comment="where words that ship are taken from",
        ),
        sa.Column(
            "since_at", Utc(), autoincrement=False, nullable=False, comment="in these words from"
        ),
        sa.Column(
            "until_at",
            Utc(),
            autoincrement=False,
            nullable=True,
            comment="in other words from then; null = current",
        ),
        sa.CheckConstraint(
            "(delivery_id IS NULL) = (citation IS NOT NULL)",
            name=op.f("ck_registration_authority_has_an_origin"),
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.delivery_id"],
            name=op.f("fk_registration_authority_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_registration_authority")),
        comment="Registers in words, one row a code and version",
    )
