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
            comment="ingest, deactivate, delete, export",
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
            "state IN ('running', 'done', 'refused', 'failed', 'interrupted')",
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
            "kind IN ('full', 'delta', 'feed', 'api', 'file')", name=op.f("ck_delivery_kind")
        ),
        sa.CheckConstraint(
            "status = 'refused' OR records_in = records_new + records_changed + records_unchanged + records_stale + records_superseded + records_retracted + records_out_of_scope + records_quarantined + records_suppressed",
            name=op.f("ck_delivery_adds_up"),
        ),
        sa.CheckConstraint(
            "status IN ('loaded', 'unchanged', 'refused')", name=op.f("ck_delivery_status")
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_delivery_sha256_hex")),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_delivery_run_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        comment="Bytes received once; every row in it has exactly one outcome",
    )
    op.create_index(
        "ix_delivery_source_id_sha256", "delivery", ["source_id", "sha256"], unique=False
    )
