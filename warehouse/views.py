"""The views analysts query: the same names and columns on SQLite and PostgreSQL, in plain SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sources.kit import columns
from warehouse import code_views, views_group
from warehouse.schema.deliveries import COUNTS

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

VIEWS = (
    "prospects",
    "contact_points",
    "origins",
    "changes",
    "contact_changes",
    "relationships",
    "reporting_exceptions",
    "group_origins",
    "group_changes",
    "deliveries",
    "delivery_profiles",
    "runs",
    "quarantined",
    "disclosures",
    "retention_due",
    "audit_events",
    "legal_forms",
    "registration_authorities",
    "code_words",
)


def recreate_views(connection: Connection) -> None:
    """Drop and create every view; they hold nothing, so this is safe at any time."""
    for name in reversed(VIEWS):
        connection.execute(sa.text(f"DROP VIEW IF EXISTS {name}"))
    for name in VIEWS:
        body = _BODIES[name](connection.dialect.name)
        connection.execute(sa.text(f"CREATE VIEW {name} AS {body}"))


_OF_THE_COMPANY = (
    *("legal_name", "country", "region", "city", "postal_code", "registration_authority"),
    *("registration_number", "legal_form", "entity_category", "is_natural_person"),
    *("entity_status", "lei_status", "initial_registration_date", "next_renewal_date"),
    "managing_lou",
)
"""Columns of `prospects` that a record tells, in the order of the public interface."""


def _shown(alias: str, is_natural: str) -> str:
    told = {shown: f"{alias}.{held}" for shown, held in columns.SHOWN}
    told["is_natural_person"] = is_natural
    return ",\n  ".join(f"{told[name]} AS {name}" for name in _OF_THE_COMPANY)


def _prospects(dialect: str) -> str:
    """One row a company; none of one whose record has joined another: it is shown there."""
    listing = (
        "group_concat(DISTINCT r2.source_id)"
        if dialect == "sqlite"
        else "string_agg(DISTINCT r2.source_id, ',')"
    )
    true, false = ("1", "0") if dialect == "sqlite" else ("true", "false")
    contact = (
        "EXISTS (SELECT 1 FROM company_record l JOIN contact_point p"
        " ON p.record_id = l.record_id WHERE l.company_id = c.company_id"
        " AND l.until_at IS NULL AND p.kind = '{kind}' AND p.state = 'active'"
        " AND p.withdrawn_at IS NULL)"
    )
    # Text, and of its words the greatest is the strictest.
    protected = (
        "(SELECT max(r3.ad_protected) FROM company_record l JOIN record r3"
        " ON r3.record_id = l.record_id AND r3.source_key = l.source_key"
        " WHERE l.company_id = c.company_id AND l.until_at IS NULL)"
    )
    latest = "max" if dialect == "sqlite" else "GREATEST"
    named = f"CASE WHEN r.person_kind = 'natural' THEN {true} ELSE {false} END"
    return f"""
SELECT c.company_id, CASE WHEN r.source_id = 'gleif' THEN r.source_key END AS lei,
  {_shown("r", named)},
  CASE {protected} WHEN 'true' THEN {true} WHEN 'false' THEN {false} END AS ad_protected,
  {contact.format(kind="email")} AS has_email,
  {contact.format(kind="phone")} AS has_phone,
  (r.headquarters_address_line IS NOT NULL AND r.headquarters_city IS NOT NULL) AS has_post,
  (SELECT {listing} FROM company_record l JOIN record r2
     ON r2.record_id = l.record_id AND r2.source_key = l.source_key
    WHERE l.company_id = c.company_id AND l.until_at IS NULL) AS sources,
  c.state, c.inactive_since, c.inactive_reason, c.delete_after, c.first_seen_at,
  {latest}(c.last_changed_at, COALESCE(w.retrieved_at, c.last_changed_at)) AS last_changed_at
FROM company c
JOIN record r ON r.record_id = c.lead_record_id AND r.source_key = c.lead_source_key
LEFT JOIN delivery w ON w.delivery_id = r.last_delivery_id
WHERE NOT EXISTS (SELECT 1 FROM company_record e WHERE e.company_id = c.company_id
  AND e.record_id = c.lead_record_id AND e.until_at IS NOT NULL)
"""


_PLACE = """replace(k.record_url_template, '{key}', r.source_key) AS record_url,
  d.delivery_id, d.sha256 AS delivery_sha256, d.published_at, d.retrieved_at"""
_ORIGIN_COLUMNS = f"""k.source_id, k.publisher, k.database_name, k.is_public_database, k.licence,
  {_PLACE}"""
_LAST_SEEN = """CASE WHEN r.absent_count = 0 AND k.last_seen_at > d.retrieved_at
    THEN k.last_seen_at ELSE d.retrieved_at END AS last_seen_at"""


def _origins(dialect: str) -> str:
    """One plain select a field, so that `company_id = ?` reaches an index on both databases."""
    true, false = ("1", "0") if dialect == "sqlite" else ("true", "false")
    null = "NULL" if dialect == "sqlite" else "CAST(NULL AS bigint)"
    fields = [("lei", "source_key"), *columns.SHOWN, ("ad_protected", "ad_protected")]
    selects = [
        f"""SELECT l.company_id, {null} AS contact_id, '{shown}' AS field,
  {views_group.corrected(_PLACE, false)}, d.retrieved_at AS first_seen_at,
  {_LAST_SEEN.replace("WHEN", "WHEN x.field IS NULL AND", 1)}
FROM company_record l
JOIN record r ON r.record_id = l.record_id AND r.source_key = l.source_key
LEFT JOIN change h ON h.record_id = r.record_id AND h.source_key = r.source_key
  AND h.field = '{shown}' AND h.is_current = {true}
JOIN delivery d ON d.delivery_id = COALESCE(h.delivery_id, r.first_delivery_id)
LEFT JOIN correction x ON x.record_id = r.record_id AND x.source_key = r.source_key
  AND x.field = '{shown}' AND x.delivery_id = d.delivery_id
JOIN source_cursor k ON k.source_id = r.source_id
WHERE l.until_at IS NULL AND {_is_told("r", held)}"""
        + (" AND r.source_id = 'gleif'" if shown == "lei" else "")
        for shown, held in fields
    ]
    selects.append(
        f"""SELECT l.company_id, p.contact_id, p.kind AS field,
  {_ORIGIN_COLUMNS}, d.retrieved_at AS first_seen_at,
  {_LAST_SEEN}
FROM company_record l
JOIN record r ON r.record_id = l.record_id AND r.source_key = l.source_key
JOIN contact_point p ON p.record_id = r.record_id AND p.source_key = r.source_key
JOIN delivery d ON d.delivery_id = p.first_delivery_id
JOIN source_cursor k ON k.source_id = r.source_id
WHERE l.until_at IS NULL"""
    )
    return "\nUNION ALL\n".join(selects)


def _is_told(alias: str, held: str) -> str:
    """A condition that a planner does not take for rare: it would begin with every record."""
    rare = f"COALESCE({alias}.{held}, '') <> ''"
    return rare if held == "ad_protected" else f"{alias}.{held} IS NOT NULL"


def _contact_points(_: str) -> str:
    return """
SELECT p.contact_id, l.company_id, p.kind, p.value, p.mailbox_class, r.source_id,
  p.obtained_at AS first_seen_at, k.last_seen_at, p.state
FROM contact_point p
JOIN record r ON r.record_id = p.record_id AND r.source_key = p.source_key
JOIN company_record l ON l.record_id = r.record_id AND l.until_at IS NULL
JOIN source_cursor k ON k.source_id = r.source_id
"""


def _contact_changes(_: str) -> str:
    return """
SELECT l.company_id, h.contact_id, h.kind AS field, h.what,
  CASE WHEN h.what = 'went' THEN p.value END AS old_value,
  CASE WHEN h.what IN ('came', 'came back') THEN p.value END AS new_value,
  h.delivery_id, h.changed_at
FROM contact_change h
JOIN contact_point p ON p.contact_id = h.contact_id
JOIN company_record l ON l.record_id = h.record_id AND l.until_at IS NULL
"""


def _changes(_: str) -> str:
    return """
SELECT l.company_id, h.field, h.old_value, h.new_value, h.delivery_id, h.changed_at
FROM change h
JOIN record r ON r.record_id = h.record_id AND r.source_key = h.source_key
JOIN company_record l ON l.record_id = r.record_id AND l.until_at IS NULL
WHERE r.person_kind <> 'natural'
"""


def _deliveries(_: str) -> str:
    return (
        "SELECT delivery_id, source_id, kind, url, published_at, retrieved_at, byte_count, sha256,"
        f" status, {', '.join(COUNTS)} FROM delivery"
    )


def _delivery_profiles(_: str) -> str:
    return (
        "SELECT f.delivery_id, d.source_id, d.kind, d.published_at, d.retrieved_at, f.field,"
        " f.rows, f.filled FROM delivery_profile f JOIN delivery d ON d.delivery_id = f.delivery_id"
    )


def _runs(_: str) -> str:
    return (
        "SELECT run_id, flow, source_id, state, actor, started_at, ended_at, counts, message"
        " FROM run"
    )


def _quarantined(_: str) -> str:
    return (
        "SELECT quarantine_id, source_id, source_key, rule, content, byte_offset, is_alarming,"
        " first_delivery_id, last_delivery_id, first_seen_at, last_seen_at, state"
        " FROM quarantined_row"
    )


def _disclosures(_: str) -> str:
    return (
        "SELECT disclosure_id, export_id, row_id, company_id, recipient, recipient_name, fields,"
        " notice_id, policy_version, disclosed_at FROM disclosure"
    )


def _retention_due(_: str) -> str:
    return (
        "SELECT company_id, policy_id, state, inactive_since, inactive_reason, delete_after"
        " FROM company WHERE state = 'inactive'"
    )


def _audit_events(_: str) -> str:
    return "SELECT event_id, at, actor, action, subject, detail, chain FROM audit_event"


_BODIES = {
    "prospects": _prospects,
    "contact_points": _contact_points,
    "origins": _origins,
    "changes": _changes,
    "contact_changes": _contact_changes,
    "relationships": views_group.relationships,
    "reporting_exceptions": views_group.reporting_exceptions,
    "group_origins": views_group.group_origins,
    "group_changes": views_group.group_changes,
    "deliveries": _deliveries,
    "delivery_profiles": _delivery_profiles,
    "runs": _runs,
    "quarantined": _quarantined,
    "disclosures": _disclosures,
    "retention_due": _retention_due,
    "audit_events": _audit_events,
    "legal_forms": code_views.legal_forms,
    "registration_authorities": code_views.registration_authorities,
    "code_words": code_views.code_words,
}
