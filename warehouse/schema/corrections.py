"""Values a person put in the place of a publisher's, each with who, why and which delivery."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column

SOURCE_ID = "correction"
"""What `origins` names in the place of a source: no publisher sent the value."""
DATABASE_NAME = "own corrections"
LICENCE = "none: not published by anyone"

correction = sa.Table(
    "correction",
    METADATA,
    column("record_id", sa.BigInteger, primary_key=True, comment="the record"),
    column("source_key", sa.Text, primary_key=True, comment="the record's key"),
    column("field", sa.Text, primary_key=True, comment="field, in the words of `prospects`"),
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        primary_key=True,
        comment="delivery that brought the corrected row",
    ),
    column("corrected_by", sa.Text, comment="whose word it is: the controller, by name"),
    column("actor", sa.Text, comment="login or operating-system user that corrected it"),
    column("reason", sa.Text, comment="why, in words without contact values"),
    column("corrected_at", Utc, comment="when"),
    sa.ForeignKeyConstraint(["record_id", "source_key"], ["record.record_id", "record.source_key"]),
    comment="Fields of a delivery that a person corrected: their origin is no publisher",
    sqlite_with_rowid=False,
)
