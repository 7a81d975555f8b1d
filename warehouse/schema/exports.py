"""What left the house, to whom, under which notice, and the links printed on it."""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.schema.base import METADATA, Utc, column, one_of

export = sa.Table(
    "export",
    METADATA,
    column("export_id", sa.Text, primary_key=True, comment="ours", retention="export"),
    column("state", sa.Text, comment="written (files being placed) or published"),
    column("directory", sa.Text, comment="folder the list was written to"),
    column("segment", sa.Text, comment="segment exported"),
    column("channel", sa.Text, comment="post, email or phone"),
    column("purpose", sa.Text, comment="purpose id"),
    column("recipient", sa.Text, comment="recipient id"),
    column("created_at", Utc, comment="when"),
    column("actor", sa.Text, comment="who"),
    column("manifest", sa.Text, comment="manifest as written, JSON, without contact values"),
    column("run_id", sa.BigInteger, sa.ForeignKey("run.run_id"), comment="the run"),
    one_of("state", ("written", "published"), "state"),
    comment="Lists that left, whole or not at all",
)

disclosure = sa.Table(
    "disclosure",
    METADATA,
    column("disclosure_id", sa.BigInteger, primary_key=True, comment="ours"),
    column(
        "export_id", sa.Text, sa.ForeignKey("export.export_id"), comment="list", retention="export"
    ),
    column("row_id", sa.Text, comment="row in the list"),
    column("company_id", sa.BigInteger, comment="company as we knew it then (may be gone)"),
    column("recipient", sa.Text, comment="recipient id"),
    column("recipient_name", sa.Text, comment="recipient's name"),
    column("fields", sa.Text, comment="which fields left, comma separated; never the values"),
    column("notice_id", sa.Text, comment="notice on the row"),
    column("policy_version", sa.Text, comment="policy version in force"),
    column("disclosed_at", Utc, comment="when"),
    comment="Who received which company's which fields, when, under which notice",
)
sa.Index("ix_disclosure_company_id", disclosure.c.company_id)

letter = sa.Table(
    "letter",
    METADATA,
    column("token_digest", sa.Text, primary_key=True, comment="SHA-256 of the link's secret part"),
    column("export_id", sa.Text, sa.ForeignKey("export.export_id"), comment="the list"),
    column("row_id", sa.Text, comment="the row"),
    column("company_id", sa.BigInteger, comment="the company then"),
    column("key_version", sa.Integer, comment="version of the suppression key"),
    column(
        "subject_kind",
        sa.Text,
        default="'lei'",
        comment="what was hashed: lei, or register (its code and a number)",
    ),
    column("subject_hash", sa.Text, comment="keyed hash of (source, key): outlives the company"),
    column("notice_id", sa.Text, comment="the notice printed"),
    column("language", sa.Text, comment="language(s) of the notice"),
    column(
        "notice_html",
        sa.Text,
        nullable=True,
        comment="the row's full notice to the byte; removed with the company",
        category="company facts",
        personal=True,
    ),
    column("created_at", Utc, comment="when"),
    comment="Signed links on exported rows; they work after the company is gone",
)
sa.Index("ix_letter_company_id", letter.c.company_id)
sa.Index("ix_letter_subject_hash", letter.c.subject_hash)
