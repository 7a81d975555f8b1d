"""The do-not-contact list, the proof of deletion, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column, one_of

SCOPES = ("company", "value", "domain")

suppression = sa.Table(
    "suppression",
    METADATA,
    column("suppression_id", sa.BigInteger, primary_key=True, comment="ours"),
    column("scope", sa.Text, comment="company, value or domain"),
    column("kind", sa.Text, comment="what was hashed: lei, register, email, phone, domain"),
    column("key_version", sa.Integer, comment="version of the key outside the database"),
    column("subject_hash", sa.Text, comment="HMAC-SHA-256 of the canonical value, hex"),
    column("reason", sa.Text, comment="why, in words without contact values"),
    column("origin", sa.Text, comment="command, link, import"),
    column("added_at", Utc, comment="in force from"),
    column("review_on", sa.Date, nullable=True, comment="when a person looks at it again"),
    sa.UniqueConstraint("kind", "key_version", "subject_hash"),
    one_of("scope", SCOPES, "scope"),
    sa.CheckConstraint("length(subject_hash) = 64", name="hash_hex"),
    comment="Do not contact: keyed hashes, no e-mail, no name; outlives the person's row",
)

company_stop = sa.Table(
    "company_stop",
    METADATA,
    column("company_id", sa.BigInteger, primary_key=True, comment="a company now held"),
    column(
        "suppression_id",
        sa.BigInteger,
        sa.ForeignKey("suppression.suppression_id"),
        primary_key=True,
        comment="the stop that covers it",
    ),
    comment="Stops resolved to companies now held, so that bulk loads need no hashing",
)

followed_stop = sa.Table(
    "followed_stop",
    METADATA,
    column("subject_hash", sa.Text, primary_key=True, comment="HMAC of who is covered too, hex"),
    column(
        "suppression_id",
        sa.BigInteger,
        sa.ForeignKey("suppression.suppression_id"),
        primary_key=True,
        comment="the stop that leads there",
    ),
    column("kind", sa.Text, comment="what was hashed: lei, or register (its code and a number)"),
    column("key_version", sa.Integer, comment="version of the key outside the database"),
    column("path", sa.Text, comment="how it leads there: successor, duplicate, same number"),
    column("via_hash", sa.Text, comment="HMAC of the LEI it leads there from, hex"),
    column("since_at", Utc, comment="covered from; a stop is never narrowed again"),
    sa.CheckConstraint("length(subject_hash) = 64", name="hash_hex"),
    comment="Companies a stop follows to: successors, a duplicate's survivor, the same number",
    sqlite_with_rowid=False,
)

suppressed_record = sa.Table(
    "suppressed_record",
    METADATA,
    column("source_id", sa.Text, primary_key=True, comment="the source"),
    column("subject_hash", sa.Text, primary_key=True, comment="keyed hash of the key, hex"),
    column("country", sa.Text, nullable=True, comment="country, for counting only"),
    column("lei_status", sa.Text, nullable=True, comment="status, for counting only"),
    column("next_renewal_date", sa.Date, nullable=True, comment="date, for counting only"),
    column("last_seen_at", Utc, comment="when a delivery last brought it"),
    comment="Stopped companies a delivery brought and the load dropped: counted, not known",
)

not_retaken = sa.Table(
    "not_retaken",
    METADATA,
    column(
        "subject_hash", sa.Text, primary_key=True, comment="HMAC of (source, key, field, value)"
    ),
    column("key_version", sa.Integer, comment="version of the key outside the database"),
    column("since_at", Utc, comment="when retention deleted the value"),
    comment="Values retention deleted: the same value is not taken again from the same record",
)

deletion_log = sa.Table(
    "deletion_log",
    METADATA,
    column("deletion_id", sa.BigInteger, primary_key=True, comment="ours, in order"),
    column("subject", sa.Text, comment="random id of the act; says nothing about whom"),
    column("table_name", sa.Text, comment="table rows were deleted from"),
    column("row_count", sa.BigInteger, comment="rows deleted from it"),
    column("policy_id", sa.Text, comment="retention policy row"),
    column("reason", sa.Text, comment="condition that made it due"),
    column("policy_version", sa.Text, comment="policy version in force"),
    column("deleted_at", Utc, comment="when"),
    column("actor", sa.Text, comment="who ran it"),
    column("chain", sa.Text, comment="SHA-256 over the previous entry's and this one"),
    comment="Proof of deletion without personal data; chained, append-only",
)

audit_event = sa.Table(
    "audit_event",
    METADATA,
    column("event_id", sa.BigInteger, primary_key=True, comment="ours, in order"),
    column("at", Utc, comment="when"),
    column("actor", sa.Text, comment="who"),
    column("action", sa.Text, comment="export, suppress, deactivate, delete, explain, quarantine"),
    column("subject", sa.Text, nullable=True, comment="opaque id of what it was about"),
    column("detail", sa.Text, nullable=True, comment="JSON of counts and codes, never a value"),
    column("chain", sa.Text, comment="SHA-256 over the previous event's and this one"),
    comment="Who did what when; chained, append-only",
)
