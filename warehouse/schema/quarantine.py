"""Rows a rule stopped: kept apart with rule, place and filtered text, for a fortnight."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column, one_of

quarantined_row = sa.Table(
    "quarantined_row",
    METADATA,
    column("quarantine_id", sa.BigInteger, primary_key=True, comment="ours"),
    column("source_id", sa.Text, comment="the source", retention="quarantine"),
    column("source_key", sa.Text, comment="the row's key as sent, or ''", retention="quarantine"),
    column("rule", sa.Text, comment="the rule that stopped it", retention="quarantine"),
    column(
        "content_digest", sa.LargeBinary(16), comment="digest of the text", retention="quarantine"
    ),
    column(
        "content",
        sa.Text,
        comment="JSON: mapped columns, personal numbers removed; natural persons: skeleton",
        category="company facts",
        personal=True,
        retention="quarantine",
    ),
    column(
        "withheld",
        sa.Text,
        nullable=True,
        comment="why the text is not the whole row: shape, person, text, contacts; null: it is",
        retention="quarantine",
    ),
    column("byte_offset", sa.BigInteger, comment="where the row starts in the member last seen"),
    column("is_alarming", sa.Boolean, comment="false for LEIs already annulled or duplicate"),
    column(
        "first_delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="delivery it was first seen in",
    ),
    column(
        "last_delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="delivery it was last seen in",
    ),
    column("first_seen_at", Utc, comment="first seen"),
    column("last_seen_at", Utc, comment="last seen; retention counts from here"),
    column(
        "state",
        sa.Text,
        default="'open'",
        comment="open, dropped by a person, or retried and let in",
    ),
    sa.UniqueConstraint("source_id", "source_key", "rule", "content_digest"),
    one_of("state", ("open", "dropped", "retried"), "state"),
    one_of("withheld", ("shape", "person", "text", "contacts"), "withheld"),
    comment="Rejected rows, one entry a (source, key, rule, content)",
)
