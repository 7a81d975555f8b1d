"""Code lists in words, every version with its dates and where it came from."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column


def _version() -> tuple[sa.Column[object] | sa.CheckConstraint, ...]:
    return (
        column(
            "delivery_id",
            sa.BigInteger,
            sa.ForeignKey("delivery.delivery_id"),
            nullable=True,
            comment="delivery that brought these words; null = they ship with sourcenote",
        ),
        column("citation", sa.Text, nullable=True, comment="where words that ship are taken from"),
        column("since_at", Utc, comment="in these words from"),
        column("until_at", Utc, nullable=True, comment="in other words from then; null = current"),
        sa.CheckConstraint("(delivery_id IS NULL) = (citation IS NOT NULL)", name="has_an_origin"),
    )


legal_form = sa.Table(
    "legal_form",
    METADATA,
    column("code", sa.Text, primary_key=True, comment="ISO 20275 code"),
    column("place", sa.Integer, primary_key=True, comment="order among its names, from 0"),
    column("version", sa.Integer, primary_key=True, comment="0 ships, then 1, 2, …"),
    column("language", sa.Text, comment="ISO 639-1, und where not stated"),
    column("local_name", sa.Text, nullable=True, comment="name in that language"),
    column("transliterated_name", sa.Text, nullable=True, comment="name in Latin letters"),
    column("abbreviations", sa.Text, nullable=True, comment="as listed, by semicolons"),
    column("country", sa.Text, nullable=True, comment="ISO 3166-1 alpha-2"),
    column("jurisdiction", sa.Text, nullable=True, comment="ISO 3166-2, or its name"),
    column("status", sa.Text, nullable=True, comment="ACTV or INAC"),
    *_version(),
    comment="Legal forms in words, one row a code, name and version",
)

registration_authority = sa.Table(
    "registration_authority",
    METADATA,
    column("code", sa.Text, primary_key=True, comment="RA code of GLEIF's list"),
    column("version", sa.Integer, primary_key=True, comment="0 ships, then 1, 2, …"),
    column("local_name", sa.Text, nullable=True, comment="the register's own name"),
    column("international_name", sa.Text, nullable=True, comment="its name in English"),
    column("local_organisation", sa.Text, nullable=True, comment="who keeps it, own name"),
    column("international_organisation", sa.Text, nullable=True, comment="who keeps it"),
    column("website", sa.Text, nullable=True, comment="address of the register"),
    column("countries", sa.Text, nullable=True, comment="ISO 3166-1 alpha-2, by commas"),
    column("jurisdictions", sa.Text, nullable=True, comment="names, by commas"),
    column("short_name", sa.Text, nullable=True, comment="what it is called; ships only"),
    *_version(),
    comment="Registers in words, one row a code and version",
)
