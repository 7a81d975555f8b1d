"""Bytes received, runs made, and how far each source is: the ledger behind every figure."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column, one_of

DELIVERY_KINDS = ("full", "delta", "feed", "api", "file")
DELIVERY_STATES = ("loaded", "unchanged", "refused")
RUN_STATES = ("running", "done", "refused", "failed", "interrupted")
COUNTS = (
    "records_in",
    "records_new",
    "records_changed",
    "records_unchanged",
    "records_stale",
    "records_superseded",
    "records_retracted",
    "records_out_of_scope",
    "records_quarantined",
    "records_suppressed",
    "records_vanished",
    "records_minimised",
)
OUTCOMES = COUNTS[1:10]
"""Every row in has exactly one of these; vanished rows were not in, minimised are among them."""

sequence = sa.Table(
    "sequence",
    METADATA,
    column("name", sa.Text, primary_key=True, comment="what is numbered: record, company, …"),
    column("next_value", sa.BigInteger, comment="the next number; numbers are never reused"),
    comment="Surrogate keys that outlive deletions: a deleted id is never given again",
)

run = sa.Table(
    "run",
    METADATA,
    column("run_id", sa.BigInteger, primary_key=True, comment="ours"),
    column("flow", sa.Text, comment="ingest, refresh, quarantine retry, delete, …"),
    column("source_id", sa.Text, nullable=True, comment="the source, for ingest runs"),
    column("state", sa.Text, comment="running, done, refused, failed, interrupted"),
    column("actor", sa.Text, comment="login or operating-system user that started it"),
    column("started_at", Utc, comment="start, UTC"),
    column("ended_at", Utc, nullable=True, comment="end, UTC"),
    column("counts", sa.Text, nullable=True, comment="JSON object of counts, never a value"),
    column("message", sa.Text, nullable=True, comment="why it was refused or failed"),
    one_of("state", RUN_STATES, "state"),
    comment="Our own run ledger; Prefect's database is never it",
)

delivery = sa.Table(
    "delivery",
    METADATA,
    column("delivery_id", sa.BigInteger, primary_key=True, comment="ours"),
    column("source_id", sa.Text, comment="source that sent it"),
    column("kind", sa.Text, comment="full, delta, feed, api, or file (of unknown kind)"),
    column("url", sa.Text, comment="where it came from, without query"),
    column("published_at", Utc, nullable=True, comment="publication, UTC; null = not stated"),
    column("retrieved_at", Utc, comment="when we received it, UTC"),
    column("byte_count", sa.BigInteger, comment="length of the bytes as received"),
    column("sha256", sa.Text, comment="SHA-256 of the bytes as received, hex"),
    column("status", sa.Text, comment="loaded, unchanged (nothing differed), refused"),
    column("reason", sa.Text, nullable=True, comment="why it was refused"),
    column("mapping_version", sa.Integer, comment="version of the column mapping used"),
    column("unknown_columns", sa.Text, nullable=True, comment="columns never heard of, dropped"),
    column("notes", sa.Text, nullable=True, comment="JSON object: note-level rule to row count"),
    column("run_id", sa.BigInteger, sa.ForeignKey("run.run_id"), comment="the run"),
    *(column(name, sa.BigInteger, default="0", comment=name.replace("_", " ")) for name in COUNTS),
    one_of("kind", DELIVERY_KINDS, "kind"),
    one_of("status", DELIVERY_STATES, "status"),
    sa.CheckConstraint(
        f"status = 'refused' OR records_in = {' + '.join(OUTCOMES)}", name="adds_up"
    ),
    sa.CheckConstraint("length(sha256) = 64", name="sha256_hex"),
    comment="Bytes received once; every row in it has exactly one outcome",
)
sa.Index("ix_delivery_source_id_sha256", delivery.c.source_id, delivery.c.sha256)

source_cursor = sa.Table(
    "source_cursor",
    METADATA,
    column("source_id", sa.Text, primary_key=True, comment="the source"),
    column("publisher", sa.Text, comment="who publishes it"),
    column("database_name", sa.Text, comment="the public database's name"),
    column("is_public_database", sa.Boolean, comment="whether anyone can look it up"),
    column("licence", sa.Text, comment="licence of the data"),
    column("record_url_template", sa.Text, comment="address of one record; {key} is its key"),
    column("published_at", Utc, nullable=True, comment="newest publication applied"),
    column("full_published_at", Utc, nullable=True, comment="newest full file applied"),
    column("full_sha256", sa.Text, nullable=True, comment="digest of that full file"),
    column("full_record_count", sa.BigInteger, nullable=True, comment="rows in that full file"),
    column("last_seen_at", Utc, nullable=True, comment="retrieval of the newest full file applied"),
    column("position", sa.Text, nullable=True, comment="place in its change feed applied up to"),
    comment="Source card as last loaded, and how far the source is applied",
)
