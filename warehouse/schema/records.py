"""What publishers said (records), whom it is about (companies), and what changed when."""

from __future__ import annotations

import sqlalchemy as sa

from sources.kit import columns, shapes
from warehouse.schema.base import METADATA, Utc, column, one_of

OWN_RECORD = "own record"
"""Reason of the link between a new record and the company made for it."""
SAME_NUMBER = "same number"
"""Reason of the link between a register's record and the company that states its number."""
NUMBER_MOVED, BY_HAND = "number", "person"
"""Why a link ended: the number leads elsewhere now, or a person said that it was wrong."""
STATES = ("active", "inactive")
_INDEXED = ("lei_status", "next_renewal_date", "start_lei", "end_lei")
_TYPES = {"text": sa.Text, "date": sa.Date, "utc": sa.BigInteger}


def _field(field: columns.Field) -> sa.Column[object]:
    return column(
        field.name,
        _TYPES[field.kind],
        comment=field.meaning,
        category="company facts",
        nullable=True,
    )


def _fields() -> list[columns.Field]:
    """Every shape's fields; what indexes are built of stands first, where a row is read soonest."""
    listed = [*columns.FIELDS, *shapes.BESIDE_ENTITY]
    return sorted(listed, key=lambda field: field.name not in _INDEXED)


def record_reference() -> sa.ForeignKeyConstraint:
    """What hangs on a record says on which."""
    return sa.ForeignKeyConstraint(
        ["record_id", "source_key"], ["record.record_id", "record.source_key"]
    )


record = sa.Table(
    "record",
    METADATA,
    column("record_id", sa.BigInteger, primary_key=True, comment="ours, never reused"),
    column(
        "source_key", sa.Text, primary_key=True, comment="the publisher's key: the LEI, a number"
    ),
    column("source_id", sa.Text, comment="the source"),
    column("digest", sa.LargeBinary(16), comment="xxh3-128 of the kept fields as published"),
    column("mapping_version", sa.Integer, comment="mapping the digest was taken under"),
    column("person_kind", sa.Text, comment="none, possible, natural"),
    column("person_rule", sa.Text, nullable=True, comment="the rule that said so"),
    column(
        "first_delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="origin of every field that has no later change",
    ),
    column(
        "last_delivery_id",
        sa.BigInteger,
        comment="delivery that wrote the content now held (its changes refer to it)",
    ),
    column("absent_count", sa.Integer, default="0", comment="full files in a row it was not in"),
    *(_field(field) for field in _fields()),
    column("vanished_at", Utc, nullable=True, comment="when its absence was believed"),
    one_of("person_kind", columns.PERSON_KINDS, "person_kind"),
    sa.CheckConstraint(
        "person_kind <> 'natural' OR ("
        + " AND ".join(f"{name} IS NULL" for name in columns.PERSONAL_OF_NATURAL)
        + ")",
        name="natural_is_a_skeleton",
    ),
    comment="What a publisher says on one key; nothing personal is ever in this table",
    postgresql_partition_by="HASH (source_key)",
)
sa.Index("uq_record_source_key_source_id", record.c.source_key, record.c.source_id, unique=True)
for _end, _other in (("start_lei", "end_lei"), ("end_lei", "start_lei")):
    sa.Index(
        f"ix_record_{_end}",
        record.c[_end],
        record.c.relationship_type,
        record.c.relationship_status,
        record.c[_other],
        record.c.retracted_published,
        record.c.vanished_at,
        sqlite_where=record.c[_end].is_not(None),
        postgresql_where=record.c[_end].is_not(None),
    )
"""Who is related to whom, and whether it holds, is found in these alone; no company is in them."""
sa.Index(
    "ix_record_lei_status",
    record.c.lei_status,
    record.c.next_renewal_date,
    record.c.record_id,
    record.c.source_id,
)
"""Segments are counted, and what has ended is found, in this index alone.

The source comes last: nearly all rows share it, and building the index compares from the left.
"""
_HAS_FLAG = record.c.ad_protected.is_not(None)
sa.Index(
    "ix_record_ad_protected",
    record.c.record_id,
    sqlite_where=_HAS_FLAG,
    postgresql_where=_HAS_FLAG,
)
"""Whom a register says to be protected or not: few among records of the whole world."""

company = sa.Table(
    "company",
    METADATA,
    column("company_id", sa.BigInteger, primary_key=True, comment="ours, opaque, never reused"),
    column("lead_record_id", sa.BigInteger, comment="the linked record `prospects` shows"),
    column("lead_source_key", sa.Text, comment="that record's key"),
    column("state", sa.Text, default="'active'", comment="active or inactive"),
    column("inactive_since", sa.Date, nullable=True, comment="the date the policy row counts from"),
    column("inactive_reason", sa.Text, nullable=True, comment="which condition of the policy row"),
    column("delete_after", sa.Date, nullable=True, comment="day from which it may be deleted"),
    column("policy_id", sa.Text, default="'company_public'", comment="retention policy row"),
    column("first_seen_at", Utc, comment="when we first held it"),
    column("last_changed_at", Utc, comment="when what is joined to it last changed"),
    one_of("state", STATES, "state"),
    sa.CheckConstraint(
        "(state = 'active') = (inactive_since IS NULL)"
        " AND (inactive_since IS NULL) = (inactive_reason IS NULL)",
        name="inactive_has_a_reason",
    ),
    comment="A company as we know it; its id says nothing about it",
)
sa.Index(
    "ix_company_inactive",
    company.c.lead_record_id,
    company.c.delete_after,
    sqlite_where=company.c.state == sa.text("'inactive'"),
    postgresql_where=company.c.state == sa.text("'inactive'"),
)

company_record = sa.Table(
    "company_record",
    METADATA,
    column(
        "company_id",
        sa.BigInteger,
        sa.ForeignKey("company.company_id"),
        primary_key=True,
        comment="the company",
    ),
    column("record_id", sa.BigInteger, primary_key=True, comment="the record"),
    column("source_key", sa.Text, comment="the record's key"),
    column("since_at", Utc, comment="link held from"),
    column("until_at", Utc, nullable=True, comment="link ended; null = holds"),
    column("reason", sa.Text, comment="why they are linked: own record, same number"),
    column("until_reason", sa.Text, nullable=True, comment="why it ended: number, person"),
    record_reference(),
    comment="Which records are about which company; a link can end, nothing else is rewritten",
    sqlite_with_rowid=False,
)
sa.Index("ix_company_record_record_id", company_record.c.record_id)
_IS_JOINED = company_record.c.reason != sa.text(f"'{OWN_RECORD}'")
sa.Index(
    "ix_company_record_joined",
    company_record.c.record_id,
    sqlite_where=_IS_JOINED,
    postgresql_where=_IS_JOINED,
)

sa.Index(
    "ix_company_record_ended",
    company_record.c.company_id,
    sqlite_where=company_record.c.until_at.is_not(None),
    postgresql_where=company_record.c.until_at.is_not(None),
)

record_number = sa.Table(
    "record_number",
    METADATA,
    column("number_space", sa.Text, primary_key=True, comment="RA code standing for its numbers"),
    column("number", sa.Text, primary_key=True, comment="the number in its one form"),
    column("record_id", sa.BigInteger, primary_key=True, comment="record with an LEI stating it"),
    column("source_key", sa.Text, comment="the record's key"),
    record_reference(),
    comment="Registers' numbers that LEI records state: a register's record is joined by these",
    sqlite_with_rowid=False,
)
sa.Index("ix_record_number_record_id", record_number.c.record_id)

change = sa.Table(
    "change",
    METADATA,
    column("record_id", sa.BigInteger, primary_key=True, comment="the record"),
    column("source_key", sa.Text, primary_key=True, comment="the record's key"),
    column("field", sa.Text, primary_key=True, comment="field, in the words of `prospects`"),
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        primary_key=True,
        comment="delivery that brought the new value: its origin",
    ),
    column("old_value", sa.Text, nullable=True, comment="value before", category="company facts"),
    column("new_value", sa.Text, nullable=True, comment="value after", category="company facts"),
    column("changed_at", Utc, comment="when we applied it"),
    column("is_current", sa.Boolean, comment="the latest change of this field"),
    record_reference(),
    comment="Every change of a legal person's field, with the delivery that brought it",
    sqlite_with_rowid=False,
)

_IS_VANISHING = change.c.field == sa.text("'vanished_at'")
sa.Index(
    "ix_change_vanished",
    change.c.record_id,
    sqlite_where=_IS_VANISHING,
    postgresql_where=_IS_VANISHING,
)
_IS_ANOTHER_END = change.c.field == sa.text("'end_lei'")
sa.Index(
    "ix_change_end_lei",
    change.c.old_value,
    sqlite_where=_IS_ANOTHER_END,
    postgresql_where=_IS_ANOTHER_END,
)
"""Whose relationships led to a company before they led elsewhere."""
sa.Index("ix_change_changed_at", change.c.changed_at)
"""What was said yesterday costs what changed since."""

personal_value = sa.Table(
    "personal_value",
    METADATA,
    column("record_id", sa.BigInteger, primary_key=True, comment="the record"),
    column("source_key", sa.Text, primary_key=True, comment="the record's key"),
    column("field", sa.Text, primary_key=True, comment="field, or field_care_of"),
    column(
        "value",
        sa.Text,
        comment="care-of part, or a natural person's particular",
        category="person",
        personal=True,
        retention="person_public",
    ),
    column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("delivery.delivery_id"),
        comment="delivery that brought it: its origin",
    ),
    column("obtained_at", Utc, comment="when we obtained it: retention counts from here"),
    column("inactive_after", sa.Date, comment="day from which it is inactive, by its policy row"),
    column("delete_after", sa.Date, comment="day from which it is deleted, by its policy row"),
    column("state", sa.Text, default="'active'", comment="active or inactive"),
    record_reference(),
    one_of("state", STATES, "state"),
    comment="Values that name a person, apart from the record they came with",
)
