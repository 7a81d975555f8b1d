"""What each delivery looked like, as counts: how many of its rows had which field."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, column

delivery_profile = sa.Table(
    "delivery_profile",
    METADATA,
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        primary_key=True,
        comment="the delivery",
    ),
    column("field", sa.Text, primary_key=True, comment="field, in the words of `changes`"),
    column("rows", sa.BigInteger, comment="rows that could be read"),
    column("filled", sa.BigInteger, comment="those of them that had the field"),
    sa.CheckConstraint("filled BETWEEN 0 AND rows", name="filled_within_rows"),
    comment="How many rows of a delivery had each kept field, as sent; counts and no value",
    sqlite_with_rowid=False,
)
